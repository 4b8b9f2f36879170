/** What the host relies on in XState, held against the pinned version: a change here is a change of contract. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { type AnyActorRef, createActor, createMachine, emit, type Snapshot, setup } from 'xstate';
import { XStateLogic } from '../../supervisors/xstate-logic.ts';
import { toyMachine } from '../support/toy-machine.ts';

interface Scheduled {
  readonly op: 'set' | 'cancel';
  readonly type?: string;
  readonly delayMs?: number;
  readonly id: string;
}

/** The seam as the host uses it: replaced after creation, before the start. */
function observed(machine: ReturnType<typeof createMachine>, options: object = {}) {
  const actor = createActor(machine, options as never);
  const scheduled: Scheduled[] = [];
  const emitted: string[] = [];
  const errors: unknown[] = [];
  actor.on('*', (event: { type: string }) => emitted.push(event.type));
  actor.subscribe({ error: (error) => errors.push(error) });
  const { scheduler } = (actor as AnyActorRef).system as unknown as {
    scheduler: { schedule: unknown; cancel: unknown };
  };
  scheduler.schedule = (
    _source: unknown,
    _target: unknown,
    event: { type: string },
    delayMs: number,
    id: string,
  ) => scheduled.push({ op: 'set', type: event.type, delayMs, id });
  scheduler.cancel = (_source: unknown, id: string) => scheduled.push({ op: 'cancel', id });
  return { actor, scheduled, emitted, errors };
}

const door = () =>
  createMachine({
    id: 'door',
    initial: 'shut',
    entry: emit({ type: 'made' }),
    states: {
      shut: { on: { OPEN: 'open' } },
      open: {
        entry: emit({ type: 'opened' }),
        after: { 5000: { target: 'shut', actions: emit({ type: 'closed' }) } },
        on: { SHUT: 'shut' },
      },
    },
  });

test('the version is the one that all this was measured on', () => {
  const require = createRequire(import.meta.url);
  const installed = JSON.parse(readFileSync(require.resolve('xstate/package.json'), 'utf8')).version;
  const asked = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).dependencies
    .xstate;
  assert.equal(installed, '5.33.3');
  assert.equal(asked, installed, 'pinned exactly');
});

test('the scheduler of the system is asked to set and cancel, synchronously, and nothing else arms timers', () => {
  const { actor, scheduled } = observed(door());
  actor.start();
  assert.deepEqual(scheduled, []);
  actor.send({ type: 'OPEN' });
  assert.deepEqual(scheduled, [
    { op: 'set', type: 'xstate.after.5000.door.open', delayMs: 5000, id: 'xstate.after.5000.door.open' },
  ]);
  actor.send({ type: 'SHUT' });
  assert.deepEqual(scheduled.slice(1), [{ op: 'cancel', id: 'xstate.after.5000.door.open' }]);
});

test('the scheduler is asked at the start already, when the initial state has an after', () => {
  const { actor, scheduled } = observed(
    createMachine({ id: 'eager', initial: 'wait', states: { wait: { after: { 10: 'over' } }, over: {} } }),
  );
  actor.start();
  assert.deepEqual(
    scheduled.map(({ type, delayMs }) => [type, delayMs]),
    [['xstate.after.10.eager.wait', 10]],
  );
});

test('a restored actor arms nothing by itself; the event of its after, sent by us, does what the timer would', () => {
  const first = observed(door());
  first.actor.start();
  first.actor.send({ type: 'OPEN' });
  const text = JSON.stringify(first.actor.getPersistedSnapshot());
  const second = observed(door(), { snapshot: JSON.parse(text) });
  second.actor.start();
  assert.deepEqual(second.scheduled, []);
  assert.deepEqual(second.emitted, [], 'nothing of the past is emitted again');
  second.actor.send({ type: 'xstate.after.5000.door.open' });
  assert.equal(second.actor.getSnapshot().value, 'shut');
  assert.deepEqual(second.emitted, ['closed']);
});

test('emitted events arrive during start and during send, in order', () => {
  const { actor, emitted } = observed(door());
  actor.start();
  assert.deepEqual(emitted, ['made']);
  actor.send({ type: 'OPEN' });
  assert.deepEqual(emitted, ['made', 'opened']);
});

test('a throw in an action comes to the error observer during send, and the actor is of no use any more', () => {
  const { actor, errors } = observed(
    createMachine({
      on: {
        THROW: {
          actions: () => {
            throw new Error('boom');
          },
        },
      },
    }),
  );
  actor.start();
  actor.send({ type: 'THROW' });
  assert.deepEqual(errors.map(String), ['Error: boom']);
  assert.equal(actor.getSnapshot().status, 'error');
});

test('the host makes that a throw of the send, and is restored from text', () => {
  const logic = new XStateLogic(toyMachine());
  logic.start({});
  logic.send({ type: 'ADD', amount: 3 });
  const text = logic.snapshot();
  assert.throws(() => logic.send({ type: 'THROW' }), /poison/);
  logic.restore(text);
  assert.equal(logic.snapshot(), text);
  logic.send({ type: 'ADD', amount: 1 });
  assert.equal(JSON.parse(logic.snapshot()).context.count, 4);
});

test('a restored actor lives on in the very object it was given: each restore needs one of its own', () => {
  const given = { status: 'active', value: 'shut', historyValue: {}, context: { seen: [1] }, children: {} };
  const { actor } = observed(door(), { snapshot: given as unknown as Snapshot<unknown> });
  actor.start();
  assert.equal(actor.getSnapshot().context, given.context);
  const text = JSON.stringify(given);
  const one = observed(door(), { snapshot: JSON.parse(text) });
  const two = observed(door(), { snapshot: JSON.parse(text) });
  assert.notEqual(one.actor.getSnapshot().context, two.actor.getSnapshot().context);
});

test('an unknown state value, and text that is no snapshot, are ACTOR_UNRESTORABLE', () => {
  const source = new XStateLogic(toyMachine());
  source.start({});
  const good = JSON.parse(source.snapshot());
  const unrestorable = { code: 'ACTOR_UNRESTORABLE' };
  for (const bad of [
    JSON.stringify({ ...good, value: 'ajar' }),
    JSON.stringify({ ...good, value: { open: 'wide' } }),
    JSON.stringify({ ...good, status: 'error', error: 'was broken' }),
    // XState takes a snapshot that is nothing for none, and starts anew.
    'null',
    'no json',
  ]) {
    assert.throws(() => new XStateLogic(toyMachine()).restore(bad), unrestorable, bad);
  }
  const logic = new XStateLogic(toyMachine());
  logic.restore(JSON.stringify(good));
  assert.equal(logic.stateKey(), 'shut');
});

test('a missing action is ignored without a word, so machines name theirs through setup, which cannot miss', () => {
  const careless = observed(createMachine({ on: { GO: { actions: 'notThere' } } }));
  careless.actor.start();
  careless.actor.send({ type: 'GO' });
  assert.deepEqual(careless.errors, []);
  const base = setup({ actions: { there: () => {} } });
  // @ts-expect-error An action that setup does not know is an error of the compiler.
  base.createMachine({ on: { GO: { actions: 'notThere' } } });
});

test('snapshots are the same bytes for the same events, and after any number of restores', () => {
  const events = ['OPEN', 'LATER', 'CLOSE', 'LATER', 'OPEN'];
  const straight = new XStateLogic(toyMachine());
  const restless = new XStateLogic(toyMachine());
  straight.start({});
  restless.start({});
  for (const type of events) {
    straight.send({ type });
    restless.send({ type });
    const text = restless.snapshot();
    assert.equal(text, straight.snapshot());
    restless.restore(text);
    assert.equal(restless.snapshot(), text, 'restoring moves no key');
  }
});

test('a final state is status done, also after a restore', () => {
  const logic = new XStateLogic(toyMachine());
  logic.start({});
  logic.send({ type: 'OPEN' });
  assert.equal(logic.isDone(), false);
  logic.send({ type: 'END' });
  assert.equal(logic.isDone(), true);
  const again = new XStateLogic(toyMachine());
  again.restore(logic.snapshot());
  assert.equal(again.isDone(), true);
});
