import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createBreakerMachine } from '../../machines/breaker.ts';
import { MachineBench, told } from '../support/machine-bench.ts';

const tradeOf = (netPnl: string) => ({ symbol: 'BTCUSDT', direction: 'long', netPnl });

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

  const OVER: readonly (readonly [kind: string, type: string, data: Record<string, unknown>])[] = [
    ['margin', 'MARGIN', { ratioPercent: '1' }],
    ['stale-data', 'LIVE', { symbol: 'A' }],
    ['clock', 'SKEW', { ms: 3 }],
    ['funding', 'FUNDING', { rates: {} }],
    ['reconciliation', 'CLEAN', {}],
    ['daily-loss', 'EQUITY', { equity: '1000', peak: '1000', dayStart: '1000', day: 2 }],
    ['latency', 'LATENCY', { ms: 1 }],
    ['flash-crash', 'CALM', {}],
    ['rate-limit', 'OK', {}],
  ];
  for (const [kind, type, data] of OVER) {
    test(`what a person has opened a person closes: ${kind}, whatever is over and however long it takes`, () => {
      const bench = breaker(kind);
      equity(bench, '1000');
      bench.send('OPERATOR_TRIP', { by: 'ann', reason: 'news' });
      for (const laterMs of [10, 86_400_000, 10]) {
        bench.wait(laterMs);
        bench.send(type, data);
        assert.deepEqual(bench.value, { open: 'halted' });
      }
      bench.send('OPERATOR_RESET', { by: 'bob', reason: 'over' });
      assert.equal(state(bench), 'closed');
      assert.equal(bench.timers.size, 0);
    });
  }

  test('a person who opens what its rule has opened holds it, and it says so', () => {
    const bench = breaker('flash-crash', { shockCoolDownMs: 1_000 });
    bench.send('SHOCK', { moves: { AUSDT: 20 }, mean: 1 });
    assert.deepEqual(told(bench)[0]?.[1].scope, { symbols: ['AUSDT'] });
    bench.send('OPERATOR_TRIP', { by: 'ann', reason: 'all of it' });
    const [, word] = told(bench)[0] ?? [];
    assert.deepEqual([word?.state, word?.cause, word?.scope], ['halted', 'ann: all of it', undefined]);
    bench.wait(1_000);
    assert.deepEqual(bench.value, { open: 'halted' });
    bench.send('OPERATOR_TRIP', { by: 'bob', reason: 'still' });
    assert.equal(told(bench)[0]?.[1].cause, 'bob: still');
    bench.send('OPERATOR_RESET', { by: 'bob', reason: 'over' });
    bench.send('SHOCK', { moves: { AUSDT: 20 }, mean: 1 });
    assert.equal(state(bench), 'reducing');
    bench.wait(1_000);
    assert.equal(state(bench), 'half-open', 'the next time its own rule counts again');
  });

  for (const kind of ['drawdown', 'daily-loss', 'weekly-loss']) {
    test(`money that is moved after a reset is no loss and hides none: ${kind}`, () => {
      const bench = breaker(kind, { maxDailyLossPercent: '20', maxWeeklyLossPercent: '20' });
      const value = (now: string) => equity(bench, now, { weekStart: '1000', week: 1 });
      value('800');
      assert.notEqual(bench.value, 'closed');
      bench.send('OPERATOR_RESET', { by: 'ann', reason: 'understood' });
      bench.send('MOVED', { equity: '800', moved: '-400' });
      value('400');
      assert.equal(bench.value, 'closed', 'a withdrawal of half is no loss of half');
      value('320.1');
      assert.equal(bench.value, 'closed');
      bench.send('MOVED', { equity: '320.1', moved: '320.1' });
      value('640');
      assert.notEqual(bench.value, 'closed', 'a deposit does not hide what was lost before it');
    });
  }

  test('a deposit is no day that moved much: the next days have their whole limit', () => {
    const bench = breaker('daily-loss', { maxDailyLossPercent: '5', calmDayPercent: 2 });
    const day = (now: string, dayStart: string, n: number) => equity(bench, now, { dayStart, day: n });
    day('1000', '1000', 1);
    bench.send('MOVED', { equity: '1000', moved: '1000' });
    day('2000', '2000', 2);
    day('1910', '2000', 2);
    assert.equal(bench.value, 'closed', '4.5 % of 5');
  });

  test('the venue says how long it wants quiet: 429 reduces, 418 halts, a longer word prolongs', () => {
    const bench = breaker('rate-limit', { throttleMarginMs: 500 });
    const throttled = (inMs: number, banned = false) =>
      bench.send('THROTTLED', { until: bench.at + 10 + inMs, banned });
    throttled(10_000);
    assert.equal(state(bench), 'reducing');
    bench.wait(5_000);
    throttled(10_000);
    assert.deepEqual(told(bench), [], 'it was told already');
    bench.send('OK');
    assert.deepEqual(bench.value, { open: 'reducing' }, 'a call that went through ends no pause');
    bench.wait(9_000);
    throttled(120_000, true);
    assert.equal(state(bench), 'halted');
    throttled(1_000);
    bench.wait(120_000);
    assert.deepEqual(bench.value, { open: 'halted' }, 'a shorter word shortens nothing, and the margin runs');
    bench.wait(500);
    assert.equal(state(bench), 'half-open');
    bench.send('OK');
    assert.equal(state(bench), 'closed');
    assert.equal(bench.timers.size, 0);
  });

  test('books that the venue contradicts halt until a clean reading, and trade on trial until a second', () => {
    const bench = breaker('reconciliation');
    bench.send('CLEAN');
    assert.equal(bench.value, 'closed');
    bench.send('FINDINGS', { count: 2, detail: 'BTCUSDT' });
    assert.equal(state(bench), 'halted');
    bench.send('FINDINGS', { count: 1, detail: 'BTCUSDT' });
    assert.deepEqual(bench.value, { open: 'halted' });
    bench.send('CLEAN');
    assert.equal(state(bench), 'half-open');
    bench.send('FINDINGS', { count: 1, detail: 'BTCUSDT' });
    assert.equal(state(bench), 'halted');
    bench.send('CLEAN');
    bench.send('CLEAN');
    assert.equal(state(bench), 'closed');
  });

  test('a clock that is off halts, and must be well within its bound again', () => {
    const bench = breaker('clock');
    bench.send('SKEW', { ms: 1_000 });
    assert.equal(bench.value, 'closed');
    bench.send('SKEW', { ms: -1_001 });
    assert.equal(state(bench), 'halted');
    bench.send('SKEW', { ms: 900 });
    assert.deepEqual(bench.value, { open: 'halted' });
    bench.send('SKEW', { ms: 500 });
    assert.equal(state(bench), 'closed');
  });

  test('slow calls reduce; after the pause one quick call closes, one slow one opens again', () => {
    const bench = breaker('latency', { maxSlowCalls: 3, latencyCoolDownMs: 1_000 });
    const call = (ms: number) => bench.send('LATENCY', { ms }, 1_000);
    call(6_000);
    call(6_000);
    bench.wait(60_000);
    call(6_000);
    assert.equal(bench.value, 'closed', 'not in one window');
    call(6_000);
    call(6_000);
    assert.equal(state(bench), 'reducing');
    bench.wait(1_000);
    call(6_000);
    assert.equal(state(bench), 'reducing');
    bench.wait(1_000);
    call(100);
    assert.equal(state(bench), 'closed');
  });
});
