/**
 * What is remembered of one symbol while its market streams: what was newest of each kind, so that nothing older
 * is handed out, and the marks of the bars that are forming, so that a closed bar can say how the mark moved.
 *
 * Invariant: a bar has marks only if they were heard all through it.
 */
import type { Candle } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { MarketBar } from '../market-data.ts';

/** Marks come every second; this long without one, and the bar's extreme may have been in the hole. */
const LONGEST_HOLE_MS = 10_000;

interface MarkWindow {
  readonly openTime: number;
  high: number;
  low: number;
  close: number;
  lastAt: number;
  whole: boolean;
}

export class LiveSymbol {
  readonly symbol: SymbolName;
  readonly #spanMs: number;
  /** Close of the newest bar handed out; at first that of the last but one, whose successor may be on its way. */
  lastCloseAt: number;
  lastQuoteId = -1;
  lastQuoteAt = -1;
  lastTradeAt = -1;
  lastInterestAt = -1;
  /** A price was heard since the last check. */
  heard = false;
  quietChecks = 0;
  stale = false;
  /** Up to this close a missing bar was told of, or was there to be fetched when the stream began. */
  toldUntil: number;
  #current: MarkWindow | undefined;
  #previous: MarkWindow | undefined;

  /** `settledAt`: bars that closed before it are in the venue's history for sure. */
  constructor(symbol: SymbolName, spanMs: number, beganAt: number, settledAt: number) {
    this.symbol = symbol;
    this.#spanMs = spanMs;
    this.lastCloseAt = beganAt - (beganAt % spanMs) - spanMs;
    this.toldUntil = settledAt - (settledAt % spanMs);
  }

  /** False when it is older than one that was heard. */
  mark(at: number, price: number): boolean {
    const openTime = at - (at % this.#spanMs);
    const window = this.#current;
    if (window && at < window.lastAt) return false;
    if (!window || window.openTime !== openTime) {
      this.#previous = window;
      const whole = at - openTime <= LONGEST_HOLE_MS;
      this.#current = { openTime, high: price, low: price, close: price, lastAt: at, whole };
      return true;
    }
    if (at - window.lastAt > LONGEST_HOLE_MS) window.whole = false;
    if (price > window.high) window.high = price;
    if (price < window.low) window.low = price;
    window.close = price;
    window.lastAt = at;
    return true;
  }

  withMarks(bar: Candle): MarketBar {
    const window = [this.#current, this.#previous].find((found) => found?.openTime === bar.openTime);
    if (!window?.whole || bar.openTime + this.#spanMs - window.lastAt > LONGEST_HOLE_MS) return bar;
    return { ...bar, markHigh: window.high, markLow: window.low, markClose: window.close };
  }
}
