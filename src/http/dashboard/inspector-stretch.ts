/** A stretch of an actor's rows, without gaps: which moments it holds, and how it grows. Pure. */
import type { JournalPage } from '../../operator/views.ts';

export type Row = JournalPage['rows'][number];

export interface Stretch {
  readonly rows: readonly Row[];
  /** Of all that the journal has of the actor. */
  readonly oldest: Row;
  /** Its own number of the newest. */
  readonly newest: number;
}

/** Of a stretch that grows while one looks on, so many are kept. */
const MOST_KEPT = 2_000;

export const reachesNewest = ({ rows, newest }: Stretch): boolean => (rows.at(-1)?.seq ?? 0) >= newest;

/** Whether the moment after row n (null: now) lies in it. */
export function holds(stretch: Stretch, n: number | null): boolean {
  const [first, last] = [stretch.rows[0], stretch.rows.at(-1)];
  if (!first || !last) return false;
  if (n === null || n > last.n) return reachesNewest(stretch);
  return n >= first.n || first.seq === stretch.oldest.seq;
}

/** With rows that follow its last, the oldest dropped where there are too many. */
export function grown(stretch: Stretch, more: readonly Row[]): Stretch {
  const last = stretch.rows.at(-1)?.seq ?? 0;
  const rows = [...stretch.rows, ...more.filter(({ seq }) => seq > last)].slice(-MOST_KEPT);
  return { ...stretch, rows, newest: Math.max(stretch.newest, rows.at(-1)?.seq ?? 0) };
}
