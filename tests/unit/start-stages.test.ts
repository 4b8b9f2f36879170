import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartStages } from '../../src/app/run/start-stages.ts';
import { turn, VirtualTime } from '../../src/core/clock.ts';

test('each stage counts once, from the beginning; who waits for one hears of that one', async () => {
  const time = new VirtualTime(1_000);
  const stages = new StartStages(time);
  let heard = 0;
  void stages.when('account').then(() => {
    heard += 1;
  });
  time.advanceTo(1_020);
  stages.reach('journal');
  await turn();
  assert.equal(heard, 0);
  time.advanceTo(1_300);
  stages.reach('account');
  await turn();
  assert.equal(heard, 1);
  time.advanceTo(2_000);
  stages.reach('account');
  assert.deepEqual(stages.reached, { journal: 20, account: 300 });
  await stages.when('account');
});
