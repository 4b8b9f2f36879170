/** What only time brings out in the executor: orders that rest for hours, readings that are slow or fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DROP_ALL, holding, settle } from '../support/executor-cases.ts';

const HOUR = 3_600_000;

test('what a resting order filled hours ago counts once when the order is asked for', () => {
  const world = holding();
  const target = world.submit({ side: 'SELL', type: 'LIMIT', quantity: '1', price: '110', reduceOnly: true });
  world.run(1_000);
  const placed = () => {
    const found = world.venue.state.orders.find(({ clientOrderId }) => clientOrderId.endsWith(target));
    assert.ok(found);
    return found;
  };
  world.happen((venue) => venue.fill(placed(), '0.4'));
  world.run(3 * HOUR);
  assert.equal(world.held(), '1.6');
  world.happen((venue) => venue.fill(placed(), '0.1'));
  world.run(1_000);
  world.streamFates = [...DROP_ALL];
  world.cancel(target);
  world.run(30_000);
  assert.equal(world.held(), '1.5');
  assert.deepEqual(world.heard(target), [
    'ORDER_ACKNOWLEDGED',
    'ORDER_FILLED',
    'ORDER_FILLED',
    'ORDER_CLOSED',
  ]);
  settle(world);
});
