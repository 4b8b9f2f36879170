/**
 * Every machine with everything that can be said to it: what the table test and the path coverage go over.
 * `answers` names, for events that not every state expects, the states that do.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { createBreakerMachine } from '../../machines/breaker.ts';
import type { MachineDefinition } from '../../machines/definition.ts';
import { createEntryMachine } from '../../machines/entry.ts';
import { createFeedMachine } from '../../machines/feed.ts';
import { createGuardianMachine } from '../../machines/guardian.ts';
import { createPortfolioMachine } from '../../machines/portfolio.ts';
import { createPositionMachine, DEFAULT_PLAN } from '../../machines/position.ts';
import { createScannerMachine } from '../../machines/scanner.ts';
import type { Candle } from '../../src/domain/candle.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import type { ClosedCandles, Signal, Strategy } from '../../src/domain/signal.ts';
import { riskJudge } from '../../src/risk/learning.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { approved, entry, INSTRUMENT, positionInput } from './machine-bench.ts';
import { operatorCase } from './machine-case-operator.ts';
import { guardWords, readings, venueWords } from './machine-words.ts';

export const START_AT = 1_750_000_000_000;

export interface MachineCase {
  readonly name: string;
  readonly definition: MachineDefinition;
  readonly input: Record<string, unknown>;
  /** Everything that can be said, in the words that fit this state. */
  readonly events: (snapshot: AnyMachineSnapshot) => readonly ActorEvent[];
  /** Events not listed here are answered everywhere. */
  readonly answers: Readonly<Record<string, readonly string[]>>;
  /** What of the context makes a difference to what can happen next. */
  readonly essence: (snapshot: AnyMachineSnapshot) => unknown;
  /** Events left out of the search, to keep it small; the table has them all the same. */
  readonly searched?: (snapshot: AnyMachineSnapshot, event: ActorEvent) => boolean;
  readonly deepEnough?: (snapshot: AnyMachineSnapshot) => boolean;
}

export const ENTER: Signal = {
  kind: 'enter',
  direction: 'long',
  symbol: 'BTCUSDT',
  price: 100,
  stopPrice: 95,
  trailDistance: 3,
  atrPercent: 2,
  reason: 'breakout',
};
export const EXIT: Signal = { kind: 'exit', direction: 'long', symbol: 'BTCUSDT', reason: 'faded' };

export function candle(closeAt: number, close = 100): Candle {
  const prices = { open: close, high: close, low: close, close };
  return { symbol: 'BTCUSDT', timeframe: '15m', openTime: closeAt - 900_000, ...prices, volume: 1 };
}

export const closedCandles = (closeAt: number, close = 100): ClosedCandles => ({
  '15m': candle(closeAt, close),
});

/** Enters on a close of 200 and exits on one of 50; counts what it has seen. */
export const STRATEGY: Strategy = {
  name: 'test',
  version: 1,
  warmUpMs: 0,
  initial: () => ({ seen: 0 }),
  step(state, closed) {
    const { seen } = state as { seen: number };
    const close = closed['15m']?.close;
    const signal = close === 200 ? ENTER : close === 50 ? EXIT : undefined;
    const next = { seen: seen + 1 };
    return signal ? { state: next, signal } : { state: next };
  },
};

const scanner: MachineCase = {
  name: 'scanner',
  definition: createScannerMachine(STRATEGY),
  input: { symbol: 'BTCUSDT', at: START_AT },
  events: () => [
    { type: 'CANDLES', closed: closedCandles(START_AT), at: START_AT },
    { type: 'CANDLES', closed: closedCandles(START_AT, 200), at: START_AT },
    { type: 'CANDLES', closed: closedCandles(START_AT - 120_000, 200), at: START_AT },
    { type: 'SEED', history: [closedCandles(START_AT)], at: START_AT },
    { type: 'FEED_DOWN', reason: 'gap', at: START_AT },
    { type: 'FEED_UP', at: START_AT },
    { type: 'FEED_UP', at: START_AT + 86_400_000 },
    { type: 'PAUSE', at: START_AT },
    { type: 'RESUME', at: START_AT },
    { type: 'CONFIG', version: 2, settings: { maxSignalAgeMs: 1_000 }, at: START_AT },
  ],
  answers: {},
  essence: ({ context }) => [context.lastCloseAt !== null, context.barsToReseed > 0],
};

const refusals = [{ rule: 'position-count', detail: 'full' }];
const tradeOf = (netPnl: string) => ({
  symbol: 'BTCUSDT',
  direction: 'long',
  quantity: '2',
  entryPrice: '100',
  exitPrice: '95',
  grossPnl: netPnl,
  fees: '0',
  funding: '0',
  netPnl,
  reason: 'stop',
  openedAt: START_AT,
  closedAt: START_AT,
  life: 1,
});

const desk: MachineCase = {
  name: 'entry',
  definition: createEntryMachine(),
  input: { symbol: 'BTCUSDT', instrument: INSTRUMENT, plan: DEFAULT_PLAN, at: START_AT },
  events: ({ context }) => {
    const actor = context.position ?? 'position/BTCUSDT/BOTH/0';
    return [
      { type: 'SIGNAL', signal: ENTER },
      { type: 'SIGNAL', signal: { ...ENTER, direction: 'short', stopPrice: 105 } },
      { type: 'SIGNAL', signal: EXIT },
      { type: 'OPINION', opinion: { direction: 'long', confidence: 0.5, reason: 'it fades' } },
      { type: 'REGIME', regime: 'range', suits: ['long', 'short'] },
      { type: 'APPROVED', entry: approved(), reservation: 'r1' },
      { type: 'REFUSED', refusals },
      { type: 'POSITION_OPENED', actor },
      { type: 'POSITION_CLOSED', actor, trade: tradeOf('-10'), reason: 'stop' },
      { type: 'ADD_WANTED', actor, entry: entry({ add: true }) },
      { type: 'BLOCK', source: 'feed', reason: 'gap' },
      { type: 'UNBLOCK', source: 'feed' },
      { type: 'ABORT_ENTRY', reason: 'halted' },
      { type: 'INSTRUMENT', instrument: { ...INSTRUMENT, status: 'TRADING_HALT' } },
      { type: 'INSTRUMENT', instrument: { ...INSTRUMENT, tickSize: '0.5' } },
      { type: 'CONFIG', version: 2, settings: { plan: { stopRetryMs: 1 }, coolDownMs: 1 } },
      { type: 'ADOPT', symbol: 'BTCUSDT', direction: 'short', quantity: '1', entryPrice: '100', by: 'ann' },
      { type: 'ADOPT', symbol: 'ETHUSDT', direction: 'short', quantity: '1', entryPrice: '100', by: 'ann' },
    ].map((event) => ({ ...event, at: START_AT }));
  },
  answers: { POSITION_OPENED: ['starting'], POSITION_CLOSED: ['starting', 'holding'] },
  essence: ({ context }) => [Object.keys(context.blocks), context.position !== null],
  deepEnough: ({ context }) => context.life > 1,
};

const account: MachineCase = {
  name: 'portfolio',
  definition: createPortfolioMachine(riskJudge),
  input: {
    at: START_AT,
    wallet: '1000',
    limits: DEFAULT_LIMITS,
    equityBreakers: ['breaker/drawdown'],
    tradeBreakers: ['breaker/consecutive-losses'],
  },
  events: () => {
    const actor = 'position/BTCUSDT/BOTH/1';
    const exposure = { actor, symbol: 'BTCUSDT', direction: 'long', entryPrice: '100', unknown: false };
    return [
      { type: 'ASSESS', entry: entry(), instrument: INSTRUMENT, from: 'entry/BTCUSDT' },
      { type: 'CONFIRM', actor, symbol: 'BTCUSDT' },
      { type: 'WALLET_CHANGED', balance: '990', delta: '-10', reason: 'REALIZED_PNL' },
      { type: 'EXPOSURE', ...exposure, notional: '200', quantity: '0' },
      { type: 'EXPOSURE', ...exposure, notional: '0', quantity: '0' },
      { type: 'POSITION_CLOSED', actor, trade: tradeOf('-10'), reason: 'stop' },
      { type: 'RELEASE', reservation: 'r1' },
      { type: 'FOREIGN_CONDITIONALS', count: 3 },
      { type: 'MARK', prices: { BTCUSDT: 99 } },
      { type: 'BREAKER_CHANGED', breaker: 'drawdown', state: 'halted', cause: 'down' },
      { type: 'BREAKER_CHANGED', breaker: 'daily-loss', state: 'reducing', cause: 'down' },
      { type: 'BREAKER_CHANGED', breaker: 'daily-loss', state: 'half-open', cause: 'down' },
      { type: 'BREAKER_CHANGED', breaker: 'drawdown', state: 'closed', cause: '' },
      { type: 'OPERATOR_HALT', by: 'ann' },
      { type: 'OPERATOR_RESUME', by: 'ann' },
      { type: 'CONFIG', version: 2, settings: { maxPositions: 0, maxLeverage: 1 } },
    ].map((event) => ({ ...event, at: START_AT }));
  },
  answers: {},
  essence: ({ context }) => [
    Object.keys(context.exposures).length,
    Math.min(1, Object.keys(context.reservations).length),
    context.breakers,
    context.operatorHalt,
  ],
};

const WILD = { ratio: 9, percent: 2 };
const HARD_PRESSED = { equity: '700', peak: '1000', dayStart: '1000', day: 1 };

const breaker = (kind: string, settings: Record<string, unknown>): MachineCase => ({
  name: `breaker ${kind}`,
  definition: createBreakerMachine(),
  input: { kind, settings, at: START_AT },
  events: () =>
    [
      { type: 'EQUITY', equity: '1000', peak: '1000', dayStart: '1000', day: 1 },
      { type: 'EQUITY', equity: '700', peak: '1000', dayStart: '1000', day: 1 },
      { type: 'MOVED', equity: '700', moved: '-700' },
      { type: 'EQUITY', equity: '700', peak: '1000', dayStart: '700', day: 2 },
      { type: 'TRADE_CLOSED', trade: tradeOf('-10') },
      { type: 'TRADE_CLOSED', trade: tradeOf('10') },
      { type: 'FAULT', reason: 'timeout' },
      { type: 'OK' },
      { type: 'STALE', symbol: 'BTCUSDT' },
      { type: 'LIVE', symbol: 'BTCUSDT' },
      { type: 'THROTTLED', until: START_AT + 1_000, banned: false },
      { type: 'THROTTLED', until: START_AT + 120_000, banned: true },
      { type: 'FINDINGS', count: 1, detail: 'a position nobody holds' },
      { type: 'CLEAN' },
      { type: 'SKEW', ms: -1_500 },
      { type: 'SKEW', ms: 20 },
      { type: 'LATENCY', ms: 9_000 },
      { type: 'LATENCY', ms: 90 },
      { type: 'EQUITY', ...HARD_PRESSED, notional: '80000' },
      { type: 'EQUITY', ...HARD_PRESSED, notional: '0', weekStart: '1000', week: 1 },
      { type: 'SHOCK', moves: { BTCUSDT: -20 }, mean: 3 },
      { type: 'SHOCK', moves: { ETHUSDT: 20 }, mean: 20 },
      { type: 'CALM' },
      { type: 'VOLATILITY', market: { ratio: 2, percent: 1 }, symbols: { BTCUSDT: WILD } },
      { type: 'VOLATILITY', market: { ratio: 1, percent: 0.1 }, symbols: {} },
      { type: 'MARGIN', ratioPercent: '75' },
      { type: 'MARGIN', ratioPercent: '1' },
      { type: 'FUNDING', rates: { BTCUSDT: 0.01 } },
      { type: 'FUNDING', rates: {} },
      { type: 'EMERGENCY', kill: 'kill-1', seq: 1, entry: {} },
      { type: 'OPERATOR_TRIP', by: 'ann', reason: 'news' },
      { type: 'OPERATOR_RESET', by: 'ann', reason: 'seen' },
      { type: 'COOLED_DOWN' },
      {
        type: 'CONFIG',
        version: 2,
        settings: { maxDrawdownPercent: '1', maxLossesInARow: 1, flatten: [kind] },
      },
    ].map((event) => ({ ...event, at: START_AT })),
  answers: {},
  essence: ({ context }) => [
    context.counters.baseline,
    context.counters.stale,
    Math.min(2, context.counters.streak),
    Math.min(2, context.counters.faultTimes.length),
    context.counters.openedDay,
  ],
});

const feed: MachineCase = {
  name: 'feed',
  definition: createFeedMachine(),
  input: { symbol: 'BTCUSDT', at: START_AT, breaker: 'breaker/stale-data' },
  events: () =>
    [
      { type: 'TICK' },
      { type: 'FAULT', kind: 'gap', detail: '3 bars' },
      { type: 'FAULT', kind: 'duplicate', detail: 'twice' },
      { type: 'STALE' },
      { type: 'RESUMED' },
      { type: 'HALTED', reason: 'delisting' },
      { type: 'TRADING' },
    ].map((event) => ({ ...event, at: START_AT })),
  answers: {},
  essence: ({ context }) => Math.min(1, context.ticksSeen),
};

const guardian: MachineCase = {
  name: 'guardian',
  definition: createGuardianMachine(),
  input: { at: START_AT },
  events: ({ context }) => {
    const actor = 'position/BTCUSDT/BOTH/1';
    return [
      { type: 'HANDOVER', actor, symbol: 'BTCUSDT', reason: 'cannot be restored' },
      { type: 'RESOLVED', actor, by: 'ann' },
      { type: 'ADOPT', actor, by: 'ann' },
      ...readings(actor, (context.lastReadAt ?? START_AT) + 1_000),
      { type: 'LOOK' },
      { type: 'CONFIG', version: 2, settings: { boundMs: 1_000 } },
      { type: 'GUARD_ANSWER', actor, symbol: 'BTCUSDT', stopPrice: '95' },
      { type: 'GUARD_OVER', symbol: 'BTCUSDT' },
      ...guardWords(context),
    ].map((event) => ({ ...event, at: context.at + 40_000 }));
  },
  answers: {},
  essence: ({ context }) => [
    context.cases.length,
    context.gaps.map(({ stage, refused }: { stage: string; refused: number }) => [
      stage,
      Math.min(1, refused),
    ]),
    context.orders.map(({ kind, status }: { kind: string; status: string }) => [kind, status]),
  ],
  deepEnough: ({ context }) => context.ordersMade > 1,
};

/** An order that can still do something, as far as it matters which. */
const standing = ({ role, status }: { role: string; status: string }): string | null =>
  status === 'over' ? null : `${role} ${status}`;

const ORDERS_ENOUGH = 4;

const position = (name: string, plan: Record<string, unknown>, scope: readonly string[]): MachineCase => ({
  name: `position ${name}`,
  definition: createPositionMachine(),
  input: { ...positionInput({ plan }), at: START_AT },
  events: ({ context }) => [
    ...venueWords(context),
    ...[
      { type: 'LEVERAGE_SET', symbol: 'BTCUSDT', leverage: 5 },
      { type: 'LEVERAGE_REJECTED', symbol: 'BTCUSDT', code: -4028, reason: 'no' },
      { type: 'CONFIRMED' },
      { type: 'DENIED', reason: 'halted' },
      { type: 'APPROVED', entry: approved(), reservation: 'r1' },
      { type: 'REFUSED', refusals },
      { type: 'PRICE', mark: 101, last: 101 },
      { type: 'PRICE', mark: 90, last: 90 },
      { type: 'ADD' },
      { type: 'EXIT_SIGNAL', reason: 'faded' },
      { type: 'EXIT_SIGNAL', reason: 'opposite-signal', signal: 'opposite' },
      { type: 'BAR_CLOSED', open: 100, high: 101, low: 99, close: 100, closeAt: context.at },
      { type: 'EXIT_OPINION', confidence: 0.5, reason: 'it fades', mark: 100 },
      { type: 'REGIME', regime: 'range', suits: ['long', 'short'] },
      { type: 'REGIME', regime: 'trend-down', suits: ['short'] },
      { type: 'FUNDING_AHEAD', rate: 0.002, settlesAt: START_AT, mark: 100 },
      { type: 'ABORT_ENTRY', reason: 'halted' },
      { type: 'OPERATOR_CLOSE' },
      { type: 'PARTIAL_CLOSE', by: 'ann', share: '50' },
      { type: 'MOVE_STOP', by: 'ann', price: '97', mark: 100 },
      { type: 'KILL', reason: 'all' },
      { type: 'TIME_STOP' },
      { type: 'POSITION_GONE', reason: 'flat at the venue' },
      { type: 'FUNDING_SETTLED', symbol: 'BTCUSDT', amount: '-0.1', rate: '0.0001', markPrice: '100' },
      { type: 'MARGIN_CALLED', symbol: 'BTCUSDT', marginRatio: '0.9' },
      { type: 'CANCEL_AGAIN' },
      { type: 'INSTRUMENT', instrument: { ...INSTRUMENT, tickSize: '0.5' } },
      ...(['TRADING', 'TRADING_HALT', 'SETTLING', 'CLOSE'] as const).map((status) => ({
        type: 'INSTRUMENT',
        instrument: { ...INSTRUMENT, status },
      })),
      { type: 'GUARD_STOP', symbol: 'BTCUSDT', quantity: '2', protected: '0' },
    ].map((event) => ({ ...event, at: context.at })),
  ],
  answers: {
    LEVERAGE_SET: ['preparing.settingLeverage'],
    LEVERAGE_REJECTED: ['preparing.settingLeverage'],
    CONFIRMED: ['preparing.confirming'],
    DENIED: ['preparing.confirming'],
  },
  essence: ({ context }) => [
    [...new Set(context.orders.map(standing).filter((standing: string | null) => standing !== null))].sort(),
    context.quantity === '0',
    Math.min(2, context.stopRejections),
  ],
  searched: (_snapshot, event) =>
    event.type.startsWith('xstate.') ||
    ['LEVERAGE_SET', 'CONFIRMED', ...scope].includes(event.type) ||
    (typeof event.ref === 'string' && scope.includes(event.ref.split('-')[0] ?? '')),
  deepEnough: ({ context }) => context.orders.length > ORDERS_ENOUGH,
});

const HALF = [{ profitPercent: '1', sharePercent: '50' }];
const ADDS = { maxAdds: 2, stepPercent: '1', sizeFactor: '0.5', confirm: 'touch', maxExposure: '10' };

export const MACHINE_CASES: readonly MachineCase[] = [
  scanner,
  desk,
  account,
  breaker('drawdown', {}),
  breaker('daily-loss', {}),
  breaker('consecutive-losses', { maxLossesInARow: 2 }),
  breaker('api-errors', { maxApiErrors: 2 }),
  breaker('journal', {}),
  breaker('stale-data', {}),
  breaker('rate-limit', {}),
  breaker('reconciliation', {}),
  breaker('clock', {}),
  breaker('latency', { maxSlowCalls: 2 }),
  breaker('kill', {}),
  breaker('weekly-loss', {}),
  breaker('margin', {}),
  breaker('win-rate', { winRateTrades: 2 }),
  breaker('flash-crash', {}),
  breaker('funding', {}),
  feed,
  guardian,
  operatorCase,
  position('entry and protection', {}, ['entry', 'stop', 'DENIED', 'ABORT_ENTRY']),
  position('replacement of its stop', { stopOverrunPercent: '50' }, ['entry', 'stop', 'PRICE']),
  position('ends', {}, ['entry', 'close', 'emergency', 'EXIT_SIGNAL', 'KILL', 'POSITION_GONE']),
  position('trailing and parts', { scaleOut: HALF }, ['entry', 'exit', 'PRICE']),
  position('parts that rest', { scaleOut: HALF, restingTargets: true, stopOverrunPercent: '50' }, [
    'entry',
    'exit',
    'CANCEL_AGAIN',
  ]),
  position('what befalls it', { exits: { ...DEFAULT_PLAN.exits, delisting: false } }, [
    'entry',
    'INSTRUMENT',
    'forced',
  ]),
  position('adds', { pyramid: ADDS }, ['entry', 'add', 'ADD', 'APPROVED', 'REFUSED']),
];
