/**
 * A book whose stream brings its own snapshots: a snapshot, then updates that each name the one before, perhaps
 * with a checksum over the best levels as the venue writes them.
 *
 * Invariant: after a missing update or a wrong checksum it answers nothing until the next snapshot.
 */
import { crc32 } from 'node:zlib';
import { OrderBook } from '../order-book.ts';
import type { LiveBook } from './live-market.ts';

/** The first two are price and quantity; some venues add more. */
export type TextLevel = readonly [price: string, quantity: string, ...rest: string[]];

/** One side of a book as a frame brings it: what is no level is left out. */
export const levelsOf = (side: unknown): readonly TextLevel[] =>
  Array.isArray(side) ? side.filter(isLevel) : [];

const isLevel = (level: unknown): level is TextLevel =>
  Array.isArray(level) && typeof level[0] === 'string' && typeof level[1] === 'string';

const CHECKED_LEVELS = 25;

export class SequencedBook {
  readonly #book = new OrderBook();
  /** Prices and quantities in the venue's own words, for the checksum. */
  readonly #texts = { bids: new Map<number, string>(), asks: new Map<number, string>() };
  readonly #keepsTexts: boolean;
  /** The base asset in one unit of quantity. */
  readonly #unit: number;
  #inStep = false;
  #last: number | undefined;
  /** Our own count of changes, in which the underlying book finds no gap. */
  #changes = 0;

  constructor(options: { readonly checked: boolean; readonly unit?: number }) {
    this.#keepsTexts = options.checked;
    this.#unit = options.unit ?? 1;
  }

  get inStep(): boolean {
    return this.#inStep;
  }

  snapshot(id: number | undefined, bids: readonly TextLevel[], asks: readonly TextLevel[]): void {
    for (const side of ['bids', 'asks'] as const) this.#texts[side].clear();
    this.#remember(bids, asks);
    const n = ++this.#changes;
    this.#book.applySnapshot({ lastUpdateId: n, bids: pairs(bids), asks: pairs(asks) });
    this.#book.applyDiff({ firstId: n, lastId: n, previousId: n, bids: [], asks: [] });
    this.#last = id;
    this.#inStep = true;
  }

  /** False: something is missing, and the book is lost. Ids are undefined where the venue numbers nothing. */
  update(
    previous: number | undefined,
    id: number | undefined,
    bids: readonly TextLevel[],
    asks: readonly TextLevel[],
  ): boolean {
    if (!this.#inStep) return false;
    if (previous !== undefined && previous !== this.#last) return this.lose();
    this.#remember(bids, asks);
    const n = this.#changes++;
    const diff = { firstId: n, lastId: n + 1, previousId: n, bids: pairs(bids), asks: pairs(asks) };
    this.#book.applyDiff(diff);
    this.#last = id;
    return true;
  }

  lose(): false {
    this.#inStep = false;
    return false;
  }

  /** Of the best 25 levels, bid and ask in turn, as "price:quantity" joined by colons; signed. */
  checksum(): number {
    const [bids, asks] = (['bids', 'asks'] as const).map((side) =>
      this.#book.levels(side, CHECKED_LEVELS).map(({ price }) => this.#texts[side].get(price) ?? ''),
    ) as [string[], string[]];
    const parts: string[] = [];
    for (let i = 0; i < CHECKED_LEVELS; i++) {
      for (const side of [bids, asks]) if (side[i] !== undefined) parts.push(side[i] as string);
    }
    return crc32(parts.join(':')) | 0;
  }

  levels(at: number, limit: number): LiveBook | undefined {
    if (!this.#inStep) return undefined;
    const side = (which: 'bids' | 'asks') =>
      this.#book.levels(which, limit).map(({ price, quantity }) => [price, quantity * this.#unit] as const);
    return { at, bids: side('bids'), asks: side('asks') };
  }

  #remember(bids: readonly TextLevel[], asks: readonly TextLevel[]): void {
    if (!this.#keepsTexts) return;
    for (const [levels, texts] of [
      [bids, this.#texts.bids],
      [asks, this.#texts.asks],
    ] as const) {
      for (const [price, quantity] of levels) {
        if (Number(quantity) === 0) texts.delete(Number(price));
        else texts.set(Number(price), `${price}:${quantity}`);
      }
    }
  }
}

const pairs = (levels: readonly TextLevel[]): [string, string][] =>
  levels.map(([price, quantity]) => [price, quantity]);
