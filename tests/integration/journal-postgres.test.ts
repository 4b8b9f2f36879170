import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { postgresStore } from '../../src/journal/postgres-journal.ts';
import { journalConformance } from '../support/journal-conformance.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

const server: PostgresServer | string = await startPostgres();

if (typeof server === 'string') {
  test('journal store: postgres', { skip: server });
} else {
  let url = '';
  before(async () => {
    url = await server.createDatabase();
  });
  after(() => server.stop());
  journalConformance('postgres', () => ({
    store: (account) => postgresStore({ url, account, allowNonDurable: true }),
    // The store's clock is the server's.
    passTime: (ms) => delay(ms),
  }));
}
