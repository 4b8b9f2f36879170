/** Reconciliation while it runs: the cases R1 to R12 of docs/RECONCILIATION.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Protection, SymbolProtection } from '../../machines/messages.ts';
import { keyOf } from '../../src/domain/position-key.ts';
import { reconcileReport } from '../../src/execution/reconciliation.ts';
import { fillsOf, holding, OPENED, settle, unheard } from '../support/executor-cases.ts';
import { ownerOf, World } from '../support/executor-world.ts';
import { isOpenOrder } from '../support/model-venue.ts';

test('R1: an order in flight is asked about until there is evidence, and only then rejected', () => {
  const world = new World().begin();
  world.fates = ['lost-request'];
  const ref = world.submit({});
  world.run(15_000);
  assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN'], 'five unanswered questions are no evidence');
  world.heal();
  assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN', 'ORDER_REJECTED']);
});

test('R2: a cancel without an outcome never makes an order CANCELED', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90' });
  world.run(1_000);
  world.fates = ['lost-request', 'lost-request'];
  world.cancel(ref);
  world.run(16_000);
  assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED']);
  settle(world);
  assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED', 'ORDER_CLOSED']);
});

test('R3: a reading older than what the stream said does not roll an order back', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90', quantity: '2' });
  world.run(1_000);
  const old = world.venue.report({ call: 'report', id: 'x', since: 0, symbols: [] }, [
    world.now,
    world.now,
    world.now,
    world.now,
  ]);
  world.happen((venue) => {
    const order = venue.state.orders.find(isOpenOrder);
    if (order) venue.fill(order, '2');
  });
  world.run(1_000);
  const { next, events } = reconcileReport(world.executor.state, old, world.options);
  assert.equal(next.holdings[keyOf({ symbol: 'BTCUSDT' })]?.[ownerOf('BTCUSDT')]?.amount, '2');
  assert.ok(!events.some(({ to }) => to === ownerOf('BTCUSDT')));
  assert.deepEqual(world.heard(ref), OPENED);
});

test('R4: a live order that the venue does not know any more ends after repeated questions and a reading', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90' });
  world.run(10_000);
  world.venue.state.orders = [];
  world.venue.keep();
  world.run(150_000);
  assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED', 'ORDER_CLOSED']);
});

test('R5: one that was partly filled and is gone keeps its fills', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90', quantity: '2' });
  world.run(1_000);
  world.happen((venue) => {
    const order = venue.state.orders.find(isOpenOrder);
    if (order) venue.fill(order, '0.5');
  });
  world.run(10_000);
  world.venue.state.orders = [];
  world.venue.keep();
  world.run(150_000);
  assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED', 'ORDER_FILLED', 'ORDER_CLOSED']);
  assert.equal(world.held(), '0.5');
});

test('R6: a filled order that the venue forgets changes nothing', () => {
  const world = holding('1');
  world.venue.state.orders = [];
  world.venue.keep();
  world.run(150_000);
  assert.equal(world.held(), '1');
  assert.equal(world.eventsOf().length, 2);
});

test('R7: a position that differs is explained by fills where there are any, even old ones', () => {
  const world = holding('2');
  unheard(world, (venue) => venue.trade('BTCUSDT', 'SELL', '2', 'web_9'));
  world.venue.keep();
  settle(world);
  assert.equal(world.held(), '0');
  const last = fillsOf(world).at(-1);
  assert.equal(last?.cause, 'manual');
  assert.doesNotMatch(last?.tradeId ?? '', /inferred/);
});

test('R8: a reading that failed is never read as flat', () => {
  const world = holding('1');
  const told = world.told.length;
  world.apply({ type: 'RECONCILE', at: world.now, why: 'test' });
  const call = world.calls.at(-1);
  world.apply({
    type: 'CALL_ENDED',
    at: world.now,
    call: 'report',
    id: call?.id ?? '',
    result: { outcome: 'rejected', code: -1003, reason: 'busy' },
    venueAt: world.now,
  });
  assert.equal(world.told.length, told);
  assert.equal(world.held(), '1');
});

test('R9: not more than ten questions are under way at once', () => {
  const world = new World().begin();
  for (let i = 0; i < 25; i++) world.stop();
  world.run(1_000);
  world.latencyMs = 5_000;
  world.restart();
  world.venue.state.algos = [];
  world.venue.keep();
  let most = 0;
  for (let i = 0; i < 300; i++) {
    world.run(100);
    const asked = Object.values(world.executor.state.calls).filter(({ call }) => call === 'query');
    most = Math.max(most, asked.length);
  }
  assert.equal(most, 10);
});

test('R10: after a reconnect nothing opens until a reading is done', () => {
  const world = holding('1');
  world.streamDown();
  assert.deepEqual(world.heard(world.submit({})), ['ORDER_REJECTED']);
  world.run(60_000);
  assert.deepEqual(world.heard(world.submit({})), ['ORDER_REJECTED'], 'readings alone do not open');
  world.streamUp();
  assert.deepEqual(world.heard(world.submit({})), ['ORDER_REJECTED']);
  world.run(1_000);
  const ref = world.submit({});
  world.run(1_000);
  assert.deepEqual(world.heard(ref), OPENED);
});

test('R11: a trade is told once; more than was ordered is told as it is', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90', quantity: '1' });
  world.run(1_000);
  world.streamFates = Array.from({ length: 10 }, () => 'double' as const);
  world.happen((venue) => {
    const order = venue.state.orders.find(isOpenOrder);
    if (order) venue.fill(order, '1.5');
  });
  world.run(5_000);
  assert.deepEqual(world.heard(ref), OPENED);
  assert.equal(fillsOf(world)[0]?.cumulative, '1.5');
  assert.equal(world.held(), '1.5');
});

test('R12: books, wallet and protection are held against the venue on every reading', () => {
  const world = holding('1');
  const stop = world.stop('1');
  world.run(130_000);
  const seen = world.toldTo('guardian', 'PROTECTION');
  assert.ok(seen.length >= 3);
  assert.equal(new Set(seen.map(({ readAt }) => readAt)).size, seen.length, 'each reading once');
  const newest = (): SymbolProtection | undefined => {
    const told = world.toldTo('guardian', 'PROTECTION').at(-1) as unknown as Protection | undefined;
    return told?.symbols[0];
  };
  const { direction, quantity, protected: covered } = newest() ?? {};
  assert.deepEqual([direction, quantity, covered], ['long', '1', '1']);
  world.cancel(stop);
  world.run(130_000);
  assert.equal(newest()?.protected, '0');
});
