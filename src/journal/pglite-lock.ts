/**
 * One process per data folder. Two engines on one folder destroy each other's rows without a word.
 *
 * Invariant: the lock is SQLite's exclusive file lock, which the kernel gives up with the process however it
 * dies; a leftover file therefore never blocks a start.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { BulkheadError, errorText } from '../core/errors.ts';

export interface FolderLock {
  release(): void;
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

export function lockFolder(dir: string): FolderLock {
  const file = `${dir}.lock`;
  const note = `${dir}.pid`;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec('begin exclusive');
  } catch (error) {
    database?.close();
    if (!isBusy(error)) {
      throw new BulkheadError('CANNOT_WRITE', `The lock file ${file} cannot be used: ${errorText(error)}.`, {
        hint: 'Check that the folder can be written, or name another one with --data-dir.',
        cause: error,
      });
    }
    throw new BulkheadError('STORE_LOCKED', `The data folder ${dir} is in use by process ${holder(note)}.`, {
      hint: 'Stop that process, or name another folder with --data-dir.',
    });
  }
  const held = database;
  writeFileSync(note, `${process.pid}\n`);
  return { release: () => held.close() };
}

function holder(note: string): string {
  try {
    return readFileSync(note, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
