import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFeedMachine } from '../../machines/feed.ts';
import { createGuardianMachine } from '../../machines/guardian.ts';
import { createScannerMachine, type ScannerContext } from '../../machines/scanner.ts';
import type { Strategy } from '../../src/domain/signal.ts';
import { MachineBench, told } from '../support/machine-bench.ts';
import { closedCandles, ENTER, EXIT, START_AT, STRATEGY } from '../support/machine-cases.ts';

const POSITION = 'position/BTCUSDT/BOTH/1';

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

  test('opinions go to the desk whenever exits may, a regime once, when it changes', () => {
    const opinion = { direction: 'long', confidence: 0.3, reason: 'it fades' } as const;
    const minded: Strategy = {
      ...STRATEGY,
      step: (state, closed) => ({
        state,
        opinion,
        regime: { name: (closed['15m']?.close ?? 0) > 100 ? 'trend-up' : 'range', suits: ['long'] },
      }),
    };
    const bench = new MachineBench(createScannerMachine(minded), { symbol: 'BTCUSDT' }, START_AT);
    const types = (close: number) => {
      candles(bench, close);
      return told(bench).map(([to, { type, regime }]) =>
        [to, type, regime].filter((one) => one !== undefined),
      );
    };
    const said = ['entry/BTCUSDT', 'OPINION'];
    assert.deepEqual(types(101), [said, ['entry/BTCUSDT', 'REGIME', 'trend-up']]);
    assert.deepEqual(types(102), [said]);
    bench.send('PAUSE');
    assert.deepEqual(types(100), [said, ['entry/BTCUSDT', 'REGIME', 'range']]);
    bench.send('FEED_DOWN', { reason: 'gap' });
    assert.deepEqual(types(101), [], 'a feed that cannot be relied on tells nothing');
    bench.send('FEED_UP');
    assert.deepEqual(types(101), [said, ['entry/BTCUSDT', 'REGIME', 'trend-up']]);
  });

  test('seeding warms the strategy up from its beginning, without acting', () => {
    const bench = scanner();
    candles(bench, 100);
    bench.send('SEED', { history: [100, 200, 100].map((close) => closedCandles(START_AT, close)) });
    assert.deepEqual(bench.last, []);
    assert.deepEqual(context(bench).strategy.state, { seen: 3 });
  });

  test('an entry on a candle that closed too long ago is withheld, with its reason; an exit is not', () => {
    const bench = scanner();
    const late = (close: number, ageMs: number) =>
      bench.send('CANDLES', { closed: closedCandles(bench.at - ageMs, close) }, 0);
    late(200, 60_000);
    assert.equal(told(bench).length, 1, 'a minute is within bounds');
    late(200, 60_001);
    assert.deepEqual(bench.last, []);
    const { withheld, late: counted, lastSignal, strategy } = context(bench);
    assert.deepEqual([withheld, counted, lastSignal?.acted], [1, 1, false]);
    assert.match(lastSignal?.withheld ?? '', /too long ago/);
    assert.deepEqual(strategy.state, { seen: 2 }, 'the strategy has seen it all the same');
    late(50, 8 * 3_600_000);
    assert.deepEqual(told(bench), [['entry/BTCUSDT', { type: 'SIGNAL', signal: EXIT }]]);
    const patient = new MachineBench(
      createScannerMachine(STRATEGY),
      { symbol: 'BTCUSDT', maxSignalAgeMs: 300_000 },
      START_AT,
    );
    patient.send('CANDLES', { closed: closedCandles(START_AT - 200_000, 200) }, 0);
    assert.equal(told(patient).length, 1);
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
