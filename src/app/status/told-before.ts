/**
 * What the run before this one told last, for as long as this one has not read the journal: a start that waits for its
 * database or venue, or is refused, must not turn open positions into none. `bulkhead kill` goes by them, too.
 *
 * Invariant: the state, the error and the process are always this run's own.
 */
import type { RunFacts } from './run-status.ts';
import { readStatus, type StatusDocument } from './status-file.ts';

/** Undefined: nothing was told here, or of another account. */
export function toldBefore(
  dataDir: string,
  { mode, accountName }: Pick<RunFacts, 'mode' | 'accountName'>,
): StatusDocument | undefined {
  try {
    const before = readStatus(dataDir);
    return before.mode === mode && before.accountName === accountName ? before : undefined;
  } catch {
    // No run has begun here, or it was another version's.
    return undefined;
  }
}

export function asToldBefore(now: StatusDocument, before: StatusDocument): StatusDocument {
  const { account, positions, trades, entries, breakers, tradingState } = before;
  return {
    ...venueToldBefore(now, before),
    ...{ account, positions, trades, breakers, tradingState },
    ...(entries ? { entries } : {}),
    ...(now.market.symbols.length === 0 ? { market: before.market } : {}),
    virtualTime: now.virtualTime ?? before.virtualTime,
    journal: now.journal.n === 0 ? { ...before.journal, rowsPerSecond: 0 } : now.journal,
    toldAt: before.toldAt ?? before.updatedAt,
  };
}

/** A venue that does not answer yet has shown nothing: what stood there that is not ours, and what was unknown, stays. */
export function venueToldBefore(now: StatusDocument, { venue: before }: StatusDocument): StatusDocument {
  if (!before) return now;
  if (now.venue && now.venue.waitingFor === null) return now;
  const { foreign, unknownOrders } = before;
  return { ...now, venue: { ...(now.venue ?? before), foreign, unknownOrders } };
}
