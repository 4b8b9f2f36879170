/**
 * Where the stop belongs behind the best price so far, by the rule that the plan or the strategy chose.
 *
 * Invariants: a level never moves against the position (better best prices give levels that are at least as
 * tight); `bestFor` is the least best price whose level reaches a stop, so the guard band wakes the position
 * exactly when the next step is due.
 */
import { add, ceilTo, type Decimal, div, floorTo, gt, lt, mul, sub } from '../../src/core/decimal.ts';
import type { TrailingRule } from '../../src/domain/signal.ts';
import type { PositionContext, StopReason } from './context.ts';
import { averagePrice } from './open.ts';
import {
  ahead,
  atLeast,
  behind,
  percentOf,
  profitPrice,
  ratchetStep,
  towardsLoss,
  towardsProfit,
} from './prices.ts';

const HUNDRED: Decimal = '100';

export const trailingRule = ({ entry, plan }: PositionContext): TrailingRule | null =>
  plan.trailing === null ? null : (entry.trailing ?? plan.trailing.rule);

/** One ATR at the entry, in price; a position whose volatility nobody knows trails at its own distance. */
const atrPrice = (context: PositionContext): Decimal | null =>
  context.entry.atrPercent > 0 ? percentOf(averagePrice(context), context.entry.atrPercent.toFixed(6)) : null;

/** How far behind the best price, for the rules that keep a distance. */
function distance(context: PositionContext, rule: TrailingRule): Decimal {
  const { trailing } = context.plan;
  const atr = rule === 'atr' ? atrPrice(context) : null;
  return atr !== null && trailing !== null ? mul(atr, trailing.atrMultiple) : context.entry.trailDistance;
}

const gain = (context: PositionContext, price: Decimal): Decimal =>
  context.direction === 'long' ? sub(price, averagePrice(context)) : sub(averagePrice(context), price);

/** Profit at this price, in percent of the average entry price. */
export const profitPercent = (context: PositionContext, price: Decimal): Decimal =>
  div(mul(gain(context, price), HUNDRED), averagePrice(context), 4);

/** Where the stop belongs, unrounded; null: the rule has nothing to say yet. */
function levelBehind(context: PositionContext, best: Decimal): Decimal | null {
  const { trailing } = context.plan;
  const rule = trailingRule(context);
  if (trailing === null || rule === null) return null;
  const { direction } = context;
  const average = averagePrice(context);
  switch (rule) {
    case 'retrace':
      return ahead(direction, average, percentOf(gain(context, best), trailing.keepPercent));
    case 'percent':
      return behind(direction, best, percentOf(best, trailing.distancePercent));
    case 'step': {
      const step = percentOf(average, trailing.everyPercent);
      const whole = floorTo(gain(context, best), step);
      return lt(whole, step) ? null : ahead(direction, average, sub(whole, step));
    }
    default:
      return behind(direction, best, distance(context, rule));
  }
}

/** The least best price whose level is at or beyond `stop`. */
function bestFor(context: PositionContext, stop: Decimal): Decimal | null {
  const { trailing } = context.plan;
  const rule = trailingRule(context);
  if (trailing === null || rule === null) return null;
  const { direction } = context;
  const long = direction === 'long';
  const average = averagePrice(context);
  switch (rule) {
    case 'retrace':
      return ahead(
        direction,
        average,
        div(mul(gain(context, stop), HUNDRED), trailing.keepPercent, 12, 'up'),
      );
    case 'percent': {
      const share = long ? sub(HUNDRED, trailing.distancePercent) : add(HUNDRED, trailing.distancePercent);
      return div(mul(stop, HUNDRED), share, 12, long ? 'up' : 'down');
    }
    case 'step': {
      const step = percentOf(average, trailing.everyPercent);
      const reached = ceilTo(gain(context, stop), step);
      // The first step takes the stop to the entry price.
      return ahead(direction, average, add(gt(reached, '0') ? reached : '0', step));
    }
    default:
      return ahead(direction, stop, distance(context, rule));
  }
}

export const armPrice = (context: PositionContext): Decimal | null =>
  context.plan.trailing === null || context.armed
    ? null
    : profitPrice(context, context.plan.trailing.armProfitPercent);

/** Where the stop belongs for this best price, when that is at least a step tighter than it is. */
export function ratchetedStop(context: PositionContext, best: Decimal): Decimal | null {
  const level = context.armed ? levelBehind(context, best) : null;
  if (level === null) return null;
  const { direction, filters } = context;
  const wanted = towardsLoss(direction, level, filters.tickSize);
  return atLeast(direction, wanted, ahead(direction, context.stopPrice, ratchetStep(context)))
    ? wanted
    : null;
}

/** The mark at which the next ratchet is due. */
export function ratchetPrice(context: PositionContext): Decimal | null {
  if (!context.armed) return null;
  const next = bestFor(context, ahead(context.direction, context.stopPrice, ratchetStep(context)));
  return next === null ? null : towardsProfit(context.direction, next, context.filters.tickSize);
}

/** Where the stop lies once break-even is reached; null: it lies there already, or the plan has none. */
export function breakEvenStop(context: PositionContext): Decimal | null {
  const { breakEven } = context.plan;
  if (breakEven === null) return null;
  const stop = profitPrice(context, breakEven.bufferPercent);
  return atLeast(context.direction, context.stopPrice, stop) ? null : stop;
}

/** The mark at which the stop moves to break-even. */
export const breakEvenPrice = (context: PositionContext): Decimal | null =>
  context.plan.breakEven === null || breakEvenStop(context) === null
    ? null
    : profitPrice(context, context.plan.breakEven.atProfitPercent);

export interface StopMove {
  readonly stopPrice: Decimal;
  readonly reason: StopReason;
  /** Why, in words and numbers. */
  readonly why: string;
}

/** The tightest stop that the best price so far has earned; null: none that is tighter by enough. */
export function earnedStop(context: PositionContext, best: Decimal): StopMove | null {
  const { direction, plan } = context;
  const peak = `profit peaked at ${profitPercent(context, best)} % (${best})`;
  const trailed = ratchetedStop(context, best);
  const evenAt = breakEvenPrice(context);
  const even = evenAt !== null && atLeast(direction, best, evenAt) ? breakEvenStop(context) : null;
  if (even !== null && !(trailed !== null && atLeast(direction, trailed, even)))
    return {
      stopPrice: even,
      reason: 'break-even',
      why: `${peak}; break-even from ${plan.breakEven?.atProfitPercent} % on`,
    };
  return trailed === null
    ? null
    : { stopPrice: trailed, reason: 'trailing-stop', why: `${peak}; ${ruleWords(context)}` };
}

function ruleWords(context: PositionContext): string {
  const { trailing } = context.plan;
  const rule = trailingRule(context);
  switch (rule) {
    case 'retrace':
      return `${trailing?.keepPercent} % of it is kept`;
    case 'percent':
      return `${trailing?.distancePercent} % behind`;
    case 'step':
      return `one step of ${trailing?.everyPercent} % behind`;
    default:
      return `${rule === null ? 'no rule' : distance(context, rule)} behind`;
  }
}
