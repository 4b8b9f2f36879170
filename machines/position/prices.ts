/**
 * Prices of a position on the instrument's ticks: the arithmetic that every level is made of.
 * Invariant: rounding never acts earlier than a level says.
 */
import {
  add,
  ceilTo,
  type Decimal,
  div,
  floorTo,
  gte,
  lte,
  max,
  min,
  mul,
  sub,
} from '../../src/core/decimal.ts';
import type { Direction } from '../../src/domain/order.ts';
import type { PositionContext } from './context.ts';
import { averagePrice } from './open.ts';

/** Rounds to a tick in the direction of profit: a level is reached no earlier than it says. */
export const towardsProfit = (direction: Direction, price: Decimal, tick: Decimal): Decimal =>
  direction === 'long' ? ceilTo(price, tick) : floorTo(price, tick);

/** A price that lies on no tick any more, moved to the tighter side. */
export const tightened = (direction: Direction, stop: Decimal, tick: Decimal): Decimal =>
  towardsProfit(direction, stop, tick);

/** Rounds to a tick away from the market: a stop triggers no earlier than it says. */
export const towardsLoss = (direction: Direction, price: Decimal, tick: Decimal): Decimal =>
  direction === 'long' ? floorTo(price, tick) : ceilTo(price, tick);

/** `a` is at least as good for the position as `b`. */
export const atLeast = (direction: Direction, a: Decimal, b: Decimal): boolean =>
  direction === 'long' ? gte(a, b) : lte(a, b);

/** The better of two prices for the position. */
export const better = (direction: Direction, a: Decimal, b: Decimal): Decimal =>
  direction === 'long' ? max(a, b) : min(a, b);

export const worseThan = (direction: Direction, mark: Decimal, level: Decimal): boolean =>
  direction === 'long' ? lte(mark, level) : gte(mark, level);

export const ahead = (direction: Direction, from: Decimal, distance: Decimal): Decimal =>
  direction === 'long' ? add(from, distance) : sub(from, distance);

export const behind = (direction: Direction, from: Decimal, distance: Decimal): Decimal =>
  direction === 'long' ? sub(from, distance) : add(from, distance);

export const percentOf = (price: Decimal, percent: Decimal): Decimal => mul(price, div(percent, '100'));

/** The price `percent` in profit from the average entry. */
export function profitPrice(context: PositionContext, percent: Decimal): Decimal {
  const average = averagePrice(context);
  const price = ahead(context.direction, average, percentOf(average, percent));
  return towardsProfit(context.direction, price, context.filters.tickSize);
}

/** The smallest move of the stop; at least a tick. */
export function ratchetStep(context: PositionContext): Decimal {
  const percent = context.plan.trailing?.stepPercent ?? '0';
  return max(
    context.filters.tickSize,
    ceilTo(percentOf(averagePrice(context), percent), context.filters.tickSize),
  );
}
