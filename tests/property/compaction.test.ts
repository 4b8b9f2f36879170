/** Whatever the history: after its oldest rows are gone a journal gives what it gave before, from the anchor on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CompactionReport, compact } from '../../src/app/store/compaction.ts';
import { OpenIntents } from '../../src/app/store/restored-rows.ts';
import { systemTime, VirtualTime } from '../../src/core/clock.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { archiveHeader, archiveText, openArchive } from '../../src/journal/journal-archive.ts';
import { allRows, readBeginning, readChain } from '../../src/journal/journal-beginning.ts';
import { keptOf } from '../../src/journal/kept-rows.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { sealRows } from '../../src/journal/row-hash.ts';
import { readRecovery, unconsumedOf } from '../../supervisors/recovery.ts';
import { draft } from '../support/journal-rows.ts';
import { RandomWriter, randomRow } from '../support/random-journal.ts';

/** Messages that are mostly taken soon, as in life: only between them can a journal be cut. */
const calmRow = randomRow.map((row) => ({
  ...row,
  sends: row.sends === 2 ? 1 : 0,
  cause: row.cause === 3 ? 0 : row.cause,
  settles: row.settles || row.bare,
}));
const histories = fc.array(fc.oneof({ weight: 9, arbitrary: calmRow }, { weight: 1, arbitrary: randomRow }), {
  minLength: 20,
  maxLength: 120,
});

async function journal() {
  const database = new MemoryDatabase();
  const store = new MemoryJournal({ account: 'a', clock: new VirtualTime(0), database });
  await store.open();
  return { database, store };
}

const compacted = (store: MemoryJournal, keepMs: number): Promise<CompactionReport> =>
  compact({ store, account: 'a', keepMs, time: systemTime(), beside: 'nothing' });

/** What a restore to row n would find pending there. */
function pendingAt(rows: readonly JournalRow[], n: number) {
  const upTo = rows.filter((row) => row.n <= n);
  const intents = new OpenIntents();
  for (const row of upTo) intents.take(row);
  return unconsumedOf(upTo.filter((row) => row.n > intents.settledN)).pending;
}

test('recovery, every later moment, the chain and a backup are what they were', async () => {
  let cuts = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(histories, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 40 }),
      async (parts, keepRows) => {
        const { store } = await journal();
        const writer = await RandomWriter.over(store);
        const all: JournalRow[] = [];
        for (const part of parts) {
          for (const row of part) await writer.write(row);
          const before = await readRecovery(store);
          all.push(...(await store.rowsAfter(all.length, 1_000)));
          const alive = async (n: number) => (await store.rowsAt(n)).filter(({ final }) => !final);
          const { n: wasN } = await store.anchor();
          const moments = new Map<number, JournalRow[]>();
          for (let n = wasN + 1; n <= before.head.n; n += 7) moments.set(n, await alive(n));
          const { removed, anchorN } = await compacted(store, keepRows * 1_000);
          cuts += removed > 0 ? 1 : 0;
          assert.deepEqual(await readRecovery(store), before);
          assert.deepEqual(await readChain(store), { n: before.head.n, hash: before.head.hash });
          const left = await store.rowsAfter(anchorN, 1_000);
          assert.deepEqual(left, all.slice(anchorN));
          for (const [n, rows] of moments) {
            if (n <= anchorN) continue;
            assert.deepEqual(await alive(n), rows, `at row ${n} over ${anchorN}`);
            assert.deepEqual(pendingAt(left, n), pendingAt(all, n));
          }
          const told: JournalRow[] = [];
          for await (const row of allRows(store)) told.push(row);
          assert.deepEqual(
            told.filter(({ n }) => n <= anchorN).map(({ n, event, intents }) => ({ n, event, intents })),
            all
              .filter((row) => row.n <= anchorN)
              .filter(
                (row) =>
                  keptOf(row) !== undefined || told.some(({ n, host }) => n === row.n && host === row.host),
              )
              .map(({ n, event, intents }) => ({ n, event, intents })),
          );
        }
        await restoredTheSame(store);
      },
    ),
    { numRuns: 120, seed: 31 },
  );
  assert.ok(cuts > 60, `${cuts} cuts removed anything`);
});

async function restoredTheSame(store: MemoryJournal): Promise<void> {
  const header = await archiveHeader(store, { bulkhead: '0', account: 'a', createdAt: 0 });
  const texts: Uint8Array[] = [];
  for await (const text of archiveText(store, header, 7)) texts.push(new TextEncoder().encode(text));
  const { start, batches } = await openArchive(Readable(texts));
  const { store: other } = await journal();
  const meta = header.meta;
  await other.restore({
    ...(start ? { start } : {}),
    batches,
    end: () => ({ settledN: header.settledN, meta }),
  });
  assert.deepEqual(await readRecovery(other), await readRecovery(store));
  assert.deepEqual(await readBeginning(other), await readBeginning(store));
  assert.deepEqual(await other.kept(0, 1_000), await store.kept(0, 1_000));
}

async function* Readable(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

test('a carried row that was changed, lost or exchanged is noticed', async () => {
  const { store, database } = await journal();
  const writer = await RandomWriter.over(store);
  const [part] = fc.sample(fc.array(randomRow, { minLength: 120, maxLength: 120 }), { numRuns: 1, seed: 5 });
  for (const row of part ?? []) await writer.write({ ...row, settles: true, sends: 0 });
  const { anchorN, carried } = await compacted(store, 5_000);
  assert.ok(anchorN > 20 && carried > 1, `${anchorN} ${carried}`);
  const { rows } = database.account('a');
  const [first, second] = rows;
  assert.ok(first && second && second.n <= anchorN);
  const damages: (readonly [number, number, ...JournalRow[]])[] = [
    [0, 1, { ...first, snapshot: '{"value":"forged"}' }],
    [0, 1],
    [0, 2, second, first],
    [1, 0, first],
  ];
  for (const [at, gone, ...put] of damages) {
    const there = [...rows];
    rows.splice(at, gone, ...put);
    await assert.rejects(readChain(store), { code: 'STORE_CORRUPT' });
    rows.splice(0, rows.length, ...there);
  }
  await readChain(store);
});

test('an actor whose rows are gone never begins again', async () => {
  const { store } = await journal();
  const lease = await store.acquireLease('me', 60_000);
  const rows = sealRows(await store.head(), lease.epoch, [
    draft('position/X/BOTH/1', 1, { at: 0 }),
    draft('position/X/BOTH/1', 2, { at: 0, final: true }),
    draft('feed/X', 1, { at: 0, cause: '{"kind":"input","phase":"market","at":1}' }),
    draft('feed/X', 2, { at: 9_000, cause: '{"kind":"input","phase":"market","at":2}' }),
    draft('feed/X', 3, { at: 9_000, cause: '{"kind":"input","phase":"market","at":3}' }),
  ]);
  await store.append(lease, rows, 5);
  assert.equal((await compacted(store, 3_000)).removed, 2);
  assert.deepEqual(await store.rowsOf('position/X/BOTH/1', 0, 9), []);
  const again = sealRows(await store.head(), lease.epoch, [draft('position/X/BOTH/1', 1)]);
  await assert.rejects(store.append(lease, again, 5), { message: /position\/X/ });
});
