/**
 * The order books of many symbols: each begins with a snapshot fetched once its diffs flow, and begins anew when a
 * diff is missing.
 *
 * Invariants: a book that is out of step answers nothing; snapshots are asked for a few at a time, and after a
 * failure with a growing pause, so that a thousand lost books do not cost the rate limit; an answer that belongs
 * to an earlier beginning is dropped.
 */
import type { Time, TimerHandle } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import { type DepthDiff, type DepthSnapshot, OrderBook } from '../order-book.ts';
import type { LiveBook } from './live-market.ts';

export interface LiveBooksOptions {
  readonly snapshot: (symbol: SymbolName) => Promise<DepthSnapshot>;
  readonly onBook: (symbol: SymbolName, at: number) => void;
  /** Real time. */
  readonly time: Time;
  readonly random: Random;
  readonly levels?: number;
}

interface Kept {
  book: OrderBook;
  at: number;
  /** A snapshot is on its way or waits for its turn. */
  asked: boolean;
  failures: number;
  pause: TimerHandle | undefined;
}

const AT_ONCE = 2;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export class LiveBooks {
  readonly #options: LiveBooksOptions;
  readonly #kept = new Map<SymbolName, Kept>();
  readonly #queue: SymbolName[] = [];
  #fetching = 0;
  #running = true;

  constructor(options: LiveBooksOptions) {
    this.#options = options;
  }

  diff(symbol: SymbolName, at: number, diff: DepthDiff): void {
    let kept = this.#kept.get(symbol);
    if (!kept) {
      kept = { book: new OrderBook(), at, asked: false, failures: 0, pause: undefined };
      this.#kept.set(symbol, kept);
    }
    const outcome = kept.book.applyDiff(diff);
    if (outcome !== 'stale') kept.at = at;
    if (outcome === 'applied') {
      kept.failures = 0;
      this.#options.onBook(symbol, at);
    } else if (outcome !== 'stale') this.#ask(symbol, kept);
  }

  /** Diffs were missed: these books begin anew. */
  lost(symbols: Iterable<SymbolName>): void {
    for (const symbol of symbols) {
      const kept = this.#kept.get(symbol);
      if (kept) kept.book = new OrderBook();
    }
  }

  book(symbol: SymbolName): LiveBook | undefined {
    const kept = this.#kept.get(symbol);
    if (!kept?.book.synced) return undefined;
    const { levels = 50 } = this.#options;
    const side = (which: 'bids' | 'asks') =>
      kept.book.levels(which, levels).map(({ price, quantity }) => [price, quantity] as const);
    return { at: kept.at, bids: side('bids'), asks: side('asks') };
  }

  stop(): void {
    this.#running = false;
    this.#queue.length = 0;
    for (const { pause } of this.#kept.values()) pause?.cancel();
  }

  #ask(symbol: SymbolName, kept: Kept): void {
    if (kept.asked) return;
    kept.asked = true;
    const { time, random } = this.#options;
    const queue = (): void => {
      this.#queue.push(symbol);
      this.#work();
    };
    if (kept.failures++ === 0) queue();
    else {
      const boundMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(kept.failures, 10));
      kept.pause = time.timers.set(boundMs * (0.5 + random.next() / 2), queue);
    }
  }

  #work(): void {
    while (this.#running && this.#fetching < AT_ONCE) {
      const symbol = this.#queue.shift();
      if (symbol === undefined) return;
      const kept = this.#kept.get(symbol);
      if (!kept) continue;
      this.#fetching++;
      const { book } = kept;
      this.#options.snapshot(symbol).then(
        (snapshot) => this.#fetched(symbol, kept, book, snapshot),
        () => this.#fetched(symbol, kept, book, undefined),
      );
    }
  }

  #fetched(symbol: SymbolName, kept: Kept, asked: OrderBook, snapshot: DepthSnapshot | undefined): void {
    this.#fetching--;
    kept.asked = false;
    const isOurs = snapshot !== undefined && asked === kept.book && this.#running;
    // A snapshot older than the first diff leaves a gap: the next diff asks for another one.
    if (isOurs && kept.book.applySnapshot(snapshot) && kept.book.synced)
      this.#options.onBook(symbol, kept.at);
    this.#work();
  }
}
