/** What a checker is given, and how it says that something must not be. */
import type { SimProcess } from '../process.ts';
import type { JournalIndex } from './journal-index.ts';
import type { VenueEye } from './venue-eye.ts';
import type { Invariant } from './violation.ts';

export interface Oracle {
  readonly now: () => number;
  readonly journal: JournalIndex;
  readonly venue: VenueEye;
  /** Who may write, by the store. */
  readonly lease: () => { readonly epoch: number; readonly expiresAt: number } | undefined;
  readonly epochOf: (process: SimProcess) => number | undefined;
  /** What the kill switch has put down of its own orders, in every folder, before they left. */
  readonly killLog: () => string;
  readonly violate: (invariant: Invariant, text: string) => void;
}
