/**
 * The prices at which a position acts, all on the instrument's ticks, all on the mark price.
 *
 * Invariants: the same functions decide and draw the guard band, so no price can act unseen by the band;
 * the stop never loosens.
 */
import {
  add,
  ceilTo,
  type Decimal,
  div,
  eq,
  floorTo,
  gte,
  lt,
  lte,
  max,
  min,
  mul,
  sub,
  sum,
  toNumber,
} from '../../src/core/decimal.ts';
import type { Direction } from '../../src/domain/order.ts';
import type { PositionContext, ScalePart } from './context.ts';
import { averagePrice, isCovered, isFlat } from './ledger.ts';
import { pending } from './orders.ts';

/** Rounds to a tick in the direction of profit: a level is reached no earlier than it says. */
const towardsProfit = (direction: Direction, price: Decimal, tick: Decimal): Decimal =>
  direction === 'long' ? ceilTo(price, tick) : floorTo(price, tick);

/** A price that lies on no tick any more, moved to the tighter side. */
export const tightened = (direction: Direction, stop: Decimal, tick: Decimal): Decimal =>
  towardsProfit(direction, stop, tick);

/** Rounds to a tick away from the market: a stop triggers no earlier than it says. */
const towardsLoss = (direction: Direction, price: Decimal, tick: Decimal): Decimal =>
  direction === 'long' ? floorTo(price, tick) : ceilTo(price, tick);

/** `a` is at least as good for the position as `b`. */
export const atLeast = (direction: Direction, a: Decimal, b: Decimal): boolean =>
  direction === 'long' ? gte(a, b) : lte(a, b);

const ahead = (direction: Direction, from: Decimal, distance: Decimal): Decimal =>
  direction === 'long' ? add(from, distance) : sub(from, distance);

const behind = (direction: Direction, from: Decimal, distance: Decimal): Decimal =>
  direction === 'long' ? sub(from, distance) : add(from, distance);

const percentOf = (price: Decimal, percent: Decimal): Decimal => mul(price, div(percent, '100'));

/** The price `percent` in profit from the average entry. */
export function profitPrice(context: PositionContext, percent: Decimal): Decimal {
  const average = averagePrice(context);
  const price = ahead(context.direction, average, percentOf(average, percent));
  return towardsProfit(context.direction, price, context.filters.tickSize);
}

export const armPrice = (context: PositionContext): Decimal | null =>
  context.plan.trailing === null || context.armed
    ? null
    : profitPrice(context, context.plan.trailing.armProfitPercent);

/** The smallest move of the stop; at least a tick. */
function ratchetStep(context: PositionContext): Decimal {
  const percent = context.plan.trailing?.stepPercent ?? '0';
  return max(
    context.filters.tickSize,
    ceilTo(percentOf(averagePrice(context), percent), context.filters.tickSize),
  );
}

/** Where the stop belongs for this best price, when that is at least a step tighter than it is. */
export function ratchetedStop(context: PositionContext, best: Decimal): Decimal | null {
  if (!context.armed) return null;
  const { direction, entry, filters } = context;
  const wanted = towardsLoss(direction, behind(direction, best, entry.trailDistance), filters.tickSize);
  return atLeast(direction, wanted, ahead(direction, context.stopPrice, ratchetStep(context)))
    ? wanted
    : null;
}

/** The mark at which the next ratchet is due. */
export function ratchetPrice(context: PositionContext): Decimal | null {
  if (!context.armed) return null;
  const nextStop = ahead(context.direction, context.stopPrice, ratchetStep(context));
  const mark = ahead(context.direction, nextStop, context.entry.trailDistance);
  return towardsProfit(context.direction, mark, context.filters.tickSize);
}

/** Where the position closes by itself: at the stop while that is not live, a little beyond it while it is. */
export function breachPrice(context: PositionContext): Decimal {
  if (!isCovered(context)) return context.stopPrice;
  const overrun = percentOf(context.stopPrice, context.plan.stopOverrunPercent);
  return towardsLoss(
    context.direction,
    behind(context.direction, context.stopPrice, overrun),
    context.filters.tickSize,
  );
}

/** The next part's price, while none is on its way or paused. */
export function scaleOutPrice(context: PositionContext): Decimal | null {
  const idle = !context.scaleRefused && pending(context, 'exit').length === 0;
  return idle ? (context.scaleParts[0]?.price ?? null) : null;
}

/** The next add's price, while none is asked for or on its way and the entry itself is done. */
export function addPrice(context: PositionContext): Decimal | null {
  const idle = !context.asking && pending(context, 'entry', 'add').length === 0;
  return idle ? context.nextAddPrice : null;
}

export function nextAddAfter(context: PositionContext, from: Decimal): Decimal | null {
  const { pyramid } = context.plan;
  if (pyramid === null || context.adds >= pyramid.maxAdds) return null;
  const price = ahead(context.direction, from, percentOf(from, pyramid.stepPercent));
  return towardsProfit(context.direction, price, context.filters.tickSize);
}

/**
 * The parts for what is open now: shares of it, in lots. What is too small to send alone joins the next part,
 * and whatever the last part would leave that cannot be sent is folded into it.
 */
export const scalePlan = (context: PositionContext): readonly ScalePart[] =>
  cutParts(
    context,
    context.plan.scaleOut.map((rule) => ({
      price: profitPrice(context, rule.profitPercent),
      quantity: percentOf(context.quantity, rule.sharePercent),
      refusals: 0,
    })),
  );

/** What was open has shrunk by somebody else's hand: the parts still to come shrink alike. */
export function shrunkParts(context: PositionContext, before: Decimal): readonly ScalePart[] {
  const share = (quantity: Decimal): Decimal => div(mul(quantity, context.quantity), before, SHARE_PLACES);
  return cutParts(
    context,
    context.scaleParts.map((part) => ({ ...part, quantity: share(part.quantity) })),
  );
}

/** More places than any lot has. */
const SHARE_PLACES = 12;

function cutParts(context: PositionContext, wishes: readonly ScalePart[]): readonly ScalePart[] {
  const { stepSize, minQuantity } = context.filters;
  const parts: ScalePart[] = [];
  let carried: Decimal = '0';
  for (const wish of wishes) {
    const left = sub(context.quantity, sum(parts.map((part) => part.quantity)));
    const wanted = add(carried, wish.quantity);
    const quantity = min(left, floorTo(wanted, stepSize));
    carried = sub(wanted, quantity);
    if (lt(quantity, minQuantity) || eq(quantity, '0')) {
      carried = wanted;
      continue;
    }
    const rest = sub(left, quantity);
    const dust = lt(rest, minQuantity);
    parts.push({ ...wish, quantity: dust ? left : quantity });
    if (dust) break;
  }
  return parts;
}

export interface PriceBand {
  readonly low: number | null;
  readonly high: number | null;
}

/** The mark prices at or beyond which the position must be told PRICE; null: never on that side. */
export function positionBand(context: PositionContext): PriceBand {
  if (!context.watching || isFlat(context)) return { low: null, high: null };
  const loss = toNumber(breachPrice(context));
  const levels = [armPrice(context), ratchetPrice(context), scaleOutPrice(context), addPrice(context)];
  const profits = levels.filter((level) => level !== null).map(toNumber);
  const long = context.direction === 'long';
  const profit = profits.length === 0 ? null : long ? Math.min(...profits) : Math.max(...profits);
  return long ? { low: loss, high: profit } : { low: profit, high: loss };
}

/** The better of two marks for the position. */
export const better = (direction: Direction, a: Decimal, b: Decimal): Decimal =>
  direction === 'long' ? max(a, b) : min(a, b);

export const worseThan = (direction: Direction, mark: Decimal, level: Decimal): boolean =>
  direction === 'long' ? lte(mark, level) : gte(mark, level);
