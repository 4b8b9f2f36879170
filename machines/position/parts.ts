/**
 * The parts of a position that are still to be taken, as lists: cut into lots, shrunk, taken from, released.
 *
 * Invariants: together never more than is open, in whole lots; what would be left as dust is folded into the last.
 */
import {
  add,
  type Decimal,
  div,
  eq,
  floorTo,
  gt,
  lt,
  min,
  mul,
  sub,
  sum,
  ZERO,
} from '../../src/core/decimal.ts';
import type { OrderRecord, PositionContext, ScalePart } from './context.ts';

/** More places than any lot has. */
const SHARE_PLACES = 12;

/**
 * What is too small to send alone joins the next part, and whatever the last part would leave that cannot be sent
 * is folded into it.
 */
export function cutParts(context: PositionContext, wishes: readonly ScalePart[]): readonly ScalePart[] {
  const { stepSize, minQuantity } = context.filters;
  const parts: ScalePart[] = [];
  let carried: Decimal = ZERO;
  for (const wish of wishes) {
    const left = sub(context.quantity, sum(parts.map((part) => part.quantity)));
    const wanted = add(carried, wish.quantity);
    const quantity = min(left, floorTo(wanted, stepSize));
    carried = sub(wanted, quantity);
    if (lt(quantity, minQuantity) || eq(quantity, ZERO)) {
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

/** What was open has shrunk by somebody else's hand: the parts still to come shrink alike. */
export function shrunkParts(context: PositionContext, before: Decimal): readonly ScalePart[] {
  // Rounded down, three thirds of a lot would be none.
  const share = (quantity: Decimal): Decimal =>
    div(mul(quantity, context.quantity), before, SHARE_PLACES, 'up');
  return cutParts(
    context,
    context.scaleParts.map((part) => ({ ...part, quantity: share(part.quantity) })),
  );
}

/** A fill of an exit is taken off its part. */
export function takenFromPart(
  context: PositionContext,
  ref: string,
  quantity: Decimal,
  complete: boolean,
): PositionContext {
  const scaleParts = context.scaleParts
    .map((part) => (part.ref === ref ? { ...part, quantity: sub(part.quantity, quantity) } : part))
    .filter((part) => part.ref !== ref || (!complete && gt(part.quantity, ZERO)));
  return { ...context, scaleParts };
}

/**
 * An exit is over before its part was taken whole. Taken back by us it is simply placed anew; else the plan rests
 * for a while. `judged`: the venue has looked at it and refused, so from now on the part is taken here.
 */
export function releasedPart(context: PositionContext, order: OrderRecord, judged: boolean): PositionContext {
  const { scaleParts } = context;
  if (!scaleParts.some(({ ref }) => ref === order.ref)) return context;
  const released = scaleParts.map((part) =>
    part.ref !== order.ref
      ? part
      : judged
        ? { ...part, ref: null, refusals: part.refusals + 1, local: true }
        : { ...part, ref: null },
  );
  const next = { ...context, scaleParts: withoutDust(context, released) };
  return order.cancelRequested && !judged ? next : { ...next, scaleRefused: true };
}

/** A part too small to send joins its neighbour; the last one is left to the stop. */
function withoutDust(context: PositionContext, parts: readonly ScalePart[]): readonly ScalePart[] {
  const small = parts.findIndex(
    (part) => part.ref === null && lt(part.quantity, context.filters.minQuantity),
  );
  if (small < 0) return parts;
  const dust = parts[small]?.quantity ?? ZERO;
  const heir = small + 1 < parts.length ? small + 1 : small - 1;
  return parts
    .map((part, index) => (index === heir ? { ...part, quantity: add(part.quantity, dust) } : part))
    .filter((_, index) => index !== small);
}

/**
 * What the plan did not take out takes its share of the parts still to come. An exit that filled more than its part
 * still wanted takes it from the last ones.
 */
export function refitParts(before: PositionContext, after: PositionContext, ref: string): PositionContext {
  const { scaleParts, quantity } = after;
  if (scaleParts.length === 0 || !gt(quantity, ZERO) || !gt(before.quantity, quantity)) return after;
  const planned = before.scaleParts.some((part) => part.ref === ref);
  if (!planned) return { ...after, scaleParts: shrunkParts(after, before.quantity) };
  const tooMuch = gt(sum(scaleParts.map((part) => part.quantity)), quantity);
  return tooMuch ? { ...after, scaleParts: cutParts(after, scaleParts) } : after;
}
