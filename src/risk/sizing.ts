/**
 * How much: a base amount scaled by volatility, in lots.
 *
 * Invariants: the multiplier lies in [0.5, 2]; a size is a multiple of the lot step, at least the venue's
 * minimum, and never more than `maxLotRoundUp` times what was computed.
 */
import { ceilTo, type Decimal, div, floorTo, fromNumber, gte, lte, max, min, mul } from '../core/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';

/** Sized as if 1h volatility were 2 %: calmer markets get more, wilder ones less. */
const REFERENCE_ATR_PERCENT = '2';
const LEAST: Decimal = '0.5';
const MOST: Decimal = '2';

export function volatilityMultiplier(atrPercent: number): Decimal {
  const atr = fromNumber(atrPercent);
  return max(LEAST, min(MOST, div(REFERENCE_ATR_PERCENT, atr, 8)));
}

export type LotSize =
  | { readonly quantity: Decimal; readonly roundedUp: boolean }
  | { readonly quantity: null; readonly needed: Decimal };

/** The notional in lots; rounded up to the venue's minimum when that stays within `roundUp` times of it. */
export function lotSize(
  notional: Decimal,
  price: Decimal,
  instrument: Instrument,
  roundUp: Decimal,
): LotSize {
  const quantity = floorTo(div(notional, price, 16, 'down'), instrument.stepSize);
  const fits = gte(quantity, instrument.minQuantity) && gte(mul(quantity, price), instrument.minNotional);
  if (fits) return { quantity, roundedUp: false };
  const forNotional = ceilTo(div(instrument.minNotional, price, 16, 'up'), instrument.stepSize);
  const needed = max(forNotional, ceilTo(instrument.minQuantity, instrument.stepSize));
  return lte(mul(needed, price), mul(notional, roundUp))
    ? { quantity: needed, roundedUp: true }
    : { quantity: null, needed };
}
