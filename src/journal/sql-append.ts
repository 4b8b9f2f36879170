/**
 * The append: one statement, hence one implicit transaction and one flush.
 *
 * Invariants: nothing is inserted unless the lease row carries our owner and epoch and the journal ends just
 * before our first row; the update of that row is the lock that makes two writers take turns; live_actors
 * changes only when an actor starts or ends; an actor whose rows were removed never begins again, for its order
 * ids would come twice (while its rows are there their key refuses it).
 */
import type { Pool } from 'pg';
import { defined } from '../core/assert.ts';
import type { JournalRow, Lease } from './journal.ts';
import { bigintArray, boolArray, textArray } from './pg-arrays.ts';

const appendText = (born: string): string => `
with lease as (
  update bulkhead.leases
  set head_n = $5, head_hash = $6, settled_n = greatest(settled_n, $7)
  where account = $1 and owner = $2 and epoch = $3 and head_n = $4${born}
  returning account
), added as (
  insert into bulkhead.journal
    (account, n, epoch, actor, seq, at, kind, machine, event, cause, snapshot, intents, host, note, final, hash)
  select lease.account, $4 + r.ordinality, $3, r.actor, r.seq, r.at, r.kind, r.machine, r.event::json,
    r.cause::json, r.snapshot::json, r.intents::json, r.host::json, r.note, r.final, r.hash
  from lease, unnest($8::text[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::text[],
    $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::boolean[], $20::text[])
    with ordinality as r(actor, seq, at, kind, machine, event, cause, snapshot, intents, host, note, final, hash)
), started as (
  insert into bulkhead.live_actors (account, actor)
  select lease.account, s.actor from lease, unnest($21::text[]) as s(actor)
  on conflict do nothing
), ended as (
  delete from bulkhead.live_actors l
  using lease, unnest($22::text[]) as e(actor)
  where l.account = lease.account and l.actor = e.actor
)
select count(*)::int as held from lease`;

const APPEND = appendText('');
/** Only where somebody is born is it asked whether the name was another's. */
const APPEND_BORN = appendText(
  '\n    and not exists (select from bulkhead.kept k where k.account = $1 and k.actor = any($23::text[]))',
);

/** Actors that start here and live on, and actors that end here and were live before. */
function lifeChanges(rows: readonly JournalRow[]): { started: string[]; ended: string[] } {
  const started = new Set<string>();
  const ended: string[] = [];
  for (const row of rows) {
    if (row.seq === 1) started.add(row.actor);
    if (row.final && !started.delete(row.actor)) ended.push(row.actor);
  }
  return { started: [...started], ended };
}

/** False when the lease or the head did not match: then nothing was written. */
export async function appendRows(
  pool: Pool,
  lease: Lease,
  rows: readonly JournalRow[],
  settledN: number,
): Promise<boolean> {
  const first = defined(rows[0], 'first row');
  const last = defined(rows.at(-1), 'last row');
  const { started, ended } = lifeChanges(rows);
  const born = rows.filter(({ seq }) => seq === 1).map(({ actor }) => actor);
  const result = await pool.query<{ held: number }>({
    name: born.length === 0 ? 'bulkhead-append' : 'bulkhead-append-born',
    text: born.length === 0 ? APPEND : APPEND_BORN,
    values: [
      lease.account,
      lease.owner,
      lease.epoch,
      first.n - 1,
      last.n,
      last.hash,
      settledN,
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
      textArray(started),
      textArray(ended),
      ...(born.length === 0 ? [] : [textArray(born)]),
    ],
  });
  return result.rows[0]?.held === 1;
}
