/**
 * What a position does when the mark crosses its band: what the rules decide (exit-rules/decide.ts); while it
 * stays, the trailing stop's ratchet, which only tightens, and then a part or an add.
 *
 * Invariant: one decision an event; what else was due is recorded as suppressed and decided at the next.
 */
import { type Decimal, div, floorTo, fromNumber, lt, max, min, mul, sub } from '../../src/core/decimal.ts';
import { deskOf } from '../messages.ts';
import { chain, type Step, send, step, timeOf } from '../step.ts';
import type { PositionContext, PositionEvent } from './context.ts';
import { closeBy, decide } from './exit-rules/decide.ts';
import { averagePrice } from './ledger.ts';
import { addPrice, nextAddAfter } from './levels.ts';
import { atLeast, better } from './prices.ts';
import { moveStop } from './protection.ts';
import { takeLocalPart } from './targets.ts';
import { armPrice, earnedStop } from './trailing.ts';

export function watch(
  context: PositionContext,
  event: Extract<PositionEvent, { type: 'PRICE' }>,
): Step<PositionContext> {
  const mark = fromNumber(event.mark);
  const current = { ...context, at: timeOf(context, event) };
  // What was missed moves the peak and the stop; nothing is bought or sold at a price that is over.
  if (event.past) return trail(current, mark);
  const { context: noted, verdict } = decide(current, { event, mark });
  if (verdict?.act === 'emergency' || verdict?.act === 'close') return closeBy(noted, verdict);
  return chain(
    noted,
    (next) => trail(next, mark),
    (next) =>
      verdict?.act === 'part'
        ? takeLocalPart(next)
        : verdict?.act === 'add'
          ? askForAdd(next, mark)
          : step(next),
  );
}

/** Follows the best mark: arms, then pulls the stop after it in steps. */
function trail(context: PositionContext, mark: Decimal): Step<PositionContext> {
  const best = better(context.direction, context.bestPrice ?? mark, mark);
  const arming = armPrice(context);
  const armed = context.armed || (arming !== null && atLeast(context.direction, best, arming));
  const seen = { ...context, bestPrice: best, armed };
  const move = earnedStop(seen, best);
  return move === null ? step(seen) : moveStop(seen, move);
}

/** An add is an entry: it asks risk through the desk, and is sent on approval only. */
export function askForAdd(context: PositionContext, mark: Decimal): Step<PositionContext> {
  if (addPrice(context) === null) return step(context);
  const entry = { ...context.entry, referencePrice: mark, stopPrice: context.stopPrice, add: true };
  return step(
    { ...context, asking: true },
    send(deskOf(context.actor), { type: 'ADD_WANTED', actor: context.actor, entry }),
  );
}

/** The n-th add is at most the first entry × sizeFactor^n, what risk approved, and what the cap leaves. */
export function addQuantity(context: PositionContext, approved: Decimal, price: Decimal): Decimal | null {
  const { pyramid } = context.plan;
  if (pyramid === null) return null;
  let wanted = context.entry.quantity;
  for (let n = 0; n <= context.adds; n++) wanted = mul(wanted, pyramid.sizeFactor);
  const first = mul(context.entry.quantity, context.entry.referencePrice);
  const room = div(sub(mul(first, pyramid.maxExposure), context.openNotional), price);
  const quantity = max('0', floorTo(min(min(wanted, approved), room), context.filters.stepSize));
  const tooSmall =
    lt(quantity, context.filters.minQuantity) || lt(mul(quantity, price), context.filters.minNotional);
  return tooSmall ? null : quantity;
}

/** Moves the next add a step further on: after an add, and after a refusal, so that it is not asked each tick. */
export function afterAsking(context: PositionContext): PositionContext {
  const from = context.nextAddPrice ?? averagePrice(context);
  return { ...context, asking: false, nextAddPrice: nextAddAfter(context, from) };
}
