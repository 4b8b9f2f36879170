/** Those of a stretch's rows that match, in memory: the database's own search, for the store without one. */
import type { JournalRow, Pause, PauseQuery, RowQuery, ScannedRow } from './journal.ts';

export function scanned(rows: readonly JournalRow[], query: RowQuery): ScannedRow[] {
  const stretch = rows.filter((row) => matches(row, query));
  const ordered = query.newestFirst ? stretch.toReversed() : stretch;
  return ordered.slice(0, query.limit).map(({ snapshot: _, host: __, ...row }) => row);
}

function matches({ actor, event, intents }: JournalRow, query: RowQuery): boolean {
  if (query.actor !== undefined && actor !== query.actor) return false;
  if (query.type !== undefined && (JSON.parse(event) as { type?: unknown }).type !== query.type) return false;
  return query.text === undefined || event.includes(query.text) || intents.includes(query.text);
}

/** `rows` are the actor's, ascending. */
export function pausesIn(
  rows: readonly JournalRow[],
  { afterSeq, uptoSeq, longerThanMs }: PauseQuery,
): Pause[] {
  return rows.flatMap(({ seq, at, epoch }, i) => {
    const before = rows[i - 1];
    if (!before || seq <= afterSeq || seq > uptoSeq) return [];
    if (epoch === before.epoch && at - before.at <= longerThanMs) return [];
    return [{ seq, at, epoch, beforeAt: before.at, beforeEpoch: before.epoch }];
  });
}
