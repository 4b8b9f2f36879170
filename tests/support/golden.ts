/**
 * Golden journals: what a release wrote, kept for ever. A later machine has to carry every row of them over.
 * They lie in tests/golden, one archive (src/journal/journal-archive.ts) behind zstd each; `npm run golden:mint`
 * writes those of the present version.
 */
import { createReadStream, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createZstdDecompress, constants as zlib, zstdCompressSync } from 'node:zlib';
// Knows the strategy that some of them were traded by.
import '../../src/app/compose/compose-simulation.ts';
import { systemTime } from '../../src/core/clock.ts';
import type { JournalRow, JournalStore } from '../../src/journal/journal.ts';
import {
  type ArchiveHeader,
  archiveHeader,
  archiveText,
  openArchive,
} from '../../src/journal/journal-archive.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';

const FOLDER = new URL('../golden/', import.meta.url);
const SUFFIX = '.jsonl.zst';

export interface Golden {
  /** e.g. "0.1.0-demo". */
  readonly name: string;
  readonly header: ArchiveHeader;
  readonly rows: readonly JournalRow[];
}

/** The market of a golden demo. */
export const goldenDemo = { seed: 6, symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'], days: 1, stress: 10 };

export const goldenNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();

export async function readGolden(name: string): Promise<Golden> {
  const file = createReadStream(new URL(`${name}${SUFFIX}`, FOLDER));
  const { header, batches } = await openArchive(file.pipe(createZstdDecompress()));
  const rows: JournalRow[] = [];
  for await (const batch of batches) rows.push(...batch);
  return { name, header, rows };
}

export async function writeGolden(
  name: string,
  store: JournalStore,
  about: { readonly bulkhead: string; readonly account: string },
): Promise<number> {
  const header = await archiveHeader(store, { ...about, createdAt: systemTime().clock.now() });
  let text = '';
  for await (const part of archiveText(store, header)) text += part;
  const params = { [zlib.ZSTD_c_compressionLevel]: 19, [zlib.ZSTD_c_windowLog]: 23 };
  const bytes = zstdCompressSync(text, { params });
  await writeFile(new URL(`${name}${SUFFIX}`, FOLDER), bytes);
  return bytes.length;
}

/** A database that holds the golden journal's rows up to `n`, as a process killed right there left it. */
export async function goldenDatabase({ header, rows }: Golden, account: string, n: number) {
  const database = new MemoryDatabase();
  const store = new MemoryJournal({ account, clock: systemTime().clock, database });
  await store.open();
  const upTo = rows.slice(0, n);
  const batches = (async function* () {
    yield upTo;
  })();
  // Below the end nobody knows what was settled: everything is looked at again.
  const settledN = n === header.head.n ? header.settledN : 0;
  await store.restore({ batches, end: () => ({ settledN, meta: header.meta }) });
  return { database, store };
}
