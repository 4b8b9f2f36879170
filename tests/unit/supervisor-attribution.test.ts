import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ownerOf, runAs } from '../../supervisors/attribution.ts';
import { rootSupervisor } from '../../supervisors/supervisor.ts';
import { Tree } from '../../supervisors/tree.ts';
import { ToyTree } from '../support/toy-tree.ts';

const SCRIPT = fileURLToPath(new URL('../support/attribution-child.ts', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly report?: {
    readonly children: readonly {
      readonly id: string;
      readonly restarts: number;
      readonly lastError?: string;
    }[];
    readonly strays: readonly string[];
  };
}

/** A process of its own: the test runner has handlers for unhandled errors itself. */
function run(fault: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [SCRIPT, fault], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('close', (code) => resolve(text === '' ? { code } : { code, report: JSON.parse(text) }));
  });
}

for (const fault of ['timer', 'promise', 'immediate']) {
  test(`property 33: an unhandled error of a child’s ${fault} crashes that child and no other`, async () => {
    const { code, report } = await run(fault);
    assert.equal(code, 0);
    assert.deepEqual(report?.children, [
      { id: 'innocent', restarts: 0 },
      { id: 'guilty', restarts: 1, lastError: 'boom' },
    ]);
  });
}

test('property 33: an unhandled rejection of a dead incarnation is noted and harms nobody', async () => {
  const { code, report } = await run('late');
  assert.equal(code, 0);
  assert.deepEqual(report?.strays, ['guilty']);
  assert.deepEqual(
    report?.children.map(({ restarts }) => restarts),
    [0, 1],
  );
});

test('property 33: an unhandled error that belongs to nobody ends the process', async () => {
  assert.deepEqual(await run('nobody'), { code: 70 });
});

test('property 33: code runs in the name of the child that started it, the supervisor’s reactions do not', () => {
  const toys = new ToyTree();
  const owners: (string | undefined)[] = [];
  const reacting: (string | undefined)[] = [];
  const tree = new Tree({
    time: toys.time,
    random: toys.tree.random,
    onEvent: ({ type }) => {
      if (type === 'restarting') reacting.push(ownerOf()?.path);
    },
  });
  const record = { onStart: () => void owners.push(ownerOf()?.path) };
  const children = [toys.spec('a', {}, record), toys.spec('b', {}, record)];
  const root = rootSupervisor({ id: 'root', strategy: 'one_for_all', intensity: 5, children }, tree);
  root.start();
  const a = toys.context('a');
  // The whole group is restarted from within a's own code: b's code still runs as b.
  runAs({ path: 'elsewhere', incarnation: 0, crash: () => {} }, () => a.exit({ error: new Error('boom') }));
  assert.deepEqual(owners, ['root / a', 'root / b', 'root / a', 'root / b']);
  assert.deepEqual(reacting, [undefined]);
  assert.equal(ownerOf(), undefined);
});

test('property 33: guarded callbacks run in the child’s name, watchers in the watcher’s', () => {
  const toys = new ToyTree();
  const root = rootSupervisor(
    { id: 'root', strategy: 'one_for_one', intensity: 5, children: [toys.spec('a'), toys.spec('b')] },
    toys.tree,
  );
  root.start();
  const owners: (string | undefined)[] = [];
  const note = (): void => void owners.push(ownerOf()?.path);
  toys.context('a').guard(note)();
  const b = toys.context('b');
  b.guard(() => root.child('a')?.watch(note))();
  const dead = root.child('a');
  toys.context('a').guard(() => {
    throw new Error('boom');
  })();
  b.guard(() => dead?.watch(note))();
  toys.time.advanceTo(toys.time.now());
  assert.deepEqual(owners, ['root / a', 'root / b', 'root / b']);
});
