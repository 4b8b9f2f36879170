/**
 * A journal that is only looked at: nothing is made where there is none, and where a run has it open nobody is told to
 * stop that run.
 */
import { resolve } from 'node:path';
import { BulkheadError, isBulkheadError } from '../../core/errors.ts';
import type { JournalStore } from '../../journal/journal.ts';
import type { CommandOptions, CreateStore, Io } from '../cli/io.ts';
import { readStatus } from '../status/status-file.ts';

export async function look<T>(
  options: CommandOptions,
  io: Io,
  createStore: CreateStore,
  at: (store: JournalStore) => Promise<T>,
): Promise<T> {
  const store = await createStore(options, io, 'existing');
  try {
    await openToLook(store, options, io);
    return await at(store);
  } finally {
    await store.close();
  }
}

export async function openToLook(store: JournalStore, { config }: CommandOptions, io: Io): Promise<void> {
  try {
    await store.open();
  } catch (error) {
    if (!isBulkheadError(error, 'STORE_LOCKED')) throw error;
    throw new BulkheadError('STORE_LOCKED', error.message, {
      hint: `Leave it running: ${pageOf(resolve(io.cwd, config.data.dir))} tells the same. The embedded journal has one reader, the run; once that has stopped, this command reads it, and one on PostgreSQL at any time.`,
      cause: error,
    });
  }
}

function pageOf(dataDir: string): string {
  try {
    return `its page (${readStatus(dataDir).http?.url ?? 'and /api'})`;
  } catch {
    return 'its page';
  }
}
