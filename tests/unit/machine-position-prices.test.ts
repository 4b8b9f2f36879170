import assert from 'node:assert/strict';
import { test } from 'node:test';
import { positionBand, THREE_PARTS } from '../../machines/position.ts';
import { PositionBench } from '../support/machine-bench.ts';

test('the trailing stop arms, then follows in steps, created before the old one is cancelled, never looser', () => {
  const bench = new PositionBench().open();
  assert.deepEqual(positionBand(bench.state), { low: 94.5, high: 101 });
  bench.price(101);
  assert.ok(bench.in('open.trailing.armed'));
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.triggerPrice]),
    [['stop-2', '98']],
  );
  bench.acknowledge('stop-2');
  assert.deepEqual(bench.cancels(), ['stop-1']);
  bench.price(101.1);
  assert.deepEqual(bench.orders(), [], 'less than a step');
  const { high } = positionBand(bench.state);
  assert.equal(high, 101.2);
  bench.price(high ?? 0);
  assert.deepEqual(
    bench.orders().map((order) => order.triggerPrice),
    ['98.2'],
  );
  bench.price(99);
  assert.equal(bench.state.stopPrice, '98.2');
});

test('a price that was missed moves the peak and the stop, and neither takes a part nor closes', () => {
  const bench = new PositionBench({ plan: { scaleOut: THREE_PARTS } }).open();
  bench.send('PRICE', { mark: 106, last: 106, past: true });
  assert.ok(bench.in('open.trailing.armed'));
  assert.equal(bench.state.bestPrice, '106');
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.triggerPrice]),
    [['stop-2', '103']],
    'no partial exit at a price that is over',
  );
  const below = new PositionBench().open();
  below.send('PRICE', { mark: 90, last: 90, past: true });
  assert.ok(below.in('open'));
  assert.deepEqual(below.orders(), []);
});

test('a short trails downwards, rounded away from the market', () => {
  const bench = new PositionBench({
    entry: { direction: 'short', stopPrice: '105', trailDistance: '3' },
  }).open();
  assert.deepEqual(positionBand(bench.state), { low: 99, high: 105.6 });
  bench.price(98.96);
  const [stop] = bench.orders();
  assert.deepEqual([stop?.side, stop?.triggerPrice], ['BUY', '102']);
});

test('the mark far beyond a live stop, or at one that is not live, closes the position locally', () => {
  const live = new PositionBench().open();
  live.price(94.9);
  assert.ok(live.in('open'), 'the venue’s stop is given its chance');
  live.price(94.5);
  assert.ok(live.in('emergencyClosing'));
  const exposed = new PositionBench().enter();
  exposed.fill('entry-1', '2');
  exposed.price(95);
  assert.ok(exposed.in('emergencyClosing'));
});

test('parts are taken on the way up, dust folded into the last; the stop shrinks along', () => {
  const bench = new PositionBench({ plan: { trailing: null, scaleOut: THREE_PARTS } }).open();
  assert.deepEqual(
    bench.state.scaleParts.map((part) => [part.price, part.quantity]),
    [
      ['102', '0.66'],
      ['104', '0.66'],
      ['106', '0.68'],
    ],
  );
  bench.price(102);
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity, order.reduceOnly]),
    [['exit-1', '0.66', true]],
  );
  assert.ok(bench.in('open.scalingOut.working'));
  bench.fill('exit-1', '0.66', '102', { realizedPnl: '1.32' });
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity]),
    [['stop-2', '1.34']],
  );
  bench.acknowledge('stop-2');
  for (const [mark, ref, quantity] of [
    [104, 'exit-2', '0.66'],
    [106, 'exit-3', '0.68'],
  ] as const) {
    bench.price(mark);
    assert.deepEqual(
      bench.orders().map((order) => [order.ref, order.quantity]),
      [[ref, quantity]],
    );
    bench.fill(ref, quantity, String(mark));
  }
  assert.equal(bench.value, 'settling');
});

test('an UNKNOWN partial exit waits for evidence, but does not stand in the way of a full close', () => {
  const bench = new PositionBench({ plan: { trailing: null, scaleOut: THREE_PARTS } }).open();
  bench.price(102);
  bench.unknown('exit-1');
  assert.ok(bench.in('open.scalingOut.unknown'));
  bench.wait(3_600_000);
  bench.price(102.5);
  assert.deepEqual(bench.orders(), []);
  bench.send('OPERATOR_CLOSE');
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity]),
    [['close-1', '2']],
  );
});

test('a refused partial exit pauses, and is given up after three refusals', () => {
  const bench = new PositionBench({
    plan: { trailing: null, scaleOut: [{ profitPercent: '1', sharePercent: '50' }] },
  }).open();
  for (let n = 1; n <= 3; n++) {
    bench.price(101);
    bench.reject(`exit-${n}`, -2022);
    assert.ok(bench.in('open.scalingOut.refused'));
    bench.wait(60_000);
  }
  assert.ok(bench.in('open.scalingOut.done'));
  assert.equal(positionBand(bench.state).high, null);
});

const PYRAMID = {
  maxAdds: 2,
  stepPercent: '1',
  sizeFactor: '0.5',
  confirm: 'touch' as const,
  maxExposure: '10',
};

test('an add asks risk through the desk, is sent in the row of its approval, and is protected', () => {
  const bench = new PositionBench({ plan: { trailing: null, pyramid: PYRAMID } }).open();
  bench.price(101);
  const asked = bench.sent('entry/BTCUSDT').at(-1);
  assert.equal(asked?.type, 'ADD_WANTED');
  assert.ok(bench.in('open.pyramiding.asking'));
  bench.send('APPROVED', { entry: { ...bench.state.entry, quantity: '1.7' }, reservation: 'r2' });
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity, order.reduceOnly]),
    [['add-1', '1', false]],
  );
  bench.fill('add-1', '1', '101');
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity]),
    [['stop-2', '3']],
  );
  assert.ok(bench.in('open.pyramiding.waiting'));
  assert.equal(bench.state.nextAddPrice, '102.1');
});

test('a refused add is asked again only a step further on; a late approval gives its reservation back', () => {
  const bench = new PositionBench({ plan: { trailing: null, pyramid: PYRAMID } }).open();
  bench.price(101);
  bench.send('REFUSED', { refusals: [{ rule: 'total-exposure', detail: 'full' }] });
  assert.ok(bench.in('open.pyramiding.waiting'));
  bench.price(102);
  assert.ok(bench.in('open.pyramiding.waiting'));
  bench.price(102.1);
  assert.ok(bench.in('open.pyramiding.asking'));
  bench.send('EXIT_SIGNAL', { reason: 'over' });
  bench.send('APPROVED', { entry: bench.state.entry, reservation: 'r9' });
  assert.deepEqual(bench.last, [
    { type: 'send', to: 'portfolio', event: { type: 'RELEASE', reservation: 'r9' } },
  ]);
});

test('one decision an event: the stop wins, the partial exit before the add, and the loser is recorded', () => {
  const bench = new PositionBench({
    plan: { trailing: null, pyramid: PYRAMID, scaleOut: [{ profitPercent: '1', sharePercent: '50' }] },
  }).open();
  bench.price(101);
  assert.deepEqual(
    bench.orders().map((order) => order.ref),
    ['exit-1'],
  );
  assert.deepEqual(
    bench.state.suppressed.map(({ rule, by }) => [rule, by]),
    [['pyramid', 'scale-out']],
  );
});

/** Flat by its first stop, with a second one at the venue and an add that may still open something. */
const flatWithAddUnderway = (): PositionBench => {
  const bench = new PositionBench({ plan: { trailing: null, pyramid: PYRAMID } }).open();
  bench.price(101);
  bench.send('APPROVED', { entry: { ...bench.state.entry, quantity: '1' }, reservation: 'r2' });
  bench.send('MOVE_STOP', { by: 'ann', price: '97', mark: 101 });
  assert.deepEqual(
    bench.orders().map((order) => order.ref),
    ['stop-2'],
  );
  bench.fill('stop-1', '2', '95');
  assert.equal(bench.value, 'settling');
  assert.deepEqual(bench.cancels(), ['add-1']);
  bench.acknowledge('stop-2');
  assert.deepEqual(bench.cancels(), [], 'what the add opens has this stop');
  return bench;
};

test('a stop that is left stays until the add that may still fill has its end, however long that takes', () => {
  const bench = flatWithAddUnderway();
  bench.order('CANCEL_REJECTED', 'add-1', { code: -2011, reason: 'Unknown order sent.' });
  bench.unknown('add-1');
  for (let again = 0; again < 3; again++) {
    assert.ok(bench.fireNext());
    assert.deepEqual(bench.cancels(), ['add-1']);
  }
  bench.closed('add-1');
  assert.deepEqual(bench.cancels(), ['stop-2']);
  bench.closed('stop-2');
  assert.equal(bench.value, 'closed');
});

test('an add that fills after the stop has, has the stop that is left until it is closed', () => {
  const bench = flatWithAddUnderway();
  bench.fill('add-1', '1', '95');
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity, order.reduceOnly]),
    [['emergency-1', '1', true]],
  );
  assert.deepEqual(bench.cancels(), []);
  bench.fill('emergency-1', '1', '94.9');
  assert.deepEqual(bench.cancels(), ['stop-2']);
  bench.closed('stop-2');
  assert.equal(bench.value, 'closed');
});
