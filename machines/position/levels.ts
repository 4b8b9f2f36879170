/**
 * The prices at which a position acts, all on the instrument's ticks, all on the mark price.
 *
 * Invariants: the same functions decide and draw the guard band, so no price can act unseen by the band;
 * the stop never loosens.
 */
import {
  add,
  type Decimal,
  div,
  eq,
  floorTo,
  lt,
  min,
  mul,
  sub,
  sum,
  toNumber,
} from '../../src/core/decimal.ts';
import type { PositionContext, ScalePart } from './context.ts';
import { lossLevels } from './exit-rules/loss.ts';
import { isCovered, isFlat } from './ledger.ts';
import { pending } from './orders.ts';
import { ahead, behind, percentOf, profitPrice, towardsLoss, towardsProfit } from './prices.ts';
import { armPrice, breakEvenPrice, ratchetPrice } from './trailing.ts';

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
  const losses = [breachPrice(context), ...lossLevels(context)].map(toNumber);
  const loss = context.direction === 'long' ? Math.max(...losses) : Math.min(...losses);
  const levels = [
    armPrice(context),
    ratchetPrice(context),
    breakEvenPrice(context),
    scaleOutPrice(context),
    addPrice(context),
  ];
  const profits = levels.filter((level) => level !== null).map(toNumber);
  const long = context.direction === 'long';
  const profit = profits.length === 0 ? null : long ? Math.min(...profits) : Math.max(...profits);
  return long ? { low: loss, high: profit } : { low: profit, high: loss };
}
