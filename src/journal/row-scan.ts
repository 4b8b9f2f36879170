/** Rows of a bounded stretch that match, of those in memory: the database's own search, for the store without one. */
import type { JournalRow, RowQuery, ScannedRow } from './journal.ts';

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
