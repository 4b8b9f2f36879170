/**
 * A local order book from depth diffs and one REST snapshot, by Binance's futures rules: diffs are buffered until
 * the snapshot is there; those with u < lastUpdateId are dropped; the first used must have
 * U ≤ lastUpdateId ≤ u; from then on each diff's pu must be the u of the one before, else the book is out of sync.
 *
 * Invariants: an out-of-sync book answers nothing until a new snapshot; both sides are sorted with the best level
 * last, where nearly all changes happen; equal decimal texts are equal doubles, so prices compare exactly.
 */

/** Price and quantity as the venue writes them, or as numbers. */
export type RawLevel = readonly [price: string | number, quantity: string | number];

export interface DepthDiff {
  readonly firstId: number;
  readonly lastId: number;
  readonly previousId: number;
  readonly bids: readonly RawLevel[];
  readonly asks: readonly RawLevel[];
}

export interface DepthSnapshot {
  readonly lastUpdateId: number;
  readonly bids: readonly RawLevel[];
  readonly asks: readonly RawLevel[];
}

export interface Level {
  readonly price: number;
  readonly quantity: number;
}

/** 'gap': diffs are missing, a new snapshot is needed. */
export type DiffOutcome = 'buffered' | 'stale' | 'applied' | 'gap';

/** What taking a quantity from one side would cost. */
export interface Sweep {
  readonly filled: number;
  readonly averagePrice: number;
  readonly worstPrice: number;
}

/** A snapshot takes a second at most; a book that waits longer asks for another one. */
const LONGEST_BUFFER = 5000;

class BookSide {
  readonly prices: number[] = [];
  readonly quantities: number[] = [];
  /** +1: bids, ascending; −1: asks, descending: the best is last in both. */
  readonly #order: 1 | -1;

  constructor(order: 1 | -1) {
    this.#order = order;
  }

  clear(): void {
    this.prices.length = 0;
    this.quantities.length = 0;
  }

  /** Quantity 0 removes the level; removing one that is not there is normal. */
  set(price: number, quantity: number): void {
    const at = this.#search(price);
    const known = this.prices[at] === price;
    if (quantity === 0) {
      if (!known) return;
      this.prices.splice(at, 1);
      this.quantities.splice(at, 1);
    } else if (known) this.quantities[at] = quantity;
    else {
      this.prices.splice(at, 0, price);
      this.quantities.splice(at, 0, quantity);
    }
  }

  best(): Level | undefined {
    const last = this.prices.length - 1;
    return last < 0
      ? undefined
      : { price: this.prices[last] as number, quantity: this.quantities[last] as number };
  }

  #search(price: number): number {
    let low = 0;
    let high = this.prices.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (((this.prices[middle] as number) - price) * this.#order < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class OrderBook {
  readonly #bids = new BookSide(1);
  readonly #asks = new BookSide(-1);
  #state: 'waiting' | 'joining' | 'synced' = 'waiting';
  #buffer: DepthDiff[] = [];
  /** The snapshot's id while joining, then the last applied diff's u. */
  #lastId = 0;

  get synced(): boolean {
    return this.#state === 'synced';
  }

  /** u of the last diff applied. */
  get lastId(): number {
    return this.#lastId;
  }

  applyDiff(diff: DepthDiff): DiffOutcome {
    if (this.#state === 'waiting') return this.#keep(diff);
    if (this.#state === 'joining') {
      if (diff.lastId < this.#lastId) return 'stale';
      if (diff.firstId > this.#lastId) return this.#lose();
      this.#state = 'synced';
    } else if (diff.previousId !== this.#lastId) {
      return diff.lastId <= this.#lastId ? 'stale' : this.#lose();
    }
    this.#apply(diff);
    return 'applied';
  }

  /** Starts the book anew from a snapshot and the buffered diffs; false: those leave a gap to it. */
  applySnapshot(snapshot: DepthSnapshot): boolean {
    const buffered = this.#buffer;
    this.#buffer = [];
    this.#bids.clear();
    this.#asks.clear();
    this.#setLevels(snapshot.bids, snapshot.asks);
    this.#lastId = snapshot.lastUpdateId;
    this.#state = 'joining';
    return buffered.every((diff) => this.applyDiff(diff) !== 'gap');
  }

  bestBid(): Level | undefined {
    return this.synced ? this.#bids.best() : undefined;
  }

  bestAsk(): Level | undefined {
    return this.synced ? this.#asks.best() : undefined;
  }

  /** The levels from the best on, at most `limit`. */
  levels(side: 'bids' | 'asks', limit: number): Level[] {
    const { prices, quantities } = side === 'bids' ? this.#bids : this.#asks;
    const levels: Level[] = [];
    if (!this.synced) return levels;
    for (let i = prices.length - 1; i >= 0 && levels.length < limit; i--)
      levels.push({ price: prices[i] as number, quantity: quantities[i] as number });
    return levels;
  }

  /** What buying (from the asks) or selling (to the bids) `quantity` at market would get. */
  sweep(side: 'BUY' | 'SELL', quantity: number): Sweep | undefined {
    const { prices, quantities } = side === 'BUY' ? this.#asks : this.#bids;
    if (!this.synced || prices.length === 0 || !(quantity > 0)) return undefined;
    let left = quantity;
    let cost = 0;
    let worstPrice = 0;
    for (let i = prices.length - 1; i >= 0 && left > 0; i--) {
      const taken = Math.min(left, quantities[i] as number);
      worstPrice = prices[i] as number;
      cost += taken * worstPrice;
      left -= taken;
    }
    const filled = quantity - left;
    return { filled, averagePrice: cost / filled, worstPrice };
  }

  #keep(diff: DepthDiff): DiffOutcome {
    // Old diffs are of no use to a snapshot that is still to come.
    if (this.#buffer.length >= LONGEST_BUFFER) this.#buffer.shift();
    this.#buffer.push(diff);
    return 'buffered';
  }

  #lose(): 'gap' {
    this.#state = 'waiting';
    this.#buffer = [];
    return 'gap';
  }

  #apply(diff: DepthDiff): void {
    this.#setLevels(diff.bids, diff.asks);
    this.#lastId = diff.lastId;
  }

  #setLevels(bids: readonly RawLevel[], asks: readonly RawLevel[]): void {
    for (const level of bids) this.#bids.set(Number(level[0]), Number(level[1]));
    for (const level of asks) this.#asks.set(Number(level[0]), Number(level[1]));
  }
}
