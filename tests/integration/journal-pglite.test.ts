import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemTime } from '../../src/core/clock.ts';
import type { JournalStore } from '../../src/journal/journal.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { PgliteEngine, pgliteStore } from '../../src/journal/pglite-journal.ts';
import { EMPTY_HEAD, sealRows, verifyChain } from '../../src/journal/row-hash.ts';
import { journalConformance } from '../support/journal-conformance.ts';
import { draft, drafts } from '../support/journal-rows.ts';
import { makeTempDir, removeTempDir, tempDir } from '../support/temp.ts';

const root = makeTempDir('pglite');
const engine = new PgliteEngine({ dir: path.join(root, 'journal') });
after(async () => {
  await engine.stop();
  removeTempDir(root);
});

journalConformance('pglite', () => ({
  // Not exclusive: these stores contend for one account, as two processes do on a server.
  store: (account) => engine.store(account, { exclusive: false, onClose: async () => undefined }),
  passTime: (ms) => delay(ms),
}));

test('a new store says what it checked', async (t) => {
  const dir = path.join(tempDir(t), 'deeper', 'journal');
  const store = pgliteStore({ dir, account: 'a' });
  const health = await store.open();
  assert.match(health.engine, /^PGlite 0\.5\.16 \(PostgreSQL 18/);
  assert.equal(health.location, dir);
  assert.equal(health.durable, true);
  assert.deepEqual(
    health.checks.filter((check) => check.ok).map((check) => check.name),
    ['fsync', 'full_page_writes', 'synchronous_commit', 'flush probe', 'folder lock'],
  );
  await store.close();
});

test('guard: an engine whose commits are not flushed is refused', async (t) => {
  const store = pgliteStore({ dir: path.join(tempDir(t), 'journal'), account: 'a', patchFlush: false });
  await assert.rejects(store.open(), { code: 'STORE_NOT_DURABLE' });
  await store.close();
});

test('guard: a second opener of the folder is refused, with the holder’s pid; a later one is not', async (t) => {
  const dir = path.join(tempDir(t), 'journal');
  const first = pgliteStore({ dir, account: 'a' });
  await first.open();
  const second = pgliteStore({ dir, account: 'a' });
  await assert.rejects(second.open(), {
    code: 'STORE_LOCKED',
    message: new RegExp(`process ${process.pid}`),
  });
  await second.close();
  await first.close();
  const third = pgliteStore({ dir, account: 'a' });
  await third.open();
  await third.close();
});

test('guard: checkpoints run by themselves and nothing is lost by them', async (t) => {
  const dir = path.join(tempDir(t), 'journal');
  const store: JournalStore = pgliteStore({ dir, account: 'a', checkpointMs: 1 });
  await store.open();
  const lease = await store.acquireLease('me', 60_000);
  const rows = sealRows(EMPTY_HEAD, lease.epoch, drafts('a', 200));
  await store.append(lease, rows, 0);
  for (let waited = 0; !existsSync(`${dir}.vacuumed`); waited += 50) {
    assert(waited < 20_000, 'no maintenance');
    await delay(50);
  }
  assert.equal(verifyChain(await store.rowsAfter(0, 1000)).n, 200);
  await store.close();
});

test('an exclusive folder proves the old owner dead: its unexpired lease is taken at once', async (t) => {
  const dir = path.join(tempDir(t), 'journal');
  const first = pgliteStore({ dir, account: 'a' });
  await first.open();
  const lease = await first.acquireLease('one', 3_600_000);
  await first.append(lease, sealRows(EMPTY_HEAD, lease.epoch, [draft('a', 1)]), 0);
  await first.close();
  const second = pgliteStore({ dir, account: 'a' });
  await second.open();
  assert.equal((await second.acquireLease('two', 1000)).epoch, lease.epoch + 1);
  assert.equal((await second.head()).n, 1);
  await second.close();
});

test('a folder that is not a store is refused and left alone; an empty one and a torn attempt are fine', async (t) => {
  const dir = tempDir(t);
  const foreign = path.join(dir, 'foreign');
  mkdirSync(foreign);
  writeFileSync(path.join(foreign, 'letter.txt'), 'dear reader');
  const refused = pgliteStore({ dir: foreign, account: 'a' });
  await assert.rejects(refused.open(), { code: 'DATA_INVALID', message: /foreign/ });
  await refused.close();
  assert(existsSync(path.join(foreign, 'letter.txt')));

  const torn = path.join(dir, 'torn');
  mkdirSync(torn);
  mkdirSync(`${torn}.new`);
  writeFileSync(path.join(`${torn}.new`, 'PG_VERSION'), '18');
  const store = pgliteStore({ dir: torn, account: 'a' });
  await store.open();
  await store.close();
});

test('the engine’s thread dies in mid-run: halted, started again, nothing lost or doubled', async (t) => {
  const dir = path.join(tempDir(t), 'journal');
  const mortal = new PgliteEngine({ dir });
  const store = mortal.store('a', { exclusive: true, onClose: () => mortal.stop() });
  t.after(() => store.close());
  await store.open();
  const lease = await store.acquireLease('me', 60_000);
  const states: string[] = [];
  const writer = new JournalWriter(store, lease, EMPTY_HEAD, {
    time: systemTime(),
    onState: (state, error) => states.push(error ? `${state}:${error.code}` : state),
  });
  const released: number[] = [];
  let goal = { count: 50, reach: () => {} };
  const next = (seq: number): void => {
    writer.append(draft('a', seq), (row) => {
      released.push(row.n);
      if (released.length === goal.count) goal.reach();
      if (!states.includes('stop')) next(seq + 1);
    });
  };
  const reached = (count: number) => new Promise<void>((reach) => (goal = { count, reach }));
  const first = reached(50);
  next(1);
  await first;
  await mortal.kill();
  await reached(released.length + 50);
  states.push('stop');
  await writer.idle();
  const rows = await store.rowsAfter(0, 10_000);
  assert.equal(verifyChain(rows).n, released.length);
  assert.deepEqual(states, ['halted:STORE_UNAVAILABLE', 'ok', 'stop']);
});
