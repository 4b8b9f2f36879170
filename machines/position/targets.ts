/**
 * Partial exits: the parts of the plan, and the orders that take them.
 *
 * Invariants: the parts still to be taken are together never more than is open, in whole lots, and what would be
 * left as dust is folded into the last; all exits at the venue or on their way are together never more than is open
 * either, so a part is moved by taking its order back first; a part whose order is UNKNOWN waits for evidence.
 */
import { add, eq, gt, min, sum } from '../../src/core/decimal.ts';
import { chain, notify, type Step, step } from '../step.ts';
import type { OrderRecord, PositionContext, ScalePart } from './context.ts';
import { isFlat } from './ledger.ts';
import { cancel, pending, place, remaining } from './orders.ts';
import { cutParts } from './parts.ts';
import { atLeast, percentOf, profitPrice, towardsProfit } from './prices.ts';

type Next = Step<PositionContext>;

/** After this many refusals a part is given up: the stop and the other exits remain. */
const PART_REFUSALS = 3;

/** The parts for what is open now: shares of it. */
export const scalePlan = (context: PositionContext): readonly ScalePart[] =>
  cutParts(
    context,
    context.plan.scaleOut.map((rule) => ({
      price: profitPrice(context, rule.profitPercent),
      quantity: percentOf(context.quantity, rule.sharePercent),
      refusals: 0,
      ref: null,
      local: !context.plan.restingTargets,
    })),
  );

/** Ticks and lots are others now. */
export const refittedParts = (context: PositionContext): readonly ScalePart[] =>
  cutParts(
    context,
    context.scaleParts.map((part) => ({
      ...part,
      price: towardsProfit(context.direction, part.price, context.filters.tickSize),
    })),
  );

/** Exits that nobody knows to be over, at the venue or on their way. */
const exits = (context: PositionContext): readonly OrderRecord[] => pending(context, 'exit');

const fits = (order: OrderRecord, part: ScalePart): boolean =>
  eq(remaining(order), part.quantity) && order.price !== null && eq(order.price, part.price);

/** Brings the take-profits at the venue nearer to the plan; run after everything that changes either. */
export function rest(context: PositionContext): Next {
  const leave =
    !context.watching ||
    isFlat(context) ||
    context.broken !== null ||
    context.emergency !== null ||
    context.closeReason !== null;
  return leave ? step(context) : chain(context, takeBack, placeParts);
}

/** Orders that no part wants as they are. Only what is known to rest: the others have yet to be heard of. */
function takeBack(context: PositionContext): Next {
  const stale = exits(context).filter((order) => {
    if (order.status !== 'live' || order.price === null || order.cancelRequested) return false;
    const part = context.scaleParts.find(({ ref }) => ref === order.ref);
    return part === undefined || !fits(order, part);
  });
  return chain(context, ...stale.map((order) => (next: PositionContext) => cancel(next, order)));
}

function placeParts(context: PositionContext): Next {
  // A stop that is being carried out takes everything.
  const stopped = pending(context, 'stop').some((stop) => stop.status === 'triggered');
  if (context.scaleRefused || stopped) return step(context);
  return chain(
    context,
    ...context.scaleParts.map(
      (_, index) =>
        (next: PositionContext): Next =>
          placePart(next, index),
    ),
  );
}

function placePart(context: PositionContext, index: number): Next {
  const part = context.scaleParts[index];
  if (part === undefined || part.local || part.ref !== null) return step(context);
  const asked = sum(exits(context).map(remaining));
  // An order that is being taken back may still fill: together they must not exceed what is open.
  if (gt(add(asked, part.quantity), context.quantity)) return step(context);
  return taking(place(context, 'exit', part.quantity, 'take-profit', { limit: part.price }), index);
}

/** The part remembers the order that was just placed for it. */
function taking(placed: Next, index: number): Next {
  const ref = placed.context.orders.at(-1)?.ref ?? null;
  const scaleParts = placed.context.scaleParts.map((part, i) => (i === index ? { ...part, ref } : part));
  return { context: { ...placed.context, scaleParts }, intents: placed.intents };
}

/** The nearest part that waits for the mark here, while no exit without an outcome stands in its way. */
export function localPart(context: PositionContext): ScalePart | undefined {
  if (context.scaleRefused || exits(context).some((order) => order.price === null || order.status !== 'live'))
    return undefined;
  return context.scaleParts
    .filter((part) => part.local && part.ref === null)
    .reduce<ScalePart | undefined>(
      (near, part) =>
        near === undefined || atLeast(context.direction, near.price, part.price) ? part : near,
      undefined,
    );
}

/** Takes it at market. */
export function takeLocalPart(context: PositionContext): Next {
  const part = localPart(context);
  if (part === undefined) return step(context);
  const quantity = min(part.quantity, context.quantity);
  return taking(place(context, 'exit', quantity, 'take-profit'), context.scaleParts.indexOf(part));
}

/** The pause after a refused partial exit is over. */
export function resumeScaling(context: PositionContext): Next {
  const givenUp = context.scaleParts.filter(({ refusals }) => refusals >= PART_REFUSALS);
  const next = {
    ...context,
    scaleRefused: false,
    scaleParts: context.scaleParts.filter((part) => !givenUp.includes(part)),
  };
  const told = givenUp.map(({ price }) =>
    notify('warning', `${context.actor}: partial exit at ${price} given up`),
  );
  return chain<PositionContext>(next, (current) => step(current, ...told), rest);
}

/** The position is on its way out: nothing may rest that would take a part of what the close takes. */
export function withdrawExits(context: PositionContext): Next {
  // With nothing left to reduce the venue ends them itself; a cancel would only cross its word.
  if (isFlat(context)) return step(context);
  const resting = exits(context).filter((order) => !order.cancelRequested);
  return chain(context, ...resting.map((order) => (next: PositionContext) => cancel(next, order)));
}
