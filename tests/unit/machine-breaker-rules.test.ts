import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BreakerContext } from '../../machines/breaker.ts';
import { createBreakerMachine } from '../../machines/breaker.ts';
import { DEFAULT_BREAKER_SETTINGS } from '../../machines/breaker-rules.ts';
import { dailyLimit } from '../../machines/breakers/equity.ts';
import { createPortfolioMachine } from '../../machines/portfolio.ts';
import { riskJudge } from '../../src/risk/learning.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { MachineBench, told } from '../support/machine-bench.ts';

const DAY_MS = 86_400_000;

const breaker = (kind: string, settings: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
  new MachineBench(createBreakerMachine(), { kind, settings, ...more });
const word = (bench: MachineBench) => told(bench).find(([to]) => to === 'portfolio')?.[1];
const trade = (netPnl: string, more: Record<string, unknown> = {}) => ({
  ...{ symbol: 'BTCUSDT', direction: 'long', netPnl, quantity: '1', entryPrice: '100' },
  ...more,
});

test('whoever opens tells the venue\u2019s door first, then the portfolio, in one row', () => {
  const bench = breaker('drawdown');
  bench.send('OPERATOR_TRIP', { by: 'ann', reason: 'news' });
  assert.deepEqual(
    told(bench).map(([to, event]) => [to, event.type, event.state]),
    [
      ['venue', 'BREAKER_CHANGED', 'halted'],
      ['portfolio', 'BREAKER_CHANGED', 'halted'],
    ],
  );
});

describe('daily loss', () => {
  test('its limit shrinks with capital and with days that move, and is never above what is configured', () => {
    const limit = (capital: string, volatility: number | null) =>
      Number(dailyLimit(capital, volatility, DEFAULT_BREAKER_SETTINGS));
    assert.equal(limit('1000', null), 5);
    assert.equal(limit('10000', 2), 5);
    assert.equal(limit('40000', null), 2.5);
    assert.equal(limit('1000000', null), 2.5);
    assert.equal(limit('10000', 2.5), 4);
    assert.equal(limit('40000', 100), 1.25);
  });

  test('it learns from the days\u2019 starts how much equity moves', () => {
    const bench = breaker('daily-loss');
    const equity = (now: string, dayStart: string, day: number) =>
      bench.send('EQUITY', { equity: now, peak: '1000', dayStart, day });
    equity('1000', '1000', 1);
    equity('900', '900', 2);
    assert.equal(bench.context<BreakerContext>().counters.volatility, 10);
    // Half of five percent, because days moved by ten.
    equity('878', '900', 2);
    assert.equal(bench.value, 'closed');
    equity('877', '900', 2);
    assert.deepEqual(bench.value, { open: 'reducing' });
  });
});

test('a weekly loss halts until Monday', () => {
  const bench = breaker('weekly-loss', { maxWeeklyLossPercent: '10' });
  const equity = (now: string, weekStart: string, week: number) =>
    bench.send('EQUITY', { equity: now, peak: '1000', dayStart: now, day: 1, weekStart, week });
  equity('901', '1000', 7);
  assert.equal(bench.value, 'closed');
  equity('900', '1000', 7);
  assert.equal(word(bench)?.state, 'halted');
  equity('1000', '1000', 7);
  assert.deepEqual(bench.value, { open: 'halted' });
  equity('900', '900', 8);
  assert.equal(word(bench)?.state, 'closed');
});

test('margin: no entries, then the largest position again and again, then everything', () => {
  const bench = breaker('margin', { maintenanceRate: '0.01', deleverageEveryMs: 1_000 });
  const at = (notional: string, laterMs = 10) =>
    bench.send('EQUITY', { equity: '100', peak: '100', dayStart: '100', day: 1, notional }, laterMs);
  at('4999');
  assert.equal(bench.value, 'closed');
  at('5000');
  assert.equal(word(bench)?.state, 'reducing');
  at('7000');
  assert.deepEqual([word(bench)?.state, word(bench)?.closing], ['halted', 'largest']);
  at('7000');
  assert.equal(word(bench), undefined, 'the first close is given its time');
  at('7000', 1_000);
  assert.equal(word(bench)?.closing, 'largest');
  at('8500');
  assert.equal(word(bench)?.closing, 'all');
  at('9000');
  assert.equal(word(bench), undefined, 'said once');
  at('4000');
  assert.deepEqual(bench.value, { open: 'halted' }, 'not yet calm');
  at('3999');
  assert.equal(word(bench)?.state, 'closed');
});

test('the venue\u2019s own word on margin goes through the same stages', () => {
  const bench = breaker('margin', { deleverageEveryMs: 1_000 });
  const at = (ratioPercent: string, laterMs = 10) => bench.send('MARGIN', { ratioPercent }, laterMs);
  at('49.99');
  assert.equal(bench.value, 'closed');
  at('50');
  assert.equal(word(bench)?.state, 'reducing');
  at('80');
  assert.deepEqual([word(bench)?.state, word(bench)?.closing], ['halted', 'largest']);
  assert.match(String(word(bench)?.cause), /80 % at the venue/);
  at('80', 1_000);
  assert.equal(word(bench)?.closing, 'largest');
  at('85');
  assert.equal(word(bench)?.closing, 'all');
  at('39.99');
  assert.equal(word(bench)?.state, 'closed');
});

test('an account without equity has no margin left', () => {
  const bench = breaker('margin');
  bench.send('EQUITY', { equity: '-1', peak: '100', dayStart: '100', day: 1, notional: '10' });
  assert.equal(word(bench)?.closing, 'all');
});

test('a side whose trades win too seldom is shut alone; after its pause one win opens it', () => {
  const scope = { direction: 'long' };
  const bench = breaker(
    'win-rate',
    { winRateTrades: 5, winRateCoolDownMs: 1_000 },
    { name: 'win-rate/long', scope },
  );
  for (const net of ['3', '-1', '-1', '-1', '-1']) bench.send('TRADE_CLOSED', { trade: trade(net) });
  assert.equal(bench.value, 'closed', 'one of five is enough');
  bench.send('TRADE_CLOSED', { trade: trade('-1') });
  assert.deepEqual(
    [word(bench)?.state, word(bench)?.scope, word(bench)?.breaker],
    ['reducing', scope, 'win-rate/long'],
  );
  bench.wait(1_000);
  bench.send('TRADE_CLOSED', { trade: trade('-1') });
  assert.equal(word(bench)?.state, 'reducing');
  bench.wait(1_000);
  bench.send('TRADE_CLOSED', { trade: trade('1') });
  assert.equal(word(bench)?.state, 'closed');
});

test('98 of 100 trades on the worse side: that side is shut, and the two good ones on the other hide nothing', () => {
  const rules = { winRateTrades: 20, minWinRatePercent: 15 };
  const [long, short] = (['long', 'short'] as const).map((direction) =>
    breaker('win-rate', rules, { name: `win-rate/${direction}`, scope: { direction } }),
  ) as [MachineBench, MachineBench];
  const all = breaker('win-rate', rules);
  let shutAfter = 0;
  for (let i = 1; i <= 100; i++) {
    const isShort = i % 50 === 0;
    // One of ten long trades wins; the shorts make more than the longs lose.
    const net = isShort ? '500' : i % 10 === 1 ? '1' : '-2';
    const bench = isShort ? short : long;
    bench.send('TRADE_CLOSED', { trade: trade(net, { direction: isShort ? 'short' : 'long' }) });
    all.send('TRADE_CLOSED', { trade: trade(net) });
    if (shutAfter === 0 && bench.value !== 'closed') shutAfter = i;
  }
  assert.equal(shutAfter, 20, 'as soon as there are enough of its own trades');
  assert.deepEqual(long.value, { open: 'reducing' });
  assert.equal(short.value, 'closed');
  assert.equal(all.context<BreakerContext>().trips > 0, true, 'together they look different');
});

test('few wins that earn more than the losses cost are no collapse', () => {
  const bench = breaker('win-rate', { winRateTrades: 8, minWinRatePercent: 20 });
  bench.send('TRADE_CLOSED', { trade: trade('50') });
  for (let i = 0; i < 7; i++) bench.send('TRADE_CLOSED', { trade: trade('-1') });
  assert.equal(bench.value, 'closed');
});

describe('moves of the market', () => {
  test('a symbol that crashes is shut alone, others join, and a market that moves shuts all', () => {
    const bench = breaker('flash-crash');
    bench.send('SHOCK', { moves: { BTCUSDT: -11.9 }, mean: 3 });
    assert.equal(bench.value, 'closed');
    bench.send('SHOCK', { moves: { BTCUSDT: -12, ETHUSDT: -5 }, mean: 3 });
    assert.deepEqual(word(bench)?.scope, { symbols: ['BTCUSDT'] });
    bench.send('SHOCK', { moves: { ETHUSDT: 13 }, mean: 3 });
    assert.deepEqual(word(bench)?.scope, { symbols: ['BTCUSDT', 'ETHUSDT'] });
    bench.send('SHOCK', { moves: {}, mean: 5 });
    assert.deepEqual([word(bench)?.state, word(bench)?.scope], ['reducing', undefined]);
    bench.send('SHOCK', { moves: { BTCUSDT: 13 }, mean: 1 });
    assert.equal(word(bench), undefined, 'it is not narrowed while it is open');
    bench.wait(3_600_000);
    bench.send('CALM');
    assert.equal(word(bench)?.state, 'closed');
  });

  test('extreme funding shuts its symbols, whichever side pays, until it is over', () => {
    const bench = breaker('funding');
    bench.send('FUNDING', { rates: { BTCUSDT: 0.001, ETHUSDT: -0.004 } });
    assert.deepEqual(word(bench)?.scope, { symbols: ['ETHUSDT'] });
    bench.send('FUNDING', { rates: { BTCUSDT: 0.003, ETHUSDT: -0.004 } });
    assert.deepEqual(word(bench)?.scope, { symbols: ['BTCUSDT', 'ETHUSDT'] });
    bench.send('FUNDING', { rates: {} });
    assert.equal(word(bench)?.state, 'closed');
  });
});

test('the kill switch closes everything, takes each entry of the log once, and opens by a person\u2019s word only', () => {
  const bench = breaker('kill');
  bench.send('OPERATOR_TRIP', { by: 'ann', reason: 'out (kill-1)', closing: 'all' });
  assert.deepEqual([word(bench)?.state, word(bench)?.closing], ['halted', 'all']);
  for (const seq of [1, 2, 1]) bench.send('EMERGENCY', { kill: 'kill-1', seq, entry: {} });
  assert.deepEqual(bench.context<BreakerContext>().counters.merged, { kill: 'kill-1', seq: 2 });
  bench.wait(30 * DAY_MS);
  assert.deepEqual(bench.value, { open: 'halted' });
  bench.send('OPERATOR_RESET', { by: 'bob', reason: 'seen' });
  assert.equal(word(bench)?.state, 'closed');
  const { audit } = bench.context<BreakerContext>();
  assert.deepEqual(
    audit.map(({ by, what, reason }) => [by, what, reason]),
    [
      ['ann', 'trip', 'out (kill-1)'],
      ['bob', 'reset', 'seen'],
    ],
  );
});

test('a breaker that is configured to closes everything when it halts', () => {
  const bench = breaker('drawdown', { flatten: ['drawdown'] });
  bench.send('EQUITY', { equity: '800', peak: '1000', dayStart: '1000', day: 1 });
  assert.deepEqual([word(bench)?.state, word(bench)?.closing], ['halted', 'all']);
});

describe('what the portfolio does about it', () => {
  const portfolio = () =>
    new MachineBench(createPortfolioMachine(riskJudge), {
      ...{ wallet: '1000', limits: DEFAULT_LIMITS, equityBreakers: [] },
      tradeBreakers: ['breaker/consecutive-losses/+', 'breaker/consecutive-losses/*'],
    });
  const position = (symbol: string) => `position/${symbol}/BOTH/1`;
  const expose = (
    bench: MachineBench,
    symbol: string,
    quantity: string,
    more: Record<string, unknown> = {},
  ) =>
    bench.send('EXPOSURE', {
      ...{ actor: position(symbol), symbol, direction: 'long', entryPrice: '100', unknown: false },
      ...{ quantity, notional: String(100 * Math.max(1, Number(quantity))) },
      ...more,
    });
  const change = (bench: MachineBench, state: string, more: Record<string, unknown> = {}) =>
    bench.send('BREAKER_CHANGED', { breaker: 'x', state, cause: 'why', ...more });
  const toPositions = (bench: MachineBench) =>
    told(bench)
      .filter(([to]) => to.startsWith('position/'))
      .map(([to, event]) => [to, event.type]);

  test('halted and closing all closes what is held, calls back what is not, and closes what fills late', () => {
    const bench = portfolio();
    expose(bench, 'BTCUSDT', '2');
    expose(bench, 'ETHUSDT', '0');
    change(bench, 'halted', { closing: 'all' });
    assert.deepEqual(toPositions(bench), [
      [position('ETHUSDT'), 'ABORT_ENTRY'],
      [position('BTCUSDT'), 'KILL'],
    ]);
    expose(bench, 'ETHUSDT', '1');
    assert.deepEqual(toPositions(bench), [[position('ETHUSDT'), 'KILL']]);
    expose(bench, 'ETHUSDT', '2');
    assert.deepEqual(toPositions(bench), [], 'told once');
  });

  test('the largest is the largest at mark', () => {
    const bench = portfolio();
    expose(bench, 'BTCUSDT', '2');
    expose(bench, 'ETHUSDT', '1');
    bench.send('MARK', { prices: { BTCUSDT: 100, ETHUSDT: 300 } });
    change(bench, 'halted', { closing: 'largest' });
    assert.deepEqual(toPositions(bench), [[position('ETHUSDT'), 'KILL']]);
  });

  test('a breaker of one symbol or side stops entries there and nowhere else', () => {
    const bench = portfolio();
    change(bench, 'reducing', { scope: { symbols: ['ETHUSDT'] } });
    assert.equal(bench.value, 'active');
    const confirm = (symbol: string) => {
      bench.send('CONFIRM', { actor: position(symbol), symbol });
      return told(bench).map(([, event]) => event.type);
    };
    assert.deepEqual(confirm('BTCUSDT'), ['CONFIRMED']);
    assert.deepEqual(confirm('ETHUSDT'), ['DENIED']);
    expose(bench, 'ETHUSDT', '0');
    assert.deepEqual(toPositions(bench), [[position('ETHUSDT'), 'ABORT_ENTRY']]);
    change(bench, 'closed', { scope: { symbols: ['ETHUSDT'] } });
    assert.deepEqual(confirm('ETHUSDT'), ['CONFIRMED']);
  });

  test('a move is told within its window, and calm while a breaker waits for it', () => {
    const bench = portfolio();
    const shocks = () => told(bench).filter(([to]) => to === 'breaker/flash-crash');
    const mark = (price: number, laterMs: number) =>
      bench.send('MARK', { prices: { BTCUSDT: price } }, laterMs);
    mark(100, 10);
    mark(99, 60_000);
    assert.deepEqual(shocks(), []);
    mark(90, 600_000);
    assert.deepEqual(
      shocks().map(([, event]) => [event.type, event.moves, event.mean]),
      [['SHOCK', { BTCUSDT: -10 }, 10]],
    );
    change(bench, 'reducing', { breaker: 'flash-crash' });
    for (let i = 0; i < 3; i++) mark(90, 900_000);
    assert.deepEqual(
      shocks().map(([, event]) => event.type),
      ['CALM'],
    );
  });

  test('trades go to the breakers of their own side and symbol', () => {
    const bench = portfolio();
    const own = { ...trade('-1'), direction: 'short', openedAt: 1, closedAt: 2, life: 1, reason: 'stop' };
    bench.send('POSITION_CLOSED', { actor: position('BTCUSDT'), trade: own, reason: 'stop' });
    assert.deepEqual(
      told(bench).map(([to]) => to),
      ['breaker/consecutive-losses/short', 'breaker/consecutive-losses/BTCUSDT'],
    );
  });
});
