/**
 * SIGKILL at random moments, start-up included: every acknowledged row is there, without gap, chain unbroken.
 * (This tests the process's death, not a power cut: for that stands the flush probe.)
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/core/random.ts';
import type { JournalStore } from '../../src/journal/journal.ts';
import { pgliteStore } from '../../src/journal/pglite-journal.ts';
import { postgresStore } from '../../src/journal/postgres-journal.ts';
import { EMPTY_HEAD, verifyChain } from '../../src/journal/row-hash.ts';
import { startPostgres } from '../support/postgres.ts';
import { tempDir } from '../support/temp.ts';

const CHILD = fileURLToPath(new URL('../support/journal-writer-child.ts', import.meta.url));
const KILLS = Number(process.env.JOURNAL_KILLS ?? 5);
const SEED = process.env.JOURNAL_SEED ?? '20250504';

interface Life {
  readonly acknowledged: number;
  readonly errors: string;
}

/** One life of the child: killed `afterMs` after its first row, or after its start when `early`. */
async function runAndKill(args: readonly string[], afterMs: number, early: boolean): Promise<Life> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  const speaks = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      resolve();
    });
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  if (!early) await Promise.race([speaks, closed]);
  await delay(afterMs);
  child.kill('SIGKILL');
  await closed;
  // A line cut by the kill acknowledges nothing.
  const lines = output
    .slice(0, output.lastIndexOf('\n') + 1)
    .trim()
    .split('\n');
  return { acknowledged: Math.max(0, ...lines.map(Number)), errors };
}

async function checkSound(store: JournalStore): Promise<number> {
  let head = EMPTY_HEAD;
  for (;;) {
    const rows = await store.rowsAfter(head.n, 2_000);
    if (rows.length === 0) break;
    head = verifyChain(rows, head);
  }
  assert.deepEqual(await store.head(), head);
  for (const last of await store.liveRows()) {
    const seqs = (await store.rowsOf(last.actor, 0, 1_000_000)).map((row) => row.seq);
    assert.deepEqual(
      seqs,
      Array.from({ length: last.seq }, (_, index) => index + 1),
    );
  }
  return head.n;
}

async function killRepeatedly(args: readonly string[], open: () => JournalStore): Promise<void> {
  const random = seededRandom(SEED);
  let known = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const early = kill % 4 === 3;
    const life = await runAndKill(args, random.int(early ? 1_200 : 400), early);
    assert.equal(life.errors, '', `seed ${SEED}, kill ${kill}`);
    const store = open();
    await store.open();
    const found = await checkSound(store);
    await store.close();
    assert(found >= life.acknowledged, `seed ${SEED}, kill ${kill}: ${found} of ${life.acknowledged} rows`);
    assert(found >= known && (early || life.acknowledged > known), `seed ${SEED}, kill ${kill}: no progress`);
    known = found;
  }
}

test(`embedded store: ${KILLS} SIGKILLs lose nothing`, async (t) => {
  const dir = path.join(tempDir(t), 'journal');
  await killRepeatedly(['pglite', dir], () => pgliteStore({ dir, account: 'child' }));
});

test('two processes on one folder: the second is refused with the first one’s pid, and after a kill is not', async (t) => {
  const dir = path.join(tempDir(t), 'journal');
  const child = spawn(process.execPath, [CHILD, 'pglite', dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const second = pgliteStore({ dir, account: 'child' });
  await assert.rejects(second.open(), {
    code: 'STORE_LOCKED',
    message: new RegExp(`process ${child.pid}\\b`),
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await second.open();
  assert((await checkSound(second)) > 0);
  await second.close();
});

test(`PostgreSQL: ${KILLS} SIGKILLs of the writer lose nothing`, async (t) => {
  const server = await startPostgres();
  if (typeof server === 'string') return t.skip(server);
  t.after(() => server.stop());
  const url = await server.createDatabase();
  await killRepeatedly(['postgres', url], () =>
    postgresStore({ url, account: 'child', allowNonDurable: true }),
  );
});
