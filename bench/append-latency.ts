/** The time from an append to its commit, one row after the other with a pause between: what other work costs appends. */
import type { JournalStore, Lease, RowDraft } from '../src/journal/journal.ts';
import { sealRows } from '../src/journal/row-hash.ts';

const PAUSE_MS = 5;

/** Appends until it is over, and gives the sorted times in ms; each call goes on where the one before stopped. */
export async function appender(
  store: JournalStore,
  lease: Lease,
  settledN: number,
  rowOf: (seq: number) => RowDraft,
): Promise<(isOver: () => boolean) => Promise<number[]>> {
  let head = await store.head();
  let seq = 0;
  return async (isOver) => {
    const took: number[] = [];
    while (!isOver()) {
      seq += 1;
      const rows = sealRows(head, lease.epoch, [rowOf(seq)]);
      const began = performance.now();
      await store.append(lease, rows, settledN);
      took.push(performance.now() - began);
      head = rows.at(-1) ?? head;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return took.sort((a, b) => a - b);
  };
}

const share = (sorted: readonly number[], of: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * of))] ?? 0) * 100) / 100;

export const figures = (took: readonly number[]) => ({
  appends: took.length,
  p50Ms: share(took, 0.5),
  p99Ms: share(took, 0.99),
  maxMs: share(took, 1),
});
