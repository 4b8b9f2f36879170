/**
 * The prices at which a position acts, all on the instrument's ticks, all on the mark price.
 *
 * Invariants: the same functions decide and draw the guard band, so no price can act unseen by the band;
 * the stop never loosens.
 */
import { type Decimal, toNumber } from '../../src/core/decimal.ts';
import type { PositionContext } from './context.ts';
import { lossLevels } from './exit-rules/loss.ts';
import { isCovered, isFlat } from './ledger.ts';
import { pending } from './orders.ts';
import { ahead, behind, percentOf, towardsLoss, towardsProfit } from './prices.ts';
import { localPart } from './targets.ts';
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

/** The next add's price, while none is asked for or on its way and the entry itself is done. */
export function addPrice(context: PositionContext): Decimal | null {
  const idle = !context.asking && pending(context, 'entry', 'add').length === 0;
  return idle ? context.nextAddPrice : null;
}

/** Where a mere touch asks for the add; null: a bar has to close beyond it. */
export const touchAddPrice = (context: PositionContext): Decimal | null =>
  context.plan.pyramid?.confirm === 'touch' ? addPrice(context) : null;

export function nextAddAfter(context: PositionContext, from: Decimal): Decimal | null {
  const { pyramid } = context.plan;
  if (pyramid === null || context.adds >= pyramid.maxAdds) return null;
  const price = ahead(context.direction, from, percentOf(from, pyramid.stepPercent));
  return towardsProfit(context.direction, price, context.filters.tickSize);
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
    localPart(context)?.price ?? null,
    touchAddPrice(context),
  ];
  const profits = levels.filter((level) => level !== null).map(toNumber);
  const long = context.direction === 'long';
  const profit = profits.length === 0 ? null : long ? Math.min(...profits) : Math.max(...profits);
  return long ? { low: loss, high: profit } : { low: profit, high: loss };
}
