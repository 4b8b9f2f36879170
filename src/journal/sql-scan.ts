/** A bounded stretch of the journal, searched by the database; where rows were removed, what is kept of them. */
import { type Kysely, sql } from 'kysely';
import type { Pause, PauseQuery, RowQuery, ScannedRow } from './journal.ts';
import type { BulkheadSchema } from './sql-schema.ts';

export async function scanRows(
  db: Kysely<BulkheadSchema>,
  account: string,
  anchorN: number,
  query: RowQuery,
): Promise<ScannedRow[]> {
  const found = await scanTable(db, 'journal', account, query);
  if (query.afterN >= anchorN) return found;
  const there = new Set(found.map(({ n }) => n));
  const kept = (await scanTable(db, 'kept', account, query)).filter(({ n }) => !there.has(n));
  const order = query.newestFirst ? -1 : 1;
  return [...found, ...kept].sort((a, b) => order * (a.n - b.n)).slice(0, query.limit);
}

async function scanTable(
  db: Kysely<BulkheadSchema>,
  table: 'journal' | 'kept',
  account: string,
  query: RowQuery,
): Promise<ScannedRow[]> {
  const { afterN, uptoN, actor, type, text, limit, newestFirst } = query;
  let rows = db
    .selectFrom(table)
    .select(['n', 'epoch', 'actor', 'seq', 'at', 'kind', 'machine', 'note', 'final', 'hash'])
    .select([
      sql<string>`event::text`.as('event'),
      sql<string>`cause::text`.as('cause'),
      sql<string>`intents::text`.as('intents'),
    ])
    .where('account', '=', account)
    .where('n', '>', String(afterN))
    .where('n', '<=', String(uptoN));
  if (actor !== undefined) rows = rows.where('actor', '=', actor);
  if (type !== undefined) rows = rows.where(sql<boolean>`event->>'type' = ${type}`);
  if (text !== undefined)
    rows = rows.where(
      sql<boolean>`(position(${text} in event::text) > 0 or position(${text} in intents::text) > 0)`,
    );
  const found = await rows
    .orderBy('n', newestFirst ? 'desc' : 'asc')
    .limit(limit)
    .execute();
  return found.map(({ n, epoch, seq, at, kind, ...rest }) => ({
    ...rest,
    kind: kind as ScannedRow['kind'],
    n: Number(n),
    epoch: Number(epoch),
    seq: Number(seq),
    at: Number(at),
  }));
}

export async function findPauses(
  db: Kysely<BulkheadSchema>,
  account: string,
  { actor, afterSeq, uptoSeq, longerThanMs }: PauseQuery,
): Promise<Pause[]> {
  // The row at `afterSeq` is there to be compared with.
  const stretch = db
    .selectFrom('journal')
    .select(['seq', 'at', 'epoch'])
    .select([
      sql<string | null>`lag(at) over (order by seq)`.as('beforeAt'),
      sql<string | null>`lag(epoch) over (order by seq)`.as('beforeEpoch'),
    ])
    .where('account', '=', account)
    .where('actor', '=', actor)
    .where('seq', '>=', String(afterSeq))
    .where('seq', '<=', String(uptoSeq));
  const found = await db
    .selectFrom(stretch.as('stretch'))
    .selectAll()
    .where(sql<boolean>`"beforeAt" is not null`)
    .where(sql<boolean>`(epoch <> "beforeEpoch" or at - "beforeAt" > ${longerThanMs})`)
    .orderBy('seq')
    .execute();
  return found.map(({ seq, at, epoch, beforeAt, beforeEpoch }) => ({
    seq: Number(seq),
    at: Number(at),
    epoch: Number(epoch),
    beforeAt: Number(beforeAt),
    beforeEpoch: Number(beforeEpoch),
  }));
}
