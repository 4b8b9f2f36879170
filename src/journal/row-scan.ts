/** Rows of a bounded stretch that match, of those in memory: the database's own search, for the store without one. */
import type { JournalRow, Pause, PauseQuery, RowQuery, ScannedRow } from './journal.ts';

export function scanned(rows: readonly JournalRow[], query: RowQuery): ScannedRow[] {
  const stretch = rows.slice(query.afterN, query.uptoN).filter((row) => matches(row, query));
  const ordered = query.newestFirst ? stretch.toReversed() : stretch;
  return ordered.slice(0, query.limit).map(({ snapshot: _, host: __, ...row }) => row);
}

function matches({ actor, event, intents }: JournalRow, query: RowQuery): boolean {
  if (query.actor !== undefined && actor !== query.actor) return false;
  if (query.type !== undefined && (JSON.parse(event) as { type?: unknown }).type !== query.type) return false;
  return query.text === undefined || event.includes(query.text) || intents.includes(query.text);
}

/** `rows` are the actor's, the first one's seq 1. */
export function pausesIn(
  rows: readonly JournalRow[],
  { afterSeq, uptoSeq, longerThanMs }: PauseQuery,
): Pause[] {
  return rows.slice(Math.max(1, afterSeq), uptoSeq).flatMap(({ seq, at, epoch }) => {
    const before = rows[seq - 2];
    if (!before || (epoch === before.epoch && at - before.at <= longerThanMs)) return [];
    return [{ seq, at, epoch, beforeAt: before.at, beforeEpoch: before.epoch }];
  });
}
