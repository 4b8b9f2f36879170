/** What the guardian's own orders take out: through the executor and the guardian into the books of the position. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuardianMachine } from '../../machines/guardian.ts';
import { holding } from '../support/executor-cases.ts';
import { ownerOf } from '../support/executor-world.ts';
import { MachineBench, PositionBench, told } from '../support/machine-bench.ts';

const OWNER = ownerOf('BTCUSDT');

test('is told to the position once, and its books end where the venue’s are', () => {
  const world = holding('2');
  const guardian = new MachineBench(createGuardianMachine(), {});
  const shown = { symbol: 'BTCUSDT', owner: OWNER, direction: 'long', quantity: '2', protected: '0' };
  const symbols = [{ ...shown, entryPrice: '100', markPrice: '98', tickSize: '0.1' }];
  guardian.send('PROTECTION', { readAt: 1, symbols });
  guardian.send('PROTECTION', { readAt: 2, symbols }, 30_000);
  guardian.send('PROTECTION', { readAt: 3, symbols }, 5_000);
  const position = new PositionBench().open();
  const heard = world.told.length;
  // One that fills in part and then expires, say.
  world.submit({ owner: 'guardian', ref: 'guard-1', side: 'SELL', quantity: '1', reduceOnly: true });
  world.run(1_000);
  for (const { to, event } of world.told.slice(heard)) {
    if (to === OWNER) position.deliver(event);
    if (to !== 'guardian' || event.type === 'PROTECTION') continue;
    guardian.deliver(event);
    for (const [whom, passed] of told(guardian)) if (whom === OWNER) position.deliver(passed);
  }
  assert.deepEqual([world.held(), position.state.quantity], ['1', '1']);
  assert.equal(position.state.exits.at(-1)?.reason, 'guardian');
});
