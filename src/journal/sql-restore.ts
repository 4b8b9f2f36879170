/**
 * Fills an account's empty journal with rows that another store wrote, in one transaction.
 *
 * Invariants: the account's lease row is locked from first to last, so nobody begins a journal meanwhile; rows keep
 * their epochs and hashes; what the appends would have left beside the rows (head, live actors) is left here, too.
 */
import type { Pool, PoolClient } from 'pg';
import type { JournalRow, RestoredContent } from './journal.ts';
import { bigintArray, boolArray, textArray } from './pg-arrays.ts';
import { EMPTY_HEAD, GENESIS_HASH } from './row-hash.ts';
import { restoreConfigVersions } from './sql-config-versions.ts';
import { restoreStart } from './sql-cut.ts';
import { notEmpty } from './store-errors.ts';

const insertInto = (table: 'journal' | 'kept'): string => `
insert into bulkhead.${table}
  (account, n, epoch, actor, seq, at, kind, machine, event, cause, snapshot, intents, host, note, final, hash)
select $1, r.n, r.epoch, r.actor, r.seq, r.at, r.kind, r.machine, r.event::json,
  r.cause::json, r.snapshot::json, r.intents::json, r.host::json, r.note, r.final, r.hash
from unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::boolean[], $16::text[])
  as r(n, epoch, actor, seq, at, kind, machine, event, cause, snapshot, intents, host, note, final, hash)`;

export async function restoreRows(pool: Pool, account: string, content: RestoredContent): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await lockEmpty(client, account);
    const live = new Set<string>();
    let epoch = 0;
    let head = EMPTY_HEAD;
    const { start } = content;
    if (start) {
      await restoreStart(client, account, start, (by, rows, into) => insert(by, account, rows, into));
      for (const row of start.rows) {
        live.add(row.actor);
        epoch = Math.max(epoch, row.epoch);
      }
    }
    for await (const rows of content.batches) {
      await insert(client, account, rows);
      for (const row of rows) {
        if (row.final) live.delete(row.actor);
        else live.add(row.actor);
        epoch = Math.max(epoch, row.epoch);
        head = row;
      }
    }
    const { settledN, meta, configVersions = [] } = content.end();
    await client.query(
      'update bulkhead.leases set head_n = $2, head_hash = $3, settled_n = $4, epoch = greatest(epoch, $5) where account = $1',
      [account, head.n, head.hash, settledN, epoch],
    );
    const actors = textArray([...live]);
    await client.query('insert into bulkhead.live_actors select $1, unnest($2::text[])', [account, actors]);
    const entries = Object.entries(meta);
    await client.query(
      'insert into bulkhead.meta select $1, * from unnest($2::text[], $3::text[]) on conflict (account, key) do update set value = excluded.value',
      [account, textArray(entries.map(([key]) => key)), textArray(entries.map(([, value]) => value))],
    );
    await restoreConfigVersions(client, account, configVersions);
    await client.query('commit');
    client.release();
  } catch (error) {
    // Closing the connection rolls back, also where the server does not answer any more.
    client.release(true);
    throw error;
  }
}

async function lockEmpty(client: PoolClient, account: string): Promise<void> {
  await client.query(
    'insert into bulkhead.leases (account, head_hash) values ($1, $2) on conflict do nothing',
    [account, GENESIS_HASH],
  );
  const { rows } = await client.query<{ head_n: string }>(
    'select head_n from bulkhead.leases where account = $1 for update',
    [account],
  );
  const n = Number(rows[0]?.head_n ?? 0);
  if (n > 0) throw notEmpty(account, n);
}

async function insert(
  client: PoolClient,
  account: string,
  rows: readonly JournalRow[],
  into: 'journal' | 'kept' = 'journal',
): Promise<void> {
  await client.query({
    name: `bulkhead-restore-${into}`,
    text: insertInto(into),
    values: [
      account,
      bigintArray(rows.map((row) => row.n)),
      bigintArray(rows.map((row) => row.epoch)),
      textArray(rows.map((row) => row.actor)),
      bigintArray(rows.map((row) => row.seq)),
      bigintArray(rows.map((row) => row.at)),
      textArray(rows.map((row) => row.kind)),
      textArray(rows.map((row) => row.machine)),
      textArray(rows.map((row) => row.event)),
      textArray(rows.map((row) => row.cause)),
      textArray(rows.map((row) => row.snapshot)),
      textArray(rows.map((row) => row.intents)),
      textArray(rows.map((row) => row.host)),
      textArray(rows.map((row) => row.note)),
      boolArray(rows.map((row) => row.final)),
      textArray(rows.map((row) => row.hash)),
    ],
  });
}
