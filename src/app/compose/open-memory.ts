/** A journal in this process's memory: for runs whose result is wanted, and not their journal. */
import type { Time } from '../../core/clock.ts';
import type { JournalStore, Lease } from '../../journal/journal.ts';
import { MemoryJournal } from '../../journal/memory-journal.ts';

/** Longer than any such run. */
const LEASE_MS = 365 * 86_400_000;

export async function openMemory(
  account: string,
  time: Time,
): Promise<{ readonly store: JournalStore; readonly lease: Lease }> {
  const store = new MemoryJournal({ account, clock: time.clock });
  await store.open();
  return { store, lease: await store.acquireLease(account, LEASE_MS) };
}
