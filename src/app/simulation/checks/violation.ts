/** What must not be, and was. */

/** Of the list in docs/RELIABILITY.md, where they are in words. */
export const INVARIANTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] as const;
export type Invariant = (typeof INVARIANTS)[number];

export interface Violation {
  readonly invariant: Invariant;
  readonly at: number;
  readonly text: string;
}
