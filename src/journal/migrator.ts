/**
 * Numbered, append-only SQL migrations.
 *
 * Invariants: a migration's text never changes once applied (its sha256 is kept with its name); they are
 * applied in order, all pending ones in one transaction; two starters take turns; a database that knows more
 * migrations than this code is refused.
 */
import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Pool, PoolClient } from 'pg';
import { BulkheadError } from '../core/errors.ts';
import { guarded } from './sql-errors.ts';

const FOLDER = new URL('../../migrations/', import.meta.url);
const FILE_NAME = /^\d{4}-[a-z0-9-]+\.sql$/;
/** Any fixed number: the advisory lock that migrators of one database share. */
const LOCK_KEY = 724_551_003;

export interface Migration {
  readonly name: string;
  readonly sha256: string;
  readonly sql: string;
}

export async function readMigrations(folder: URL = FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => FILE_NAME.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), 'utf8');
      // Line endings may differ between checkouts.
      return { name, sha256: hash('sha256', sql.replaceAll('\r\n', '\n'), 'hex'), sql };
    }),
  );
}

interface Applied {
  readonly name: string;
  readonly sha256: string;
}

async function readApplied(client: Pool | PoolClient): Promise<Applied[]> {
  const table = await client.query<{ found: boolean }>(
    "select to_regclass('bulkhead.migrations') is not null as found",
  );
  if (!table.rows[0]?.found) return [];
  return (await client.query<Applied>('select name, sha256 from bulkhead.migrations order by name')).rows;
}

/** What is left to apply; MIGRATION_MISMATCH when the history in the database is not a prefix of ours. */
function compare(known: readonly Migration[], applied: readonly Applied[]): Migration[] {
  for (const [index, done] of applied.entries()) {
    const ours = known.find((migration) => migration.name === done.name);
    if (!ours) {
      throw new BulkheadError(
        'MIGRATION_MISMATCH',
        `The database has migration ${done.name}, which this version of Bulkhead does not know.`,
        { hint: 'Run the newer version of Bulkhead that migrated this database.' },
      );
    }
    if (ours.sha256 !== done.sha256) {
      throw new BulkheadError(
        'MIGRATION_MISMATCH',
        `Migration ${done.name} was changed after it was applied.`,
        {
          hint: 'Restore the file as it was released; changes to the schema go into a new migration.',
        },
      );
    }
    if (known[index]?.name !== done.name) {
      throw new BulkheadError('MIGRATION_MISMATCH', `Migration ${known[index]?.name} was skipped.`, {
        hint: 'Migrations are append-only: number the new one after the last one applied.',
      });
    }
  }
  return known.slice(applied.length);
}

/** The names of migrations not applied yet. */
export async function pendingMigrations(pool: Pool, folder: URL = FOLDER): Promise<string[]> {
  const known = await readMigrations(folder);
  const applied = await guarded(() => readApplied(pool));
  return compare(known, applied).map((migration) => migration.name);
}

/** Applies what is pending and returns its names. */
export async function migrate(pool: Pool, folder: URL = FOLDER): Promise<string[]> {
  const known = await readMigrations(folder);
  return guarded(async () => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('select pg_advisory_xact_lock($1)', [LOCK_KEY]);
      const pending = compare(known, await readApplied(client));
      if (pending.length > 0) await apply(client, pending);
      await client.query('commit');
      client.release();
      return pending.map((migration) => migration.name);
    } catch (error) {
      // The connection goes, and its transaction with it.
      client.release(true);
      throw error;
    }
  });
}

async function apply(client: PoolClient, pending: readonly Migration[]): Promise<void> {
  await client.query(`
    create schema if not exists bulkhead;
    create table if not exists bulkhead.migrations (
      name text primary key, sha256 text not null, applied_at timestamptz not null default clock_timestamp()
    )`);
  for (const migration of pending) {
    await client.query(migration.sql);
    await client.query('insert into bulkhead.migrations (name, sha256) values ($1, $2)', [
      migration.name,
      migration.sha256,
    ]);
  }
}
