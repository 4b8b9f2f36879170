/**
 * The stop after an add was filled.
 *
 * Invariants: it never loosens; the loss at the stop is at most what it was before, whatever the add was filled at:
 * the new stop is the old one and the add's price, weighted with their quantities. So it keeps its distance to the
 * market, too, and cannot trigger by the add alone.
 */
import { add, type Decimal, div, mul } from '../../src/core/decimal.ts';
import type { PositionContext } from './context.ts';
import { better, towardsProfit } from './prices.ts';
import type { StopMove } from './trailing.ts';

const PLACES = 16;

/** `before` the fill; null: the stop stays where it is. */
export function neutralStop(before: PositionContext, quantity: Decimal, price: Decimal): StopMove | null {
  const { direction, stopPrice, filters } = before;
  const weighted = add(mul(before.quantity, stopPrice), mul(quantity, price));
  // The division is rounded, and may be on the loose side of an exact tick by less than anything that can be traded.
  const mean = div(weighted, add(before.quantity, quantity), PLACES, direction === 'long' ? 'up' : 'down');
  const wanted = better(direction, stopPrice, towardsProfit(direction, mean, filters.tickSize));
  return wanted === stopPrice
    ? null
    : {
        stopPrice: wanted,
        reason: 'pyramid-stop',
        why: `${quantity} added at ${price} to ${before.quantity}; no more is at risk than before`,
      };
}
