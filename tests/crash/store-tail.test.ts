/**
 * The tail of a real embedded store's log is lost, as after a power cut on a disk that had not written it: cut short,
 * full of nothing, or of anything. The store opens with the rows up to one of them, each of them as it was written, or it
 * says loudly that it cannot; never with anything else.
 */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isBulkheadError } from '../../src/core/errors.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { readChain } from '../../src/journal/journal-beginning.ts';
import { planCut } from '../../src/journal/journal-cut.ts';
import { PgliteEngine, pgliteStore } from '../../src/journal/pglite-journal.ts';
import { EMPTY_HEAD, sealRows } from '../../src/journal/row-hash.ts';
import { readRecovery } from '../../supervisors/recovery.ts';
import { draft } from '../support/journal-rows.ts';
import { tempDir } from '../support/temp.ts';

const ROWS = 40;
const PAGE_BYTES = 8_192;
const SEED = '20250504';

/** The log's newest segment, and where in it the last byte that is not zero stands. */
function logEnd(dir: string): { file: string; end: number } {
  const folder = path.join(dir, 'pg_wal');
  const names = readdirSync(folder).filter((name) => /^[0-9A-F]{24}$/.test(name));
  const ends = names.sort().map((name) => {
    const file = path.join(folder, name);
    return { file, end: readFileSync(file).findLastIndex((byte) => byte !== 0) + 1 };
  });
  const last = ends.findLast(({ end }) => end > 0);
  assert.ok(last);
  return last;
}

type Damage = (bytes: Buffer, at: number) => Buffer;
const zeros: Damage = (bytes, at) => bytes.fill(0, at);
const noise: Damage = (bytes, at) => {
  const random = seededRandom(SEED);
  for (let i = at; i < Math.min(bytes.length, at + 4_096); i++) bytes[i] = random.int(256);
  return bytes.fill(0, Math.min(bytes.length, at + 4_096));
};

test('opens with a prefix of the rows, or refuses', async (t) => {
  const root = tempDir(t);
  const dir = path.join(root, 'journal');
  const engine = new PgliteEngine({ dir, checkpointMs: 3_600_000 });
  const store = engine.store('a', { exclusive: true, onClose: () => engine.stop() });
  await store.open();
  const lease = await store.acquireLease('me', 60_000);
  let head = EMPTY_HEAD;
  const rows: JournalRow[] = [];
  const ends: number[] = [];
  let file = '';
  for (let i = 1; i <= ROWS; i++) {
    const sealed = sealRows(head, lease.epoch, [draft(`actor/${i % 3}`, Math.ceil(i / 3))]);
    await store.append(lease, sealed, i);
    rows.push(...sealed);
    head = sealed[0] ?? head;
    // Amid them a cut: it, too, has happened whole or not at all.
    if (i === 30) {
      const { cut } = planCut(await store.anchor(), [], rows.slice(0, 10), 1);
      assert.equal(await store.cut(cut), true);
    }
    const found = logEnd(dir);
    if (file === '') file = found.file;
    assert.equal(found.file, file, 'one segment is enough');
    ends.push(found.end);
  }
  await engine.kill();

  const random = seededRandom(SEED);
  const [first = 0, last = 0] = [ends[9], ends.at(-1)];
  const points = [1, 2, 3, 4, 5, 6].map((k) => first + Math.floor(((last - first) * k) / 7) + random.int(50));
  let opened = 0;
  for (const [k, at] of points.entries()) {
    const copy = path.join(root, `copy-${k}`);
    cpSync(dir, copy, { recursive: true });
    const log = path.join(copy, path.relative(dir, file));
    if (k % 3 === 0) truncateSync(log, at);
    else writeFileSync(log, (k % 3 === 1 ? zeros : noise)(readFileSync(log), at));
    const what = `${['cut', 'zeroed', 'noise'][k % 3]} at ${at} of ${last}`;
    // A record may end with bytes that are zero.
    // And of a page that is not all there nothing is read.
    const sure = k % 3 === 0 ? at - (at % PAGE_BYTES) : at;
    const known = ends.filter((end) => end <= sure - 64).length;
    const again = pgliteStore({ dir: copy, account: 'a' });
    try {
      await again.open();
      const found = await again.head();
      assert.equal(found.hash, found.n === 0 ? EMPTY_HEAD.hash : rows[found.n - 1]?.hash, what);
      assert.ok(found.n >= known && found.n < ROWS, `${what}: ${found.n} rows, ${known} were wholly there`);
      assert.deepEqual(await readChain(again), found, what);
      const { n: anchorN } = await again.anchor();
      assert.equal(anchorN, found.n >= 31 ? 10 : anchorN, what);
      assert.deepEqual(await again.rowsAfter(anchorN, 99), rows.slice(anchorN, found.n), what);
      await readRecovery(again);
      opened += 1;
    } catch (error) {
      assert.ok(isBulkheadError(error), `${what}: ${String(error)}`);
      t.diagnostic(`${what}: refused, ${error.message}`);
    } finally {
      await again.close().catch(() => undefined);
    }
  }
  assert.ok(opened >= 2, 'zeroes after whole rows are an end like any other');
});
