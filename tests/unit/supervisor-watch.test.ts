import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ExitNotice, exitText, Termination } from '../../supervisors/exit.ts';
import { type Holder, Registry } from '../../supervisors/registry.ts';
import { rootSupervisor } from '../../supervisors/supervisor.ts';
import { ToyTree } from '../support/toy-tree.ts';

function world() {
  const toys = new ToyTree();
  const children = [toys.spec('a', { name: 'alpha' }), toys.spec('b', {}, { onStop: 'hang' })];
  const spec = { id: 'root', strategy: 'one_for_one', intensity: 100, children } as const;
  const root = rootSupervisor(spec, toys.tree);
  root.start();
  const notices: ExitNotice[] = [];
  const watcher = (notice: ExitNotice): void => {
    notices.push(notice);
  };
  return { toys, root, notices, watcher };
}

const told = (notices: readonly ExitNotice[]): string[] =>
  notices.map(({ id, reason }) => `${id} ${reason === 'noproc' ? reason : exitText(reason)}`);

test('property 32: a watcher gets exactly one notice, with the reason, for the incarnation it watched', () => {
  const { toys, root, notices, watcher } = world();
  const ref = root.child('a');
  assert.ok(ref);
  ref.watch(watcher);
  toys.crash('a', 'first');
  toys.crash('a', 'second');
  assert.deepEqual(told(notices), ['a first']);
  assert.equal(notices[0]?.incarnation, ref.incarnation);
  assert.equal(notices[0]?.path, 'root / a');
  assert.equal(ref.isAlive(), false);
});

test('property 32: watching a dead incarnation gives its one notice by message', () => {
  const { toys, root, notices, watcher } = world();
  const ref = root.child('a');
  toys.exit('a', 'normal');
  ref?.watch(watcher);
  assert.deepEqual(notices, []);
  toys.time.advanceTo(toys.time.now());
  toys.time.advanceTo(toys.time.now() + 1_000);
  assert.deepEqual(told(notices), ['a normal']);
});

test('property 32: names can be watched; nobody of that name is noproc', () => {
  const { toys, notices, watcher } = world();
  toys.tree.registry.watch('alpha', watcher);
  toys.tree.registry.watch('nobody', watcher);
  toys.crash('a');
  toys.time.advanceTo(toys.time.now());
  assert.deepEqual(told(notices), ['a boom', 'nobody noproc']);
});

test('property 32: stops and kills are noticed too, each once', async () => {
  const { toys, root, notices, watcher } = world();
  root.child('a')?.watch(watcher);
  root.child('b')?.watch(watcher);
  const stopped = root.stop();
  toys.time.advanceTo(toys.time.now() + 1_000);
  await stopped;
  root.kill();
  assert.deepEqual(told(notices), ['b KilledError: did not stop within 1000 ms', 'a shutdown']);
});

test('property 32: a cancelled watch is silent, also when cancelled by an earlier watcher, and throws reach nobody', () => {
  const { toys, root, notices, watcher } = world();
  const ref = root.child('a');
  ref?.watch(watcher).cancel();
  ref?.watch(() => {
    later?.cancel();
    throw new Error('bad watcher');
  });
  const later = ref?.watch(watcher);
  ref?.watch(watcher);
  toys.crash('a');
  assert.deepEqual(told(notices), ['a boom']);
  const afterDeath = ref?.watch(watcher);
  afterDeath?.cancel();
  toys.time.advanceTo(toys.time.now() + 1);
  assert.equal(notices.length, 1);
  assert.deepEqual(toys.live(), ['a', 'b']);
});

test('property 32: a second conclusion changes and tells nothing', () => {
  const { toys, notices, watcher } = world();
  const noFailure = (error: unknown): never => assert.fail(String(error));
  const termination = new Termination(toys.time);
  termination.watch(watcher);
  const notice = { id: 'x', path: 'x', incarnation: 1, reason: 'normal' } as const;
  termination.conclude(notice, noFailure);
  termination.conclude({ ...notice, reason: 'shutdown' }, noFailure);
  termination.watch(watcher);
  toys.time.advanceTo(toys.time.now());
  assert.deepEqual(told(notices), ['x normal', 'x normal']);
});

test('property 19: only the holder can free its name', () => {
  const { toys } = world();
  const registry = new Registry(toys.time);
  const holder = (id: string): Holder => ({
    ref: { id, path: id, incarnation: 1, isAlive: () => true, watch: () => ({ cancel: () => {} }) },
    handle: () => undefined,
  });
  const [first, second] = [holder('first'), holder('second')];
  assert.equal(registry.claim('name', first), true);
  assert.equal(registry.claim('name', second), false);
  registry.free('name', second);
  assert.equal(registry.whereis('name'), first.ref);
  registry.free('name', first);
  assert.equal(registry.claim('name', second), true);
});
