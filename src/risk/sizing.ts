/**
 * How much: a base amount scaled by volatility, in lots.
 *
 * Invariants: the multiplier lies between its bounds; a size is a multiple of the lot step, at least the venue's
 * minimum, and never more than `maxLotRoundUp` times what was computed.
 */
import { ceilTo, type Decimal, div, floorTo, fromNumber, gte, lte, max, min, mul } from '../core/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';
import type { VolatilityScaling } from '../domain/risk.ts';

export function volatilityMultiplier(atrPercent: number, limits: VolatilityScaling): Decimal {
  if (!limits.enabled) return '1';
  const { referenceAtrPercent, minFactor, maxFactor } = limits;
  const factor = div(fromNumber(referenceAtrPercent), fromNumber(atrPercent), 8);
  return max(fromNumber(minFactor), min(fromNumber(maxFactor), factor));
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
