/** Rows out of the tables that hold them. */
import { type Kysely, sql } from 'kysely';
import type { JournalRow, RowKind } from './journal.ts';
import type { BulkheadSchema } from './sql-schema.ts';

/** JSON columns as texts: pg would parse them, and the bytes would be lost. */
export function selectRows(db: Kysely<BulkheadSchema>, table: 'journal' | 'kept', account: string) {
  return db
    .selectFrom(table)
    .select(['n', 'epoch', 'actor', 'seq', 'at', 'kind', 'machine', 'note', 'final', 'hash'])
    .select([
      sql<string>`event::text`.as('event'),
      sql<string>`cause::text`.as('cause'),
      sql<string | null>`snapshot::text`.as('snapshot'),
      sql<string>`intents::text`.as('intents'),
      sql<string>`host::text`.as('host'),
    ])
    .where(`${table}.account`, '=', account);
}

type SelectedRow = Omit<JournalRow, 'n' | 'epoch' | 'seq' | 'at' | 'kind'> &
  Record<'n' | 'epoch' | 'seq' | 'at' | 'kind', string>;

/** Fields one by one: the writer's and the reader's row have the same keys and nothing else. */
export function toJournalRow(row: SelectedRow): JournalRow {
  return {
    actor: row.actor,
    seq: Number(row.seq),
    at: Number(row.at),
    kind: row.kind as RowKind,
    machine: row.machine,
    event: row.event,
    cause: row.cause,
    snapshot: row.snapshot,
    intents: row.intents,
    host: row.host,
    note: row.note,
    final: row.final,
    n: Number(row.n),
    epoch: Number(row.epoch),
    hash: row.hash,
  };
}
