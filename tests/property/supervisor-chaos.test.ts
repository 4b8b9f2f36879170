/**
 * Whatever happens in whatever order, with children that start late, fail, hang or ignore a stop: nobody is
 * orphaned, everybody's end is told once, the tree always stops, and the same run happens again exactly.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../src/core/random.ts';
import type { ChildSpec, Restart, Strategy } from '../../supervisors/child-spec.ts';
import { DynamicSupervisor, dynamicSupervisorChild } from '../../supervisors/dynamic-supervisor.ts';
import type { TreeNode } from '../../supervisors/introspection.ts';
import { rootSupervisor, type Supervisor, supervisorChild } from '../../supervisors/supervisor.ts';
import { flush, ToyTree } from '../support/toy-tree.ts';

const pickOf = <T>(values: readonly [T, ...T[]], at: number): T => values[at % values.length] ?? values[0];

/** A child whose manners are drawn anew at each start and stop, from a die of its own. */
function wild(toys: ToyTree, id: string, seed: number): ChildSpec {
  const dice = seededRandom(`${seed}/${id}`);
  const settle = (): Promise<void> => new Promise((resolve) => toys.time.set(dice.int(200), resolve));
  const restart = pickOf<Restart>(['permanent', 'permanent', 'transient', 'temporary'], dice.int(4));
  const shutdown = pickOf<ChildSpec['shutdown']>([{ graceMs: 100 }, 'brutal', { graceMs: 50 }], dice.int(3));
  return toys.spec(
    id,
    { restart, shutdown, startWithinMs: 150 },
    {
      onStart: (count) => {
        const roll = dice.next();
        if (roll < 0.1 && count > 1) throw new Error(`${id} cannot start`);
        return roll < 0.5 && count > 1 ? settle() : undefined;
      },
      onStop: () => {
        const roll = dice.next();
        if (roll < 0.1) throw new Error(`${id} cannot stop`);
        if (roll < 0.2) return new Promise<void>(() => {});
        return roll < 0.5 ? settle() : undefined;
      },
      onKill: () => {
        if (dice.next() < 0.2) throw new Error(`${id} cannot even be killed`);
      },
    },
  );
}

function plant(toys: ToyTree, seed: number, strategies: readonly Strategy[]): Supervisor {
  const limits = { intensity: 20, periodMs: 1_000 };
  const backoff = { initialMs: 10, maxMs: 100, stableMs: 500 };
  const strategy = (at: number): Strategy => strategies[at] ?? 'one_for_one';
  const leaf = supervisorChild({
    id: 'leaf',
    strategy: strategy(0),
    ...limits,
    children: ['l1', 'l2', 'l3'].map((id) => wild(toys, id, seed)),
  });
  const pool = dynamicSupervisorChild(
    {
      id: 'pool',
      ...limits,
      backoff,
      shutdown: { graceMs: 80 },
      initial: () => [wild(toys, 'p0', seed), wild(toys, 'p1', seed)],
    },
    { name: 'pool', shutdown: { graceMs: 500 } },
  );
  const middle = supervisorChild({
    id: 'middle',
    strategy: strategy(1),
    ...limits,
    backoff,
    children: [wild(toys, 'm1', seed), leaf, wild(toys, 'm2', seed)],
  });
  const children = [wild(toys, 'r1', seed), pool, middle];
  return rootSupervisor(
    { id: 'root', strategy: strategy(2), ...limits, intensity: 1_000, children },
    toys.tree,
  );
}

function workers(node: TreeNode): string[] {
  if (node.kind === 'worker') return node.state === 'stopped' ? [] : [node.id];
  return node.children.flatMap(workers);
}

async function act(toys: ToyTree, kind: number, value: number, serial: number): Promise<void> {
  const live = toys.live();
  const victim = live[value % Math.max(live.length, 1)];
  const pool = toys.tree.registry.handle('pool');
  if (kind < 4 && victim !== undefined) toys.crash(victim);
  else if (kind === 4 && victim !== undefined) toys.exit(victim, 'normal');
  else if (kind === 5 && pool instanceof DynamicSupervisor)
    void pool.startChild(wild(toys, `d${serial}`, value));
  else if (kind === 6 && pool instanceof DynamicSupervisor)
    void pool.terminateChild(`d${value % (serial + 1)}`);
  else toys.time.advanceTo(toys.time.now() + (value % 120));
  await flush();
}

async function run(
  seed: number,
  strategies: readonly Strategy[],
  actions: readonly (readonly [number, number])[],
) {
  const toys = new ToyTree(seed);
  const root = plant(toys, seed, strategies);
  await root.start();
  let orphans = 0;
  for (const [serial, [kind, value]] of actions.entries()) {
    await act(toys, kind, value, serial);
    const reachable = new Set(workers(root.node()));
    for (const id of toys.live()) if (!reachable.has(id)) orphans++;
  }
  const stopped = Promise.resolve(root.stop());
  // Every wait below is bounded: 3 levels of graces and drawn delays fit in well under 5 s.
  for (let i = 0; i < 50; i++) {
    toys.time.advanceTo(toys.time.now() + 100);
    await flush();
  }
  await stopped;
  return {
    toys,
    root,
    orphans,
    trace: toys.events.map(({ type, path, incarnation }) => `${type} ${path} ${incarnation}`),
  };
}

test('properties 13, 17 and 32: after any storm, no orphans, one end each, and the tree stops', async () => {
  const strategy = fc.constantFrom<Strategy>('one_for_one', 'one_for_all', 'rest_for_one');
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 1_000_000 }),
      fc.tuple(strategy, strategy, strategy),
      fc.array(fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 1_000 })), { minLength: 5, maxLength: 40 }),
      async (seed, strategies, actions) => {
        const { toys, root, orphans, trace } = await run(seed, strategies, actions);
        assert.equal(orphans, 0);
        assert.equal(root.node().state, 'stopped');
        assert.deepEqual(toys.live(), []);
        assert.equal(toys.armedTimers(), 0);
        assert.equal(toys.tree.registry.size, 0);
        const ends = toys.events.filter(({ type }) =>
          /^(stopped|killed|exited|ignored|start-failed)$/.test(type),
        );
        const lives = new Set(ends.map(({ incarnation }) => incarnation));
        assert.equal(lives.size, ends.length, 'one end each');
        for (const event of toys.events) {
          seen.add(event.type);
          if (event.type === 'started') assert.ok(lives.has(event.incarnation), `${event.path} never ended`);
        }
        const again = await run(seed, strategies, actions);
        assert.deepEqual(again.trace, trace, 'same seed, same story');
      },
    ),
    { numRuns: 100, seed: 2026 },
  );
  for (const type of [
    'started',
    'exited',
    'restarting',
    'start-failed',
    'killed',
    'stopped',
    'stray-error',
  ]) {
    assert.ok(seen.has(type), `no run ever saw ${type}`);
  }
});
