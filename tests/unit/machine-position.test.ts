import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PositionBench, told } from '../support/machine-bench.ts';

test('the entry is sent in the row that consumes CONFIRMED, after the leverage is set', () => {
  const bench = new PositionBench();
  assert.deepEqual(bench.last, [{ type: 'leverage.set', symbol: 'BTCUSDT', leverage: 5 }]);
  bench.send('LEVERAGE_SET', { symbol: 'BTCUSDT', leverage: 5 });
  assert.deepEqual(bench.orders(), []);
  bench.send('CONFIRMED');
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.type, order.side, order.quantity, order.reduceOnly]),
    [['entry-1', 'MARKET', 'BUY', '2', false]],
  );
});

test('a refused confirmation, leverage or a long silence ends it before anything is sent', () => {
  for (const end of [
    (bench: PositionBench) =>
      bench.send('LEVERAGE_REJECTED', { symbol: 'BTCUSDT', code: -4028, reason: 'no' }),
    (bench: PositionBench) => bench.send('KILL', { reason: 'now' }),
    (bench: PositionBench) => {
      bench.send('LEVERAGE_SET', { symbol: 'BTCUSDT', leverage: 5 });
      bench.send('DENIED', { reason: 'trading is halted' });
    },
    (bench: PositionBench) => bench.wait(10_000),
  ]) {
    const bench = new PositionBench();
    end(bench);
    assert.equal(bench.value, 'abandoned');
    assert.ok(!bench.emitted.some((intent) => intent.type === 'order.submit'));
    assert.equal(bench.sent('entry/BTCUSDT').at(-1)?.trade, null);
  }
});

test('the first fill brings its stop in the same row, and every further fill a larger one', () => {
  const bench = new PositionBench().enter();
  bench.fill('entry-1', '0.5', '100', { complete: false });
  assert.deepEqual(
    bench.orders().map((order) => ({ ...order })),
    [
      {
        ref: 'stop-1',
        symbol: 'BTCUSDT',
        side: 'SELL',
        positionSide: 'BOTH',
        quantity: '0.5',
        type: 'STOP_MARKET',
        reduceOnly: true,
        triggerPrice: '95',
        workingType: 'MARK_PRICE',
      },
    ],
  );
  assert.ok(bench.in('open.entry.partiallyFilled') && bench.in('open.protection.exposed.placing'));
  bench.fill('entry-1', '1.5', '101', { cumulative: '2' });
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity]),
    [['stop-2', '2']],
  );
  assert.deepEqual(bench.cancels(), []);
  bench.acknowledge('stop-1');
  assert.ok(bench.in('open.protection.exposed'), 'half a stop is no protection');
  bench.acknowledge('stop-2');
  assert.deepEqual(bench.cancels(), ['stop-1'], 'the old one goes once the new one is acknowledged');
  assert.ok(bench.in('open.protection.covered.protected') && bench.in('open.entry.filled'));
  assert.equal(bench.state.unprotectedMs, 30, 'from the first fill to the stop that covers all');
  assert.equal(bench.state.openNotional, '201.5');
});

test('a fill before its acknowledgement counts, a duplicate of it does not', () => {
  const bench = new PositionBench().enter();
  bench.fill('entry-1', '2');
  bench.acknowledge('entry-1');
  bench.fill('entry-1', '2');
  assert.equal(bench.state.quantity, '2');
  assert.equal(bench.state.duplicates, 1);
  assert.equal(bench.state.fees, '0.1');
});

test('a total that proves a missed fill is booked as inferred and reported', () => {
  const bench = new PositionBench().enter();
  bench.fill('entry-1', '0.5', '100', { cumulative: '1.5', complete: false });
  assert.equal(bench.state.quantity, '1.5');
  assert.equal(bench.state.inferredQuantity, '1');
  assert.ok(bench.last.some((intent) => intent.type === 'notify' && intent.level === 'critical'));
  assert.deepEqual(
    bench.orders().map((order) => order.quantity),
    ['1.5'],
  );
});

test('an overfill is taken as it is and protected', () => {
  const bench = new PositionBench().enter();
  bench.fill('entry-1', '2.5');
  assert.equal(bench.state.quantity, '2.5');
  assert.deepEqual(
    bench.orders().map((order) => order.quantity),
    ['2.5'],
  );
});

test('an entry that never fills is abandoned; one that is UNKNOWN waits for evidence', () => {
  const refused = new PositionBench().enter();
  refused.reject('entry-1', -2019);
  assert.equal(refused.value, 'abandoned');

  const unknown = new PositionBench().enter();
  unknown.unknown('entry-1');
  assert.deepEqual(unknown.value, { entering: 'unknown' });
  assert.equal(unknown.sent('portfolio').at(-1)?.unknown, true);
  unknown.wait(600_000);
  assert.deepEqual(unknown.value, { entering: 'unknown' }, 'no deadline turns UNKNOWN into an answer');
  unknown.fill('entry-1', '2');
  assert.ok(unknown.in('open'));
});

test('a slow entry is cancelled; a late fill after the cancel is protected', () => {
  const bench = new PositionBench().enter();
  bench.acknowledge('entry-1');
  bench.wait(15_000);
  assert.deepEqual(bench.cancels(), ['entry-1']);
  bench.order('CANCEL_REJECTED', 'entry-1', { code: -2011, reason: 'Unknown order sent.' });
  bench.fill('entry-1', '2');
  assert.ok(bench.in('open.protection.exposed.placing'));
});

test('a fill after the word that the order was cancelled still counts', () => {
  const bench = new PositionBench().enter();
  bench.fill('entry-1', '1', '100', { complete: false });
  bench.acknowledge('stop-1');
  bench.closed('entry-1', 'expired', '1');
  assert.ok(bench.in('open.entry.filled'));
  bench.fill('entry-1', '0.5', '100', { cumulative: '1.5', complete: true });
  assert.equal(bench.state.quantity, '1.5');
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity]),
    [['stop-2', '1.5']],
  );
});

test('an UNKNOWN stop is placed again under a new name, and the first is cancelled once the second is live', () => {
  const bench = new PositionBench().enter();
  bench.fill('entry-1', '2');
  bench.unknown('stop-1');
  assert.ok(bench.in('open.protection.exposed.unknown'));
  assert.deepEqual(bench.orders(), [], 'not at once: the answer may only be late');
  bench.wait(2_000);
  assert.deepEqual(
    bench.orders().map((order) => order.ref),
    ['stop-2'],
  );
  bench.acknowledge('stop-2');
  assert.deepEqual(bench.cancels(), ['stop-1']);
  bench.acknowledge('stop-1');
  bench.closed('stop-1');
  assert.ok(bench.in('open.protection.covered.protected'));
});

test('a stop that would trigger at once means emergency close now', () => {
  const bench = new PositionBench().enter();
  bench.fill('entry-1', '2');
  bench.reject('stop-1', -2021);
  assert.deepEqual(bench.value, { emergencyClosing: 'working' });
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.type, order.side, order.quantity, order.reduceOnly]),
    [['emergency-1', 'MARKET', 'SELL', '2', true]],
  );
});

test('a stop rejected when triggered means emergency close now', () => {
  const bench = new PositionBench().open();
  bench.order('ORDER_TRIGGERED', 'stop-1');
  bench.closed('stop-1', 'rejected-at-trigger');
  assert.deepEqual(
    bench.orders().map((order) => order.ref),
    ['emergency-1'],
  );
});

test('a stop refused for another reason is tried again at once, then with pauses, then closes the position', () => {
  const bench = new PositionBench({ plan: { unprotectedDeadlineMs: 600_000 } }).enter();
  bench.fill('entry-1', '2');
  bench.reject('stop-1', -1021);
  assert.deepEqual(
    bench.orders().map((order) => order.ref),
    ['stop-2'],
  );
  bench.reject('stop-2');
  assert.ok(bench.in('open.protection.exposed.unprotected'));
  // The first was never judged by the venue: five that were mean that no stop can be had.
  for (const ref of ['stop-3', 'stop-4', 'stop-5', 'stop-6']) {
    assert.ok(bench.fireNext());
    assert.deepEqual(
      bench.orders().map((order) => order.ref),
      [ref],
    );
    bench.reject(ref);
  }
  assert.ok(bench.in('emergencyClosing'));
});

test('unprotected for too long closes the position, however the venue falters', () => {
  const bench = new PositionBench({ plan: { unknownStopDeadlineMs: 20_000 } }).enter();
  bench.fill('entry-1', '2');
  bench.unknown('stop-1');
  bench.wait(20_000);
  bench.unknown('stop-2');
  bench.wait(10_000);
  assert.ok(bench.in('emergencyClosing'));
});

test('a closing order that is UNKNOWN is told: what it may have closed already is no hedge', () => {
  const bench = new PositionBench().open();
  const exposures = () =>
    told(bench)
      .filter(([, { type }]) => type === 'EXPOSURE')
      .map(([, { quantity, leaving }]) => [quantity, leaving]);
  bench.send('EXIT_SIGNAL', { reason: 'faded' });
  assert.deepEqual(exposures(), []);
  bench.unknown('close-1');
  assert.deepEqual(exposures(), [['2', '2']]);
  bench.acknowledge('close-1');
  assert.deepEqual(exposures(), [['2', undefined]]);
});

test('an add on its way counts at what a long costs by then, not at what the entry did', () => {
  const pyramid = {
    ...{ maxAdds: 1, stepPercent: '1', sizeFactor: '0.5' },
    ...{ confirm: 'touch' as const, maxExposure: '10' },
  };
  const bench = new PositionBench({ plan: { pyramid, trailing: null } }).open();
  bench.price(110);
  bench.send('APPROVED', {
    entry: { ...bench.state.entry, quantity: '1', referencePrice: '110' },
    reservation: 'r1',
  });
  const exposure = told(bench).find(([, { type }]) => type === 'EXPOSURE');
  assert.equal(exposure?.[1].notional, '310');
});
