/**
 * Closed bars from Binance's REST klines, page by page.
 *
 * Invariants: bars come oldest first, each once, with close in (after, until]; a bar counts as closed only when a
 * later one exists or its close is well past, because the newest row is the one that is still forming.
 */
import { type Candle, TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import { figureOf, isSoundBar, unreadable } from './ccxt-answers.ts';
import type { PublicRest } from './ccxt-public-rest.ts';

/** Of the most a page holds (1500); up to here it costs 5 of the weight, beyond 10. */
const PAGE = 1000;
const WEIGHTS: readonly (readonly [below: number, weight: number])[] = [
  [100, 1],
  [500, 2],
  [1001, 5],
];
/** Our clock and the venue's may differ by this much, and its last trade of a bar arrives late. */
const SETTLED_MS = 3000;

export interface HistoryRange {
  readonly symbol: SymbolName;
  readonly timeframe: Timeframe;
  readonly after: number;
  readonly until: number;
  /** The venue's clock. */
  readonly now: () => number;
  /** Absent: traded prices. */
  readonly of?: 'mark';
}

export async function binanceHistory(rest: PublicRest, range: HistoryRange): Promise<Candle[]> {
  const { symbol, timeframe, after, until, now, of } = range;
  const spanMs = TIMEFRAME_MS[timeframe];
  const bars: Candle[] = [];
  // The first bar to close after `after` opens in the span that holds it.
  let from = after - (after % spanMs);
  while (from + spanMs <= until) {
    // One bar more than wanted: it proves that the one before is closed.
    const wanted = Math.min(PAGE, Math.floor((until - from) / spanMs) + 1);
    const weight = WEIGHTS.find(([below]) => wanted < below)?.[1] ?? 10;
    const rows = await rest.get(
      of === 'mark' ? 'fapiPublicGetMarkPriceKlines' : 'fapiPublicGetKlines',
      { symbol, interval: timeframe, startTime: from, endTime: until, limit: wanted },
      weight,
    );
    const page = candlesOf(rows, symbol, timeframe).filter(({ openTime }) => openTime >= from);
    const settledUntil = Math.min(until, now() - SETTLED_MS);
    for (const [i, bar] of page.entries()) {
      const closesAt = bar.openTime + spanMs;
      if (closesAt <= until && (i + 1 < page.length || closesAt <= settledUntil)) bars.push(bar);
    }
    const last = page.at(-1);
    if (!last || page.length < wanted) break;
    // The last one of a full page comes again as the first of the next.
    from = bars.at(-1)?.openTime === last.openTime ? last.openTime + spanMs : last.openTime;
  }
  return bars;
}

/** Rows of [openTime, open, high, low, close, volume, closeTime, …], numbers as strings. */
function candlesOf(rows: unknown, symbol: SymbolName, timeframe: Timeframe): Candle[] {
  if (!Array.isArray(rows)) throw unreadable(symbol, 'history');
  const candles = rows.map((row): Candle => {
    const [openTime, open, high, low, close, volume] = Array.isArray(row) ? row.map(figureOf) : [];
    return {
      symbol,
      timeframe,
      openTime: openTime ?? Number.NaN,
      open: open ?? Number.NaN,
      high: high ?? Number.NaN,
      low: low ?? Number.NaN,
      close: close ?? Number.NaN,
      volume: volume ?? Number.NaN,
    };
  });
  for (const [i, candle] of candles.entries())
    if (!isSoundBar(candle) || !(candle.openTime > (candles[i - 1]?.openTime ?? 0)))
      throw unreadable(symbol, `history, row ${i},`);
  return candles;
}
