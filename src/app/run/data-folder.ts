/**
 * The data folder: one process at a time, and a name of its own.
 *
 * Invariant: whoever holds the folder's lock is the only process with its owner name, so the same folder may
 * take its account's lease back at once after a crash: the previous holder is provably gone.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { freshId } from '../../core/ids.ts';
import { lockFolder } from '../../journal/pglite-lock.ts';

export interface DataFolder {
  readonly path: string;
  /** Names this installation as a lease holder. */
  readonly owner: string;
  release(): void;
}

export function openDataFolder(dir: string, cwd: string): DataFolder {
  const path = resolve(cwd, dir);
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `The data folder ${path} cannot be made: ${errorText(error)}`, {
      hint: 'Give the user who runs Bulkhead write access there, or name another folder with --data-dir.',
      cause: error,
    });
  }
  const lock = lockFolder(join(path, 'run'));
  return { path, owner: ownerOf(join(path, 'owner')), release: () => lock.release() };
}

function ownerOf(file: string): string {
  const known = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  // Empty when the first start was killed in the midst of writing it.
  if (known !== '') return known;
  const owner = freshId('owner');
  writeFileSync(file, `${owner}\n`);
  return owner;
}
