/** A fill that takes out more than the books hold, while the fill that put it in is still unheard of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as D from '../../src/core/decimal.ts';
import { World } from '../support/executor-world.ts';

/** What the owner held after each fill that it was told. */
function heldAfterEach(world: World): string[] {
  let held = '0';
  return world.eventsOf().flatMap((event) => {
    if (event.type !== 'ORDER_FILLED') return [];
    held = D.add(held, event.side === 'BUY' ? event.quantity : D.neg(event.quantity));
    return [held];
  });
}

const triggerAll = (world: World): void =>
  world.happen((venue) => {
    for (const algo of venue.state.algos) if (algo.status === 'NEW') venue.trigger(algo);
  });

/** Of two, of which the stream tells one: a stop for that one stands twice, for one is being replaced. */
function halfHeard(stops = 2): World {
  const world = new World().begin();
  for (let i = 0; i < stops; i++) world.stop();
  world.run(500);
  // The order, its first fill and what that makes of the account; not the second.
  world.streamFates = ['fine', 'fine', 'fine', 'drop', 'drop'];
  world.submit({ ref: 'entry', quantity: '2' });
  world.run(80);
  assert.deepEqual([world.held(), world.venue.amount('BTCUSDT')], ['1', '2']);
  return world;
}

test('what a stop takes out is told after the fill that put it in, which the stream dropped', () => {
  const world = halfHeard();
  triggerAll(world);
  world.run(2_000);
  assert.deepEqual(heldAfterEach(world), ['1', '0', '1', '0']);
  world.heal(60_000);
  world.checkStories();
  world.checkSettled();
  world.checkReplay();
});

test('so it is where the answer to the entry is lost, and the process dies', () => {
  const world = new World().begin();
  world.stop('2');
  world.run(500);
  world.streamFates = ['fine', 'fine', 'fine', 'drop', 'drop'];
  world.fates = ['lost-answer'];
  world.submit({ ref: 'entry', quantity: '2' });
  world.run(80);
  triggerAll(world);
  world.run(100);
  assert.deepEqual(heldAfterEach(world), ['1', '0']);
  world.restart();
  world.heal(60_000);
  assert.deepEqual(heldAfterEach(world), ['1', '0', '1', '0']);
  world.checkStories();
  world.checkSettled();
});

test('so it is where the triggered stop’s order is known by its client id alone', () => {
  const world = halfHeard();
  world.venue.namesFills = true;
  world.streamFates = Array.from({ length: 20 }, () => 'drop' as const);
  triggerAll(world);
  world.apply({ type: 'RECONCILE', at: world.now, why: 'asked' });
  world.heal(60_000);
  assert.deepEqual(heldAfterEach(world).at(-1), '0');
  assert.ok(!heldAfterEach(world).includes('-1'));
  world.checkStories();
  world.checkSettled();
});

test('so it is with an entry that rests, once it was asked', () => {
  const world = new World().begin();
  world.submit({ type: 'LIMIT', price: '100' });
  world.submit({});
  world.stop('2');
  world.run(500);
  const resting = world.venue.state.orders.find(({ type }) => type === 'LIMIT');
  assert.ok(resting);
  world.streamFates = ['drop', 'drop'];
  world.happen((venue) => venue.fill(resting, '1'));
  triggerAll(world);
  world.run(10_000);
  assert.deepEqual(heldAfterEach(world), ['1', '0', '1', '0']);
  world.heal(60_000);
  world.checkStories();
  world.checkSettled();
});

for (const [name, cause] of [
  ['autoclose-1', 'liquidation'],
  ['web_1', 'manual'],
] as const)
  test(`so it is with a ${cause} close`, () => {
    const world = halfHeard(0);
    world.happen((venue) => venue.trade('BTCUSDT', 'SELL', '2', name));
    world.run(5_000);
    assert.deepEqual(heldAfterEach(world), ['1', '0', '1', '0']);
    assert.equal(world.foreign(), '0');
    world.heal(60_000);
    world.checkSettled();
  });

test('it waits as long as an entry’s fill is not inferred, where no list of trades shows it', () => {
  const world = halfHeard();
  const [hidden] = world.venue.state.fills.splice(1, 1);
  assert.ok(hidden);
  world.venue.keep();
  triggerAll(world);
  world.run(15_000);
  assert.deepEqual(heldAfterEach(world), ['1', '0']);
  world.run(35_000);
  assert.deepEqual(heldAfterEach(world), ['1', '0', '1', '0']);
  assert.deepEqual(world.executor.state.limbo, []);
});

test('it waits for nobody where nothing may have opened more, nor for an entry that was asked and has not filled', () => {
  for (const rests of [false, true]) {
    const world = new World().begin();
    if (rests) world.submit({ type: 'LIMIT', price: '50' });
    world.submit({});
    world.stop('2');
    world.run(500);
    // By hand, and nobody hears of it: neither the stream nor a list of trades.
    world.streamFates = Array.from({ length: 3 }, () => 'drop' as const);
    world.happen((venue) => venue.trade('BTCUSDT', 'BUY', '1', 'web_1'));
    world.venue.state.fills.pop();
    world.venue.keep();
    triggerAll(world);
    const stopped = () => heldAfterEach(world).length === 3;
    let waitedMs = 0;
    for (; !stopped() && waitedMs < 60_000; waitedMs += 100) world.run(100);
    assert.ok(rests ? waitedMs >= 5_000 && waitedMs < 10_000 : waitedMs <= 500, `waited ${waitedMs} ms`);
  }
});
