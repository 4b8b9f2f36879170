import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChildSpec, SupervisorSpec } from '../../supervisors/child-spec.ts';
import { DynamicSupervisor, dynamicSupervisorChild } from '../../supervisors/dynamic-supervisor.ts';
import { rootSupervisor, supervisorChild } from '../../supervisors/supervisor.ts';
import { ToyTree } from '../support/toy-tree.ts';

const toys = new ToyTree();
const child = (overrides: Record<string, unknown> = {}): ChildSpec =>
  ({ ...toys.spec('a'), ...overrides }) as ChildSpec;
const supervisor = (overrides: Record<string, unknown> = {}): SupervisorSpec =>
  ({ id: 'sup', strategy: 'one_for_one', children: [], ...overrides }) as SupervisorSpec;
const backoff = { initialMs: 1, maxMs: 10, stableMs: 100 };

const WRONG: readonly [string, SupervisorSpec, RegExp][] = [
  ['no id', supervisor({ id: '' }), /a supervisor has no id/],
  ['unknown strategy', supervisor({ strategy: 'all' }), /supervisor sup: unknown strategy all/],
  ['negative intensity', supervisor({ intensity: -1 }), /supervisor sup: intensity/],
  ['broken intensity', supervisor({ intensity: 1.5 }), /intensity/],
  ['zero period', supervisor({ periodMs: 0 }), /supervisor sup: periodMs/],
  ['endless period', supervisor({ periodMs: Number.POSITIVE_INFINITY }), /periodMs/],
  ['unknown auto-shutdown', supervisor({ autoShutdown: 'some' }), /unknown autoShutdown some/],
  ['backoff upside down', supervisor({ backoff: { ...backoff, initialMs: 11 } }), /initialMs ≤ maxMs/],
  ['backoff shrinks', supervisor({ backoff: { ...backoff, factor: 0.5 } }), /factor/],
  ['backoff jitter', supervisor({ backoff: { ...backoff, jitter: 2 } }), /jitter/],
  ['backoff stability', supervisor({ backoff: { ...backoff, stableMs: Number.NaN } }), /stableMs/],
  ['duplicate ids', supervisor({ children: [child(), child()] }), /sup: two children are called a/],
  ['child without id', supervisor({ children: [child({ id: '' })] }), /sup: a child has no id/],
  [
    'unknown restart',
    supervisor({ children: [child({ restart: 'often' })] }),
    /sup, child a: unknown restart/,
  ],
  ['unknown type', supervisor({ children: [child({ type: 'thing' })] }), /child a: unknown type/],
  ['no start', supervisor({ children: [child({ start: undefined })] }), /child a: start is not a function/],
  ['empty name', supervisor({ children: [child({ name: '' })] }), /child a: the name is empty/],
  [
    'negative grace',
    supervisor({ children: [child({ shutdown: { graceMs: -1 } })] }),
    /child a: shutdown must be/,
  ],
  ['unknown shutdown', supervisor({ children: [child({ shutdown: 'soon' })] }), /child a: shutdown must be/],
  ['start limit', supervisor({ children: [child({ startWithinMs: Number.NaN })] }), /child a: startWithinMs/],
  [
    'significant and permanent',
    supervisor({ autoShutdown: 'any_significant', children: [child({ significant: true })] }),
    /child a: a permanent child cannot be significant/,
  ],
  [
    'significant under never',
    supervisor({ children: [child({ significant: true, restart: 'transient' })] }),
    /child a: significant, but autoShutdown is never/,
  ],
];

for (const [what, spec, message] of WRONG) {
  test(`property 15: a wrong spec is refused before anything starts: ${what}`, () => {
    assert.throws(() => rootSupervisor(spec, toys.tree), message);
    assert.throws(() => supervisorChild(spec), message);
    assert.deepEqual(toys.takeLog(), []);
  });
}

test('property 15: dynamic supervisors check their own spec and each child’s', () => {
  assert.throws(() => dynamicSupervisorChild({ id: 'pool', maxChildren: 0 }), /pool: maxChildren/);
  assert.throws(
    () => dynamicSupervisorChild({ id: 'pool', shutdown: { graceMs: Number.NaN } }),
    /pool: shutdown/,
  );
  assert.throws(() => dynamicSupervisorChild({ id: '' }), /no id/);
  const host = { path: 'pool', incarnation: 0, exit: () => {} };
  const pool = new DynamicSupervisor({ id: 'pool' }, toys.tree, host);
  pool.start();
  assert.throws(
    () => pool.startChild(child({ restart: 'transient', significant: true })),
    /pool, child a: significant/,
  );
  const twice = new DynamicSupervisor({ id: 'twice', initial: () => [child(), child()] }, toys.tree, host);
  assert.throws(() => twice.start(), /twice: two children are called a/);
  const many = new DynamicSupervisor(
    { id: 'many', maxChildren: 1, initial: () => [child(), child({ id: 'b' })] },
    toys.tree,
    host,
  );
  assert.throws(() => many.start(), /many: too many initial children/);
  assert.deepEqual(toys.live(), []);
});

test('property 15: a child added later is checked too', () => {
  const world = new ToyTree();
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', children: [] }, world.tree);
  root.start();
  assert.throws(() => root.startChild(child({ shutdown: 'soon' })), /supervisor root, child a/);
  root.startChild(world.spec('a'));
  const again = root.startChild(world.spec('a'));
  assert.ok(!(again instanceof Promise) && again.kind === 'already_started');
});
