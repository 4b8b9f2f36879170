/**
 * Killed while it removes old rows, at any moment and right before and after each batch: every acknowledged row that
 * was not to go is there, the chain holds from the anchor on, whoever lived can be restored, and it goes on.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/core/random.ts';
import type { JournalStore } from '../../src/journal/journal.ts';
import { readChain } from '../../src/journal/journal-beginning.ts';
import { pgliteStore } from '../../src/journal/pglite-journal.ts';
import { postgresStore } from '../../src/journal/postgres-journal.ts';
import { readRecovery } from '../../supervisors/recovery.ts';
import { startPostgres } from '../support/postgres.ts';
import { tempDir } from '../support/temp.ts';

const CHILD = fileURLToPath(new URL('../support/compaction-child.ts', import.meta.url));
const SEED = '20250504';

interface Life {
  readonly acknowledged: number;
  /** The last anchor that it said. */
  readonly cut: number;
  readonly errors: string;
}

/** One life; it dies by itself where it was told to, else so long after its first cut. */
async function live(args: readonly string[], afterMs: number | undefined): Promise<Life> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise((resolve) => child.once('close', resolve));
  let output = '';
  let errors = '';
  const cuts = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('cut ')) resolve();
    });
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  if (afterMs !== undefined) {
    await Promise.race([cuts, closed]);
    await delay(afterMs);
    child.kill('SIGKILL');
  }
  await closed;
  const lines = output.slice(0, output.lastIndexOf('\n') + 1).split('\n');
  const numbers = (of: RegExp) => lines.map((line) => Number(of.exec(line)?.[1] ?? 0));
  return {
    acknowledged: Math.max(0, ...numbers(/^(\d+)$/)),
    cut: Math.max(0, ...numbers(/^cut (\d+)$/)),
    errors,
  };
}

/** The anchor and the head that are found. */
async function checkSound(open: () => JournalStore): Promise<{ anchorN: number; headN: number }> {
  const store = open();
  await store.open();
  try {
    const head = await readChain(store);
    assert.deepEqual(head, await store.head());
    const { n: anchorN } = await store.anchor();
    const { live: alive } = await readRecovery(store);
    for (const { row, eventsSince, checkpoint } of alive.values()) {
      const seqs = (await store.rowsOf(row.actor, 0, 1_000_000)).map(({ seq }) => seq);
      const [first = 0] = seqs;
      assert.deepEqual(
        seqs,
        Array.from({ length: row.seq - first + 1 }, (_, index) => first + index),
      );
      const { value } = JSON.parse(checkpoint) as { value: string };
      assert.equal(value, `${row.actor} ${row.seq - eventsSince.length}`);
    }
    for (const actor of ['venue', 'a', 'b', 'c']) assert.ok(alive.has(actor), actor);
    assert.ok(alive.size <= 5, 'positions that are over are gone');
    return { anchorN, headN: head.n };
  } finally {
    await store.close();
  }
}

async function killAgainAndAgain(place: readonly string[], open: () => JournalStore): Promise<void> {
  const random = seededRandom(SEED);
  const known = { anchorN: 0, headN: 0 };
  const points = [
    ['1', 'before'],
    ['1', 'after'],
    ['2', 'before'],
    ['3', 'after'],
  ];
  for (const point of [...points, undefined, undefined]) {
    const what = point?.join(' ') ?? 'at random';
    const life = await live([...place, ...(point ?? [])], point ? undefined : random.int(300));
    assert.equal(life.errors, '', what);
    const { anchorN, headN } = await checkSound(open);
    assert.ok(headN >= life.acknowledged, `${what}: ${headN} of ${life.acknowledged} rows`);
    // A life may die of its first batch, before a row of its own.
    assert.ok(anchorN >= life.cut && anchorN >= known.anchorN && headN >= known.headN, what);
    if (point?.[1] === 'before') assert.ok(anchorN >= known.anchorN, what);
    else assert.ok(anchorN > known.anchorN, `${what}: it cut nothing`);
    Object.assign(known, { anchorN, headN });
  }
}

test('embedded store: killed at every batch’s boundary and anywhere else', async (t) => {
  const dir = path.join(tempDir(t), 'journal');
  await killAgainAndAgain(['pglite', dir], () => pgliteStore({ dir, account: 'child' }));
});

test('PostgreSQL: killed at every batch’s boundary and anywhere else', async (t) => {
  const server = await startPostgres();
  if (typeof server === 'string') return t.skip(server);
  t.after(() => server.stop());
  const url = await server.createDatabase();
  await killAgainAndAgain(['postgres', url], () =>
    postgresStore({ url, account: 'child', allowNonDurable: true }),
  );
});
