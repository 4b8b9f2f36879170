/** What a position keeps of what befell it from outside. */
/** Who took some of it out, when it was none of its orders. */
export type ForcedKind = 'liquidation' | 'adl' | 'settlement' | 'manual';

export interface Happening {
  readonly at: number;
  readonly kind: ForcedKind | 'halted' | 'resumed' | 'delisting' | 'delisted' | 'filters' | 'brackets';
  readonly detail: string;
  readonly numbers: { readonly [name: string]: string | number };
}
