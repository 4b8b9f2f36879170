/** What must not be, and was. */
/** Of the list in docs/RELIABILITY.md. */
export type Invariant = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;

export interface Violation {
  readonly invariant: Invariant;
  readonly at: number;
  readonly text: string;
}
