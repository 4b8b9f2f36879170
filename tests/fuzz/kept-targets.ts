/**
 * What was written earlier and is read again: journals put away with their rows, recordings of several files. What is
 * damaged is a clear error and nothing half-taken: no row of a wrong type, no number that is none, nothing in the store.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { RestoredRows } from '../../src/app/store/restored-rows.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import type { JournalRow, RowDraft } from '../../src/journal/journal.ts';
import { type ArchiveHeader, openArchive } from '../../src/journal/journal-archive.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { EMPTY_HEAD, rowHash, sealRows } from '../../src/journal/row-hash.ts';
import { indexRecording } from '../../src/market/recorded/recording-index.ts';
import { loadSymbol, type SymbolRecording } from '../../src/market/recorded/symbol-recording.ts';
import { drafts } from '../support/journal-rows.ts';
import { isTyped, number, value } from './arbitraries.ts';
import type { FuzzTarget } from './fuzz-target.ts';

const ROWS = sealRows(EMPTY_HEAD, 1, [...drafts('position/BTCUSDT/1', 3), ...drafts('portfolio', 2)]);

/** An archive of these rows, its chain closed anew over whatever they hold. */
function archived(rows: readonly object[], more: object): Buffer {
  let previous = EMPTY_HEAD.hash;
  const sealed = rows.map((row) => {
    const hash = hashOr(previous, row as JournalRow);
    previous = hash;
    return { ...row, hash };
  });
  const header = {
    ...{ format: 'bulkhead-journal', version: 1, bulkhead: '0.1.0', account: 'main', createdAt: 1 },
    ...{ head: { n: rows.length, hash: previous }, settledN: rows.length, meta: { instance: 'i' } },
    configVersions: [],
    ...more,
  };
  const lines = [header, ...sealed, { end: true, rows: rows.length, hash: previous }];
  return Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** What has no hash stands under any: it is refused for that. */
function hashOr(previous: string, row: JournalRow): string {
  try {
    return rowHash(previous, row.n, row.epoch, row);
  } catch {
    return previous;
  }
}

const NAMES = Object.keys(ROWS[0] ?? {}).filter((name) => name !== 'hash');
const odd = fc.oneof(
  value,
  number,
  fc.constantFrom('{', 'null', '[null]', '{"kind":"intent","n":"x"}', [], {}),
);
const spoiltRows = fc
  .array(fc.tuple(fc.nat(ROWS.length - 1), fc.constantFrom(...NAMES), odd), { maxLength: 3 })
  .chain((changes) =>
    fc
      .option(
        fc.tuple(fc.constantFrom('head', 'meta', 'settledN', 'configVersions', 'createdAt', 'account'), odd),
        {
          nil: undefined,
          freq: 4,
        },
      )
      .map((inHeader) => {
        const rows = ROWS.map((row): object => ({ ...row }));
        for (const [at, name, what] of changes) rows[at] = { ...rows[at], [name]: what };
        return archived(rows, inHeader ? { [inHeader[0]]: inHeader[1] } : {});
      }),
  );

const TEXTS: readonly (keyof RowDraft)[] = ['actor', 'kind', 'machine', 'event', 'cause', 'intents', 'host'];

function checkRow(row: JournalRow): void {
  for (const name of TEXTS)
    if (typeof row[name] !== 'string')
      throw new Error(`row ${row.n}: ${name} is ${JSON.stringify(row[name])}`);
  for (const name of ['n', 'epoch', 'seq', 'at'] as const)
    if (!Number.isSafeInteger(row[name]))
      throw new Error(`row ${row.n}: ${name} is ${JSON.stringify(row[name])}`);
  for (const name of ['snapshot', 'note'] as const)
    if (row[name] !== null && typeof row[name] !== 'string')
      throw new Error(`row ${row.n}: ${name} is no text`);
  if (typeof row.final !== 'boolean') throw new Error(`row ${row.n}: final is ${JSON.stringify(row.final)}`);
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 997) yield bytes.subarray(from, from + 997);
}

/** As `bulkhead restore` does it, into a store that is empty. */
async function restored(
  bytes: Buffer,
): Promise<{ readonly rows: readonly JournalRow[]; readonly header: ArchiveHeader }> {
  const database = new MemoryDatabase();
  const store = new MemoryJournal({ account: 'main', clock: new VirtualTime(0), database });
  await store.open();
  try {
    const { header, start, batches } = await openArchive(pieces(bytes));
    const rows = new RestoredRows();
    const { meta, configVersions = [] } = header;
    await store.restore({
      ...(start ? { start } : {}),
      batches: rows.upTo(batches, undefined),
      end: () => ({ settledN: rows.settledN, meta, configVersions }),
    });
    return { rows: await store.rowsAfter(0, 1_000), header };
  } catch (error) {
    if ((await store.rowsAfter(0, 1)).length > 0)
      throw new Error('it failed, and rows are there', { cause: error });
    throw error;
  }
}

const FOLDER = mkdtempSync(path.join(tmpdir(), 'bulkhead-fuzz-kept-'));
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

const MINUTE = 60_000;
const FIRST = 1_735_689_600_000;
const FILES: Readonly<Record<string, readonly [header: string, columns: number]>> = {
  'BTCUSDT_1m.csv': ['ts_ms,open,high,low,close,volume', 6],
  'BTCUSDT_mark_1m.csv': ['ts_ms,open,high,low,close', 5],
  'BTCUSDT_funding.csv': ['ts_ms,rate', 2],
};

/** A quarter of an hour of bars, marks and a rate, in which some cells are others. */
const recording = fc
  .array(
    fc.tuple(
      fc.constantFrom(...Object.keys(FILES)),
      fc.nat(14),
      fc.nat(5),
      fc.oneof(number, fc.constantFrom('1e400', '-1e400', '-5', '1e-400')),
    ),
    {
      maxLength: 6,
    },
  )
  .map((changes) =>
    Object.entries(FILES).map(([name, [header, columns]]) => {
      const rows = Array.from({ length: 15 }, (_, i) => {
        const cells = [
          String(FIRST + i * MINUTE),
          ...['100', '101', '99', '100.5', '12'].slice(0, columns - 1),
        ];
        for (const [file, row, cell, what] of changes)
          if (file === name && row === i && cell < columns) cells[cell] = what;
        return cells.join(',');
      });
      return `== ${name}\n${header}\n${rows.join('\n')}\n`;
    }),
  )
  .map((files) => Buffer.from(files.join('')));

function loaded(bytes: Buffer): SymbolRecording {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  for (const part of bytes.toString('latin1').split(/^== /m)) {
    const end = part.indexOf('\n');
    const name = part.slice(0, end);
    if (Object.hasOwn(FILES, name)) writeFileSync(path.join(FOLDER, name), part.slice(end + 1), 'latin1');
  }
  return loadSymbol(indexRecording(FOLDER), 'BTCUSDT', '1m', { from: -Infinity, to: Infinity });
}

function checkRecording({ bars, closeAt, marks, fundingAt, fundingRate }: SymbolRecording): void {
  const { open, high, low, close, volume } = bars;
  const all = (numbers: Float64Array, isSo: (one: number) => boolean): boolean =>
    numbers.every((one) => isSo(one));
  const isPrice = (one: number): boolean => one > 0 && Number.isFinite(one);
  if (![open, high, low, close].every((prices) => all(prices, isPrice)))
    throw new Error('a bar without its prices');
  if (!all(volume, (one) => one >= 0 && Number.isFinite(one))) throw new Error('a bar without its volume');
  for (const times of [closeAt, fundingAt])
    if (!times.every((time, i) => Number.isSafeInteger(time) && !(time <= (times[i - 1] ?? 0))))
      throw new Error('times that do not go on');
  for (const prices of marks ? [marks.high, marks.low, marks.close] : [])
    if (prices.length !== bars.length || !all(prices, (one) => Number.isNaN(one) || isPrice(one)))
      throw new Error(`marks that are none: ${prices.join(' ')}`);
  if (!all(fundingRate, Number.isFinite)) throw new Error(`a funding rate of ${fundingRate.join(' ')}`);
}

export const KEPT_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'backup-rows',
    structure: spoiltRows,
    eat: restored,
    mayThrow: isTyped,
    check: (result) => {
      const { rows, header } = result as Awaited<ReturnType<typeof restored>>;
      for (const row of rows) checkRow(row);
      if (rows.length !== header.head.n) throw new Error(`${rows.length} rows of ${header.head.n}`);
      if (!Object.values(header.meta).every((text) => typeof text === 'string'))
        throw new Error('meta that is no text');
    },
  },
  {
    name: 'recordings',
    structure: recording,
    eat: loaded,
    mayThrow: isTyped,
    check: (result) => checkRecording(result as SymbolRecording),
  },
];
