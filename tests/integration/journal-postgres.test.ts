import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { postgresStore } from '../../src/journal/postgres-journal.ts';
import { journalConformance } from '../support/journal-conformance.ts';
import { startPostgres } from '../support/postgres.ts';

/** The machine's server, and the newer one of the npm package: two major versions where both are there. */
for (const [name, options] of [
  ['postgres', {}],
  ['postgres (packaged)', { packaged: true }],
] as const) {
  const server = await startPostgres(options);
  if (typeof server === 'string') {
    test(`journal store: ${name}`, { skip: server });
    continue;
  }
  let url = '';
  before(async () => {
    url = await server.createDatabase();
  });
  after(() => server.stop());
  journalConformance(name, () => ({
    store: (account) => postgresStore({ url, account, allowNonDurable: true }),
    // The store's clock is the server's.
    passTime: (ms) => delay(ms),
  }));
}
