/** What a checker is given, and how it says that something must not be. */
import type { CoreEntry } from '../../../venue-server/core-types.ts';
import type { SimProcess } from '../process.ts';
import type { JournalIndex } from './journal-index.ts';
import type { VenueEye } from './venue-eye.ts';

/** Of the list in docs/RELIABILITY.md. */
export type Invariant = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14;

export interface Violation {
  readonly invariant: Invariant;
  readonly at: number;
  readonly text: string;
}

export interface Oracle {
  readonly now: () => number;
  readonly journal: JournalIndex;
  readonly venue: VenueEye;
  /** Who may write, by the store. */
  readonly lease: () => { readonly epoch: number; readonly expiresAt: number } | undefined;
  readonly epochOf: (process: SimProcess) => number | undefined;
  readonly violate: (invariant: Invariant, text: string) => void;
}

export type { CoreEntry };
