/**
 * Which positions a price concerns. Per symbol the nearest lower and upper trigger over all its positions: a price
 * strictly between them costs two comparisons and wakes nobody.
 *
 * Invariants: an owner has at most one low and one high per symbol; `check` names each owner with low ≥ the price's
 * low or high ≤ its high exactly once, ascending by owner id, so that waking order is the same in every run.
 * Touching counts as crossing: venues trigger at "≤" and "≥".
 */
import { assert } from '../core/assert.ts';
import type { SymbolName } from '../domain/instrument.ts';

/** Triggers of one side, sorted so that the nearest to the price is last: crossing ones are a suffix. */
class TriggerList {
  readonly prices: number[] = [];
  readonly owners: string[] = [];
  /** +1: ascending, for lower triggers (the nearest is the greatest); −1: descending, for upper ones. */
  readonly #order: 1 | -1;

  constructor(order: 1 | -1) {
    this.#order = order;
  }

  add(price: number, owner: string): void {
    const at = this.#search(price, owner);
    this.prices.splice(at, 0, price);
    this.owners.splice(at, 0, owner);
  }

  remove(price: number, owner: string): void {
    const at = this.#search(price, owner);
    assert(this.owners[at] === owner, 'a guard band lost an owner');
    this.prices.splice(at, 1);
    this.owners.splice(at, 1);
  }

  /** The trigger nearest to the price, or one that nothing reaches. */
  nearest(): number {
    return this.prices.at(-1) ?? -this.#order * Infinity;
  }

  /** The first place at or after (price, owner). */
  #search(price: number, owner: string): number {
    let low = 0;
    let high = this.prices.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const difference = ((this.prices[middle] as number) - price) * this.#order;
      if (difference < 0 || (difference === 0 && (this.owners[middle] as string) < owner)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Band {
  readonly low: number | undefined;
  readonly high: number | undefined;
}

const NOBODY: readonly string[] = [];

/** One symbol's bands. Held by whoever sees this symbol's prices, it saves the look-up by name. */
export class SymbolBands {
  /** The band itself: inside it nobody need be woken. */
  low = -Infinity;
  high = Infinity;
  readonly #lows = new TriggerList(1);
  readonly #highs = new TriggerList(-1);
  readonly #bands = new Map<string, Band>();

  get size(): number {
    return this.#bands.size;
  }

  set(owner: string, low: number | undefined, high: number | undefined): void {
    assert(!Number.isNaN(low) && !Number.isNaN(high), `the guard band of ${owner} is not a number`);
    const before = this.#bands.get(owner);
    if (before && before.low === low && before.high === high) return;
    if (before) this.#drop(owner, before);
    this.#bands.set(owner, { low, high });
    if (low !== undefined) this.#lows.add(low, owner);
    if (high !== undefined) this.#highs.add(high, owner);
    this.#refresh();
  }

  remove(owner: string): void {
    const before = this.#bands.get(owner);
    if (!before) return;
    this.#drop(owner, before);
    this.#bands.delete(owner);
    this.#refresh();
  }

  /** The owners whose triggers the prices low..high touch. */
  check(low: number, high: number): readonly string[] {
    return low > this.low && high < this.high ? NOBODY : this.#crossed(low, high);
  }

  #crossed(low: number, high: number): readonly string[] {
    const crossed = new Set<string>();
    const { prices: lows, owners: lowOwners } = this.#lows;
    for (let i = lows.length - 1; i >= 0 && (lows[i] as number) >= low; i--)
      crossed.add(lowOwners[i] as string);
    const { prices: highs, owners: highOwners } = this.#highs;
    for (let i = highs.length - 1; i >= 0 && (highs[i] as number) <= high; i--)
      crossed.add(highOwners[i] as string);
    return crossed.size > 0 ? [...crossed].sort() : NOBODY;
  }

  #drop(owner: string, band: Band): void {
    if (band.low !== undefined) this.#lows.remove(band.low, owner);
    if (band.high !== undefined) this.#highs.remove(band.high, owner);
  }

  #refresh(): void {
    this.low = this.#lows.nearest();
    this.high = this.#highs.nearest();
  }
}

export class GuardBandIndex {
  readonly #symbols = new Map<SymbolName, SymbolBands>();

  /** The symbol's own bands, to keep. */
  of(symbol: SymbolName): SymbolBands {
    const known = this.#symbols.get(symbol);
    if (known) return known;
    const bands = new SymbolBands();
    this.#symbols.set(symbol, bands);
    return bands;
  }

  set(symbol: SymbolName, owner: string, low: number | undefined, high: number | undefined): void {
    this.of(symbol).set(owner, low, high);
  }

  remove(symbol: SymbolName, owner: string): void {
    this.#symbols.get(symbol)?.remove(owner);
  }

  check(symbol: SymbolName, low: number, high: number): readonly string[] {
    return this.#symbols.get(symbol)?.check(low, high) ?? NOBODY;
  }
}
