/** A live run that is stopped, or that cannot go on, ends: nothing of it lives on in the process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveWorld, settle } from '../support/live-world.ts';

const MINUTE = 60_000;

test('stopped while the account cannot be read for the first time, it asks no more', async () => {
  const world = await LiveWorld.create();
  world.lines.mishap = (call) => (call.call === 'report' ? 'lost-before' : undefined);
  const { time } = world.begin();
  await world.advance(MINUTE);
  assert.equal(world.rows().length, 0);
  assert.ok(world.lines.calls.length > 2);
  assert.equal(await world.stop(), 143);
  const asked = world.lines.calls.length;
  for (let i = 0; i < 30; i++) {
    time.advanceTo(time.now() + 2_000);
    await settle();
  }
  assert.ok(world.lines.calls.length <= asked + 1, `${world.lines.calls.length - asked} calls after the end`);
});
