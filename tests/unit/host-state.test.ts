import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Emitted } from '../../src/domain/events.ts';
import type { Step } from '../../supervisors/actor-logic.ts';
import {
  afterStep,
  EMPTY_HOST,
  type HostState,
  takeReplay,
  takeTimer,
} from '../../supervisors/host-state.ts';

const LOOK = { type: 'LOOK' };
const set = (id: string, kind: 'named' | 'event', delayMs: number): Emitted => ({
  type: 'timer.set',
  id,
  kind,
  delayMs,
  event: { type: id },
});
const step = (emitted: readonly Emitted[] = [], stateTimers: Step['stateTimers'] = []): Step => ({
  emitted,
  stateTimers,
});
const ids = (host: HostState) => host.timers.map(({ id, kind, due }) => `${id} ${kind} ${due}`);

test('a step that wants nothing of the host leaves the very same state', () => {
  assert.equal(afterStep(EMPTY_HOST, step(), LOOK, 10, true), EMPTY_HOST);
  const armed = afterStep(EMPTY_HOST, step([set('bell', 'named', 5)]), LOOK, 10, false);
  assert.equal(afterStep(armed, step(), LOOK, 11, true), armed);
});

test('a timer is an absolute deadline, one per id; setting it again moves it', () => {
  const first = afterStep(
    EMPTY_HOST,
    step([set('bell', 'named', 5), set('gong', 'named', 7)]),
    LOOK,
    10,
    false,
  );
  assert.deepEqual(ids(first), ['bell named 15', 'gong named 17']);
  const moved = afterStep(first, step([set('bell', 'named', 5)]), LOOK, 12, false);
  assert.deepEqual(ids(moved).toSorted(), ['bell named 17', 'gong named 17']);
  const cleared = afterStep(moved, step([{ type: 'timer.clear', id: 'gong' }]), LOOK, 13, false);
  assert.deepEqual(ids(cleared), ['bell named 17']);
});

test('any event ends the event timers of before, also one that sets its own', () => {
  const host = afterStep(
    EMPTY_HOST,
    step([set('quiet', 'event', 5), set('bell', 'named', 5)]),
    LOOK,
    10,
    false,
  );
  assert.deepEqual(ids(afterStep(host, step(), LOOK, 11, false)), ['bell named 15']);
  const renewed = afterStep(host, step([set('quiet', 'event', 5)]), LOOK, 11, false);
  assert.deepEqual(ids(renewed), ['bell named 15', 'quiet event 16']);
});

test('the statechart cancels and sets its own timers in the order it asked', () => {
  const event = { type: 'xstate.after.10.open' };
  const setOpen = { op: 'set', id: '0.open', delayMs: 10, event } as const;
  const cancelOpen = { op: 'cancel', id: '0.open' } as const;
  const host = afterStep(EMPTY_HOST, step([], [setOpen]), LOOK, 10, true);
  assert.deepEqual(ids(host), ['after:0.open state 20']);
  assert.deepEqual(ids(afterStep(host, step([], [cancelOpen]), LOOK, 12, true)), []);
  const reentered = afterStep(host, step([], [cancelOpen, setOpen]), LOOK, 12, true);
  assert.deepEqual(ids(reentered), ['after:0.open state 22']);
  assert.deepEqual(ids(afterStep(host, step([], [setOpen, cancelOpen]), LOOK, 12, true)), []);
});

test('postponed events wait for a change of state, then go before everything, in order', () => {
  const postpone: Emitted = { type: 'postpone' };
  const one = afterStep(EMPTY_HOST, step([postpone]), { type: 'ONE' }, 1, false);
  const two = afterStep(one, step([postpone]), { type: 'TWO' }, 2, false);
  assert.deepEqual(two.replay, []);
  const changed = afterStep(two, step(), { type: 'OPEN' }, 3, true);
  assert.deepEqual([changed.postponed, changed.replay.map(({ type }) => type)], [[], ['ONE', 'TWO']]);
  const taken = takeReplay(changed);
  assert.deepEqual(taken?.replay, [{ type: 'TWO' }]);
  // Postponed once more while it is delivered again, and the state changes in that very step: it comes last.
  const again = afterStep(taken ?? EMPTY_HOST, step([postpone]), { type: 'ONE' }, 4, true);
  assert.deepEqual(
    again.replay.map(({ type }) => type),
    ['TWO', 'ONE'],
  );
  assert.equal(takeReplay(EMPTY_HOST), undefined);
});

test('a timer is taken by id and deadline: what was set anew since is another one', () => {
  const host = afterStep(EMPTY_HOST, step([set('bell', 'named', 5)]), LOOK, 10, false);
  assert.equal(takeTimer(host, 'bell', 14), undefined);
  assert.equal(takeTimer(host, 'gong', 15), undefined);
  assert.deepEqual(takeTimer(host, 'bell', 15)?.timers, []);
});
