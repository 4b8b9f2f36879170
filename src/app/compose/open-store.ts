/** Which store the configuration means. Part of the composition root: it names the adapters. */
import { join, resolve } from 'node:path';
import { BulkheadError } from '../../core/errors.ts';
import type { JournalStore } from '../../journal/journal.ts';
import type { CommandOptions, CreateStore } from '../cli/io.ts';
import type { Run } from '../run/run-session.ts';

export const createStore: CreateStore = async (options, io, migrations) => {
  const { config } = options;
  if (config.store.engine === 'postgres') {
    const { passwordOf, postgresStore } = await import('../../journal/postgres-journal.ts');
    const url = databaseUrl(options);
    // Of a run's secrets, those in force.
    const password = (): string => passwordOf(options.secrets.databaseUrl ?? url);
    return postgresStore({
      ...{ url, account: config.account, migrations },
      ...(options.secretSource ? { password } : {}),
    });
  }
  const { pgliteStore } = await import('../../journal/pglite-journal.ts');
  const store: JournalStore = pgliteStore({
    dir: join(resolve(io.cwd, config.data.dir), 'journal'),
    account: config.account,
  });
  return store;
};

/** A password that was changed at the server: connections to come use it, those there are go on. */
export function followPassword({ options, secrets }: Pick<Run, 'options' | 'secrets'>): void {
  if (options.config.store.engine !== 'postgres') return;
  secrets.add({
    what: 'the password of the database',
    names: ['databaseUrl'],
    take: async ({ databaseUrl = '' }) => {
      const { insistOnPassword } = await import('../../journal/postgres-journal.ts');
      await insistOnPassword(options.secrets.databaseUrl ?? '', databaseUrl);
    },
  });
}

function databaseUrl({ secrets }: CommandOptions): string {
  if (secrets.databaseUrl !== undefined) return secrets.databaseUrl;
  throw new BulkheadError('CONFIG_INVALID', 'store.engine is postgres, but there is no database URL.', {
    hint: 'Set DATABASE_URL (or DATABASE_URL_FILE), e.g. postgres://user:password@localhost:5432/bulkhead',
  });
}
