/** The executor's orders: sent once, UNKNOWN until evidence, told to their owners in a legal order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cloneJson } from '../../src/core/json.ts';
import type { VenueEvent } from '../../src/domain/order.ts';
import { Executor } from '../../src/execution/executor.ts';
import { World } from '../support/executor-world.ts';
import { isOpenOrder } from '../support/model-venue.ts';

const OPENED = ['ORDER_ACKNOWLEDGED', 'ORDER_FILLED'];

const eventOf = <T extends VenueEvent['type']>(world: World, ref: string, type: T) =>
  world.eventsOf().find((event) => event.type === type && 'ref' in event && event.ref === ref) as
    | Extract<VenueEvent, { type: T }>
    | undefined;

test('an order is acknowledged, filled, held, and its fee is in the wallet', () => {
  const world = new World().begin();
  const ref = world.submit({});
  world.run(500);
  assert.deepEqual(world.heard(ref), OPENED);
  assert.equal(world.held(), '1');
  assert.deepEqual(
    world.toldTo('portfolio').map(({ reason, delta }) => [reason, delta]),
    [
      ['DEPOSIT', '10000'],
      ['COMMISSION', '-0.05'],
    ],
  );
});

test('before the first reading entries are refused and stops are sent', () => {
  const world = new World();
  world.restart();
  const entry = world.submit({});
  const stop = world.stop();
  assert.deepEqual(world.heard(entry), ['ORDER_REJECTED']);
  assert.equal(eventOf(world, entry, 'ORDER_REJECTED')?.code, 0);
  assert.match(eventOf(world, entry, 'ORDER_REJECTED')?.reason ?? '', /^reconciling/);
  world.run(500);
  assert.equal(world.submits(entry), 0);
  assert.equal(world.submits(stop), 1);
});

test('a refusal is passed on with its code', () => {
  const world = new World().begin();
  world.fates = ['refused'];
  const ref = world.submit({});
  world.run(500);
  assert.deepEqual(world.heard(ref), ['ORDER_REJECTED']);
  assert.equal(eventOf(world, ref, 'ORDER_REJECTED')?.code, -1003);
});

test('a lost answer is UNKNOWN, once, and the stream ends it', () => {
  const world = new World().begin();
  world.streamFates = ['delay', 'delay', 'delay'];
  world.fates = ['lost-answer'];
  // The answer is given up after 8 s; until then the stream alone can tell.
  const ref = world.submit({});
  world.run(20_000);
  assert.deepEqual(world.heard(ref), OPENED);

  world.streamFates = Array.from({ length: 9 }, () => 'drop' as const);
  world.fates = ['lost-answer'];
  const unseen = world.submit({});
  world.run(9_000);
  assert.deepEqual(world.heard(unseen), ['ORDER_UNKNOWN', ...OPENED]);
  assert.equal(world.held(), '2');
});

test('a lost request is given up only after it can no longer land and nothing is found of it', () => {
  const world = new World().begin();
  world.fates = ['lost-request'];
  const sentAt = world.now;
  const ref = world.submit({});
  world.run(19_000);
  assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN']);
  const late = world.submit({});
  assert.deepEqual(world.heard(late), ['ORDER_REJECTED'], 'nothing opens beside an UNKNOWN');
  const stop = world.stop();
  world.run(30_000);
  assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN', 'ORDER_REJECTED']);
  assert.equal(eventOf(world, ref, 'ORDER_REJECTED')?.reason, 'never reached the venue');
  assert.equal(world.submits(stop), 1, 'what only reduces goes out at once');
  const queries = world.calls.filter(({ call }) => call === 'query').length;
  assert.ok(queries >= 5, `${queries} questions`);
  const counting = world.calls.filter(
    ({ call }, i) => call === 'query' && (world.calledAt[i] ?? 0) >= sentAt + 20_000,
  );
  assert.ok(counting.length >= 2, 'two questions after the request could no longer land');
});

test('a request that lands late is found, however often it was not', () => {
  const world = new World().begin();
  world.fates = ['late'];
  world.streamFates = Array.from({ length: 9 }, () => 'drop' as const);
  const ref = world.submit({});
  world.heal();
  assert.deepEqual(world.heard(ref).slice(-2), OPENED);
  assert.equal(world.submits(ref), 1);
  world.checkSettled();
});

test('a duplicated client id means that it exists: it is asked for, not refused', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90' });
  const call = world.calls.at(-1);
  world.apply({
    type: 'CALL_ENDED',
    at: world.now,
    call: 'submit',
    id: call?.id ?? '',
    result: { outcome: 'rejected', code: -4116, reason: 'ClientOrderId is duplicated.' },
    venueAt: world.now,
  });
  world.run(2_000);
  assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN', 'ORDER_ACKNOWLEDGED']);
});

test('a fill before the acknowledgement: the owner hears acknowledged first', () => {
  const world = new World().begin();
  world.latencyMs = 2_000;
  const ref = world.submit({});
  world.run(1_100);
  assert.deepEqual(world.heard(ref), OPENED, 'the stream was faster than the answer');
  world.run(5_000);
  assert.deepEqual(world.heard(ref), OPENED);
});

test('a fill that the stream dropped is asked for before the order is told complete', () => {
  const world = new World().begin();
  // NEW, fill 1 dropped, account, fill 2.
  world.streamFates = ['fine', 'drop', 'fine', 'fine'];
  const ref = world.submit({ quantity: '3' });
  world.run(200);
  const first = world.eventsOf().filter(({ type }) => type === 'ORDER_FILLED');
  assert.equal(first.length, 1);
  assert.ok(first[0]?.type === 'ORDER_FILLED' && !first[0].complete);
  world.run(2_000);
  assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED', 'ORDER_FILLED', 'ORDER_FILLED']);
  world.checkStories();
  assert.equal(world.held(), '3');
});

test('an entry whose fill the stream dropped and whose answer is lost is asked for as soon as it is known to be there', () => {
  const world = new World().begin();
  world.streamFates = ['fine', ...Array.from({ length: 9 }, () => 'drop' as const)];
  world.fates = ['lost-answer'];
  const ref = world.submit({});
  world.run(3_000);
  assert.deepEqual(world.heard(ref), OPENED);
  assert.equal(world.held(), '1');
  world.checkSettled();
});

test('and asked for again where the answer is from before the fill', () => {
  const world = new World().begin();
  world.streamFates = ['fine', ...Array.from({ length: 9 }, () => 'drop' as const)];
  world.fates = ['lost-answer'];
  const { venue } = world;
  const answer = venue.query.bind(venue);
  let questions = 0;
  venue.query = (...asked) => {
    const known = answer(...asked);
    if (++questions > 2 || known?.book !== 'plain') return known;
    return { book: 'plain', order: { ...known.order, status: 'NEW', filled: '0' }, fills: [] };
  };
  world.submit({});
  world.run(8_000);
  assert.equal(world.held(), '1');
  world.checkSettled();
});

test('doubled and reordered stream events change nothing', () => {
  const world = new World().begin();
  world.streamFates = ['delay', 'double', 'double', 'delay', 'double'];
  world.submit({ quantity: '3' });
  world.run(10_000);
  assert.equal(world.held(), '3');
  world.checkStories();
});

test('a cancel that comes too late is refused after the fill that made it so', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90' });
  world.run(500);
  world.streamFates = Array.from({ length: 9 }, () => 'drop' as const);
  world.cancel(ref);
  world.happen((venue) => {
    const order = venue.state.orders.find(isOpenOrder);
    if (order) venue.fill(order, '1');
  });
  world.run(5_000);
  assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED', 'ORDER_FILLED', 'CANCEL_REJECTED']);
});

test('a cancel without an answer is asked about and sent again; the order is not believed gone before it is', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90' });
  world.run(500);
  world.fates = ['lost-request'];
  world.cancel(ref);
  world.run(8_000);
  assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED'], 'never resolved CANCELED on a time-out');
  world.run(10_000);
  assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED', 'ORDER_CLOSED']);
});

test('an unknown order that is to be cancelled is cancelled once it is found', () => {
  const world = new World().begin();
  world.streamFates = ['drop'];
  world.fates = ['lost-answer', 'lost-request'];
  const ref = world.submit({ type: 'LIMIT', price: '90' });
  world.cancel(ref);
  world.run(9_000);
  world.heal();
  assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN', 'ORDER_ACKNOWLEDGED', 'ORDER_CLOSED']);
  assert.ok(!world.venue.state.orders.some(isOpenOrder));
});

test('a cancel of what does not exist is refused at once', () => {
  const world = new World().begin();
  world.cancel('order-99');
  assert.deepEqual(world.heard('order-99'), ['CANCEL_REJECTED']);
});

test('a stop that triggers fills under another order id: the algo id of what it became decides', () => {
  for (const spawnedId of [undefined, 'x-other']) {
    const world = new World().begin();
    world.submit({});
    const ref = world.stop();
    world.run(500);
    world.happen((venue) => {
      const algo = venue.state.algos[0];
      if (algo) venue.trigger(algo, spawnedId);
    });
    world.run(1_000);
    assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED', 'ORDER_TRIGGERED', 'ORDER_FILLED']);
    assert.equal(world.held(), '0');
    world.heal();
    world.checkSettled();
  }
});

test('a stop refused at its trigger is closed as that, and FINISHED alone is no fill', () => {
  const world = new World().begin();
  const ref = world.stop();
  world.run(500);
  world.happen((venue) => {
    const algo = venue.state.algos[0];
    if (algo) venue.trigger(algo);
  });
  world.run(500);
  assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED', 'ORDER_CLOSED']);
  assert.equal(eventOf(world, ref, 'ORDER_CLOSED')?.outcome, 'rejected-at-trigger');

  const finished = world.stop();
  world.run(500);
  world.happen((venue) => {
    const algo = venue.state.algos.at(-1);
    if (!algo) return;
    algo.status = 'FINISHED';
    venue.events.push({ kind: 'algo', at: venue.now, algo: { ...algo } });
  });
  world.run(5_000);
  assert.ok(!world.heard(finished).includes('ORDER_FILLED'));
});

test('leverage: set, refused, and asked again when nobody knows', () => {
  const world = new World().begin();
  const owner = 'position/BTCUSDT/BOTH/1';
  world.apply({ type: 'leverage.set', at: world.now, owner, symbol: 'BTCUSDT', leverage: 5 });
  const answer = (result: { outcome: 'unknown' | 'rejected'; code: number; reason: string }): void => {
    const call = world.calls.at(-1);
    world.apply({
      type: 'CALL_ENDED',
      at: world.now,
      call: 'leverage',
      id: call?.id ?? '',
      result,
      venueAt: world.now,
    });
  };
  answer({ outcome: 'unknown', code: 0, reason: 'reset' });
  assert.equal(world.calls.filter(({ call }) => call === 'leverage').length, 2);
  answer({ outcome: 'rejected', code: -4028, reason: 'Leverage 5 is not valid' });
  assert.deepEqual(
    world.eventsOf().map(({ type }) => type),
    ['LEVERAGE_REJECTED'],
  );
  world.apply({ type: 'leverage.set', at: world.now, owner, symbol: 'BTCUSDT', leverage: 3 });
  world.run(500);
  assert.equal(world.eventsOf().at(-1)?.type, 'LEVERAGE_SET');
});

test('a restart makes UNKNOWN of what was under way, sent or not, and sends nothing twice', () => {
  for (const ranFor of [0, 20, 60]) {
    const world = new World().begin();
    const ref = world.submit({});
    world.run(ranFor);
    world.restart();
    assert.equal(world.heard(ref)[0], 'ORDER_UNKNOWN');
    world.heal();
    assert.equal(world.submits(ref), ranFor === 0 ? 0 : 1);
    const end = ranFor === 0 ? ['ORDER_REJECTED'] : OPENED;
    assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN', ...end]);
    world.checkSettled();
  }
});

test('a call that nobody ever answers is UNKNOWN by its deadline', () => {
  const world = new World().begin();
  world.latencyMs = 200_000;
  const ref = world.submit({});
  world.run(31_000);
  assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN']);
});

test('finished orders, trades and rows are forgotten: the state does not grow for ever', () => {
  const world = new World().begin();
  const sizes: number[] = [];
  for (let hour = 0; hour < 8; hour++) {
    for (let i = 0; i < 10; i++) {
      world.submit({});
      world.run(1_000);
      world.submit({ side: 'SELL', reduceOnly: true });
      world.run(359_000);
    }
    sizes.push(JSON.stringify(world.executor.checkpoint()).length);
  }
  const [, , third = 0] = sizes;
  assert.ok(Math.max(...sizes.slice(3)) < third * 1.1, `sizes ${sizes.join(' ')}`);
  world.checkSettled();
});

test('a venue whose clock runs sixty times faster gets sixty times the patience', () => {
  const world = new World({ timeFactor: 60 }).begin();
  world.run(200_000);
  world.fates = ['lost-request'];
  const ref = world.submit({});
  world.run(60_000);
  assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN']);
  world.heal(60 * 120_000);
  assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN', 'ORDER_REJECTED']);
});

test('restored from a backup: what the lost life sent is found and not sent again', () => {
  const world = new World().begin();
  const backup = cloneJson(world.executor.checkpoint());
  const id = `bh-position/BTCUSDT/BOTH/1-lost`;
  const order = { ref: 'lost', owner: 'position/BTCUSDT/BOTH/1' };
  world.submit(order);
  world.run(2_000);
  assert.equal(world.venue.executed.get(id), 1);
  world.told.length = 0;
  world.executor = Executor.restore(backup, world.options);
  world.restart([id]);
  world.submit(order);
  assert.equal(world.calls.filter(({ call }) => call === 'submit').length, 1, 'only the lost life called');
  world.run(60_000);
  assert.equal(world.venue.executed.get(id), 1);
  assert.deepEqual(world.heard('lost'), ['ORDER_UNKNOWN', ...OPENED]);
  assert.equal(world.held(), '1');
  assert.equal(world.executor.state.doubtful, undefined, 'and is forgotten');
});

test('restored from a backup: what the lost life never sent is told as that', () => {
  const world = new World().begin();
  const id = `bh-position/BTCUSDT/BOTH/1-never`;
  world.restart([id]);
  world.submit({ ref: 'never', owner: 'position/BTCUSDT/BOTH/1' });
  world.run(120_000);
  assert.equal(world.venue.executed.get(id), undefined);
  assert.deepEqual(world.heard('never'), ['ORDER_UNKNOWN', 'ORDER_REJECTED']);
  const next = world.submit({});
  world.run(1_000);
  assert.deepEqual(world.heard(next), OPENED, 'and the symbol is free again');
});

const readings = (world: World): number => world.calls.filter(({ call }) => call === 'report').length;

test('a start beside a stream that is up reads the account once; another one reads it again when the stream comes', () => {
  for (const warm of [true, false]) {
    const world = new World().begin();
    const ref = world.submit({ type: 'MARKET', quantity: '2' });
    world.run(60_000);
    assert.equal(world.heard(ref).at(-1), 'ORDER_FILLED');
    const before = readings(world);
    world.restart(undefined, warm);
    assert.equal(world.executor.state.ready, false, 'nothing opens before that reading');
    for (let ms = 0; ms < 20_000 && !world.executor.state.ready; ms += 50) world.run(50);
    assert.equal(world.executor.state.ready, true);
    assert.equal(readings(world) - before, warm ? 1 : 2);
  }
});
