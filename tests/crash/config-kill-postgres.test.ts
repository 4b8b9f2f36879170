/** A real run on PostgreSQL, really killed at every moment of a change of its configuration. */
import { after, test } from 'node:test';
import { survives } from '../support/config-kill.ts';
import { place } from '../support/config-runs.ts';
import { startPostgres } from '../support/postgres.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const dir = makeTempDir('config');
after(() => removeTempDir(dir));

test('killed at every moment of a change, on PostgreSQL', async (t) => {
  const server = await startPostgres({ durable: true });
  if (typeof server === 'string') return t.skip(server);
  t.after(() => server.stop());
  const store = { BULKHEAD_STORE_ENGINE: 'postgres', BULKHEAD_DATABASE_URL: await server.createDatabase() };
  await survives(t, place(dir, 'postgres', store));
});
