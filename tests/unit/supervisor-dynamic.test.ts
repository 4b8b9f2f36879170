import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ChildContext, ChildSpec, DynamicSupervisorSpec } from '../../supervisors/child-spec.ts';
import { DynamicSupervisor, dynamicSupervisorChild } from '../../supervisors/dynamic-supervisor.ts';
import type { ExitReason } from '../../supervisors/exit.ts';
import type { StartOutcome } from '../../supervisors/incarnation.ts';
import { rootSupervisor } from '../../supervisors/supervisor.ts';
import { Tree } from '../../supervisors/tree.ts';
import { flush, ToyTree } from '../support/toy-tree.ts';

function start(toys: ToyTree, spec: Partial<DynamicSupervisorSpec> = {}) {
  const exits: ExitReason[] = [];
  const host = { path: 'pool', incarnation: 0, exit: (reason: ExitReason) => exits.push(reason) };
  const pool = new DynamicSupervisor(
    { id: 'pool', intensity: 100, periodMs: 1_000, ...spec },
    toys.tree,
    host,
  );
  pool.start();
  return { pool, exits };
}

function now(outcome: StartOutcome | Promise<StartOutcome>): StartOutcome {
  if (outcome instanceof Promise) assert.fail('expected a synchronous outcome');
  return outcome;
}

test('property 05: 10,000 dynamic children stop in parallel under one shared timer', async () => {
  const toys = new ToyTree();
  const { pool } = start(toys, { shutdown: { graceMs: 2_000 } });
  for (let i = 0; i < 10_000; i++) {
    const behaviour = i % 100 === 0 ? { onStop: 'hang' as const } : { onStop: () => Promise.resolve() };
    assert.equal(now(pool.startChild(toys.spec(`c${i}`, {}, behaviour))).kind, 'started');
  }
  assert.equal(pool.countChildren().active, 10_000);
  const stopped = pool.stop();
  assert.equal(
    toys.takeLog().filter((line) => line.startsWith('stop')).length,
    10_000,
    'all were asked at once',
  );
  assert.equal(toys.armedTimers(), 1, 'one timer for all of them');
  await flush();
  assert.equal(toys.live().length, 100);
  toys.time.advanceTo(toys.time.now() + 1_999);
  assert.equal(toys.live().length, 100);
  toys.time.advanceTo(toys.time.now() + 1);
  await stopped;
  assert.deepEqual(toys.live(), []);
  assert.equal(pool.size, 0);
});

test('property 05: a synchronous child is live when startChild returns, also from within another child’s start', () => {
  const toys = new ToyTree();
  const { pool } = start(toys);
  const inner: StartOutcome[] = [];
  const parent = toys.spec(
    'parent',
    {},
    {
      onStart: () => {
        inner.push(now(pool.startChild(toys.spec('child'))));
        assert.deepEqual(toys.live(), ['child']);
      },
    },
  );
  assert.equal(now(pool.startChild(parent)).kind, 'started');
  assert.equal(inner[0]?.kind, 'started');
  assert.deepEqual(toys.live(), ['child', 'parent']);
  assert.ok(pool.handle('child'));
});

test('property 05: each crash restarts that child alone, by its own restart type', () => {
  const toys = new ToyTree();
  const { pool, exits } = start(toys);
  for (const restart of ['permanent', 'transient', 'temporary'] as const) {
    pool.startChild(toys.spec(restart, { restart }));
  }
  toys.takeLog();
  for (const id of toys.live()) toys.crash(id);
  assert.deepEqual(toys.takeLog(), ['start permanent', 'start transient']);
  for (const id of toys.live()) toys.exit(id, 'normal');
  assert.deepEqual(toys.live(), ['permanent']);
  assert.equal(pool.size, 1);
  assert.deepEqual(exits, []);
});

test('property 05: too many restarts end all children and escalate with shutdown', () => {
  const toys = new ToyTree();
  const { pool, exits } = start(toys, { intensity: 2 });
  for (const id of ['a', 'b', 'c']) pool.startChild(toys.spec(id));
  toys.crash('a');
  toys.crash('b');
  toys.takeLog();
  toys.crash('b');
  assert.deepEqual(exits, ['shutdown']);
  assert.deepEqual(toys.takeLog(), ['stop c', 'stop a']);
  assert.equal(now(pool.startChild(toys.spec('late'))).kind, 'failed');
  assert.match(pool.describe().lastError ?? '', /too many restarts, the last of b: boom/);
});

test('property 05: a failing restart is retried by message and counted; a stop in between is heard', () => {
  const toys = new ToyTree();
  const failing = {
    onStart: (count: number) => {
      if (count === 50) toys.time.set(0, () => pool.stop());
      if (count > 1) throw new Error('no');
    },
  };
  const { pool, exits } = start(toys, { intensity: 1_000 });
  pool.startChild(toys.spec('a', {}, failing));
  toys.crash('a');
  assert.equal(pool.countChildren().restarting, 1);
  toys.time.advanceTo(toys.time.now());
  assert.equal(toys.starts('a'), 50);
  assert.deepEqual(exits, []);
  assert.equal(toys.time.nextDeadline(), undefined);
});

test('property 05: a child that always dies at birth does not recurse', () => {
  const toys = new ToyTree();
  const { pool, exits } = start(toys, { intensity: 20_000 });
  const inner = toys.spec('a');
  const doomed: ChildSpec = {
    ...inner,
    start: (context) => {
      const handle = inner.start(context);
      // Crashes as soon as it is up, from within the very call that started it.
      if (toys.starts('a') > 1) toys.crash('a');
      return handle;
    },
  };
  pool.startChild(doomed);
  toys.crash('a');
  toys.time.advanceTo(toys.time.now());
  assert.equal(toys.starts('a'), 20_001);
  assert.deepEqual(exits, ['shutdown']);
});

test('property 05: a child ended by a listener to its own start has failed to start', () => {
  const toys = new ToyTree();
  const contexts: ChildContext[] = [];
  const tree = new Tree({
    time: toys.time,
    random: toys.tree.random,
    onEvent: ({ type }) => {
      if (type === 'started') contexts.at(-1)?.exit({ error: new Error('again') });
    },
  });
  const pool = new DynamicSupervisor({ id: 'pool' }, tree, {
    path: 'pool',
    incarnation: 0,
    exit: () => assert.fail(),
  });
  pool.start();
  let kills = 0;
  const outcome = pool.startChild({
    ...toys.spec('a'),
    start: (context) => {
      contexts.push(context);
      return { stop: () => {}, kill: () => kills++, describe: () => ({ state: 'idle' }) };
    },
  });
  assert.equal(now(outcome).kind, 'failed');
  assert.deepEqual([contexts.length, kills, pool.size], [1, 1, 0]);
  assert.equal(contexts[0]?.isAlive(), false);
});

test('property 05: a child that another one crashes from within its restart has its turn afterwards', () => {
  const toys = new ToyTree();
  const { pool } = start(toys);
  const order: string[] = [];
  const crashesB = {
    onStart: (count: number) => {
      if (count > 1) toys.crash('b');
      order.push('a is up');
    },
  };
  pool.startChild(toys.spec('b', {}, { onStart: () => void order.push('b is up') }));
  pool.startChild(toys.spec('a', {}, crashesB));
  toys.crash('a');
  assert.deepEqual(order, ['b is up', 'a is up', 'a is up', 'b is up']);
  assert.deepEqual(toys.live(), ['a', 'b']);
});

test('property 05: initial children come at each start of the supervisor; a broken one harms no other', () => {
  const toys = new ToyTree();
  let generation = 0;
  const broken = {
    onStart: (count: number) => {
      if (count === 1) throw new Error('cannot be restored');
    },
  };
  const initial = () => {
    generation++;
    return [
      toys.spec('a'),
      toys.spec('bad', {}, broken),
      toys.spec('gone', { restart: 'temporary' }, broken),
    ];
  };
  const spec: DynamicSupervisorSpec = { id: 'pool', intensity: 1, periodMs: 1_000, initial };
  const root = rootSupervisor(
    {
      id: 'root',
      strategy: 'one_for_one',
      intensity: 1,
      children: [dynamicSupervisorChild(spec, { name: 'pool' })],
    },
    toys.tree,
  );
  root.start();
  assert.deepEqual(toys.live(), ['a']);
  toys.time.advanceTo(toys.time.now());
  assert.deepEqual(toys.live(), ['a', 'bad']);
  const first = toys.tree.registry.get('pool', DynamicSupervisor);
  first.startChild(toys.spec('extra', { restart: 'temporary' }));
  toys.crash('a');
  assert.equal(generation, 2);
  assert.notEqual(toys.tree.registry.get('pool', DynamicSupervisor), first);
  assert.deepEqual(toys.live(), ['a', 'bad', 'gone']);
  assert.throws(() => toys.tree.registry.get('nobody', DynamicSupervisor), /no running DynamicSupervisor/);
});

test('property 05: asynchronous starts are waited for, and given up by a stop', async () => {
  const toys = new ToyTree();
  const gate = Promise.withResolvers<void>();
  const { pool } = start(toys);
  const starting = pool.startChild(toys.spec('slow', {}, { onStart: () => gate.promise }));
  assert.ok(starting instanceof Promise);
  assert.equal(pool.countChildren().active, 0);
  await pool.stop();
  assert.equal((await starting).kind, 'failed');
  gate.resolve();
  await flush();
  assert.deepEqual(toys.live(), []);
});

test('property 05: no more than maxChildren', () => {
  const toys = new ToyTree();
  const { pool } = start(toys, { maxChildren: 2 });
  pool.startChild(toys.spec('a'));
  pool.startChild(toys.spec('b'));
  const third = now(pool.startChild(toys.spec('c')));
  assert.match(third.kind === 'failed' ? String(third.error) : '', /max_children/);
  assert.equal(pool.terminateChild('a'), true);
  assert.equal(now(pool.startChild(toys.spec('c'))).kind, 'started');
});

test('property 19: a duplicate start is already_started, never a silent replacement', () => {
  const toys = new ToyTree();
  const { pool } = start(toys);
  const first = now(pool.startChild(toys.spec('a', { name: 'trader' })));
  const sameId = now(pool.startChild(toys.spec('a')));
  assert.ok(first.kind === 'started' && sameId.kind === 'already_started');
  assert.equal(sameId.ref, first.ref);
  const sameName = now(pool.startChild(toys.spec('b', { name: 'trader' })));
  assert.ok(sameName.kind === 'already_started' && sameName.ref === first.ref);
  assert.equal(pool.size, 1);
  assert.equal(toys.starts('b'), 0);
});

test('property 19: a name is unique over the whole tree and freed the moment its holder dies', () => {
  const toys = new ToyTree();
  const { pool } = start(toys);
  const other = start(toys).pool;
  pool.startChild(toys.spec('a', { name: 'trader', restart: 'temporary' }));
  assert.equal(toys.tree.registry.whereis('trader')?.id, 'a');
  assert.equal(now(other.startChild(toys.spec('b', { name: 'trader' }))).kind, 'already_started');
  toys.exit('a', 'normal');
  assert.equal(toys.tree.registry.whereis('trader'), undefined);
  assert.equal(now(other.startChild(toys.spec('b', { name: 'trader' }))).kind, 'started');
  // A restart keeps the name with the new incarnation.
  toys.crash('b');
  assert.equal(toys.tree.registry.whereis('trader')?.incarnation, toys.context('b').incarnation);
  other.stop();
  assert.equal(toys.tree.registry.size, 0);
});

test('property 19: a child that is waiting for its restart still owns its id', () => {
  const toys = new ToyTree();
  const backoff = { initialMs: 100, maxMs: 100, jitter: 0, stableMs: 1_000 };
  const { pool } = start(toys, { backoff });
  pool.startChild(toys.spec('a'));
  toys.crash('a');
  const again = now(pool.startChild(toys.spec('a')));
  assert.match(again.kind === 'failed' ? String(again.error) : '', /there already, restarting/);
  toys.time.advanceTo(toys.time.now() + 100);
  assert.deepEqual(toys.live(), ['a']);
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

test('property 18: 100,000 spawn and stop cycles leave registry, timers, children and heap flat', () => {
  const toys = new ToyTree();
  const tree = new Tree({ time: toys.time, random: toys.tree.random });
  const pool = new DynamicSupervisor({ id: 'pool', intensity: 10, periodMs: 1_000 }, tree, {
    path: 'pool',
    incarnation: 0,
    exit: () => assert.fail('escalated'),
  });
  pool.start();
  const cycle = (i: number): void => {
    let finish = (): void => {};
    const outcome = pool.startChild({
      id: `c${i % 7}-${i}`,
      name: `name-${i}`,
      restart: 'transient',
      shutdown: { graceMs: 1_000 },
      type: 'worker',
      start: (context) => {
        finish = () => context.exit('normal');
        return { stop: () => {}, kill: () => {}, describe: () => ({ state: 'idle' }) };
      },
    });
    assert.equal(now(outcome).kind, 'started');
    if (i % 2 === 0) finish();
    else pool.terminateChild(`c${i % 7}-${i}`);
  };
  const heapAfter = (from: number, to: number): number => {
    for (let i = from; i < to; i++) cycle(i);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const warm = heapAfter(0, 20_000);
  const done = heapAfter(20_000, 120_000);
  assert.equal(pool.size, 0);
  assert.equal(tree.registry.size, 0);
  assert.equal(toys.time.nextDeadline(), undefined);
  assert.ok(done - warm < 2 * 1024 * 1024, `heap grew by ${done - warm} bytes over 100,000 cycles`);
});

test('property 18: 10,000 restarts of one child leave nothing behind', () => {
  const toys = new ToyTree();
  const { pool } = start(toys, { intensity: 10, periodMs: 1 });
  pool.startChild(toys.spec('a', { name: 'a' }));
  for (let i = 0; i < 10_000; i++) {
    toys.time.advanceTo(toys.time.now() + 1);
    toys.crash('a');
  }
  assert.equal(toys.starts('a'), 10_001);
  assert.equal(toys.tree.registry.size, 1);
  assert.equal(pool.size, 1);
  assert.equal(toys.time.nextDeadline(), undefined);
});
