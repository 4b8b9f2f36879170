/** The regions of an open position that show what befalls it from outside (symbol-changes.ts keeps the records). */
import type { ForcedKind } from './happenings.ts';
import type { SymbolView } from './symbol-changes.ts';

const SYMBOLS: readonly SymbolView[] = ['trading', 'halted', 'delisting', 'delisted'];
const toSymbol = (own: SymbolView) =>
  SYMBOLS.filter((view) => view !== own).map((view) => ({
    guard: { type: 'symbolIs' as const, params: { view } },
    target: view,
  }));

/** What the venue says of the symbol; a delisting is an exit by rule, too. */
export const symbolRegion = {
  initial: 'trading',
  states: {
    trading: { always: toSymbol('trading') },
    halted: { always: toSymbol('halted') },
    delisting: { always: toSymbol('delisting') },
    delisted: { always: toSymbol('delisted') },
  },
} as const;

/** A liquidation is none of these: whatever it leaves is closed at once, and the position is open no more. */
const FORCED: readonly ForcedKind[] = ['adl', 'settlement', 'manual'];
const toForced = (own?: ForcedKind) =>
  FORCED.filter((view) => view !== own).map((view) => ({
    guard: { type: 'forcedIs' as const, params: { view } },
    target: view,
  }));

/** Who else took some of it out; the rest lives on. */
export const forcedRegion = {
  initial: 'untouched',
  states: {
    untouched: { always: toForced() },
    adl: { always: toForced('adl') },
    settlement: { always: toForced('settlement') },
    manual: { always: toForced('manual') },
  },
} as const;
