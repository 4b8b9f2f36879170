/** Entry desk, portfolio, scanner, feed, guardian and breakers: what each does and tells the others. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createBreakerMachine } from '../../machines/breaker.ts';
import { createEntryMachine, type EntryContext } from '../../machines/entry.ts';
import { createFeedMachine } from '../../machines/feed.ts';
import { createGuardianMachine } from '../../machines/guardian.ts';
import { createPortfolioMachine, type PortfolioContext } from '../../machines/portfolio.ts';
import { DEFAULT_PLAN } from '../../machines/position.ts';
import { createScannerMachine, type ScannerContext } from '../../machines/scanner.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { assessEntry } from '../../src/risk/risk-manager.ts';
import { approved, entry, INSTRUMENT, MachineBench } from '../support/machine-bench.ts';
import { closedCandles, ENTER, EXIT, START_AT, STRATEGY } from '../support/machine-cases.ts';

const POSITION = 'position/BTCUSDT/BOTH/1';

const told = (bench: MachineBench): [string, ActorEvent][] =>
  bench.last.flatMap((intent) =>
    intent.type === 'send' ? [[intent.to, intent.event] as [string, ActorEvent]] : [],
  );

const tradeOf = (netPnl: string) => ({ symbol: 'BTCUSDT', direction: 'long', netPnl });

describe('entry desk', () => {
  const desk = (more: Record<string, unknown> = {}) =>
    new MachineBench(createEntryMachine(), {
      symbol: 'BTCUSDT',
      instrument: INSTRUMENT,
      plan: DEFAULT_PLAN,
      ...more,
    });
  const context = (bench: MachineBench) => bench.context<EntryContext>();

  test('a signal is put on ticks and assessed; approval starts the position in the same row', () => {
    const bench = desk();
    bench.send('SIGNAL', { signal: { ...ENTER, price: 100.04, stopPrice: 95.01, trailDistance: 0.01 } });
    const [[to, ask]] = told(bench) as [[string, ActorEvent]];
    assert.equal(to, 'portfolio');
    assert.deepEqual(ask.entry, entry({ stopPrice: '95.1', trailDistance: '0.1' }));
    bench.send('APPROVED', { entry: approved(), reservation: 'r1' });
    const [start] = bench.last;
    assert.ok(start?.type === 'actor.start');
    assert.deepEqual([start.actor, start.machine], [POSITION, 'position']);
    assert.equal(bench.value, 'starting');
  });

  test('lives are numbered upwards, with a pause in between', () => {
    const bench = desk({ coolDownMs: 1_000 });
    for (const life of [1, 2]) {
      const actor = `position/BTCUSDT/BOTH/${life}`;
      bench.send('SIGNAL', { signal: ENTER });
      bench.send('APPROVED', { entry: approved(), reservation: `r${life}` });
      assert.equal(context(bench).position, actor);
      bench.send('POSITION_OPENED', { actor });
      bench.send('POSITION_CLOSED', { actor, trade: tradeOf('1'), reason: 'stop' });
      assert.equal(bench.value, 'coolingDown');
      bench.send('SIGNAL', { signal: ENTER });
      assert.deepEqual(bench.last, []);
      bench.wait(1_000);
      assert.equal(bench.value, 'idle');
    }
  });

  test('exit and opposite signals close what is open; the same direction is passed over and counted', () => {
    const bench = desk();
    bench.send('SIGNAL', { signal: ENTER });
    bench.send('APPROVED', { entry: approved(), reservation: 'r1' });
    bench.send('POSITION_OPENED', { actor: POSITION });
    bench.send('SIGNAL', { signal: ENTER });
    assert.deepEqual(bench.last, []);
    assert.equal(context(bench).counts.ignored, 1);
    for (const [signal, reason] of [
      [EXIT, 'signal: faded'],
      [{ ...ENTER, direction: 'short' }, 'opposite-signal'],
    ] as const) {
      bench.send('SIGNAL', { signal });
      assert.deepEqual(told(bench), [[POSITION, { type: 'EXIT_SIGNAL', reason }]]);
    }
  });

  test('a blocked desk starts nothing, not even what was approved meanwhile', () => {
    const bench = desk();
    bench.send('SIGNAL', { signal: ENTER });
    bench.send('BLOCK', { source: 'feed/BTCUSDT', reason: 'gap' });
    bench.send('APPROVED', { entry: approved(), reservation: 'r1' });
    assert.deepEqual(told(bench), [['portfolio', { type: 'RELEASE', reservation: 'r1' }]]);
    assert.equal(bench.value, 'blocked');
    bench.send('SIGNAL', { signal: ENTER });
    assert.deepEqual(bench.last, []);
    bench.send('UNBLOCK', { source: 'feed/BTCUSDT' });
    assert.equal(bench.value, 'idle');
  });

  test('refusals are counted by rule; silence of the portfolio is reported', () => {
    const bench = desk();
    bench.send('SIGNAL', { signal: ENTER });
    bench.send('REFUSED', { refusals: [{ rule: 'lot-size', detail: 'too small' }] });
    assert.deepEqual(context(bench).refusedRules, { 'lot-size': 1 });
    bench.send('SIGNAL', { signal: ENTER });
    bench.wait(10_000);
    assert.equal(bench.value, 'idle');
    bench.send('APPROVED', { entry: approved(), reservation: 'r7' });
    assert.deepEqual(told(bench), [['portfolio', { type: 'RELEASE', reservation: 'r7' }]]);
  });
});

describe('portfolio', () => {
  const portfolio = (wallet = '1000') =>
    new MachineBench(createPortfolioMachine(assessEntry), {
      wallet,
      limits: DEFAULT_LIMITS,
      equityBreakers: ['breaker/drawdown'],
      tradeBreakers: ['breaker/consecutive-losses'],
    });
  const context = (bench: MachineBench) => bench.context<PortfolioContext>();
  const ask = (bench: MachineBench, symbol = 'BTCUSDT') =>
    bench.send('ASSESS', {
      entry: entry({ symbol }),
      instrument: { ...INSTRUMENT, symbol },
      from: `entry/${symbol}`,
    });
  const expose = (bench: MachineBench, more: Record<string, unknown> = {}) =>
    bench.send('EXPOSURE', {
      actor: POSITION,
      symbol: 'BTCUSDT',
      direction: 'long',
      notional: '200',
      quantity: '2',
      entryPrice: '100',
      unknown: false,
      ...more,
    });
  const answer = (bench: MachineBench) => told(bench)[0]?.[1].type;

  test('an approval reserves its notional until the position speaks for itself', () => {
    const bench = portfolio();
    ask(bench);
    assert.equal(answer(bench), 'APPROVED');
    assert.equal(context(bench).reservations.r1?.notional, '100');
    ask(bench);
    assert.equal(answer(bench), 'REFUSED', 'the reservation counts as held');
    expose(bench);
    assert.deepEqual(context(bench).reservations, {});
    bench.send('POSITION_CLOSED', { actor: POSITION, trade: tradeOf('-3'), reason: 'stop' });
    assert.deepEqual(context(bench).exposures, {});
    assert.deepEqual(
      told(bench).map(([to, event]) => [to, event.type]),
      [
        ['breaker/consecutive-losses', 'TRADE_CLOSED'],
        ['breaker/drawdown', 'EQUITY'],
      ],
    );
  });

  test('after a breaker opened nothing is approved or confirmed, and unfilled entries are called back', () => {
    const bench = portfolio();
    ask(bench);
    ask(bench, 'ETHUSDT');
    expose(bench, { quantity: '0' });
    bench.send('BREAKER_CHANGED', { breaker: 'drawdown', state: 'halted', cause: '20 %' });
    assert.equal(bench.value, 'halted');
    assert.deepEqual(told(bench), [[POSITION, { type: 'ABORT_ENTRY', reason: 'trading is halted' }]]);
    bench.send('CONFIRM', { actor: 'position/ETHUSDT/BOTH/1', symbol: 'ETHUSDT' });
    assert.equal(answer(bench), 'DENIED');
    assert.deepEqual(context(bench).reservations, {});
    ask(bench, 'SOLUSDT');
    assert.equal(answer(bench), 'REFUSED');
    bench.send('BREAKER_CHANGED', { breaker: 'drawdown', state: 'half-open', cause: '' });
    assert.equal(bench.value, 'active');
  });

  test('the worst breaker decides, and the operator over all', () => {
    const bench = portfolio();
    bench.send('BREAKER_CHANGED', { breaker: 'daily-loss', state: 'reducing', cause: 'x' });
    bench.send('BREAKER_CHANGED', { breaker: 'drawdown', state: 'halted', cause: 'x' });
    assert.equal(bench.value, 'halted');
    bench.send('BREAKER_CHANGED', { breaker: 'drawdown', state: 'closed', cause: '' });
    assert.equal(bench.value, 'reducing');
    bench.send('OPERATOR_HALT', { by: 'ann' });
    bench.send('BREAKER_CHANGED', { breaker: 'daily-loss', state: 'closed', cause: '' });
    assert.equal(bench.value, 'halted');
    bench.send('OPERATOR_RESUME', { by: 'ann' });
    assert.equal(bench.value, 'active');
  });

  test('equity is wallet plus unrealised on mark; the day starts at UTC midnight; deposits are no profit', () => {
    const bench = portfolio();
    expose(bench);
    expose(bench, { actor: 'position/ETHUSDT/BOTH/1', symbol: 'ETHUSDT', direction: 'short' });
    bench.send('MARK', { prices: { BTCUSDT: 110, ETHUSDT: 103 } });
    assert.equal(context(bench).equity, '1014');
    assert.deepEqual(told(bench)[0], [
      'breaker/drawdown',
      { type: 'EQUITY', equity: '1014', peak: '1014', dayStart: '1000', day: 0 },
    ]);
    bench.send('WALLET_CHANGED', { balance: '1500', delta: '500', reason: 'DEPOSIT' });
    const { equity, peakEquity, dayStart } = context(bench);
    assert.deepEqual([equity, peakEquity, dayStart.equity], ['1514', '1514', '1500']);
    bench.send('WALLET_CHANGED', { balance: '1490', delta: '-10', reason: 'COMMISSION' });
    assert.deepEqual([context(bench).equity, context(bench).peakEquity], ['1504', '1514']);
    bench.send('MARK', { prices: { BTCUSDT: 100 } }, 86_400_000);
    assert.deepEqual(context(bench).dayStart, { day: 1, equity: '1484' });
  });
});

describe('breaker', () => {
  const breaker = (kind: string, settings: Record<string, unknown> = {}) =>
    new MachineBench(createBreakerMachine(), { kind, settings });
  const state = (bench: MachineBench) => told(bench).find(([to]) => to === 'portfolio')?.[1].state;
  const equity = (bench: MachineBench, now: string, more: Record<string, unknown> = {}) =>
    bench.send('EQUITY', { equity: now, peak: '1000', dayStart: '1000', day: 1, ...more });

  test('drawdown halts at its limit, stays open, and after a reset measures from where it was reset', () => {
    const bench = breaker('drawdown');
    equity(bench, '800.01');
    assert.equal(bench.value, 'closed');
    equity(bench, '800');
    assert.equal(state(bench), 'halted');
    equity(bench, '1000');
    assert.deepEqual(bench.value, { open: 'halted' }, 'a recovery alone does not close it');
    equity(bench, '790');
    bench.send('OPERATOR_RESET', { by: 'ann', reason: 'understood' });
    assert.equal(state(bench), 'closed');
    equity(bench, '700');
    assert.equal(bench.value, 'closed');
    equity(bench, '632');
    assert.equal(state(bench), 'halted');
  });

  test('a daily loss reduces until the next UTC day', () => {
    const bench = breaker('daily-loss');
    equity(bench, '950');
    assert.equal(state(bench), 'reducing');
    equity(bench, '990');
    assert.deepEqual(bench.value, { open: 'reducing' });
    equity(bench, '950', { dayStart: '950', day: 2 });
    assert.equal(state(bench), 'closed');
  });

  test('losses in a row open it; after its pause one trade decides', () => {
    const bench = breaker('consecutive-losses', { maxLossesInARow: 2, lossCoolDownMs: 1_000 });
    const lose = () => bench.send('TRADE_CLOSED', { trade: tradeOf('-1') });
    const win = () => bench.send('TRADE_CLOSED', { trade: tradeOf('1') });
    lose();
    win();
    lose();
    assert.equal(bench.value, 'closed');
    lose();
    assert.equal(state(bench), 'reducing');
    bench.wait(1_000);
    assert.equal(state(bench), 'half-open');
    lose();
    assert.equal(state(bench), 'reducing');
    bench.wait(1_000);
    win();
    assert.equal(state(bench), 'closed');
    assert.equal(bench.timers.size, 0);
  });

  test('faults count in a sliding window; half-open a single one is too many', () => {
    const bench = breaker('api-errors', {
      maxApiErrors: 2,
      apiErrorWindowMs: 1_000,
      apiErrorCoolDownMs: 5_000,
    });
    const fault = (laterMs: number) => bench.send('FAULT', { reason: '429' }, laterMs);
    fault(0);
    fault(1_000);
    assert.equal(bench.value, 'closed');
    fault(999);
    assert.equal(state(bench), 'halted');
    bench.wait(5_000);
    fault(5_000);
    assert.equal(state(bench), 'halted');
    bench.wait(5_000);
    bench.send('OK');
    assert.equal(state(bench), 'closed');
  });

  test('the journal trips at its first fault; too many stale symbols reduce until enough are back', () => {
    const journal = breaker('journal');
    journal.send('FAULT', { reason: 'disk full' });
    assert.equal(state(journal), 'halted');
    const stale = breaker('stale-data', { symbols: 4, maxStaleShare: 0.5 });
    stale.send('STALE', { symbol: 'A' });
    stale.send('STALE', { symbol: 'A' });
    assert.equal(stale.value, 'closed');
    stale.send('STALE', { symbol: 'B' });
    assert.equal(state(stale), 'reducing');
    stale.send('LIVE', { symbol: 'A' });
    assert.equal(state(stale), 'closed');
  });

  test('a person may trip and reset it, and is named in the audit', () => {
    const bench = breaker('stale-data');
    bench.send('OPERATOR_TRIP', { by: 'ann', reason: 'news' });
    assert.equal(state(bench), 'halted');
    bench.send('OPERATOR_RESET', { by: 'bob', reason: 'over' });
    assert.equal(bench.value, 'closed');
    const { audit } = bench.context<{ audit: { by: string; what: string }[] }>();
    assert.deepEqual(
      audit.map(({ by, what }) => [by, what]),
      [
        ['ann', 'trip'],
        ['bob', 'reset'],
      ],
    );
  });
});

describe('scanner', () => {
  const scanner = () => new MachineBench(createScannerMachine(STRATEGY), { symbol: 'BTCUSDT' }, START_AT);
  const context = (bench: MachineBench) => bench.context<ScannerContext>();
  const candles = (bench: MachineBench, close: number) =>
    bench.send('CANDLES', { closed: closedCandles(bench.at, close) });

  test('a signal goes to the desk', () => {
    const bench = scanner();
    candles(bench, 200);
    assert.deepEqual(told(bench), [['entry/BTCUSDT', { type: 'SIGNAL', signal: ENTER }]]);
  });

  test('seeding warms the strategy up from its beginning, without acting', () => {
    const bench = scanner();
    candles(bench, 100);
    bench.send('SEED', { history: [100, 200, 100].map((close) => closedCandles(START_AT, close)) });
    assert.deepEqual(bench.last, []);
    assert.deepEqual(context(bench).strategy.state, { seen: 3 });
  });

  test('paused, the strategy goes on and only exits pass; without a feed nothing passes', () => {
    const bench = scanner();
    bench.send('PAUSE');
    candles(bench, 200);
    assert.deepEqual(bench.last, []);
    candles(bench, 50);
    assert.deepEqual(told(bench), [['entry/BTCUSDT', { type: 'SIGNAL', signal: EXIT }]]);
    bench.send('FEED_DOWN', { reason: 'gap' });
    candles(bench, 50);
    assert.deepEqual(bench.last, []);
    assert.deepEqual(context(bench).strategy.state, { seen: 3 });
    assert.equal(context(bench).withheld, 2);
  });

  test('after a long hole signals wait for history; after a short one they do not', () => {
    const bench = scanner();
    candles(bench, 100);
    bench.send('FEED_DOWN', { reason: 'gap' });
    bench.send('FEED_UP', {}, 60 * 60_000);
    assert.deepEqual(bench.value, { feed: 'scanning', operator: 'running' });
    bench.send('FEED_DOWN', { reason: 'gap' });
    bench.send('FEED_UP', {}, 3 * 3_600_000);
    assert.deepEqual(bench.value, { feed: 'reseeding', operator: 'running' });
    candles(bench, 200);
    assert.deepEqual(bench.last, []);
    bench.send('SEED', { history: [closedCandles(bench.at)] });
    candles(bench, 200);
    assert.equal(told(bench).length, 1);
  });
});

describe('feed', () => {
  const feed = () =>
    new MachineBench(createFeedMachine(), { symbol: 'BTCUSDT', breaker: 'breaker/stale-data' });

  test('a hole stops scanner and desk at once; a duplicate is only noted', () => {
    const bench = feed();
    bench.send('FAULT', { kind: 'duplicate', detail: 'twice' });
    assert.equal(bench.value, 'live');
    bench.send('FAULT', { kind: 'gap', detail: '3 bars' });
    assert.equal(bench.value, 'gapped');
    assert.deepEqual(told(bench), [
      ['scanner/BTCUSDT', { type: 'FEED_DOWN', reason: 'gap: 3 bars' }],
      ['entry/BTCUSDT', { type: 'BLOCK', source: 'feed/BTCUSDT', reason: 'gap: 3 bars' }],
      ['breaker/stale-data', { type: 'STALE', symbol: 'BTCUSDT' }],
    ]);
  });

  test('it counts as live again after clean ticks, or after a quiet while', () => {
    for (const recover of [
      (bench: MachineBench) => {
        bench.send('TICK');
        bench.send('TICK');
      },
      (bench: MachineBench) => bench.wait(60_000),
    ]) {
      const bench = feed();
      bench.send('FAULT', { kind: 'gap', detail: '' });
      bench.send('RESUMED');
      assert.equal(bench.value, 'recovering');
      recover(bench);
      assert.equal(bench.value, 'live');
      assert.deepEqual(
        told(bench).map(([to, event]) => [to, event.type]),
        [
          ['scanner/BTCUSDT', 'FEED_UP'],
          ['entry/BTCUSDT', 'UNBLOCK'],
          ['breaker/stale-data', 'LIVE'],
        ],
      );
    }
  });

  test('a halted symbol stays down, whatever ticks, until the venue trades it again', () => {
    const bench = feed();
    bench.send('HALTED', { reason: 'delisting' });
    bench.send('TICK');
    bench.send('RESUMED');
    assert.equal(bench.value, 'halted');
    bench.send('TRADING');
    assert.equal(bench.value, 'recovering');
  });
});

test('the guardian blocks a symbol for each case and frees it on a person’s word', () => {
  const bench = new MachineBench(createGuardianMachine(), {});
  bench.send('HANDOVER', { actor: POSITION, symbol: 'BTCUSDT', reason: 'cannot be restored' });
  const source = `guardian:${POSITION}`;
  assert.deepEqual(told(bench), [['entry/BTCUSDT', { type: 'BLOCK', source, reason: 'cannot be restored' }]]);
  assert.equal(bench.value, 'holding');
  bench.send('HANDOVER', { actor: POSITION, symbol: 'BTCUSDT', reason: 'again' });
  assert.deepEqual(told(bench), []);
  bench.send('RESOLVED', { actor: POSITION, by: 'ann' });
  assert.deepEqual(told(bench), [['entry/BTCUSDT', { type: 'UNBLOCK', source }]]);
  assert.equal(bench.value, 'watching');
});

test('an event that a state has no answer to is recorded and reported', () => {
  const bench = new MachineBench(createEntryMachine(), {
    symbol: 'BTCUSDT',
    instrument: INSTRUMENT,
    plan: DEFAULT_PLAN,
  });
  bench.send('POSITION_CLOSED', { actor: POSITION, trade: null, reason: '' });
  bench.send('NEVER_HEARD_OF');
  assert.deepEqual(
    bench.context<EntryContext>().unexpected.recent.map(({ type }) => type),
    ['POSITION_CLOSED', 'NEVER_HEARD_OF'],
  );
  assert.equal(bench.last[0]?.type, 'notify');
});
