/**
 * How alike a candidate's moves are to what is open. A long and a short of two alike symbols hedge each other,
 * so the sign of the directions counts.
 *
 * Invariants: a correlation lies in [−1, 1] and is symmetric; too little history gives undefined, never zero.
 */

import type { Direction } from '../domain/order.ts';
import type { CorrelationLimits, Exposure, MarketConditions } from '../domain/risk.ts';

/** Pearson's, over the newest returns that both have. */
export function correlation(
  a: readonly number[],
  b: readonly number[],
  minReturns: number,
): number | undefined {
  const n = Math.min(a.length, b.length);
  if (n < minReturns || n < 2) return undefined;
  const [offA, offB] = [a.length - n, b.length - n];
  let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const x = a[offA + i] ?? 0;
    const y = b[offB + i] ?? 0;
    sumA += x;
    sumB += y;
    sumAA += x * x;
    sumBB += y * y;
    sumAB += x * y;
  }
  const spread = (n * sumAA - sumA * sumA) * (n * sumBB - sumB * sumB);
  if (!(spread > 0)) return undefined;
  return Math.max(-1, Math.min(1, (n * sumAB - sumA * sumB) / Math.sqrt(spread)));
}

export interface Alike {
  readonly symbol: string;
  /** Positive: gains and loses together with the candidate. */
  readonly together: number;
  readonly notional: string;
}

/** Every other open exposure with its likeness to the candidate, where both have enough history. */
export function likeness(
  candidate: { readonly symbol: string; readonly direction: Direction },
  exposures: readonly Exposure[],
  conditions: MarketConditions,
  limits: CorrelationLimits,
): Alike[] {
  const own = conditions.returns[candidate.symbol];
  if (!own) return [];
  const known = new Map<string, number | undefined>();
  return exposures.flatMap(({ symbol, direction, notional }) => {
    if (symbol === candidate.symbol) return [];
    if (!known.has(symbol))
      known.set(symbol, correlation(own, conditions.returns[symbol] ?? [], limits.minReturns));
    const value = known.get(symbol);
    if (value === undefined) return [];
    return [{ symbol, together: direction === candidate.direction ? value : -value, notional }];
  });
}

/** 1 up to `scaleAbove`, then falling towards a half at `refuseAbove`. */
export function correlationFactor(highest: number, limits: CorrelationLimits): number {
  if (highest <= limits.scaleAbove) return 1;
  const room = limits.refuseAbove - limits.scaleAbove;
  const share = room > 0 ? Math.min(1, (highest - limits.scaleAbove) / room) : 1;
  return 1 - share / 2;
}
