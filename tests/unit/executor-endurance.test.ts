/** What only time brings out in the executor: orders that rest for hours, readings that are slow or fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Protection } from '../../machines/messages.ts';
import * as D from '../../src/core/decimal.ts';
import type { Json } from '../../src/core/json.ts';
import { Executor, type ExecutorState } from '../../src/execution/executor.ts';
import { DROP_ALL, fillsOf, holding, settle } from '../support/executor-cases.ts';
import { World } from '../support/executor-world.ts';

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

test('a reading that takes as long as the gateway allows is taken all the same', () => {
  const world = new World();
  // A full reading is many requests, which may wait for the rate limits: the gateway gives it a minute.
  world.latencyMs = 55_000;
  world.restart();
  world.run(10 * 60_000);
  assert.equal(world.executor.state.ready, true);
});

test('readings that fail one after the other are said, and close the entries', () => {
  const world = holding();
  world.readingsFail = true;
  world.run(5 * 60_000);
  assert.ok(
    world.notices.some((text) => /cannot be read/.test(text)),
    world.notices.join('; '),
  );
  const entry = world.submit({ symbol: 'ETHUSDT' });
  assert.deepEqual(world.heard(entry, 'ETHUSDT'), ['ORDER_REJECTED']);
  const stop = world.stop('2');
  world.run(1_000);
  assert.deepEqual(world.heard(stop), ['ORDER_ACKNOWLEDGED']);
  world.readingsFail = false;
  world.run(60_000);
  const again = world.submit({ symbol: 'ETHUSDT' });
  world.run(1_000);
  assert.deepEqual(world.heard(again, 'ETHUSDT'), ['ORDER_ACKNOWLEDGED', 'ORDER_FILLED']);
  settle(world);
});

test('order ids are those of their symbol: the same number on another is another order', () => {
  const world = new World().begin();
  const next = world.venue.state.next;
  const first = world.submit({ type: 'LIMIT', price: '90' });
  world.run(1_000);
  world.venue.state.next = next;
  const other = world.submit({ symbol: 'ETHUSDT' });
  world.run(1_000);
  assert.equal(world.venue.state.orders[0]?.orderId, world.venue.state.orders[1]?.orderId);
  assert.deepEqual(world.heard(first), ['ORDER_ACKNOWLEDGED']);
  assert.deepEqual(world.heard(other, 'ETHUSDT'), ['ORDER_ACKNOWLEDGED', 'ORDER_FILLED']);
  assert.equal(world.held('ETHUSDT'), '1');
  assert.equal(world.held(), '0');
});

test('an order that stands at the venue although it was refused is cancelled', () => {
  const world = holding();
  world.fates = ['refused'];
  const stop = world.stop('2');
  world.run(1_000);
  assert.deepEqual(world.heard(stop), ['ORDER_REJECTED']);
  const record = Object.values(world.executor.state.finished).find(({ order }) => order.ref === stop);
  assert.ok(record);
  world.happen((venue) => venue.submit(record.order));
  world.run(3 * 60_000);
  assert.deepEqual(
    world.venue.state.algos.map(({ status }) => status),
    ['CANCELED'],
  );
  assert.deepEqual(world.heard(stop), ['ORDER_REJECTED']);
  settle(world);
});

test('a stop that the venue finished without an order is over, and protects nothing meanwhile', () => {
  const world = holding();
  const stop = world.stop('2');
  world.run(1_000);
  world.streamFates = [...DROP_ALL];
  world.happen(({ state, now }) => {
    for (const algo of state.algos) Object.assign(algo, { status: 'FINISHED', updatedAt: now });
  });
  world.run(3 * 60_000);
  assert.deepEqual(world.heard(stop), ['ORDER_ACKNOWLEDGED', 'ORDER_TRIGGERED', 'ORDER_CLOSED']);
  const closed = world.eventsOf().find(({ type }) => type === 'ORDER_CLOSED');
  assert.equal(closed?.type === 'ORDER_CLOSED' && closed.outcome, 'rejected-at-trigger');
  const shown = world.toldTo('guardian', 'PROTECTION').at(-1) as unknown as Protection;
  assert.deepEqual(
    shown.symbols.map(({ protected: covered }) => covered),
    ['0'],
  );
});

test('a triggered stop whose order rests counts as protection only for a moment', () => {
  const world = holding();
  world.stop('2');
  world.run(1_000);
  world.happen((venue) => {
    const [algo] = venue.state.algos;
    assert.ok(algo);
    algo.actualOrderId = String(venue.state.next);
    Object.assign(algo, { status: 'TRIGGERED', updatedAt: venue.now });
    venue.events.push({ kind: 'algo', at: venue.now, algo: { ...algo } });
    venue.place({ ...algo, type: 'LIMIT' });
  });
  world.run(4 * 60_000);
  const shown = world.toldTo('guardian', 'PROTECTION').at(-1) as unknown as Protection;
  assert.deepEqual(
    shown.symbols.map(({ protected: covered }) => covered),
    ['0'],
  );
});

test('a fill that no trade list shows is inferred in the end, and once: its trade may still turn up', () => {
  const world = new World().begin();
  world.streamFates = [...DROP_ALL];
  const entry = world.submit({});
  world.run(200);
  const hidden = world.venue.state.fills;
  world.venue.state.fills = [];
  world.venue.keep();
  const inferred = () => world.notices.some((text) => /no list of trades shows: inferred/.test(text));
  const filledAt = world.now;
  while (!inferred() && world.now < filledAt + 45_000) world.run(1_000);
  assert.ok(inferred(), 'what is open waits for its stop');
  assert.deepEqual(world.heard(entry), ['ORDER_ACKNOWLEDGED', 'ORDER_FILLED']);
  assert.equal(world.held(), '1');
  world.venue.state.fills = hidden;
  world.venue.keep();
  world.run(3 * 60_000);
  assert.equal(world.held(), '1');
  assert.equal(fillsOf(world).length, 1);
  assert.equal(world.executor.state.wallet, world.venue.state.wallet);
  assert.deepEqual(world.executor.state.drifts, {});
});

test('a process that starts with its clock set back reads, asks and settles at once', () => {
  const world = new World();
  const apply = world.apply.bind(world);
  let aheadMs = HOUR;
  world.apply = (input) => apply({ ...input, at: input.at + aheadMs });
  world.begin();
  world.submit({ quantity: '2' });
  world.run(5_000);
  const stop = world.stop('2');
  world.run(1_000);
  world.streamFates = [...DROP_ALL];
  world.happen((venue) => {
    for (const algo of venue.state.algos) venue.cancel({ call: 'cancel', id: '', book: 'algo', ...algo });
  });
  world.streamFates = [];
  aheadMs = 0;
  world.restart();
  world.run(3 * 60_000);
  assert.equal(world.executor.state.ready, true);
  assert.deepEqual(world.heard(stop), ['ORDER_ACKNOWLEDGED', 'ORDER_CLOSED']);
  settle(world);
});

test('a timer that never came, as its event was quarantined, is set anew', () => {
  const world = holding();
  const state = world.executor.checkpoint() as unknown as ExecutorState;
  const lost = { ...state, timerDue: world.now - 5_000 };
  const executor = Executor.restore(lost as unknown as Json, world.options);
  const emitted = executor.apply({ type: 'RECONCILE', at: world.now, why: 'test' });
  assert.equal(emitted.filter(({ type }) => type === 'timer.set').length, 1);
});

test('what the wallet shows before the ledger does is the ledger’s, and is counted once', () => {
  const world = holding();
  world.run(60_000);
  const at = world.now;
  const { state } = world.venue;
  state.wallet = D.sub(state.wallet, '3');
  world.venue.keep();
  world.apply({ type: 'RECONCILE', at, why: 'test' });
  world.run(30_000);
  const row = { id: '99999', type: 'FUNDING_FEE', symbol: 'BTCUSDT', asset: 'USDT', amount: '-3' };
  state.income.push({ ...row, tradeId: undefined, at });
  world.venue.keep();
  world.run(3 * 60_000);
  const reasons = world.toldTo('portfolio').map(({ reason }) => reason);
  assert.deepEqual(reasons, ['DEPOSIT', 'COMMISSION', 'COMMISSION', 'FUNDING_FEE']);
  settle(world);
});
