/**
 * What stands in the place of an entry when a position was there before its actor: nothing was sized or approved
 * here, so only what a running position needs of it is filled in.
 *
 * Invariant: the stop lies on a tick, behind both the entry and the mark, and never at or below zero.
 */
import {
  add,
  ceilTo,
  type Decimal,
  div,
  floorTo,
  max,
  min,
  mul,
  roundTo,
  sub,
} from '../../src/core/decimal.ts';
import type { SymbolName } from '../../src/domain/instrument.ts';
import type { Direction } from '../../src/domain/order.ts';
import type { SizedEntry } from '../../src/domain/risk.ts';
import type { PositionPlan } from './plan.ts';

/** A position that was there before its actor. */
export interface Adopted {
  readonly direction: Direction;
  readonly quantity: Decimal;
  readonly entryPrice: Decimal;
  /** Of the moment: the first stop lies behind the worse of both prices. */
  readonly markPrice: Decimal;
  readonly by: string;
}

/** No signal gave a stop: wide enough for a position whose history nobody here knows. */
export const ADOPTED_STOP_PERCENT: Decimal = '5';

export function adoptedEntry(
  symbol: SymbolName,
  adopted: Adopted,
  plan: PositionPlan,
  tick: Decimal,
): SizedEntry {
  const { direction, entryPrice, markPrice, quantity, by } = adopted;
  const share = div(plan.adoptedStopPercent ?? ADOPTED_STOP_PERCENT, '100');
  const long = direction === 'long';
  const from = long ? min(entryPrice, markPrice) : max(entryPrice, markPrice);
  const distance = mul(from, share);
  const stop = long ? floorTo(sub(from, distance), tick) : ceilTo(add(from, distance), tick);
  return {
    symbol,
    direction,
    referencePrice: entryPrice,
    stopPrice: max(stop, tick),
    trailDistance: max(tick, roundTo(distance, tick)),
    atrPercent: 0,
    reason: `adopted by ${by}`,
    quantity,
    leverage: 1,
  };
}
