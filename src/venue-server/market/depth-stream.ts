/**
 * One depth stream of one symbol: the differences since the frame before, or the best levels as they are.
 *
 * Invariants: a frame's U is one above its pu, and pu is the u of the frame before, so that a snapshot taken at
 * any time between two frames lies within the next one; applied to such a snapshot, the frames give the book.
 */
import type { ShownBook, ShownLevel } from './ladder.ts';
import { depthFrame, type Frame } from './market-frames.ts';
import type { SymbolMarket } from './symbol-market.ts';

const same = (a: readonly ShownLevel[], b: readonly ShownLevel[]): boolean =>
  a.length === b.length && a.every(([price, quantity], i) => price === b[i]?.[0] && quantity === b[i]?.[1]);

/** Levels that are new or other than before, and with quantity 0 those that are gone. */
export function changedLevels(before: readonly ShownLevel[], now: readonly ShownLevel[]): ShownLevel[] {
  const known = new Map(before);
  const changed: ShownLevel[] = [];
  for (const level of now) {
    if (known.get(level[0]) !== level[1]) changed.push(level);
    known.delete(level[0]);
  }
  for (const price of known.keys()) changed.push([price, 0]);
  return changed;
}

export class DepthStream {
  readonly #market: SymbolMarket;
  readonly #levels: number;
  #sent: ShownBook;
  #lastId: number;

  constructor(market: SymbolMarket, levels: number) {
    this.#market = market;
    this.#levels = levels;
    this.#sent = this.#now();
    this.#lastId = market.bookId;
  }

  /** The frame that is due, or undefined when nothing changed. */
  next(at: number): Frame | undefined {
    const market = this.#market;
    if (market.bookId === this.#lastId) return undefined;
    const now = this.#now();
    const before = this.#sent;
    if (same(now.bids, before.bids) && same(now.asks, before.asks)) return undefined;
    const ids = { first: this.#lastId + 1, last: market.bookId, previous: this.#lastId };
    this.#lastId = market.bookId;
    this.#sent = now;
    if (this.#levels > 0) return depthFrame(market, ids, now.bids, now.asks, at);
    return depthFrame(
      market,
      ids,
      changedLevels(before.bids, now.bids),
      changedLevels(before.asks, now.asks),
      at,
    );
  }

  #now(): ShownBook {
    const { bids, asks } = this.#market.book();
    if (this.#levels === 0) return { bids, asks };
    return { bids: bids.slice(0, this.#levels), asks: asks.slice(0, this.#levels) };
  }
}
