import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Trade } from '../../machines/messages.ts';
import { positionBand, THREE_PARTS } from '../../machines/position.ts';
import { PositionBench } from '../support/machine-bench.ts';

const trade = (bench: PositionBench): Trade => {
  const closed = bench.sent('portfolio').find((event) => event.type === 'POSITION_CLOSED');
  return closed?.trade as Trade;
};

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
  for (const ref of ['stop-3', 'stop-4', 'stop-5']) {
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

test('an emergency close goes on through every refusal, with bounded pauses, and cries for help', () => {
  const bench = new PositionBench().open();
  bench.send('KILL', { reason: 'test' });
  for (let attempt = 1; attempt <= 12; attempt++) {
    assert.deepEqual(
      bench.orders().map((order) => order.ref),
      [`emergency-${attempt}`],
    );
    const before = bench.at;
    bench.reject(`emergency-${attempt}`, -2022);
    assert.ok(bench.in('emergencyClosing.backingOff'));
    assert.ok(bench.fireNext());
    assert.ok(bench.at - before <= 30_010);
  }
  assert.equal(bench.sent('guardian').filter((event) => event.type === 'HANDOVER').length, 1);
  bench.fill('emergency-13', '2', '94', { realizedPnl: '-12' });
  assert.deepEqual(bench.cancels(), ['stop-1']);
  bench.closed('stop-1');
  assert.equal(bench.value, 'closed');
  assert.equal(trade(bench).reason, 'kill: test');
});

test('an UNKNOWN close is followed by another: both only reduce', () => {
  const bench = new PositionBench().open();
  bench.send('EXIT_SIGNAL', { reason: 'trend over' });
  assert.deepEqual(
    bench.orders().map((order) => order.ref),
    ['close-1'],
  );
  bench.unknown('close-1');
  assert.deepEqual(bench.value, { closing: 'unknown' });
  bench.wait(5_000);
  assert.deepEqual(
    bench.orders().map((order) => order.ref),
    ['emergency-1'],
  );
  bench.fill('close-1', '2');
  assert.equal(bench.value, 'settling');
  bench.closed('stop-1');
  assert.equal(bench.value, 'settling', 'the second close may still act');
  bench.reject('emergency-1', -2022);
  assert.equal(bench.value, 'closed');
});

test('a filled stop closes the position; P&L is the venue’s own, to the last digit', () => {
  const bench = new PositionBench().open();
  bench.send('FUNDING_SETTLED', { symbol: 'BTCUSDT', amount: '-0.0123', rate: '0.0001', markPrice: '100' });
  bench.order('ORDER_TRIGGERED', 'stop-1');
  bench.fill('stop-1', '1', '94.9', { complete: false, realizedPnl: '-5.1', fee: '0.04745' });
  assert.ok(bench.in('open'));
  bench.fill('stop-1', '1', '94.8', { cumulative: '2', realizedPnl: '-5.2', fee: '0.0474' });
  assert.equal(bench.value, 'closed');
  const { at } = bench;
  assert.deepEqual(trade(bench), {
    symbol: 'BTCUSDT',
    direction: 'long',
    quantity: '2',
    entryPrice: '100',
    exitPrice: '94.85',
    grossPnl: '-10.3',
    fees: '0.19485',
    funding: '-0.0123',
    netPnl: '-10.50715',
    reason: 'stop',
    openedAt: bench.state.firstFillAt,
    closedAt: at,
    life: 1,
  });
});

for (const cause of ['liquidation', 'adl', 'settlement'] as const) {
  test(`the venue’s own ${cause} closes the position and is named as the reason`, () => {
    const bench = new PositionBench().open();
    bench.fill(`autoclose-${cause}`, '2', '90', { cause, realizedPnl: '-20' });
    assert.equal(bench.value, 'settling');
    bench.closed('stop-1', 'expired');
    assert.equal(bench.value, 'closed');
    assert.equal(trade(bench).reason, cause);
  });
}

test('a partial ADL leaves a smaller position with a smaller stop', () => {
  const bench = new PositionBench().open();
  bench.fill('adl_autoclose', '0.5', '105', { cause: 'adl' });
  assert.equal(bench.state.quantity, '1.5');
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity]),
    [['stop-2', '1.5']],
  );
});

test('more taken out than was open breaks the books: failed, and handed to the guardian', () => {
  const bench = new PositionBench().open();
  bench.fill('somebody-else', '2.5', '100');
  assert.equal(bench.value, 'failed');
  assert.equal(bench.sent('guardian').at(-1)?.type, 'HANDOVER');
});

test('evidence that the venue holds nothing ends a ghost', () => {
  const bench = new PositionBench().open();
  bench.send('POSITION_GONE', { reason: 'reconciled: flat at the venue' });
  assert.equal(bench.value, 'failed');
  assert.equal(trade(bench).reason, 'reconciled: flat at the venue');
});

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
      ['101.5', '0.66'],
      ['103', '0.66'],
      ['105', '0.68'],
    ],
  );
  bench.price(101.5);
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity, order.reduceOnly]),
    [['exit-1', '0.66', true]],
  );
  assert.ok(bench.in('open.scalingOut.working'));
  bench.fill('exit-1', '0.66', '101.5', { realizedPnl: '0.99' });
  assert.deepEqual(
    bench.orders().map((order) => [order.ref, order.quantity]),
    [['stop-2', '1.34']],
  );
  bench.acknowledge('stop-2');
  for (const [mark, ref, quantity] of [
    [103, 'exit-2', '0.66'],
    [105, 'exit-3', '0.68'],
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
  bench.price(101.5);
  bench.unknown('exit-1');
  assert.ok(bench.in('open.scalingOut.unknown'));
  bench.wait(3_600_000);
  bench.price(102);
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

const PYRAMID = { maxAdds: 2, stepPercent: '1', sizeFactor: '0.5' };

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
  bench.price(101.5);
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

test('the time stop is a durable timer, cleared when the close begins for another reason', () => {
  const bench = new PositionBench({ plan: { timeStopMs: 40 * 86_400_000 } }).open();
  assert.ok(bench.timers.has('named:time-stop'));
  const other = new PositionBench({ plan: { timeStopMs: 1_000 } }).open();
  other.wait(1_000);
  assert.ok(other.in('closing'));
  bench.send('EXIT_SIGNAL', { reason: 'over' });
  assert.ok(!bench.timers.has('named:time-stop'));
});

test('nothing ends while an order of this life may still act', () => {
  const bench = new PositionBench().open();
  bench.price(101);
  bench.send('EXIT_SIGNAL', { reason: 'over' });
  bench.fill('close-1', '2');
  assert.equal(bench.value, 'settling');
  bench.closed('stop-1');
  assert.equal(bench.value, 'settling', 'stop-2 is not even acknowledged yet');
  bench.acknowledge('stop-2');
  assert.deepEqual(bench.cancels(), ['stop-2']);
  bench.order('CANCEL_REJECTED', 'stop-2', { code: -1000, reason: 'busy' });
  bench.wait(5_000);
  assert.deepEqual(bench.cancels(), ['stop-2']);
  bench.closed('stop-2');
  assert.equal(bench.value, 'closed');
});

test('a close larger than one market order may be goes out in pieces', () => {
  const bench = new PositionBench({ entry: { quantity: '200' }, instrument: { marketMaxQuantity: '120' } });
  bench.enter();
  bench.fill('entry-1', '200');
  bench.acknowledge('stop-1');
  bench.send('KILL', { reason: 'size' });
  assert.deepEqual(
    bench.orders().map((order) => order.quantity),
    ['120'],
  );
  bench.fill('emergency-1', '120');
  assert.deepEqual(
    bench.orders().map((order) => order.quantity),
    ['80'],
  );
});

test('ABORT_ENTRY calls an unfilled entry back and leaves a filled position alone', () => {
  const entering = new PositionBench().enter();
  entering.send('ABORT_ENTRY', { reason: 'trading is halted' });
  assert.deepEqual(entering.cancels(), ['entry-1']);
  const open = new PositionBench().open();
  open.send('ABORT_ENTRY', { reason: 'trading is halted' });
  assert.ok(open.in('open.protection.covered.protected'));
  assert.deepEqual(open.last, []);
});

test('KILL during entry closes whatever still fills', () => {
  const bench = new PositionBench().enter();
  bench.send('KILL', { reason: 'all' });
  bench.fill('entry-1', '2');
  assert.deepEqual(
    bench.orders().map((order) => [order.reduceOnly, order.quantity]),
    [[true, '2']],
  );
  assert.ok(bench.in('emergencyClosing'));
});
