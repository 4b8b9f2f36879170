/**
 * The last part's target: extended while momentum holds near it, drawn in when momentum fades.
 *
 * Invariants: only the last part moves, and only once it alone is left and the profit has been large enough; a
 * target is never drawn in to what the stop has locked already, nor to a loss; every move says so, with its numbers.
 */
import { type Decimal, fromNumber } from '../../src/core/decimal.ts';
import { notify, type Step, step } from '../step.ts';
import type { PositionContext, ScalePart } from './context.ts';
import { findOrder } from './orders.ts';
import { ahead, atLeast, behind, better, profitPrice, ratchetStep, towardsProfit } from './prices.ts';
import { momentum, type Pulse } from './pulse.ts';
import { rest } from './targets.ts';
import { profitPercent } from './trailing.ts';

/** The part whose target may move now: the only one left, at the venue or here, with nothing under way. */
function movable(context: PositionContext): ScalePart | null {
  const [part, ...others] = context.scaleParts;
  if (part === undefined || others.length > 0) return null;
  if (part.ref === null) return part;
  const order = findOrder(context, part.ref);
  return order?.status === 'live' && order.price !== null && !order.cancelRequested ? part : null;
}

interface Move {
  readonly price: Decimal;
  readonly word: 'extended' | 'drawn in';
}

export function movedTarget(context: PositionContext, pulse: Pulse): Move | null {
  const plan = context.plan.activeTarget;
  const part = movable(context);
  if (plan === null || part === null || pulse.bars < plan.minBars || !(pulse.atr > 0)) return null;
  const { direction, bestPrice } = context;
  const close = fromNumber(pulse.close);
  const seen = fromNumber(direction === 'long' ? pulse.highest : pulse.lowest);
  const best = better(direction, bestPrice ?? seen, seen);
  if (!atLeast(direction, best, profitPrice(context, plan.fromPercent))) return null;
  const atrs = (count: number): Decimal => fromNumber(count * pulse.atr);
  const speed = momentum(pulse, direction);
  if (speed >= plan.holdMomentum) {
    const isNear = atLeast(direction, ahead(direction, close, atrs(plan.nearAtrs)), part.price);
    return isNear ? extended(context, part, ahead(direction, close, atrs(plan.extendAtrs))) : null;
  }
  return speed <= plan.fadeMomentum
    ? drawnIn(context, part, ahead(direction, close, atrs(plan.pullAtrs)))
    : null;
}

/** Less than a step of the stop is no move: each costs two orders. */
function extended(context: PositionContext, part: ScalePart, wanted: Decimal): Move | null {
  const { direction, filters, plan } = context;
  const most = profitPrice(context, plan.activeTarget?.maxPercent ?? '0');
  const capped = atLeast(direction, wanted, most) ? most : wanted;
  const price = towardsProfit(direction, capped, filters.tickSize);
  const enough = atLeast(direction, price, ahead(direction, part.price, ratchetStep(context)));
  return enough ? { price, word: 'extended' } : null;
}

function drawnIn(context: PositionContext, part: ScalePart, wanted: Decimal): Move | null {
  const { direction, filters, stopPrice } = context;
  const step = ratchetStep(context);
  const locked = better(direction, ahead(direction, stopPrice, step), profitPrice(context, '0'));
  const price = towardsProfit(direction, better(direction, wanted, locked), filters.tickSize);
  const enough = atLeast(direction, behind(direction, part.price, step), price);
  return enough ? { price, word: 'drawn in' } : null;
}

export function moveTarget(context: PositionContext, pulse: Pulse): Step<PositionContext> {
  const move = movedTarget(context, pulse);
  const [part] = context.scaleParts;
  if (move === null || part === undefined) return step(context);
  const { price, word } = move;
  const moved = rest({ ...context, scaleParts: [{ ...part, price }] });
  const numbers = `close ${pulse.close}, momentum ${momentum(pulse, context.direction).toFixed(2)} ATRs of ${pulse.atr}`;
  const told = notify(
    'info',
    `${context.actor}: the last part's target is ${word} from ${part.price} to ${price} (${profitPercent(context, price)} %): ${numbers}`,
  );
  return { context: moved.context, intents: [told, ...moved.intents] };
}
