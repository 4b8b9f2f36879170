/** Who traded, when it was seen in no stream: fills that only a reading tells of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillsOf, holding, settle, unheard } from '../support/executor-cases.ts';
import type { World } from '../support/executor-world.ts';

const OPENING_FILLS = fillsOf(holding('2')).length;
const CAUSES = [
  ['autoclose-1', 'liquidation'],
  ['adl_autoclose', 'adl'],
  ['settlement_autoclose-1', 'settlement'],
  ['bhk-aaaaaaaaaaaa-1', 'kill'],
  ['web_1', 'manual'],
] as const;

for (const [id, cause] of CAUSES)
  test(`${id} while nobody listened is a ${cause}, by its client id`, () => {
    const world = holding('2');
    world.venue.namesFills = true;
    unheard(world, (venue) => venue.trade('BTCUSDT', 'SELL', '2', id));
    settle(world);
    const [last] = fillsOf(world).slice(-1);
    assert.deepEqual([last?.cause, last?.clientOrderId], [cause, id]);
    assert.equal(world.held(), '0');
  });

/** A reading that is asked for now, and comes. */
function read(world: World): void {
  world.apply({ type: 'RECONCILE', at: world.now, why: 'a test' });
  world.run(400);
}

for (const [id, cause] of CAUSES)
  test(`${id} whose order the venue shows a moment after its trade is a ${cause} all the same`, () => {
    const world = holding('2');
    unheard(world, (venue) => venue.trade('BTCUSDT', 'SELL', '2', id));
    read(world);
    assert.deepEqual([fillsOf(world).length, world.held()], [OPENING_FILLS, '2']);
    world.venue.namesFills = true;
    world.run(3_000);
    const told = fillsOf(world).slice(OPENING_FILLS);
    assert.ok(told.length > 0);
    for (const fill of told) assert.deepEqual([fill.cause, fill.clientOrderId], [cause, id]);
    assert.equal(world.held(), '0');
    settle(world);
  });

test('an order that the venue never shows keeps its trade back for seconds, and no longer', () => {
  const world = holding('2');
  unheard(world, (venue) => venue.trade('BTCUSDT', 'SELL', '2', 'web_1'));
  read(world);
  assert.equal(world.held(), '2');
  world.run(8_000);
  assert.equal(world.held(), '0');
  assert.equal(fillsOf(world).at(-1)?.cause, 'manual');
  settle(world);
});

test('a trade of long ago does not wait for its order’s name', () => {
  const world = holding('2');
  unheard(world, (venue) => venue.trade('BTCUSDT', 'SELL', '2', 'web_1'));
  world.run(6_000);
  read(world);
  assert.equal(world.held(), '0');
  settle(world);
});

test('nameless, it may be anybody’s', () => {
  const world = holding('2');
  unheard(world, (venue) => venue.trade('BTCUSDT', 'SELL', '2', 'autoclose-1'));
  settle(world);
  assert.equal(fillsOf(world).at(-1)?.cause, 'manual');
});
