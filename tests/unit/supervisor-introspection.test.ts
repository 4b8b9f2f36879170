import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynamicSupervisor, dynamicSupervisorChild } from '../../supervisors/dynamic-supervisor.ts';
import { countChildren, renderTree, type TreeNode, tree } from '../../supervisors/introspection.ts';
import { rootSupervisor, supervisorChild } from '../../supervisors/supervisor.ts';
import { flush, ToyTree } from '../support/toy-tree.ts';

const GENEROUS = { intensity: 100, periodMs: 1_000 };
const backoff = { initialMs: 500, maxMs: 500, jitter: 0, stableMs: 60_000 };
const states = (node: TreeNode): string[] => node.children.map(({ id, state }) => `${id} ${state}`);

test('property 34: state, restarts, uptime and last error of each child, before, during and after a restart', () => {
  const toys = new ToyTree();
  const root = rootSupervisor(
    { id: 'root', strategy: 'one_for_one', ...GENEROUS, backoff, children: [toys.spec('a'), toys.spec('b')] },
    toys.tree,
  );
  assert.deepEqual(states(tree(root)), ['a stopped', 'b stopped']);
  root.start();
  toys.time.advanceTo(toys.time.now() + 2_000);
  toys.crash('a', 'lost the feed');
  const [a, b] = tree(root).children;
  const worker = { kind: 'worker', children: [] } as const;
  assert.deepEqual(a, {
    ...worker,
    id: 'a',
    state: 'restarting',
    status: undefined,
    restarts: 0,
    uptimeMs: 0,
    lastError: 'lost the feed',
  });
  assert.deepEqual(b, {
    ...worker,
    id: 'b',
    state: 'running',
    status: 'idle',
    restarts: 0,
    uptimeMs: 2_000,
    lastError: undefined,
  });
  toys.time.advanceTo(toys.time.now() + 700);
  const after = tree(root).children[0];
  assert.deepEqual([after?.state, after?.restarts, after?.uptimeMs], ['running', 1, 200]);
  assert.equal(after?.lastError, 'lost the feed');
});

test('property 34: count_restarting_children: the counts add up during a group restart', async () => {
  const toys = new ToyTree();
  const gate = Promise.withResolvers<void>();
  const slow = { onStart: (count: number) => (count === 2 ? gate.promise : undefined) };
  const nested = supervisorChild({ id: 'nested', strategy: 'one_for_one', children: [toys.spec('n')] });
  const root = rootSupervisor(
    {
      id: 'root',
      strategy: 'one_for_all',
      ...GENEROUS,
      children: [toys.spec('a'), toys.spec('b', {}, slow), nested, toys.spec('t', { restart: 'transient' })],
    },
    toys.tree,
  );
  root.start();
  toys.exit('t', 'normal');
  const counts = { specs: 4, supervisors: 1, workers: 3 };
  assert.deepEqual(root.countChildren(), { ...counts, active: 3, restarting: 0 });
  toys.crash('a');
  await flush();
  assert.deepEqual(states(root.node()), ['a running', 'b restarting', 'nested restarting', 't restarting']);
  assert.deepEqual(root.countChildren(), { ...counts, active: 1, restarting: 3 });
  gate.resolve();
  await flush();
  assert.deepEqual(root.countChildren(), { ...counts, active: 4, restarting: 0 });
});

test('property 34: a child that is stopping is shown as such', async () => {
  const toys = new ToyTree();
  const root = rootSupervisor(
    {
      id: 'root',
      strategy: 'one_for_one',
      children: [toys.spec('a'), toys.spec('b', {}, { onStop: 'later' })],
    },
    toys.tree,
  );
  root.start();
  const stopped = root.stop();
  assert.equal(root.node().state, 'stopping');
  assert.deepEqual(states(root.node()), ['a running', 'b stopping']);
  toys.release('b');
  await stopped;
  assert.deepEqual(states(root.node()), ['a stopped', 'b stopped']);
});

test('property 34: 1,000 dynamic children, some of them restarting', () => {
  const toys = new ToyTree();
  const pool = dynamicSupervisorChild({ id: 'pool', intensity: 1_000, backoff }, { name: 'pool' });
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', children: [pool] }, toys.tree);
  root.start();
  const positions = toys.tree.registry.get('pool', DynamicSupervisor);
  for (let i = 0; i < 1_000; i++) positions.startChild(toys.spec(`p${i}`));
  for (let i = 0; i < 1_000; i += 10) toys.crash(`p${i}`);
  assert.deepEqual(positions.countChildren(), {
    specs: 1_000,
    active: 900,
    restarting: 100,
    supervisors: 0,
    workers: 1_000,
  });
  toys.time.advanceTo(toys.time.now() + 500);
  const node = tree(root).children[0];
  assert.ok(node);
  assert.deepEqual(countChildren(node), {
    specs: 1_000,
    active: 1_000,
    restarting: 0,
    supervisors: 0,
    workers: 1_000,
  });
  assert.equal(node.children[0]?.restarts, 1);
});

test('the tree as text: one line a child, trouble visible, large sets collapsed', () => {
  const node = (id: string, overrides: Partial<TreeNode> = {}): TreeNode => ({
    id,
    kind: 'worker',
    state: 'running',
    status: undefined,
    restarts: 0,
    uptimeMs: 0,
    lastError: undefined,
    children: [],
    ...overrides,
  });
  const positions = Array.from({ length: 100 }, (_, i) =>
    node(`p${i}`, i === 42 ? { state: 'restarting' } : {}),
  );
  const root = node('root', {
    kind: 'supervisor',
    status: 'rest_for_one',
    uptimeMs: 93_784_000,
    children: [
      node('venue', { status: 'open', uptimeMs: 61_000, restarts: 1, lastError: 'timeout' }),
      node('positions', { kind: 'supervisor', status: 'dynamic', uptimeMs: 7_500_000, children: positions }),
      node('feed', { restarts: 2, uptimeMs: 5_000 }),
    ],
  });
  assert.equal(
    renderTree(root, { maxChildren: 3 }),
    [
      'root  running  (rest_for_one)  up 1d 2h',
      '├─ venue  running  (open)  up 1m 1s  1 restart  last error: timeout',
      '├─ positions  running  (dynamic)  up 2h 5m',
      '│  ├─ p0  running',
      '│  ├─ p1  running',
      '│  ├─ p42  restarting',
      '│  └─ … 97 more (97 running)',
      '└─ feed  running  up 5s  2 restarts',
    ].join('\n'),
  );
});
