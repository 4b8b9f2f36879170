/**
 * The prices between which nothing can happen on a symbol. Every comparison is strict: a bar that only touches
 * a bound must be applied.
 */
import type { Instrument } from '../../domain/instrument.ts';
import { activationOf, type Threshold, triggerOf, workingPrice } from './conditional.ts';
import type { Conditional, Market, Venue } from './engine-state.ts';
import type { WakeBand } from './engine-types.ts';
import { type CrossAccount, safeMarks } from './liquidation-price.ts';

export const OPEN_BAND: WakeBand = {
  lastLow: Number.NEGATIVE_INFINITY,
  lastHigh: Number.POSITIVE_INFINITY,
  markLow: Number.NEGATIVE_INFINITY,
  markHigh: Number.POSITIVE_INFINITY,
};

type Bounds = { -readonly [K in keyof WakeBand]: WakeBand[K] };

/** `account` is asked for only where a position stands; who draws many bands at once hands in the same. */
export function computeBand(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  account: () => CrossAccount,
): WakeBand {
  if (instrument.status !== 'TRADING') return OPEN_BAND;
  const band: Bounds = { ...OPEN_BAND };
  for (const { order } of market.orders) {
    const price = Number(order.price);
    if (order.side === 'BUY') band.lastLow = Math.max(band.lastLow, price);
    else band.lastHigh = Math.min(band.lastHigh, price);
  }
  for (const entry of market.conditionals) boundBy(band, entry);
  if (market.positions.length > 0) {
    const { low, high } = safeMarks(venue, market, instrument, account());
    band.markLow = Math.max(band.markLow, low);
    band.markHigh = Math.min(band.markHigh, high);
  }
  return band;
}

function boundBy(band: Bounds, entry: Conditional): void {
  const of = workingPrice(entry);
  const threshold = activationOf(entry) ?? triggerOf(entry);
  if (threshold) narrow(band, of, threshold);
  if (!entry.armed) return;
  // A trailing stop must also see every new best price, and the first price of all.
  const direction = entry.order.side === 'SELL' ? 'at-or-above' : 'at-or-below';
  const price = entry.extreme === 0 && direction === 'at-or-below' ? Number.POSITIVE_INFINITY : entry.extreme;
  narrow(band, of, { price, direction });
}

function narrow(band: Bounds, of: 'last' | 'mark', { price, direction }: Threshold): void {
  const upper = direction === 'at-or-above';
  if (of === 'last' && upper) band.lastHigh = Math.min(band.lastHigh, price);
  else if (of === 'last') band.lastLow = Math.max(band.lastLow, price);
  else if (upper) band.markHigh = Math.min(band.markHigh, price);
  else band.markLow = Math.max(band.markLow, price);
}

export const inside = (
  band: WakeBand,
  lastLow: number,
  lastHigh: number,
  markLow: number,
  markHigh: number,
): boolean =>
  lastLow > band.lastLow && lastHigh < band.lastHigh && markLow > band.markLow && markHigh < band.markHigh;
