/** Views and an operator for the bot's tests, without a run behind them: fixed data, and answers by the real rules. */
import type { PositionContext } from '../../machines/position/context.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { COMMAND_RULES, refusal } from '../../src/operator/command.ts';
import type { Operator, OperatorAnswer, OperatorRequest } from '../../src/operator/operator.ts';
import type { PositionStatus, StatusDocument } from '../../src/operator/status-document.ts';
import type { ProfitLine, TradeView, Views } from '../../src/operator/views.ts';

const T0 = Date.parse('2025-01-31T12:00:00Z');
const HOUR = 3_600_000;

export const POSITION: PositionStatus = {
  actor: 'position/BTCUSDT/BOTH/3',
  symbol: 'BTCUSDT',
  direction: 'long',
  quantity: '0.012',
  entryPrice: '101250.55',
  markPrice: '102300.1',
  stopPrice: '100900',
  openPnl: '12.5946',
  liquidationPrice: '52310.7',
  state: 'open filled covered protected armed',
};

const trade = (n: number, netPnl: string, symbol = 'XRPUSDT'): TradeView => ({
  n,
  actor: `position/${symbol}/BOTH/${n}`,
  symbol,
  direction: n % 2 ? 'long' : 'short',
  quantity: '100',
  entryPrice: '2.5',
  exitPrice: '2.6',
  grossPnl: netPnl,
  fees: '0.12',
  funding: '-0.01',
  netPnl,
  reason: 'trailing-stop',
  openedAt: T0 - n * 5 * HOUR,
  closedAt: T0 - n * 4 * HOUR,
  life: n,
});
export const TRADES = Array.from({ length: 30 }, (_, i) => trade(i + 1, i % 3 ? '-1.25' : '4.5'));

const profitLine = (group: string, net: string): ProfitLine => ({
  ...{ group, trades: 30, wins: 10, winRate: 1 / 3, net, gross: '23.4', fees: '3.6', funding: '-0.3' },
  ...{ won: '45', lost: '25', profitFactor: '1.8', expectancy: '0.66', averageHeldMs: 5 * HOUR },
});

const STATUS: StatusDocument = {
  ...{ format: 1, version: '0.1.0', pid: 1, mode: 'demo', accountName: 'main', state: 'running' },
  ...{ startedAt: T0 - HOUR, updatedAt: T0, virtualTime: T0 },
  market: { name: 'synthetic', symbols: ['BTCUSDT', 'XRPUSDT'], seed: 42 },
  store: { engine: 'memory', location: '', durable: false },
  account: {
    ...{ initial: '10000', wallet: '10020', equity: '10032.59', realised: '23.4' },
    ...{ fees: '3.6', funding: '-0.3', openPnl: '12.5946' },
  },
  positions: [POSITION],
  trades: { count: 30, wins: 10, losses: 20, last: [] },
  breakers: [
    { name: 'drawdown', state: 'closed', since: null, reason: null },
    { name: 'consecutive-losses', state: 'open', since: T0 - HOUR, reason: '7 losing trades in a row' },
  ],
  tradingState: 'reducing',
  journal: { n: 10, durableN: 10, rowsPerSecond: 1 },
  ...{ tree: null, recovery: { ms: 10, actors: 14 }, progress: null, error: null },
};

export const candlesOf = (symbol: string, count: number): Candle[] =>
  Array.from({ length: count }, (_, i) => {
    const open = 101_000 + 700 * Math.sin(i / 9) + i * 8;
    const close = open + 150 * Math.cos(i);
    const base = {
      symbol,
      timeframe: '15m',
      openTime: T0 - (count - i) * 900_000,
      open,
      close,
      volume: 1,
    } as const;
    return { ...base, high: Math.max(open, close) + 90, low: Math.min(open, close) - 90 };
  });

export function fixedViews(): Views {
  const mark = { by: 'telegram:Ann', at: T0, reason: 'news' };
  const views: Partial<Views> = {
    status: () => STATUS,
    positions: () => [POSITION],
    position: async (named) => {
      if (named !== 'BTCUSDT') throw new BulkheadError('NOT_FOUND', `No position of ${named} is known.`);
      const context = {
        ...{ symbol: 'BTCUSDT', direction: 'long', firstFillAt: T0 - 6 * HOUR },
        scaleParts: [{ price: '103500', quantity: '0.004', refusals: 0 }],
      } as unknown as PositionContext;
      return {
        ...{ status: POSITION, actor: POSITION.actor, over: false, context },
        split: {
          price: '13.5',
          slippage: '-0.3',
          gross: '13.2',
          fees: '0.6',
          funding: '-0.01',
          net: '12.59',
        },
        story: [
          { n: 1, at: T0 - 6 * HOUR, what: 'risk approved long 0.012 <at> 101250', numbers: {} },
          { n: 2, at: T0 - 5 * HOUR, what: 'stop moved to 100900 & armed', numbers: {} },
        ],
        stops: [
          { at: T0 - 6 * HOUR, n: 1, price: '100400' },
          { at: T0 - 3 * HOUR, n: 2, price: '100900' },
        ],
        fills: [
          { at: T0 - 6 * HOUR, price: '101250.55', quantity: '0.012', n: 3, ref: 'entry-1', side: 'BUY' },
        ],
      };
    },
    orders: () => [
      {
        ...{ actor: POSITION.actor, symbol: 'BTCUSDT', direction: 'long', ref: 'stop-2', role: 'stop' },
        ...{ quantity: '0.012', filled: '0', price: '100900', status: 'live', reason: '' },
      },
    ],
    trades: ({ limit = 100 } = {}) => ({
      ...{ trades: TRADES.slice(0, limit), count: TRADES.length, net: '20', next: null, complete: true },
    }),
    balance: () => STATUS.account,
    profit: (by = 'total') => {
      if (by === 'total') return [profitLine('all', '20')];
      return ['2025-01-30', '2025-01-31'].map((day) => profitLine(by === 'day' ? day : `${by}-x`, '-3.25'));
    },
    results: () => ({
      ...{
        total: profitLine('all', '20'),
        bySymbol: [profitLine('XRPUSDT', '20')],
        returnPercent: 0.2,
        days: 12,
      },
      ...{ maxDrawdownPercent: 1.5, sharpe: 1.2, sortino: 1.9, calmar: null, dailyVar95Percent: 0.8 },
      ...{ best: TRADES[0] ?? null, worst: TRADES[1] ?? null },
    }),
    equity: () =>
      Array.from({ length: 200 }, (_, i) => ({
        at: T0 - (200 - i) * HOUR,
        equity: String(10_000 + (i % 37)),
      })),
    entries: () => [],
    risk: () => ({
      ...{
        equity: '10032',
        peakEquity: '10100',
        drawdownPercent: 0.67,
        dayStartEquity: '10000',
        dayPnl: '32',
      },
      ...{
        weekPnl: '-10',
        tradingState: 'active',
        exposures: [],
        refusals: [],
        refusedRules: { 'total-exposure': 4 },
      },
      use: [{ limit: 'positions', used: 1, max: 8, share: 0.125 }],
    }),
    breakers: () => ({ tradingState: 'reducing', kill: null, breakers: STATUS.breakers }),
    decisions: () => ({
      ...{
        stopped: null,
        paused: null,
        direction: { allowed: 'both', mark: null },
        blacklist: { DOGEUSDT: mark },
      },
      ...{
        whitelist: {},
        locks: { XRPUSDT: { ...mark, until: T0 + HOUR, direction: 'short' } },
        symbols: [],
      },
    }),
    logs: () => [
      { id: 1, level: 'warn', at: '2025-01-31T12:00:00.000Z', message: 'stop refused <code>', code: -2021 },
    ],
    config: () => ({ mode: 'demo', risk: { maxLeverage: 5 }, market: { symbols: ['BTCUSDT'] } }),
    health: () => ({
      state: 'ok',
      ready: true,
      checks: [{ check: 'journal', ok: true, detail: 'takes rows' }],
    }),
    tree: () => null,
    version: () => ({ bulkhead: '0.1.0', node: 'v24' }),
    audit: async () => [],
    slo: () => [
      { objective: 'uptime', target: '> 99.5 %', value: 99.9, unit: '%', met: true, samples: 10, since: 0 },
    ],
    candles: async (symbol, limit = 100) => candlesOf(symbol, limit),
  };
  return views as Views;
}

/** Judges by the rules, remembers its answers, and does nothing else. */
export class RecordingOperator implements Operator {
  readonly done: OperatorRequest[] = [];
  readonly asked: OperatorRequest[] = [];
  readonly #answers = new Map<string, OperatorAnswer>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  async execute(request: OperatorRequest): Promise<OperatorAnswer> {
    const { id, command, who, issuedAt, confirmed } = request;
    this.asked.push(request);
    const before = this.#answers.get(id);
    if (before) return before;
    const refused = refusal(command, who, issuedAt, this.#now());
    if (!refused && COMMAND_RULES[command.kind].asksTwice && !confirmed)
      return { id, outcome: 'confirm', code: 'CONFIRM', text: this.preview(command) };
    const answer: OperatorAnswer = refused
      ? { id, outcome: 'refused', ...refused }
      : { id, outcome: 'accepted', code: 'DONE', text: `${command.kind} is done`, n: this.done.length + 1 };
    if (!refused) this.done.push(request);
    this.#answers.set(id, answer);
    return answer;
  }

  preview(command: OperatorRequest['command']): string {
    return `It would ${command.kind}.`;
  }
}
