/**
 * The closed bars of one symbol, finest first and hours besides, each as far back as it has room.
 *
 * Invariants: bars ascend; the oldest are forgotten when there is no more room, and what is asked from before
 * them is simply not there; a rolled-up volume is the sum of its parts in their order.
 */
import { markRange } from '../../exchange/engine/candle-path.ts';
import type { MarketBar } from '../../market/market-data.ts';
import { intervalEnd, intervalMs, intervalOpen } from './intervals.ts';

/** A bar of any interval. Quote volume, trades and the takers' share are models: no source has them. */
export interface Kline {
  openTime: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  quoteVolume: number;
  trades: number;
  takerBuyVolume: number;
  markOpen: number;
  markHigh: number;
  markLow: number;
  markClose: number;
}

const HOUR = 3_600_000;

/** More trades than that in a second are one to us. */
const MOST_TRADES = 61;

/** The bar with what the models add; the same numbers wherever this bar is shown. */
export function klineOf(bar: MarketBar, step: number): Kline {
  const { openTime, open, high, low, close, volume } = bar;
  const mark = markRange(bar);
  const typical = (open + high + low + close) / 4;
  const rise = high > low ? (close - low) / (high - low) : 0.5;
  return {
    openTime,
    open,
    high,
    low,
    close,
    volume,
    quoteVolume: volume * typical,
    trades: Math.min(MOST_TRADES, Math.floor(volume / step + 1e-9)),
    takerBuyVolume: Math.floor((volume * (0.3 + 0.4 * rise)) / step) * step,
    markOpen: Math.min(Math.max(open, mark.low), mark.high),
    markHigh: mark.high,
    markLow: mark.low,
    markClose: mark.close,
  };
}

/** `into` goes on with a later bar. */
export function extendKline(into: Kline, bar: Kline): void {
  into.high = Math.max(into.high, bar.high);
  into.low = Math.min(into.low, bar.low);
  into.close = bar.close;
  into.volume += bar.volume;
  into.quoteVolume += bar.quoteVolume;
  into.trades += bar.trades;
  into.takerBuyVolume += bar.takerBuyVolume;
  into.markHigh = Math.max(into.markHigh, bar.markHigh);
  into.markLow = Math.min(into.markLow, bar.markLow);
  into.markClose = bar.markClose;
}

const FIELDS = 13;

/** Rows of 13 floats, growing to twice `capacity` before the older half is dropped. */
class Rows {
  readonly #capacity: number;
  #data = new Float64Array(64 * FIELDS);
  length = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(k: Kline): void {
    if (this.length >= 2 * this.#capacity) this.#forget();
    if (this.length * FIELDS === this.#data.length) this.#grow();
    const row = [
      k.openTime,
      k.open,
      k.high,
      k.low,
      k.close,
      k.volume,
      k.quoteVolume,
      k.trades,
      k.takerBuyVolume,
      k.markOpen,
      k.markHigh,
      k.markLow,
      k.markClose,
    ];
    this.#data.set(row, this.length * FIELDS);
    this.length++;
  }

  openTime(i: number): number {
    return this.#data[i * FIELDS] as number;
  }

  field(i: number, field: number): number {
    return this.#data[i * FIELDS + field] as number;
  }

  row(i: number): Kline {
    const at = (field: number): number => this.field(i, field);
    return {
      openTime: at(0),
      open: at(1),
      high: at(2),
      low: at(3),
      close: at(4),
      volume: at(5),
      quoteVolume: at(6),
      trades: at(7),
      takerBuyVolume: at(8),
      markOpen: at(9),
      markHigh: at(10),
      markLow: at(11),
      markClose: at(12),
    };
  }

  /** The first row that opens at or after `openTime`. */
  from(openTime: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.openTime(middle) < openTime) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const data = new Float64Array(this.#data.length * 2);
    data.set(this.#data);
    this.#data = data;
  }

  #forget(): void {
    const kept = this.#capacity;
    this.#data.copyWithin(0, (this.length - kept) * FIELDS, this.length * FIELDS);
    this.length = kept;
  }
}

export class BarHistory {
  readonly baseMs: number;
  readonly #base: Rows;
  readonly #hours: Rows;
  #hour: Kline | undefined;

  constructor(baseMs: number, capacity: number) {
    this.baseMs = baseMs;
    this.#base = new Rows(capacity);
    this.#hours = new Rows(capacity);
  }

  push(bar: Kline): void {
    if (this.#base.length > 0 && bar.openTime <= this.#base.openTime(this.#base.length - 1)) return;
    this.#base.push(bar);
    if (this.baseMs >= HOUR) return;
    const openTime = intervalOpen('1h', bar.openTime);
    if (this.#hour && this.#hour.openTime !== openTime) {
      this.#hours.push(this.#hour);
      this.#hour = undefined;
    }
    if (this.#hour) extendKline(this.#hour, bar);
    else this.#hour = { ...bar, openTime };
  }

  /** True for intervals that whole bars add up to. */
  offers(interval: string): boolean {
    return interval === '1M' || intervalMs(interval) % this.baseMs === 0;
  }

  get last(): Kline | undefined {
    return this.#base.length > 0 ? this.#base.row(this.#base.length - 1) : undefined;
  }

  /**
   * Klines of `interval` that open in [from, until), oldest first, at most `limit`: the first ones after `from`
   * where it is given, else the last ones. `forming` is the bar under way.
   */
  klines(
    interval: string,
    range: { readonly from?: number; readonly until: number; readonly limit: number },
    forming?: Kline,
  ): Kline[] {
    const ms = intervalMs(interval);
    if (!this.offers(interval)) return [];
    const first =
      range.from === undefined
        ? intervalOpen(interval, range.until - 1 - (range.limit - 1) * ms)
        : wholeFrom(interval, range.from);
    const rolled = this.#rolled(
      interval,
      first,
      range.until,
      range.from === undefined ? Infinity : range.limit,
    );
    const newest = forming && intervalOpen(interval, forming.openTime);
    if (forming && newest !== undefined && newest >= first && newest < range.until) {
      const open = rolled.at(-1);
      if (open?.openTime === newest) extendKline(open, forming);
      else if (range.from === undefined || rolled.length < range.limit)
        rolled.push({ ...forming, openTime: newest });
    }
    return range.from === undefined ? rolled.slice(-range.limit) : rolled.slice(0, range.limit);
  }

  /** Everything closed that opened at or after `from`, as one; undefined when there is nothing. */
  since(from: number): Kline | undefined {
    const rows = this.#base;
    let whole: Kline | undefined;
    for (let i = rows.from(from); i < rows.length; i++) {
      if (whole) extendKline(whole, rows.row(i));
      else whole = rows.row(i);
    }
    return whole;
  }

  #rolled(interval: string, first: number, until: number, limit: number): Kline[] {
    const ms = intervalMs(interval);
    const coarse = ms % HOUR === 0 && this.baseMs < HOUR;
    const before = coarse && this.#olderHours(first);
    const rows = before ? this.#hours : this.#base;
    const out: Kline[] = [];
    const add = (bar: Kline): boolean => {
      const openTime = intervalOpen(interval, bar.openTime);
      const open = out.at(-1);
      if (open?.openTime === openTime) extendKline(open, bar);
      else {
        if (out.length >= limit) return false;
        out.push({ ...bar, openTime });
      }
      return true;
    };
    for (let i = rows.from(first); i < rows.length; i++) {
      const bar = rows.row(i);
      if (bar.openTime >= until && intervalOpen(interval, bar.openTime) >= until) return out;
      if (!add(bar)) return out;
    }
    const hour = this.#hour;
    if (before && hour && hour.openTime >= first && intervalOpen(interval, hour.openTime) < until)
      add({ ...hour });
    return out;
  }

  /** True when the hours go back further than the bars, and that far is asked. */
  #olderHours(first: number): boolean {
    if (this.#hours.length === 0) return false;
    return this.#base.openTime(0) > first && this.#hours.openTime(0) < this.#base.openTime(0);
  }
}

export const klineCloseTime = (interval: string, openTime: number): number =>
  intervalEnd(interval, openTime) - 1;

/** The first bar that opens then or later: one that was open already would be told without its beginning. */
function wholeFrom(interval: string, from: number): number {
  const open = intervalOpen(interval, from);
  return open === from ? from : intervalEnd(interval, open);
}
