import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createEntryMachine, type EntryContext } from '../../machines/entry.ts';
import { DEFAULT_PLAN } from '../../machines/position.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import { approved, entry, INSTRUMENT, MachineBench, told } from '../support/machine-bench.ts';
import { ENTER, EXIT } from '../support/machine-cases.ts';

const POSITION = 'position/BTCUSDT/BOTH/1';

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
