import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import type { Backoff, SupervisorSpec } from '../../supervisors/child-spec.ts';
import { type ExitReason, exitText } from '../../supervisors/exit.ts';
import { backoffDelayMs } from '../../supervisors/restart-policy.ts';
import { rootSupervisor, type Supervisor, supervisorChild } from '../../supervisors/supervisor.ts';
import { flush, ToyTree } from '../support/toy-tree.ts';

function start(toys: ToyTree, spec: Omit<SupervisorSpec, 'id' | 'strategy'> & Partial<SupervisorSpec>) {
  const exits: ExitReason[] = [];
  const root: Supervisor = rootSupervisor(
    { id: 'root', strategy: 'one_for_one', ...spec },
    toys.tree,
    (reason) => exits.push(reason),
  );
  root.start();
  toys.takeLog();
  return { root, exits };
}

test('property 09: exactly MaxR restarts within the period are tolerated, one more escalates', () => {
  const toys = new ToyTree();
  const { exits } = start(toys, {
    intensity: 3,
    periodMs: 1_000,
    children: [toys.spec('a'), toys.spec('b')],
  });
  for (let i = 0; i < 3; i++) toys.crash(i % 2 === 0 ? 'a' : 'b');
  assert.deepEqual(exits, []);
  assert.deepEqual(toys.live(), ['a', 'b']);
  toys.crash('a');
  assert.deepEqual(exits, ['shutdown']);
  assert.deepEqual(toys.live(), []);
});

test('property 09: the window slides on the injected monotonic clock, its edge included', () => {
  const toys = new ToyTree();
  const { exits } = start(toys, { intensity: 2, periodMs: 1_000, children: [toys.spec('a')] });
  const at = (ms: number): void => toys.time.advanceTo(1_000 + ms);
  at(0);
  toys.crash('a');
  at(600);
  toys.crash('a');
  at(1_001); // the first is just out of the window
  toys.crash('a');
  assert.deepEqual(exits, []);
  at(1_600); // the second is exactly one period old and still counts
  toys.crash('a');
  assert.deepEqual(exits, ['shutdown']);
});

test('property 09: intensity 0 tolerates nothing', () => {
  const toys = new ToyTree();
  const { exits } = start(toys, { intensity: 0, children: [toys.spec('a')] });
  toys.crash('a');
  assert.deepEqual(exits, ['shutdown']);
  assert.equal(toys.starts('a'), 1);
});

const failsFrom = (from: number, until = Number.POSITIVE_INFINITY) => ({
  onStart: (count: number) => {
    if (count >= from && count < until) throw new Error(`start ${count} failed`);
  },
});

test('property 10: each failed start counts as a restart, is retried by message, and finally escalates', () => {
  const toys = new ToyTree();
  const children = [toys.spec('ok'), toys.spec('a', {}, failsFrom(2))];
  const { exits } = start(toys, { intensity: 3, periodMs: 1_000, children });
  toys.crash('a');
  assert.equal(toys.starts('a'), 2, 'the first retry waits for its message');
  toys.time.advanceTo(toys.time.now());
  assert.equal(toys.starts('a'), 4);
  assert.deepEqual(exits, ['shutdown']);
  assert.deepEqual(toys.takeLog(), ['stop ok']);
});

test('property 10: a start that works again in time ends the loop', () => {
  const toys = new ToyTree();
  const { exits } = start(toys, {
    intensity: 3,
    periodMs: 1_000,
    children: [toys.spec('a', {}, failsFrom(2, 4))],
  });
  toys.crash('a');
  toys.time.advanceTo(toys.time.now());
  assert.deepEqual(exits, []);
  assert.deepEqual(toys.live(), ['a']);
  assert.equal(toys.time.nextDeadline(), undefined);
});

for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
  test(`property 10: hanging_restart_loop (${strategy}): shutdown is heard in the middle of an endless loop`, () => {
    const toys = new ToyTree();
    const loops = {
      onStart: (count: number) => {
        if (count === 500) toys.time.set(0, () => root.stop());
        if (count > 1) throw new Error('never again');
      },
    };
    const children = [toys.spec('a'), toys.spec('b', {}, loops), toys.spec('c')];
    const { root, exits } = start(toys, { strategy, intensity: 1_000_000, periodMs: 1_000, children });
    toys.crash('b');
    toys.time.advanceTo(toys.time.now());
    assert.equal(toys.starts('b'), 500, 'the shutdown was queued before the next retry');
    assert.equal(root.node().state, 'stopped');
    assert.deepEqual(toys.live(), []);
    assert.deepEqual(exits, []);
    assert.equal(toys.time.nextDeadline(), undefined);
  });
}

test('property 10: a start that hangs does not keep the supervisor from stopping', async () => {
  const toys = new ToyTree();
  const gate = Promise.withResolvers<void>();
  const hangs = { onStart: (count: number) => (count === 1 ? undefined : gate.promise) };
  const { root } = start(toys, {
    strategy: 'rest_for_one',
    children: [toys.spec('a', {}, hangs), toys.spec('b')],
  });
  toys.crash('a');
  await flush();
  assert.equal(root.node().children[0]?.state, 'restarting');
  await root.stop();
  assert.deepEqual(toys.live(), []);
  // The late arrival is killed at once.
  gate.resolve();
  await flush();
  assert.deepEqual(toys.live(), []);
  assert.equal(toys.takeLog().at(-1), 'kill a');
});

test('property 10: a start that takes longer than its limit has failed', async () => {
  const toys = new ToyTree();
  const hangs = { onStart: (count: number) => (count === 2 ? new Promise(() => {}) : undefined) };
  const { root } = start(toys, {
    intensity: 5,
    periodMs: 10_000,
    children: [toys.spec('a', { startWithinMs: 500 }, hangs)],
  });
  toys.crash('a');
  toys.time.advanceTo(toys.time.now() + 499);
  assert.equal(root.node().children[0]?.state, 'restarting');
  toys.time.advanceTo(toys.time.now() + 1);
  assert.deepEqual(toys.live(), ['a']);
  assert.equal(toys.starts('a'), 3);
  assert.match(root.node().children[0]?.lastError ?? '', /did not start within 500 ms/);
});

function deep(toys: ToyTree, restart: 'permanent' | 'transient') {
  const bottom: SupervisorSpec = {
    id: 'bottom',
    strategy: 'one_for_one',
    intensity: 1,
    periodMs: 60_000,
    children: [toys.spec('x'), toys.spec('y'), toys.spec('z')],
  };
  const middle: SupervisorSpec = {
    id: 'middle',
    strategy: 'one_for_all',
    intensity: 1,
    periodMs: 60_000,
    children: [toys.spec('m'), supervisorChild(bottom, { restart })],
  };
  return start(toys, {
    intensity: 1,
    periodMs: 60_000,
    children: [toys.spec('top'), supervisorChild(middle)],
  });
}

test('property 11: escalation kills the remaining children in reverse, and the parent sees shutdown', () => {
  const toys = new ToyTree();
  const { root } = deep(toys, 'permanent');
  toys.crash('y');
  toys.takeLog();
  toys.crash('y');
  // bottom gives up: z and x go, in reverse; middle's one_for_all then stops m and starts all anew.
  assert.deepEqual(toys.takeLog(), [
    'stop z',
    'stop x',
    'stop m',
    'start m',
    'start x',
    'start y',
    'start z',
  ]);
  const exited = toys.events.find((event) => event.type === 'exited' && event.id === 'bottom');
  assert.equal(exited?.type === 'exited' && exited.reason, 'shutdown');
  const middle = root.node().children[1];
  assert.match(middle?.children[1]?.lastError ?? '', /too many restarts, the last of y: boom/);
});

test('property 11: escalation climbs three levels, intensities multiplying on the way', () => {
  const toys = new ToyTree();
  const { exits } = deep(toys, 'permanent');
  let crashes = 0;
  while (exits.length === 0) {
    toys.crash('y');
    crashes++;
    assert.ok(crashes <= 8, 'each level tolerates one restart: 2 × 2 × 2 crashes bring the root down');
  }
  assert.equal(crashes, 8);
  assert.deepEqual(exits, ['shutdown']);
  assert.deepEqual(toys.live(), []);
});

test('property 11: a transient supervisor that escalates is not restarted, because shutdown is a clean end', () => {
  const toys = new ToyTree();
  const { exits } = deep(toys, 'transient');
  toys.crash('y');
  toys.crash('y');
  assert.deepEqual(exits, []);
  assert.deepEqual(toys.live(), ['m', 'top']);
});

test('property 20: a restarted child is told how its predecessor ended, so that identical crashes can be counted', () => {
  const toys = new ToyTree();
  const seen: (string | undefined)[] = [];
  const behaviour = {
    onStart: (count: number, context: { readonly previousExit: ExitReason | undefined }) => {
      seen.push(context.previousExit && exitText(context.previousExit));
      if (count === 2) throw new Error('poison at start');
    },
  };
  start(toys, { intensity: 10, children: [toys.spec('a', {}, behaviour)] });
  toys.crash('a', 'poison 1');
  toys.time.advanceTo(toys.time.now());
  toys.exit('a', 'normal');
  assert.deepEqual(seen, [undefined, 'poison 1', 'poison at start', 'normal']);
});

const BACKOFF: Backoff = { initialMs: 100, maxMs: 1_000, jitter: 0, stableMs: 5_000 };

test('property 21: restarts in a row are delayed exponentially up to a cap', () => {
  const toys = new ToyTree();
  start(toys, { intensity: 100, children: [toys.spec('a'), toys.spec('b')], backoff: BACKOFF });
  const delays: number[] = [];
  for (let i = 0; i < 6; i++) {
    toys.crash('a');
    assert.deepEqual(toys.live(), ['b']);
    const before = toys.time.now();
    toys.time.advanceTo(toys.time.nextDeadline() ?? before);
    assert.deepEqual(toys.live(), ['a', 'b']);
    delays.push(toys.time.now() - before);
  }
  assert.deepEqual(delays, [100, 200, 400, 800, 1_000, 1_000]);
});

test('property 21: a child that ran for the stable period starts from the first delay again', () => {
  const toys = new ToyTree();
  start(toys, { intensity: 100, children: [toys.spec('a')], backoff: BACKOFF });
  const crashAndWait = (ranMs: number): number => {
    toys.time.advanceTo(toys.time.now() + ranMs);
    toys.crash('a');
    const before = toys.time.now();
    toys.time.advanceTo(toys.time.nextDeadline() ?? before);
    return toys.time.now() - before;
  };
  assert.deepEqual(
    [crashAndWait(0), crashAndWait(4_999), crashAndWait(5_000), crashAndWait(0)],
    [100, 200, 100, 200],
  );
});

test('property 21: a failed start waits for its backoff too, and a shutdown meanwhile leaves no timer', () => {
  const toys = new ToyTree();
  const { root } = start(toys, {
    intensity: 100,
    children: [toys.spec('a', {}, failsFrom(2))],
    backoff: BACKOFF,
  });
  toys.crash('a');
  toys.time.advanceTo(toys.time.now() + 100);
  assert.equal(toys.starts('a'), 2);
  toys.time.advanceTo(toys.time.now() + 199);
  assert.equal(toys.starts('a'), 2);
  toys.time.advanceTo(toys.time.now() + 1);
  assert.equal(toys.starts('a'), 3);
  root.stop();
  assert.equal(toys.time.nextDeadline(), undefined);
});

test('property 21: jitter comes from the seeded die: same seed, same delays, whatever the siblings do', () => {
  const run = (seed: number, siblingCrashes: boolean): number[] => {
    const toys = new ToyTree(seed);
    const backoff = { ...BACKOFF, jitter: 0.5 };
    start(toys, { intensity: 100, children: [toys.spec('a'), toys.spec('b')], backoff });
    const delays: number[] = [];
    for (let i = 0; i < 4; i++) {
      if (siblingCrashes) toys.crash('b');
      toys.crash('a');
      const event = toys.events.findLast(({ type }) => type === 'restarting');
      delays.push(event?.type === 'restarting' ? event.delayMs : Number.NaN);
      toys.time.advanceTo(toys.time.now() + 2_000);
    }
    return delays;
  };
  assert.deepEqual(run(7, false), run(7, true));
  assert.notDeepEqual(run(7, false), run(8, false));
  const random = seededRandom(1);
  for (let i = 0; i < 200; i++) {
    const delayMs = backoffDelayMs({ ...BACKOFF, jitter: 0.5 }, 1, random);
    assert.ok(delayMs > 100 && delayMs <= 200);
  }
});

test('a child that ends while it starts counts as a failed start, and never recurses', () => {
  const toys = new ToyTree();
  const behaviour = {
    onStart: (count: number, context: { exit(reason: ExitReason): void }) => {
      if (count > 1) context.exit({ error: new Error('born dead') });
    },
  };
  const { exits } = start(toys, {
    intensity: 2_000,
    periodMs: 1_000,
    children: [toys.spec('a', {}, behaviour)],
  });
  toys.crash('a');
  toys.time.advanceTo(toys.time.now());
  assert.deepEqual(exits, ['shutdown']);
  assert.equal(toys.starts('a'), 2_001);
});

test('a sibling that crashes during a one_for_all restart is restarted once, with the others', async () => {
  const toys = new ToyTree();
  const children = [toys.spec('a'), toys.spec('b', {}, { onStop: 'later' }), toys.spec('c')];
  start(toys, { strategy: 'one_for_all', intensity: 10, children });
  toys.crash('c');
  await flush();
  assert.deepEqual(toys.takeLog(), ['stop b']);
  toys.crash('a');
  toys.release('b');
  await flush();
  assert.deepEqual(toys.takeLog(), ['start a', 'start b', 'start c']);
  assert.deepEqual([toys.starts('a'), toys.starts('b'), toys.starts('c')], [2, 2, 2]);
});

test('a child added while its group waits for a restart is left alone by it', () => {
  const toys = new ToyTree();
  const { root } = start(toys, {
    strategy: 'one_for_all',
    intensity: 10,
    backoff: BACKOFF,
    children: [toys.spec('a')],
  });
  toys.crash('a');
  root.startChild(toys.spec('new'));
  const added = toys.context('new');
  toys.time.advanceTo(toys.time.now() + 100);
  assert.deepEqual(toys.live(), ['a', 'new']);
  assert.equal(toys.context('new'), added);
});

test('a child that ends cleanly while it starts had nothing to do; a permanent one has failed', () => {
  const leave = {
    onStart: (_count: number, context: { exit(reason: ExitReason): void }) => context.exit('normal'),
  };
  const toys = new ToyTree();
  const { root } = start(toys, {
    children: [toys.spec('a', { restart: 'transient' }, leave), toys.spec('b')],
  });
  assert.deepEqual(
    root.node().children.map(({ state }) => state),
    ['stopped', 'running'],
  );
  assert.throws(() => start(toys, { children: [toys.spec('a', {}, leave)] }), /child a did not start/);
});
