/** Which store the configuration means. Part of the composition root: it names the adapters. */
import { join, resolve } from 'node:path';
import { BulkheadError } from '../core/errors.ts';
import type { JournalStore } from '../journal/journal.ts';
import type { CommandOptions, CreateStore } from './io.ts';

export const createStore: CreateStore = async (options, io, migrations) => {
  const { config } = options;
  if (config.store.engine === 'postgres') {
    const { postgresStore } = await import('../journal/postgres-journal.ts');
    return postgresStore({ url: databaseUrl(options), account: config.account, migrations });
  }
  const { pgliteStore } = await import('../journal/pglite-journal.ts');
  const store: JournalStore = pgliteStore({
    dir: join(resolve(io.cwd, config.data.dir), 'journal'),
    account: config.account,
  });
  return store;
};

function databaseUrl({ secrets }: CommandOptions): string {
  if (secrets.databaseUrl !== undefined) return secrets.databaseUrl;
  throw new BulkheadError('CONFIG_INVALID', 'store.engine is postgres, but there is no database URL.', {
    hint: 'Set DATABASE_URL (or DATABASE_URL_FILE), e.g. postgres://user:password@localhost:5432/bulkhead',
  });
}
