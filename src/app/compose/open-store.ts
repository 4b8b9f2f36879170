/** Which store the configuration means. Part of the composition root: it names the adapters. */
import { join, resolve } from 'node:path';
import { BulkheadError } from '../../core/errors.ts';
import type { JournalStore } from '../../journal/journal.ts';
import { isPgliteFolder } from '../../journal/pglite-folder.ts';
import type { CommandOptions, CreateStore } from '../cli/io.ts';
import type { Run } from '../run/run-session.ts';

export const createStore: CreateStore = async (options, io, how) => {
  const { config } = options;
  if (config.store.engine === 'postgres') {
    const { passwordOf, postgresStore } = await import('../../journal/postgres-journal.ts');
    const url = databaseUrl(options);
    // Of a run's secrets, those in force.
    const password = (): string => passwordOf(options.secrets.databaseUrl ?? url);
    return postgresStore({
      ...{ url, account: config.account, migrations: how === 'apply' ? 'apply' : 'require' },
      ...(options.secretSource ? { password } : {}),
    });
  }
  const dataDir = resolve(io.cwd, config.data.dir);
  const dir = join(dataDir, 'journal');
  if (how === 'existing' && !isPgliteFolder(dir)) throw noRun(dataDir);
  const { pgliteStore } = await import('../../journal/pglite-journal.ts');
  const store: JournalStore = pgliteStore({ dir, account: config.account });
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

export const noRun = (dataDir: string): BulkheadError =>
  new BulkheadError('NOT_FOUND', `There is no run in ${dataDir} yet.`, {
    hint: 'Start one with "bulkhead run", or name another folder with --data-dir.',
  });
