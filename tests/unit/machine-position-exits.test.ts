import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Trade } from '../../machines/messages.ts';
import { PositionBench } from '../support/machine-bench.ts';

const trade = (bench: PositionBench): Trade => {
  const closed = bench.sent('portfolio').find((event) => event.type === 'POSITION_CLOSED');
  return closed?.trade as Trade;
};

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

test('an UNKNOWN close is followed sooner than one without an answer, less and less soon, and says why', () => {
  const bench = new PositionBench().open();
  bench.send('KILL', { reason: 'now' });
  assert.equal(bench.orders()[0]?.ref, 'emergency-1');
  const follows = (after: number, ref: string, unknown: string): void => {
    bench.wait(after - 1);
    assert.deepEqual(bench.orders(), [], `not before ${after} ms`);
    bench.wait(1);
    const [order] = bench.orders();
    assert.deepEqual([order?.ref, order?.quantity, order?.reduceOnly], [ref, '2', true]);
    const said = bench.emitted.findLast((intent) => intent.type === 'notify');
    assert.equal(
      said?.type === 'notify' && said.text,
      `position/BTCUSDT/BOTH/1: nothing is known of ${unknown}: ${ref} follows, which can only reduce`,
    );
    bench.unknown(ref);
  };
  bench.unknown('emergency-1');
  follows(2_000, 'emergency-2', 'emergency-1');
  follows(4_000, 'emergency-3', 'emergency-1, emergency-2');
  follows(8_000, 'emergency-4', 'emergency-1, emergency-2, emergency-3');
  bench.fill('emergency-4', '2', '99');
  bench.closed('stop-1');
  assert.equal(bench.value, 'settling', 'nothing ends while one of them may still act');
  for (const ref of ['emergency-1', 'emergency-2', 'emergency-3']) bench.reject(ref, 0);
  assert.equal(bench.value, 'closed');
});

test('one that has no answer yet is given the whole of its deadline', () => {
  const bench = new PositionBench().open();
  bench.send('KILL', { reason: 'now' });
  assert.equal(bench.orders()[0]?.ref, 'emergency-1');
  bench.wait(4_999);
  assert.equal(bench.orders()[0]?.ref, 'emergency-1', 'still the last that was asked for');
  bench.wait(1);
  assert.equal(bench.orders()[0]?.ref, 'emergency-2');
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

test('what no one market order may take has one stop for all of it, which the venue does not measure', () => {
  const bench = new PositionBench({ entry: { quantity: '100' }, instrument: { marketMaxQuantity: '60' } });
  bench.enter();
  bench.fill('entry-1', '50', '100', { complete: false });
  bench.acknowledge('stop-1');
  bench.fill('entry-1', '50', '100', { cumulative: '100' });
  const [stop] = bench.orders();
  assert.deepEqual([stop?.ref, stop?.closePosition, stop?.quantity], ['stop-2', true, undefined]);
  bench.acknowledge('stop-2');
  assert.deepEqual(bench.cancels(), ['stop-1']);
  bench.closed('stop-1');
  assert.ok(bench.in('open.protection.covered.protected'));
  bench.send('PARTIAL_CLOSE', { quantity: '50' });
  bench.fill('reduce-1', '50');
  assert.deepEqual(
    bench.orders().map(({ type, quantity }) => [type, quantity]),
    [],
    'the stop of the whole is as good for less',
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
