/**
 * Which limits were in force when, over a journal: those of the versions of the configuration, each from the row on that
 * was the newest when it was written.
 */
import type { JournalStore } from '../../journal/journal.ts';
import { ConfigHistory, parsedVersion } from '../config/config-history.ts';
import type { RunIdentity } from '../run/run-identity.ts';

type Limits = RunIdentity['limits'];

export interface PastLimits {
  readonly first: Limits;
  /** Ascending; `from` is the runtime's time. */
  readonly later: readonly { readonly from: number; readonly limits: Limits }[];
}

/** Up to row n. A journal from before there were versions has the limits of its newest start. */
export async function pastLimits(
  store: JournalStore,
  { limits }: RunIdentity,
  uptoN: number,
): Promise<PastLimits> {
  const stored = await new ConfigHistory(store).list(Number.MAX_SAFE_INTEGER);
  const { n: anchorN } = await store.anchor();
  let first: Limits | undefined;
  const later: { from: number; limits: Limits }[] = [];
  for (const version of stored.toReversed().filter(({ n }) => n <= uptoN)) {
    const { risk, entry, position, breakers } = parsedVersion(version).config;
    const own = { risk, entry, position, breakers };
    // Of rows that are gone nothing is run anew but the last word on them.
    const [row] = version.n > anchorN ? await store.rowsAfter(version.n - 1, 1) : [];
    if (row && first) later.push({ from: row.at, limits: own });
    else first = own;
  }
  return { first: first ?? limits, later };
}
