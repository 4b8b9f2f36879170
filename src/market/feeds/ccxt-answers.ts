/**
 * What of a venue's public REST answers is believed: numbers written as numbers, bars that can be, books whose levels
 * can be.
 *
 * Invariants: no NaN and nothing infinite gets through; an answer of which a part cannot be read is not read at all.
 */
import { BulkheadError } from '../../core/errors.ts';
import { type Candle, TIMEFRAME_MS } from '../../domain/candle.ts';
import type { DepthSnapshot, RawLevel } from '../order-book.ts';

const PLAIN = /^-?\d{1,40}(\.\d{1,40})?(e[+-]?\d{1,3})?$/i;

/** NaN where there is no number. */
export function figureOf(value: unknown): number {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && PLAIN.test(value));
  const figure = isNumber ? Number(value) : Number.NaN;
  return Number.isFinite(figure) ? figure : Number.NaN;
}

/** Whether there can be such a bar. Each comparison is false where a number is none. */
export function isSoundBar({ timeframe, openTime, open, high, low, close, volume }: Candle): boolean {
  const isOpen = Number.isSafeInteger(openTime) && openTime > 0 && openTime % TIMEFRAME_MS[timeframe] === 0;
  return isOpen && low > 0 && low <= Math.min(open, close) && high >= Math.max(open, close) && volume >= 0;
}

/** Binance's depth: {lastUpdateId, bids: [["price", "quantity"], …], asks: …}. */
export function depthSnapshotOf(symbol: string, answer: unknown): DepthSnapshot {
  const { lastUpdateId, bids, asks } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  const id = figureOf(lastUpdateId);
  if (!Number.isSafeInteger(id) || !Array.isArray(bids) || !Array.isArray(asks))
    throw unreadable(symbol, 'book');
  const levels = (side: readonly unknown[]): RawLevel[] =>
    side.map((level): RawLevel => {
      const [price, quantity] = Array.isArray(level) ? [figureOf(level[0]), figureOf(level[1])] : [];
      if (!(price !== undefined && quantity !== undefined && price > 0 && quantity >= 0))
        throw unreadable(symbol, 'book');
      return [price, quantity];
    });
  return { lastUpdateId: id, bids: levels(bids), asks: levels(asks) };
}

export const unreadable = (symbol: string, what: string): BulkheadError =>
  new BulkheadError('VENUE_UNREACHABLE', `The venue's ${what} of ${symbol} cannot be read.`, {
    hint: 'It is asked again. If this persists, something between here and the venue changes its answers, or the venue has changed them.',
  });
