/**
 * One symbol's closed bars in their order, without holes: what the stream brings, and from history what it did
 * not bring.
 *
 * Invariants: bars are handed on in ascending order, each once; while a hole is being filled what comes in
 * waits; a hole that the venue's own history has is passed over, once it was asked for it; history that cannot
 * be had is asked for again until it can, and meanwhile the symbol counts as out of order.
 */
import { type Candle, closeTime, TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { MarketBar } from '../../market/market-data.ts';

/** Whom a symbol's bars go to, and where missing ones come from. */
export interface FeedSeams {
  readonly now: () => number;
  /** Closed bars with close in (after, until], oldest first. */
  readonly history: (symbol: SymbolName, after: number, until: number) => Promise<readonly Candle[]>;
  /** Whether to ask again after a failure; resolves after a pause, false when the run is ending. */
  readonly again: (failures: number) => Promise<boolean>;
  /** The bars of a first start, or after too long an absence: the strategy begins anew with them. */
  readonly seed: (symbol: SymbolName, bars: readonly Candle[]) => void;
  /** Bars that were seen before the restart, to rebuild the forming candles and what is usual. */
  readonly rebuild: (symbol: SymbolName, bars: readonly Candle[]) => void;
  readonly bar: (bar: MarketBar) => void;
  /** `error` undefined: it is whole again. */
  readonly trouble: (symbol: SymbolName, error: unknown) => void;
}

export interface FeedBeginning {
  readonly timeframe: Timeframe;
  /** Close of the newest bar that the strategy has seen; null: none yet. */
  readonly lastCloseAt: number | null;
  /** How far back a beginning reaches; after a longer absence the strategy begins anew. */
  readonly warmUpMs: number;
}

/** The forming candles hang on the bars since here. */
const LONGEST_CANDLE_MS = TIMEFRAME_MS['4h'];
/** Before the newest bar that was seen: for whoever judges what comes by what is usual. */
const USUAL_BARS = 60;

export class SymbolFeed {
  readonly symbol: SymbolName;
  readonly #seams: FeedSeams;
  readonly #spanMs: number;
  readonly #warmUpMs: number;
  #lastCloseAt: number | null;
  /** Up to here history was asked for what lies before a bar: what it did not have is not to be had. */
  #askedUntil = 0;
  #begun = false;
  /** The run is ending: nothing is asked for any more. */
  #ended = false;
  #queue: MarketBar[] = [];
  #filling: Promise<void> | undefined;

  constructor(symbol: SymbolName, { timeframe, lastCloseAt, warmUpMs }: FeedBeginning, seams: FeedSeams) {
    this.symbol = symbol;
    this.#seams = seams;
    this.#spanMs = TIMEFRAME_MS[timeframe];
    this.#warmUpMs = warmUpMs;
    this.#lastCloseAt = lastCloseAt;
  }

  /** Close of the newest bar handed on. */
  get lastCloseAt(): number | null {
    return this.#lastCloseAt;
  }

  get isBegun(): boolean {
    return this.#begun;
  }

  /** A bar from the stream. */
  offer(bar: MarketBar): void {
    this.#queue.push(bar);
    this.#drain();
  }

  /** Fetches whatever has closed since the newest bar; also the beginning. Resolves when it is done. */
  catchUp(): Promise<void> {
    this.#filling ??= this.#fill(this.#newestClose()).finally(() => {
      this.#filling = undefined;
      this.#drain();
    });
    return this.#filling;
  }

  #drain(): void {
    while (!this.#filling && !this.#ended) {
      const bar = this.#queue[0];
      if (!bar) return;
      if (this.#begun && closeTime(bar) <= (this.#lastCloseAt ?? 0)) {
        this.#queue.shift();
        continue;
      }
      const seenUntil = Math.max(this.#lastCloseAt ?? 0, this.#askedUntil);
      if (!this.#begun || bar.openTime > seenUntil) {
        this.#filling = this.#fill(bar.openTime).finally(() => {
          this.#askedUntil = Math.max(this.#askedUntil, bar.openTime);
          this.#filling = undefined;
          this.#drain();
        });
        return;
      }
      this.#queue.shift();
      this.#take(bar);
    }
  }

  #take(bar: MarketBar): void {
    this.#lastCloseAt = closeTime(bar);
    this.#seams.bar(bar);
  }

  async #fill(until: number): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        if (this.#begun) await this.#catchUpTo(until);
        else await this.#begin(until);
        if (failures > 0) this.#seams.trouble(this.symbol, undefined);
        return;
      } catch (error) {
        if (failures === 0) this.#seams.trouble(this.symbol, error);
        if (await this.#seams.again(failures)) continue;
        this.#ended = true;
        return;
      }
    }
  }

  async #catchUpTo(until: number): Promise<void> {
    const after = this.#lastCloseAt ?? until - this.#warmUpMs;
    if (until <= after) return;
    const bars = await this.#seams.history(this.symbol, after, until);
    for (const bar of bars) if (closeTime(bar) > (this.#lastCloseAt ?? 0)) this.#take(bar);
  }

  async #begin(until: number): Promise<void> {
    const seen = this.#lastCloseAt;
    const isFresh = seen === null || until - seen > this.#warmUpMs;
    const reach = isFresh ? until - this.#warmUpMs : seen - USUAL_BARS * this.#spanMs;
    const after = reach - (reach % LONGEST_CANDLE_MS);
    const bars = await this.#seams.history(this.symbol, after, until);
    this.#begun = true;
    if (isFresh) {
      this.#lastCloseAt = newest(bars) ?? seen;
      this.#seams.seed(this.symbol, bars);
      return;
    }
    this.#seams.rebuild(
      this.symbol,
      bars.filter((bar) => closeTime(bar) <= seen),
    );
    for (const bar of bars) if (closeTime(bar) > seen) this.#take(bar);
  }

  #newestClose(): number {
    const now = this.#seams.now();
    return now - (now % this.#spanMs);
  }
}

const newest = (bars: readonly Candle[]): number | undefined => {
  const last = bars.at(-1);
  return last && closeTime(last);
};
