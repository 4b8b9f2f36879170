import assert from 'node:assert/strict';
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type pg from 'pg';
import { migrate, pendingMigrations, readMigrations } from '../../src/journal/migrator.ts';
import { postgresPool, postgresStore } from '../../src/journal/postgres-journal.ts';
import { startPostgres } from '../support/postgres.ts';
import { tempDir } from '../support/temp.ts';

const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url));
const server = await startPostgres();

if (typeof server === 'string') {
  test('migrations', { skip: server });
} else {
  after(() => server.stop());

  /** A fresh database and a copy of the migrations that a test may change. */
  const setup = async (t: { after(fn: () => void): void }) => {
    const dir = tempDir(t, 'migrations');
    cpSync(MIGRATIONS, dir, { recursive: true });
    const url = await server.createDatabase();
    const pool: pg.Pool = postgresPool(url);
    t.after(() => pool.end());
    const add = (name: string, sql: string) => writeFileSync(path.join(dir, name), sql);
    return { url, pool, add, dir, folder: pathToFileURL(`${dir}${path.sep}`) };
  };

  test('pending ones are applied once, in order, and then none is pending', async (t) => {
    const { pool, folder, add } = await setup(t);
    add('9001-more.sql', 'create table bulkhead.more (id int)');
    add('9002-yet-more.sql', 'alter table bulkhead.more add column name text');
    const names = (await readMigrations(folder)).map((migration) => migration.name);
    assert.deepEqual(await pendingMigrations(pool, folder), names);
    assert.deepEqual(await migrate(pool, folder), names);
    assert.deepEqual(await migrate(pool, folder), []);
    assert.deepEqual(await pendingMigrations(pool, folder), []);
  });

  test('a failing one leaves the database as it was', async (t) => {
    const { pool, folder, add } = await setup(t);
    add('9001-good.sql', 'create table bulkhead.good (id int)');
    add('9002-bad.sql', 'create table bulkhead.good (id int)');
    await assert.rejects(migrate(pool, folder), { code: 'INTERNAL', message: /already exists/ });
    const left = await pool.query("select to_regclass('bulkhead.good') as found");
    assert.equal(left.rows[0]?.found, null);
  });

  test('a changed one is refused by name', async (t) => {
    const { pool, folder, add } = await setup(t);
    const [first = ''] = readdirSync(MIGRATIONS).sort();
    await migrate(pool, folder);
    add(first, '-- a harmless comment');
    const refusal = { code: 'MIGRATION_MISMATCH', message: new RegExp(`${first} was changed`) };
    await assert.rejects(migrate(pool, folder), refusal);
    await assert.rejects(pendingMigrations(pool, folder), refusal);
  });

  test('a database newer than the code is refused', async (t) => {
    const { url, pool, folder, add } = await setup(t);
    add('9001-future.sql', 'select 1');
    await migrate(pool, folder);
    const store = postgresStore({ url, account: 'a', allowNonDurable: true });
    await assert.rejects(store.open(), { code: 'MIGRATION_MISMATCH', message: /9001-future\.sql/ });
    await store.close();
  });

  test('one slipped in before an applied one is refused', async (t) => {
    const { pool, folder, add } = await setup(t);
    await migrate(pool, folder);
    add('0000-late.sql', 'select 1');
    await assert.rejects(migrate(pool, folder), {
      code: 'MIGRATION_MISMATCH',
      message: /0000-late\.sql was skipped/,
    });
  });

  test('two starters at once: one applies, the other finds it done', async (t) => {
    const { url, pool, folder } = await setup(t);
    const second = postgresPool(url);
    t.after(() => second.end());
    const applied = await Promise.all([migrate(pool, folder), migrate(second, folder)]);
    assert.deepEqual(applied.map((names) => names.length).sort(), [0, (await readMigrations(folder)).length]);
  });

  test('a store told to require them names what is missing and the command', async (t) => {
    const { url } = await setup(t);
    const store = postgresStore({ url, account: 'a', allowNonDurable: true, migrations: 'require' });
    await assert.rejects(store.open(), {
      code: 'MIGRATION_MISMATCH',
      message: /0001-journal\.sql/,
      hint: /bulkhead migrate/,
    });
    await store.close();
  });

  test('a row changed by hand is found at open or by its hash', async (t) => {
    const { url, pool } = await setup(t);
    const store = postgresStore({ url, account: 'a', allowNonDurable: true });
    await store.open();
    await pool.query("update bulkhead.leases set head_n = 7 where account = 'a'");
    await assert.rejects(store.open(), {
      code: 'STORE_CORRUPT',
      message: /ends at row 0, but should end at row 7/,
    });
    await store.close();
  });
}
