/**
 * Path coverage of every machine with xstate/graph, and the table: every state × every event is answered.
 * Paths found on the pure machine are run again on the real logic of the host, and must end where they said.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { ActorEvent } from '../../src/domain/events.ts';
import { XStateLogic } from '../../supervisors/xstate-logic.ts';
import { leavesOf } from '../support/machine-bench.ts';
import { MACHINE_CASES, type MachineCase } from '../support/machine-cases.ts';

interface Path {
  readonly state: AnyMachineSnapshot;
  readonly steps: readonly { readonly event: ActorEvent }[];
}

const timersOf = (snapshot: AnyMachineSnapshot): ActorEvent[] => {
  const nodes = (snapshot as unknown as { _nodes: AnyStateNode[] })._nodes;
  return nodes
    .flatMap((node) => node.after)
    .map(({ eventType }) => ({ type: eventType, at: snapshot.context.at }));
};

function explore(one: MachineCase): readonly Path[] {
  const machine = one.definition.machine as AnyStateMachine;
  const searched = one.searched ?? (() => true);
  return getShortestPaths(machine, {
    input: one.input,
    events: (snapshot: AnyMachineSnapshot) => [...one.events(snapshot), ...timersOf(snapshot)],
    filterEvents: (snapshot: AnyMachineSnapshot, event: ActorEvent) =>
      snapshot.status === 'active' && searched(snapshot, event),
    serializeState: (snapshot: AnyMachineSnapshot) => JSON.stringify([snapshot.value, one.essence(snapshot)]),
    ...(one.deepEnough ? { stopWhen: one.deepEnough } : {}),
    limit: 40_000,
  } as never) as unknown as readonly Path[];
}

function leafStates(node: AnyStateNode, path: readonly string[] = []): string[] {
  const children = Object.values(node.states);
  return children.length === 0
    ? [path.join('.')]
    : children.flatMap((child) => leafStates(child, [...path, child.key]));
}

const visited = new Map<string, Set<string>>();
const saidTo = new Map<string, Set<string>>();

for (const one of MACHINE_CASES) {
  const paths = explore(one);
  const machine = one.definition.machine as AnyStateMachine;
  const family = one.definition.type;
  const seen = visited.get(family) ?? new Set<string>();
  visited.set(family, seen);
  for (const { state } of paths) for (const leaf of leavesOf(state.value)) seen.add(leaf);
  const said = saidTo.get(family) ?? new Set<string>();
  saidTo.set(family, said);
  for (const { state } of paths) for (const { type } of one.events(state)) said.add(type);

  test(`${one.name}: every state answers every event (${paths.length} states reached)`, () => {
    let asked = 0;
    const tried = new Set<string>();
    for (const { state } of paths) {
      assert.notEqual(state.status, 'error', JSON.stringify(state.value));
      if (state.status !== 'active') continue;
      for (const event of one.events(state)) {
        asked += 1;
        checkAnswer(one, machine, state, event);
        // Once for each state value the host's own logic takes the event, too.
        const key = JSON.stringify([state.value, event.type]);
        if (!tried.has(key)) checkHandling(one, machine, state, event);
        tried.add(key);
      }
    }
    assert.ok(asked > 0);
  });

  test(`${one.name}: the real logic takes every path to the same end`, () => {
    // Paths are prefixes of one another: the longest few hundred cover the rest.
    const longest = [...paths].sort((a, b) => b.steps.length - a.steps.length).slice(0, 150);
    for (const path of longest) {
      const logic = new XStateLogic(one.definition);
      logic.start(one.input);
      for (const { event } of path.steps) {
        if (event.type === 'xstate.init') continue;
        logic.send(event);
        checkText(one, logic);
      }
      const end = JSON.parse(logic.snapshot()) as { value: unknown };
      assert.deepEqual(end.value, path.state.value);
    }
  });
}

/** What was not written anew is what it would be: nothing is changed in place. */
function checkText(one: MachineCase, logic: XStateLogic): void {
  const text = logic.snapshot();
  const fresh = new XStateLogic(one.definition);
  fresh.restore(text);
  assert.equal(text, fresh.snapshot(), `${one.name}: its context was changed in place`);
}

/** Whatever a machine knows somewhere is said to it in these tests, everywhere. */
for (const [type, said] of saidTo)
  test(`${type}: every event that it knows is among its cases`, () => {
    const ours = MACHINE_CASES.filter(({ definition }) => definition.type === type);
    const known = ours.flatMap(
      ({ definition }) => (definition.machine as AnyStateMachine).events as string[],
    );
    const own = known.filter((event) => event !== '*' && !event.startsWith('xstate.'));
    assert.deepEqual([...new Set(own)].filter((event) => !said.has(event)).sort(), []);
  });

function checkAnswer(
  one: MachineCase,
  machine: AnyStateMachine,
  state: AnyMachineSnapshot,
  event: ActorEvent,
): void {
  const where = `${one.name}: ${event.type} in ${JSON.stringify(state.value)}`;
  const chosen = machine.getTransitionData(state, event as never);
  assert.ok(chosen.length > 0, `${where} is silently dropped`);
  const recorded = chosen.every((transition) => transition.eventType === '*');
  const expected = isExpected(one, state, event);
  assert.equal(recorded, !expected, `${where}: ${recorded ? 'not answered' : 'answered unexpectedly'}`);
}

/** An event that is not expected is recorded and reported. */
function checkHandling(
  one: MachineCase,
  machine: AnyStateMachine,
  state: AnyMachineSnapshot,
  event: ActorEvent,
): void {
  const logic = new XStateLogic(one.definition);
  const text = JSON.stringify(machine.getPersistedSnapshot(state));
  logic.restore(text);
  assert.equal(logic.snapshot(), text, 'written as the library writes it');
  const step = logic.send(event);
  const { context } = JSON.parse(logic.snapshot()) as { context: AnyMachineSnapshot['context'] };
  const recorded = context.unexpected.count - state.context.unexpected.count;
  assert.equal(recorded, isExpected(one, state, event) ? 0 : 1);
  if (recorded > 0)
    assert.ok(step.emitted.some((intent) => intent.type === 'notify' && intent.level === 'warning'));
}

function isExpected(one: MachineCase, state: AnyMachineSnapshot, event: ActorEvent): boolean {
  const expectedIn = one.answers[event.type];
  return expectedIn === undefined || leavesOf(state.value).some((leaf) => expectedIn.includes(leaf));
}

test('together the paths visit every state of every machine', () => {
  for (const [type, seen] of visited) {
    const [one] = MACHINE_CASES.filter(({ definition }) => definition.type === type);
    assert.ok(one);
    const all = leafStates((one.definition.machine as AnyStateMachine).root);
    assert.deepEqual(
      all.filter((leaf) => !seen.has(leaf)),
      [],
      `${type}: states never reached`,
    );
  }
  assert.equal(visited.size, 8);
});
