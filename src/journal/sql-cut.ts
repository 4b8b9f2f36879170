/**
 * The beginning of a journal in SQL: its anchor, and the cut, which is one statement and hence one transaction.
 *
 * Invariants: nothing is removed unless the anchor still is the one that the cut was planned from and everything up to
 * the new one is settled; the anchor's row is the lock between two who cut. The lease's row is only read, so an
 * append never waits for a cut.
 */
import type { Pool, PoolClient } from 'pg';
import type { CarriedRow, Cut, JournalAnchor } from './cut-types.ts';
import type { JournalRow, JournalStart } from './journal.ts';
import { ORIGIN } from './journal-cut.ts';
import { bigintArray, boolArray, textArray } from './pg-arrays.ts';

const COLUMNS =
  'account, n, epoch, actor, seq, at, kind, machine, event, cause, snapshot, intents, host, note, final, hash';

const CUT = `
with moved as (
  insert into bulkhead.anchors (account, n, anchor)
  select account, $3, $4::json from bulkhead.leases where account = $1 and settled_n > $3
  on conflict (account) do update set n = excluded.n, anchor = excluded.anchor where anchors.n = $2
  returning account
), copied as (
  insert into bulkhead.kept (${COLUMNS})
  select j.account, j.n, j.epoch, j.actor, j.seq, j.at, j.kind, j.machine, coalesce(k.event::json, j.event), j.cause,
    case when k.whole then j.snapshot end, j.intents, '{}'::json, j.note, j.final, j.hash
  from moved, unnest($5::bigint[], $6::boolean[], $7::text[]) as k(n, whole, event), bulkhead.journal j
  where j.account = $1 and j.n = k.n
  on conflict do nothing
), carried as (
  insert into bulkhead.carried (account, n, actor, hash, previous_hash)
  select moved.account, c.n, c.actor, c.hash, c.previous
  from moved, unnest($8::bigint[], $9::text[], $10::text[], $11::text[]) as c(n, actor, hash, previous)
), freed as (
  delete from bulkhead.carried using moved
  where carried.account = moved.account and carried.n = any($12::bigint[])
), dropped as (
  delete from bulkhead.journal using moved
  where journal.account = moved.account and journal.n = any($12::bigint[])
), removed as (
  delete from bulkhead.journal using moved
  where journal.account = moved.account and journal.n > $2 and journal.n <= $3 and journal.n <> all($8::bigint[])
)
select count(*)::int as held from moved`;

/** False: the anchor had moved, or not all is settled; then nothing was changed. */
export async function cutRows(pool: Pool, account: string, cut: Cut): Promise<boolean> {
  const { from, to, carry, drop, keep } = cut;
  const result = await pool.query<{ held: number }>({
    name: 'bulkhead-cut',
    text: CUT,
    values: [
      account,
      from.n,
      to.n,
      JSON.stringify(to),
      bigintArray(keep.map(({ n }) => n)),
      boolArray(keep.map(({ withSnapshot }) => withSnapshot)),
      textArray(keep.map(({ event }) => event)),
      ...carriedArrays(carry),
      bigintArray(drop),
    ],
  });
  return result.rows[0]?.held === 1;
}

const carriedArrays = (carried: readonly CarriedRow[]): Buffer[] => [
  bigintArray(carried.map(({ n }) => n)),
  textArray(carried.map(({ actor }) => actor)),
  textArray(carried.map(({ hash }) => hash)),
  textArray(carried.map(({ previousHash }) => previousHash)),
];

export async function readAnchor(pool: Pool, account: string): Promise<JournalAnchor> {
  const { rows } = await pool.query<{ anchor: JournalAnchor }>(
    'select anchor from bulkhead.anchors where account = $1',
    [account],
  );
  return rows[0]?.anchor ?? ORIGIN;
}

export async function readCarried(pool: Pool, account: string): Promise<CarriedRow[]> {
  const { rows } = await pool.query<Omit<CarriedRow, 'n'> & { n: string }>(
    'select n, actor, hash, previous_hash as "previousHash" from bulkhead.carried where account = $1 order by n',
    [account],
  );
  return rows.map(({ n, ...row }) => ({ n: Number(n), ...row }));
}

/** Of each of those rows the hash that its own covers. */
export async function hashesBefore(
  pool: Pool,
  account: string,
  ns: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const anchor = await readAnchor(pool, account);
  const { rows } = await pool.query<{ n: string; hash: string | null }>({
    name: 'bulkhead-hashes-before',
    text: `
      select w.n, coalesce(c.previous_hash, j.hash) as hash from unnest($2::bigint[]) as w(n)
      left join bulkhead.carried c on c.account = $1 and c.n = w.n
      left join bulkhead.journal j on j.account = $1 and j.n = w.n - 1`,
    values: [account, bigintArray(ns)],
  });
  const found = new Map<number, string>();
  for (const { n, hash } of rows) {
    const before = Number(n) === anchor.n + 1 ? anchor.hash : hash;
    if (before !== null) found.set(Number(n), before);
  }
  return found;
}

type InsertRows = (
  client: PoolClient,
  rows: readonly JournalRow[],
  into: 'journal' | 'kept',
) => Promise<void>;

/** Within the transaction of a restore. */
export async function restoreStart(
  client: PoolClient,
  account: string,
  start: JournalStart,
  insert: InsertRows,
): Promise<void> {
  const { anchor, carried, rows, kept } = start;
  await client.query('insert into bulkhead.anchors (account, n, anchor) values ($1, $2, $3)', [
    account,
    anchor.n,
    JSON.stringify(anchor),
  ]);
  await client.query(
    'insert into bulkhead.carried select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::text[])',
    [account, ...carriedArrays(carried)],
  );
  await insert(client, rows, 'journal');
  for (let at = 0; at < kept.length; at += PAGE_ROWS)
    await insert(client, kept.slice(at, at + PAGE_ROWS), 'kept');
}

const PAGE_ROWS = 1_000;
