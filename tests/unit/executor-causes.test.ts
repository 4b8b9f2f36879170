/** Who traded, when it was seen in no stream: fills that only a reading tells of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillsOf, holding, settle, unheard } from '../support/executor-cases.ts';

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

test('nameless, it may be anybody’s', () => {
  const world = holding('2');
  unheard(world, (venue) => venue.trade('BTCUSDT', 'SELL', '2', 'autoclose-1'));
  settle(world);
  assert.equal(fillsOf(world).at(-1)?.cause, 'manual');
});
