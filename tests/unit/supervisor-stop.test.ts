import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import { rootSupervisor, supervisorChild } from '../../supervisors/supervisor.ts';
import { flush, ToyTree } from '../support/toy-tree.ts';

const GENEROUS = { intensity: 100, periodMs: 1_000 };

function startRoot(toys: ToyTree, children: readonly ChildSpec[]) {
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', ...GENEROUS, children }, toys.tree);
  root.start();
  toys.takeLog();
  return root;
}

test('property 13: a child that ignores stop is killed at its deadline, and the tree goes on stopping', async () => {
  const toys = new ToyTree();
  const root = startRoot(toys, [
    toys.spec('a'),
    toys.spec('b', { shutdown: { graceMs: 300 } }, { onStop: 'hang' }),
  ]);
  const stopped = root.stop();
  toys.time.advanceTo(toys.time.now() + 299);
  assert.deepEqual(toys.takeLog(), ['stop b']);
  toys.time.advanceTo(toys.time.now() + 1);
  await stopped;
  assert.deepEqual(toys.takeLog(), ['kill b', 'stop a']);
  assert.equal(toys.time.nextDeadline(), undefined);
});

test('property 13: brutal children are killed without being asked; infinity waits for ever', async () => {
  const toys = new ToyTree();
  const root = startRoot(toys, [
    toys.spec('patient', { shutdown: 'infinity' }, { onStop: 'later' }),
    toys.spec('brutal', { shutdown: 'brutal' }),
  ]);
  const stopped = root.stop();
  assert.deepEqual(toys.takeLog(), ['kill brutal', 'stop patient']);
  toys.time.advanceTo(toys.time.now() + 1e12);
  assert.deepEqual(toys.live(), ['patient']);
  toys.release('patient');
  await stopped;
});

test('property 13: a stop or a kill that throws blocks nothing', async () => {
  const toys = new ToyTree();
  const fail = (): never => {
    throw new Error('no');
  };
  const rejects = { onStop: () => Promise.reject(new Error('late no')) };
  const root = startRoot(toys, [
    toys.spec('a'),
    toys.spec('throws', {}, { onStop: fail, onKill: fail }),
    toys.spec('rejects', {}, rejects),
  ]);
  await root.stop();
  assert.deepEqual(toys.takeLog(), ['stop rejects', 'kill rejects', 'stop throws', 'kill throws', 'stop a']);
  assert.deepEqual(toys.live(), []);
  assert.ok(toys.events.some((event) => event.type === 'stray-error' && event.id === 'throws'));
});

test('property 13: a supervisor that is killed by its parent’s deadline takes all below with it', async () => {
  const toys = new ToyTree();
  const inner = supervisorChild(
    {
      id: 'inner',
      strategy: 'one_for_one',
      children: [
        toys.spec('x'),
        toys.spec('y', { shutdown: 'infinity' }, { onStop: 'hang' }),
        toys.spec('z'),
      ],
    },
    { shutdown: { graceMs: 50 } },
  );
  const root = startRoot(toys, [inner]);
  const stopped = root.stop();
  assert.deepEqual(toys.takeLog(), ['stop z', 'stop y']);
  toys.time.advanceTo(toys.time.now() + 50);
  await stopped;
  assert.deepEqual(toys.takeLog(), ['kill y', 'kill x']);
  assert.deepEqual(toys.live(), []);
});

test('property 14: timers, promises and exits of a dead incarnation are ignored', async () => {
  const toys = new ToyTree();
  const root = startRoot(toys, [toys.spec('a')]);
  const old = toys.context('a');
  const effects: string[] = [];
  toys.time.set(
    10,
    old.guard(() => effects.push('timer')),
  );
  const late = Promise.withResolvers<string>();
  void late.promise.then(old.guard((value) => effects.push(value)));
  assert.equal(old.isAlive(), true);
  toys.crash('a');
  const successor = toys.context('a');
  assert.equal(old.isAlive(), false);
  assert.ok(successor.incarnation > old.incarnation);
  toys.time.advanceTo(toys.time.now() + 10);
  late.resolve('promise');
  await flush();
  old.exit({ error: new Error('from the grave') });
  assert.deepEqual(effects, []);
  assert.deepEqual(toys.live(), ['a']);
  assert.equal(toys.context('a'), successor);
  assert.equal(root.node().children[0]?.restarts, 1);
});

test('property 14: a guarded callback works while alive, and its throw crashes its own child only', () => {
  const toys = new ToyTree();
  const root = startRoot(toys, [toys.spec('a'), toys.spec('b')]);
  const seen: number[] = [];
  const callback = toys.context('a').guard((value: number) => {
    seen.push(value);
    if (value === 2) throw new Error('callback failed');
  });
  callback(1);
  callback(2);
  callback(3);
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(toys.takeLog(), ['kill a', 'start a']);
  assert.equal(root.node().children[0]?.lastError, 'callback failed');
});

test('property 14: a child that is forced to end is dead before its own kill runs', () => {
  const toys = new ToyTree();
  const seen: boolean[] = [];
  const root = startRoot(toys, [
    toys.spec('a', { shutdown: 'brutal' }, { onKill: () => seen.push(context.isAlive()) }),
  ]);
  const context = toys.context('a');
  root.stop();
  assert.deepEqual(seen, [false]);
});

test('property 16: a crash touches neither siblings nor parent; bad describe, stop and listeners harm nobody', () => {
  const toys = new ToyTree();
  const spoilt: ChildSpec = {
    ...toys.spec('spoilt'),
    start: () => ({
      stop: () => {
        throw new Error('stop');
      },
      kill: () => {
        throw new Error('kill');
      },
      describe: () => {
        throw new Error('describe');
      },
    }),
  };
  const root = startRoot(toys, [toys.spec('a'), spoilt, toys.spec('b')]);
  const before = [toys.context('a'), toys.context('b')];
  root.child('a')?.watch(() => {
    throw new Error('watcher');
  });
  assert.match(root.node().children[1]?.lastError ?? '', /describe failed: describe/);
  toys.crash('b');
  assert.equal(toys.context('a'), before[0]);
  assert.notEqual(toys.context('b'), before[1]);
  toys.crash('a');
  assert.deepEqual(toys.live(), ['a', 'b']);
  assert.equal(root.stop(), undefined);
  assert.deepEqual(toys.live(), []);
});

test('property 16: what a start returns is checked', () => {
  const toys = new ToyTree();
  const broken = { ...toys.spec('broken'), start: () => undefined } as unknown as ChildSpec;
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', children: [broken] }, toys.tree);
  assert.throws(
    () => root.start(),
    (error: Error) => error.cause instanceof Error && /returned no handle/.test(error.cause.message),
  );
});

test('property 17: no orphans: what is given up half-way through a nested start is killed', async () => {
  const toys = new ToyTree();
  const gate = Promise.withResolvers<void>();
  const inner = supervisorChild({
    id: 'inner',
    strategy: 'one_for_one',
    children: [toys.spec('x'), toys.spec('y', {}, { onStart: () => gate.promise }), toys.spec('z')],
  });
  const root = rootSupervisor(
    { id: 'root', strategy: 'one_for_one', children: [toys.spec('a'), inner] },
    toys.tree,
  );
  const started = Promise.resolve(root.start()).then(
    () => 'started',
    (error: Error) => error.message,
  );
  await flush();
  assert.deepEqual(toys.live(), ['a', 'x']);
  await root.stop();
  assert.deepEqual(toys.live(), []);
  assert.match(await started, /was stopped while starting/);
  gate.resolve();
  await flush();
  assert.deepEqual(toys.live(), []);
});

test('property 17: a nested supervisor is visible while it starts, and stopped gracefully then', async () => {
  const toys = new ToyTree();
  const inner = supervisorChild({
    id: 'inner',
    strategy: 'one_for_one',
    children: [
      toys.spec('x', {}, { onStop: 'later' }),
      toys.spec('y', {}, { onStart: () => new Promise(() => {}) }),
    ],
  });
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', children: [inner] }, toys.tree);
  void Promise.resolve(root.start()).catch(() => {});
  await flush();
  const node = root.node().children[0];
  assert.equal(node?.state, 'starting');
  assert.deepEqual(
    node?.children.map(({ id, state }) => `${id} ${state}`),
    ['x running', 'y starting'],
  );
  const stopped = root.stop();
  await flush();
  assert.deepEqual(toys.takeLog(), ['start x', 'stop x']);
  toys.release('x');
  await stopped;
  assert.deepEqual(toys.live(), []);
});

test('property 17: what a failed start has announced is killed, and once only', async () => {
  const toys = new ToyTree();
  const kills: string[] = [];
  const half: ChildSpec = {
    ...toys.spec('half'),
    start: async (context) => {
      context.announce({
        stop: () => {},
        kill: () => {
          kills.push('half');
        },
        describe: () => ({ state: 'connecting' }),
      });
      await Promise.resolve();
      throw new Error('refused');
    },
  };
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', children: [half] }, toys.tree);
  const started = Promise.resolve(root.start());
  assert.equal(root.node().children[0]?.status, 'connecting');
  await assert.rejects(started, /child half did not start/);
  assert.deepEqual(kills, ['half']);
});

test('property 17: no orphans: a killed root leaves nobody, whatever was in progress', async () => {
  const toys = new ToyTree();
  const children = [toys.spec('a'), toys.spec('b', {}, { onStop: 'hang' }), toys.spec('c')];
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_all', ...GENEROUS, children }, toys.tree);
  root.start();
  toys.crash('c'); // now waiting for b to stop
  await flush();
  const stopped = root.stop();
  root.kill();
  await stopped;
  assert.deepEqual(toys.live(), []);
  assert.equal(toys.time.nextDeadline(), undefined);
  toys.time.advanceTo(toys.time.now() + 10_000);
  await flush();
  assert.deepEqual(toys.live(), []);
});

test('stopping twice, or before the start, is harmless; starting twice is a defect', async () => {
  const toys = new ToyTree();
  const spec = {
    id: 'root',
    strategy: 'one_for_one',
    children: [toys.spec('a', {}, { onStop: 'later' })],
  } as const;
  const root = rootSupervisor(spec, toys.tree);
  root.start();
  assert.throws(() => root.start(), /started twice/);
  const both = Promise.all([root.stop(), root.stop()]);
  toys.release('a');
  await both;
  assert.equal(root.stop(), undefined);
  assert.deepEqual(toys.takeLog(), ['start a', 'stop a']);
  const unborn = rootSupervisor(spec, toys.tree);
  assert.equal(unborn.stop(), undefined);
  assert.throws(() => unborn.start());
});

test('a call that waits for its turn is refused when the supervisor stops, and answered when it is killed', async () => {
  const toys = new ToyTree();
  const stopping = startRoot(toys, [toys.spec('a', {}, { onStop: 'later' })]);
  const ended = stopping.terminateChild('a');
  const late = stopping.startChild(toys.spec('late'));
  assert.ok(late instanceof Promise);
  const stopped = stopping.stop();
  toys.release('a');
  await stopped;
  assert.equal(await ended, true);
  assert.equal((await late).kind, 'failed');
  assert.equal(toys.starts('late'), 0);

  const killing = startRoot(toys, [toys.spec('b', {}, { onStop: 'hang' })]);
  const never = killing.terminateChild('b');
  killing.kill();
  assert.equal(await never, false);
});

test('a start that is killed half-way is answered', async () => {
  const toys = new ToyTree();
  const hangs = toys.spec('a', {}, { onStart: () => new Promise(() => {}) });
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_one', children: [hangs] }, toys.tree);
  const started = Promise.resolve(root.start());
  root.kill();
  await assert.rejects(started, /was stopped while starting/);
});
