/** `bulkhead export`: reads the journal page by page and writes records; a file appears whole or not at all. */
import { once } from 'node:events';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { BulkheadError, errorText } from '../../core/errors.ts';
import type { JournalRow } from '../../journal/journal.ts';
import { allRows } from '../../journal/journal-beginning.ts';
import type { CreateStore, ExportOptions, Io, Output } from '../cli/io.ts';
import { headerLine, recordLine } from './export-format.ts';
import { COLUMNS, exportRecords } from './export-records.ts';
import { look } from './look.ts';

const CHUNK_CHARS = 64 * 1024;

export async function exportCommand(
  options: ExportOptions,
  io: Io,
  createStore: CreateStore,
): Promise<number> {
  await look(options, io, createStore, async (store) => {
    const lines = exportLines(options, allRows(store));
    if (options.out === undefined) await toStream(io.stdout, lines);
    else await toFile(resolve(io.cwd, options.out), lines);
  });
  return 0;
}

export async function* exportLines(
  { what, format }: Pick<ExportOptions, 'what' | 'format'>,
  rows: AsyncIterable<JournalRow>,
): AsyncGenerator<string> {
  const columns = COLUMNS[what];
  let chunk = headerLine(format, columns);
  for await (const record of exportRecords(what, rows)) {
    chunk += recordLine(format, columns, record);
    if (chunk.length < CHUNK_CHARS) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}

async function toStream(output: Output, chunks: AsyncIterable<string>): Promise<void> {
  for await (const chunk of chunks) {
    // A slow reader must not make the whole journal pile up in memory.
    if (output.write(chunk) === false) await drained(output);
  }
}

async function drained(output: Output): Promise<void> {
  if ('on' in output) await once(output as unknown as NodeJS.EventEmitter, 'drain');
}

async function toFile(path: string, chunks: AsyncIterable<string>): Promise<void> {
  const partial = `${path}.partial`;
  const file = writing(path, () => openSync(partial, 'w'));
  try {
    for await (const chunk of chunks) writing(path, () => writeSync(file, chunk));
    writing(path, () => renameSync(partial, path));
  } finally {
    closeSync(file);
    rmSync(partial, { force: true });
  }
}

function writing<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `${path} cannot be written: ${errorText(error)}`, {
      hint: 'Choose a folder that exists, that you may write to, and whose disk is not full.',
      cause: error,
    });
  }
}
