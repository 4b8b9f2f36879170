import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Restart, Strategy, SupervisorSpec } from '../../supervisors/child-spec.ts';
import type { ExitReason } from '../../supervisors/exit.ts';
import { rootSupervisor, type Supervisor } from '../../supervisors/supervisor.ts';
import { flush, ToyTree } from '../support/toy-tree.ts';

const GENEROUS = { intensity: 100, periodMs: 1_000 };

function four(strategy: Strategy, toys = new ToyTree()): { toys: ToyTree; root: Supervisor } {
  const children = ['a', 'b', 'c', 'd'].map((id) => toys.spec(id));
  const root = rootSupervisor({ id: 'root', strategy, ...GENEROUS, children }, toys.tree);
  root.start();
  toys.takeLog();
  return { toys, root };
}

test('property 01: children start in declared order and stop in exact reverse, synchronous ones within the call', () => {
  const toys = new ToyTree();
  const children = ['a', 'b', 'c'].map((id) => toys.spec(id));
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', children }, toys.tree);
  assert.equal(root.start(), undefined);
  assert.deepEqual(toys.takeLog(), ['start a', 'start b', 'start c']);
  assert.equal(root.stop(), undefined);
  assert.deepEqual(toys.takeLog(), ['stop c', 'stop b', 'stop a']);
  assert.deepEqual(toys.live(), []);
});

test('property 01: an asynchronous start holds the next one back, an asynchronous stop the previous one', async () => {
  const toys = new ToyTree();
  const gate = Promise.withResolvers<void>();
  const children = [
    toys.spec('a', {}, { onStart: () => gate.promise, onStop: 'later' }),
    toys.spec('b', {}, { onStop: 'later' }),
  ];
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', children }, toys.tree);
  const started = root.start();
  await flush();
  assert.equal(toys.starts('b'), 0);
  gate.resolve();
  await started;
  assert.deepEqual(toys.takeLog(), ['start a', 'start b']);
  const stopped = root.stop();
  await flush();
  assert.deepEqual(toys.takeLog(), ['stop b']);
  toys.release('b');
  await flush();
  assert.deepEqual(toys.takeLog(), ['stop a']);
  toys.release('a');
  await stopped;
  assert.deepEqual(toys.live(), []);
});

test('property 01: order_of_children is kept through restarts and additions', () => {
  const { toys, root } = four('rest_for_one');
  root.startChild(toys.spec('e'));
  toys.crash('b');
  toys.takeLog();
  assert.deepEqual(
    root.node().children.map(({ id }) => id),
    ['a', 'b', 'c', 'd', 'e'],
  );
  root.stop();
  assert.deepEqual(toys.takeLog(), ['stop e', 'stop d', 'stop c', 'stop b', 'stop a']);
});

test('property 01: a start that fails stops what was started, in reverse, and names the child', () => {
  const toys = new ToyTree();
  const broken = toys.spec(
    'c',
    {},
    {
      onStart: () => {
        throw new Error('no port');
      },
    },
  );
  const spec: SupervisorSpec = {
    id: 'root',
    strategy: 'one_for_one',
    children: [toys.spec('a'), toys.spec('b'), broken, toys.spec('d')],
  };
  const root = rootSupervisor(spec, toys.tree);
  assert.throws(() => root.start(), /supervisor root: child c did not start/);
  assert.deepEqual(toys.takeLog(), ['start a', 'start b', 'stop b', 'stop a']);
});

test('property 02: one_for_one restarts the failed child and touches no other', () => {
  const { toys } = four('one_for_one');
  toys.crash('b');
  assert.deepEqual(toys.takeLog(), ['start b']);
});

test('property 03: one_for_all stops all others in reverse and starts all in order', () => {
  const { toys } = four('one_for_all');
  toys.crash('b');
  assert.deepEqual(toys.takeLog(), [
    'stop d',
    'stop c',
    'stop a',
    'start a',
    'start b',
    'start c',
    'start d',
  ]);
});

test('property 04: rest_for_one restarts the failed child and those started after it', () => {
  const { toys } = four('rest_for_one');
  toys.crash('b');
  assert.deepEqual(toys.takeLog(), ['stop d', 'stop c', 'start b', 'start c', 'start d']);
});

const REASONS: readonly ExitReason[] = ['normal', 'shutdown', { error: new Error('boom') }];

function restartsAfter(restart: Restart): boolean[] {
  return REASONS.map((reason) => {
    const toys = new ToyTree();
    const children = [toys.spec('a', { restart })];
    const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', ...GENEROUS, children }, toys.tree);
    root.start();
    toys.exit('a', reason);
    assert.equal(root.countChildren().specs, restart === 'temporary' ? 0 : 1);
    return toys.starts('a') === 2;
  });
}

test('property 06: a permanent child is restarted after normal, shutdown and abnormal ends', () => {
  assert.deepEqual(restartsAfter('permanent'), [true, true, true]);
});

test('property 07: a transient child is restarted after an abnormal end only, and kept when it has finished', () => {
  assert.deepEqual(restartsAfter('transient'), [false, false, true]);
});

test('property 08: a temporary child is never restarted, and forgotten', () => {
  assert.deepEqual(restartsAfter('temporary'), [false, false, false]);
});

test('property 12: temporary bystanders of one_for_all and rest_for_one are dropped, not restarted', () => {
  for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
    const toys = new ToyTree();
    const children = [toys.spec('a'), toys.spec('t', { restart: 'temporary' }), toys.spec('z')];
    const root = rootSupervisor({ id: 'root', strategy, ...GENEROUS, children }, toys.tree);
    root.start();
    toys.crash('a');
    assert.deepEqual(toys.live(), ['a', 'z'], strategy);
    assert.deepEqual(
      root.node().children.map(({ id }) => id),
      ['a', 'z'],
    );
    assert.equal(toys.starts('t'), 1);
  }
});

test('property 12: a temporary child’s own crash restarts nobody, under one_for_all either', () => {
  const toys = new ToyTree();
  const children = [toys.spec('a'), toys.spec('t', { restart: 'temporary' })];
  rootSupervisor({ id: 'root', strategy: 'one_for_all', children }, toys.tree).start();
  toys.takeLog();
  toys.crash('t');
  assert.deepEqual(toys.takeLog(), []);
  assert.deepEqual(toys.live(), ['a']);
});

function autoShutdown(kind: 'any_significant' | 'all_significant', restart: Restart) {
  const toys = new ToyTree();
  const exits: ExitReason[] = [];
  const children = [
    toys.spec('s1', { restart, significant: true }),
    toys.spec('s2', { restart, significant: true }),
    toys.spec('plain', { restart }),
    toys.spec('other'),
  ];
  const spec: SupervisorSpec = {
    id: 'root',
    strategy: 'one_for_one',
    autoShutdown: kind,
    ...GENEROUS,
    children,
  };
  const root = rootSupervisor(spec, toys.tree, (reason) => exits.push(reason));
  root.start();
  toys.takeLog();
  return { toys, exits, root };
}

test('property 15: any_significant: the first significant child that ends by itself ends the supervisor', () => {
  const { toys, exits } = autoShutdown('any_significant', 'transient');
  toys.exit('plain', 'normal');
  assert.deepEqual(exits, []);
  toys.exit('s1', 'normal');
  assert.deepEqual(exits, ['shutdown']);
  assert.deepEqual(toys.takeLog(), ['stop other', 'stop s2']);
});

test('property 15: all_significant: only the last significant child ends the supervisor', () => {
  const { toys, exits } = autoShutdown('all_significant', 'transient');
  toys.exit('s1', 'normal');
  assert.deepEqual(exits, []);
  toys.exit('s2', 'shutdown');
  assert.deepEqual(exits, ['shutdown']);
});

test('property 15: a significant transient child that crashes is restarted; a temporary one ends the supervisor', () => {
  const transient = autoShutdown('any_significant', 'transient');
  transient.toys.crash('s1');
  assert.deepEqual(transient.exits, []);
  assert.equal(transient.toys.starts('s1'), 2);
  const temporary = autoShutdown('any_significant', 'temporary');
  temporary.toys.crash('s1');
  assert.deepEqual(temporary.exits, ['shutdown']);
});

test('property 15: ends that the supervisor caused never shut it down', () => {
  const { toys, exits, root } = autoShutdown('any_significant', 'transient');
  assert.equal(root.terminateChild('s1'), true);
  assert.deepEqual(exits, []);
  assert.deepEqual(toys.live(), ['other', 'plain', 's2']);
  // Nor does a significant bystander that is dropped with its group.
  const group = new ToyTree();
  const left: ExitReason[] = [];
  const children = [group.spec('a'), group.spec('s', { restart: 'temporary', significant: true })];
  const spec = { id: 'g', strategy: 'one_for_all', autoShutdown: 'any_significant', children } as const;
  rootSupervisor(spec, group.tree, (reason) => left.push(reason)).start();
  group.crash('a');
  assert.deepEqual(left, []);
  assert.deepEqual(group.live(), ['a']);
});

test('a child may find that it has nothing to do; it is kept, unless temporary, and can be started later', () => {
  const toys = new ToyTree();
  const ignoreOnce = { onStart: (start: number) => (start === 1 ? ('ignore' as const) : undefined) };
  const children = [
    toys.spec('a', {}, ignoreOnce),
    toys.spec('t', { restart: 'temporary' }, ignoreOnce),
    toys.spec('b'),
  ];
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', children }, toys.tree);
  root.start();
  assert.deepEqual(toys.live(), ['b']);
  assert.deepEqual(
    root.node().children.map(({ id, state }) => `${id} ${state}`),
    ['a stopped', 'b running'],
  );
  const outcome = root.restartChild('a');
  assert.ok(!(outcome instanceof Promise) && outcome.kind === 'started');
  assert.deepEqual(toys.live(), ['a', 'b']);
});

test('children can be added, terminated, restarted and deleted while it runs', () => {
  const { toys, root } = four('one_for_one');
  assert.equal(root.terminateChild('b'), true);
  assert.equal(root.terminateChild('nobody'), false);
  assert.equal(root.deleteChild('a'), false);
  assert.deepEqual(toys.live(), ['a', 'c', 'd']);
  assert.equal(root.deleteChild('b'), true);
  const failed = root.startChild(
    toys.spec(
      'e',
      {},
      {
        onStart: () => {
          throw new Error('not today');
        },
      },
    ),
  );
  assert.ok(!(failed instanceof Promise) && failed.kind === 'failed');
  assert.deepEqual(
    root.node().children.map(({ id }) => id),
    ['a', 'c', 'd'],
  );
});

test('under one_for_all with backoff, terminating the failed child does not leave the others waiting', () => {
  const toys = new ToyTree();
  const backoff = { initialMs: 1_000, maxMs: 1_000, jitter: 0, stableMs: 10_000 };
  const children = ['a', 'b', 'c'].map((id) => toys.spec(id));
  const spec: SupervisorSpec = { id: 'root', strategy: 'rest_for_one', ...GENEROUS, backoff, children };
  const root = rootSupervisor(spec, toys.tree);
  root.start();
  toys.crash('a');
  assert.deepEqual(toys.live(), []);
  assert.equal(root.terminateChild('a'), true);
  toys.time.advanceTo(toys.time.now());
  assert.deepEqual(toys.live(), ['b', 'c']);
  toys.time.advanceTo(toys.time.now() + 5_000);
  assert.deepEqual(toys.live(), ['b', 'c']);
});
