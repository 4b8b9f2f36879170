/** The executor as the actor VENUE: rows of inputs, a checkpoint now and then, the same state after a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActorEvent } from '../../src/domain/events.ts';
import {
  EXECUTOR_CHECKPOINT_ROWS,
  EXECUTOR_MACHINE,
  executorFactory,
} from '../../supervisors/executor-logic.ts';
import { ReplayedLogic } from '../../supervisors/replayed-logic.ts';
import { World } from '../support/executor-world.ts';

test('restored from its checkpoint and the inputs since, it is what it was', () => {
  const world = new World().begin();
  for (let i = 0; i < 40; i++) {
    world.submit({});
    world.stop();
    world.run(2_000);
  }
  assert.ok(world.inputs.length > 2 * EXECUTOR_CHECKPOINT_ROWS);
  const factory = executorFactory(world.options);
  const logic = new ReplayedLogic(factory, EXECUTOR_CHECKPOINT_ROWS);
  logic.start({});
  let checkpoint = logic.snapshot(1) ?? '';
  let since: ActorEvent[] = [];
  for (const [index, input] of world.inputs.entries()) {
    const event = input as unknown as ActorEvent;
    logic.send(event);
    since.push(event);
    const taken = logic.snapshot(index + 2);
    if (taken === null) continue;
    checkpoint = taken;
    since = [];
  }
  assert.ok(since.length > 0, 'some inputs stand after the last checkpoint');
  const again = new ReplayedLogic(factory, EXECUTOR_CHECKPOINT_ROWS);
  again.restore(checkpoint, since);
  assert.equal(again.machine, EXECUTOR_MACHINE);
  assert.equal(again.snapshot(EXECUTOR_CHECKPOINT_ROWS), JSON.stringify(world.executor.checkpoint()));
  assert.equal(again.isDone(), false);
});

test('what it emits is plain JSON, and calls have ids of their own', () => {
  const world = new World().begin();
  world.submit({});
  world.stop();
  world.heal();
  const ids = world.calls.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(JSON.parse(JSON.stringify(world.told)), world.told);
  assert.deepEqual(JSON.parse(JSON.stringify(world.calls)), world.calls);
});
