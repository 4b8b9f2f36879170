/**
 * The books of a position: what each venue event changes, whatever state the chart is in.
 *
 * Invariants: a fill counts once (an order's cumulative quantity only rises, so a duplicate adds nothing);
 * P&L and fees are the venue's own numbers, summed; a total that proves a missed fill is booked as inferred;
 * reducing more than is open breaks the books, loudly.
 */
import { add, type Decimal, gt, lt, lte, mul, neg, sub, ZERO } from '../../src/core/decimal.ts';
import type { Emitted } from '../../src/domain/events.ts';
import { VENUE } from '../../src/domain/events.ts';
import { exitSide, type VenueEvent } from '../../src/domain/order.ts';
import { notify, type Step, send, step, timeOf } from '../step.ts';
import { isJudgement, NOTHING_TO_REDUCE, WOULD_TRIGGER_AT_ONCE } from './codes.ts';
import type { OrderRecord, PositionContext } from './context.ts';
import { neutralStop } from './neutral-stop.ts';
import { averagePrice, isFlat } from './open.ts';
import {
  covers,
  findOrder,
  isClosing,
  isForgotten,
  isOpening,
  isOver,
  pending,
  updateOrder,
} from './orders.ts';
import { releasedPart, takenFromPart } from './parts.ts';
import { capFromFill } from './stop-bounds.ts';

export { averagePrice, isFlat } from './open.ts';

type Timely<E> = E & { readonly at?: number };
type Fill = Timely<Extract<VenueEvent, { type: 'ORDER_FILLED' }>>;
type OrderEvent = Timely<Extract<VenueEvent, { ref: string }>>;

const LOTS_KEPT = 16;
const EXITS_KEPT = 32;
/** What stands at the venue to protect the position, in quantity. */
export function coverage(context: PositionContext): Decimal {
  let covered = ZERO;
  for (const order of pending(context, 'stop'))
    if (order.status === 'live' || order.status === 'triggered')
      covered = add(covered, covers(context, order));
  return covered;
}

export const isCovered = (context: PositionContext): boolean => lte(context.quantity, coverage(context));

/** Keeps the stopwatch of unprotected time; run after anything that can change quantity or coverage. */
export function timeProtection(context: PositionContext): PositionContext {
  const covered = isFlat(context) || isCovered(context);
  if (!covered)
    return context.unprotectedSince === null ? { ...context, unprotectedSince: context.at } : context;
  const first = context.protectedAt ?? (isFlat(context) ? null : context.at);
  if (context.unprotectedSince === null) return { ...context, protectedAt: first };
  const elapsedMs = Math.max(0, context.at - context.unprotectedSince);
  return {
    ...context,
    protectedAt: first,
    unprotectedSince: null,
    unprotectedMs: context.unprotectedMs + elapsedMs,
  };
}

export function book(context: PositionContext, event: OrderEvent): Step<PositionContext> {
  const at = timeOf(context, event);
  const known = findOrder(context, event.ref);
  const current = { ...context, at };
  if (!known && isForgotten(context, event.ref))
    return step(
      { ...current, duplicates: context.duplicates + 1 },
      notify('warning', `${context.actor}: late ${event.type} for ${event.ref}, long finished; reconcile`),
    );
  if (event.type === 'ORDER_FILLED') return bookFill(current, event, known);
  if (!known)
    return step(
      current,
      notify('warning', `${context.actor}: ${event.type} for an order it does not know: ${event.ref}`),
    );
  if (isOver(known)) return step(current);
  return bookOutcome(current, event, known);
}

function bookOutcome(
  context: PositionContext,
  event: Exclude<OrderEvent, Fill>,
  order: OrderRecord,
): Step<PositionContext> {
  const set = (change: Partial<OrderRecord>): Step<PositionContext> =>
    step(timeProtection(updateOrder(context, order.ref, change)));
  switch (event.type) {
    case 'ORDER_ACKNOWLEDGED': {
      const acknowledged = order.status === 'submitted' || order.status === 'unknown';
      return order.role === 'stop' && acknowledged
        ? step(
            timeProtection({
              ...updateOrder(context, order.ref, { status: 'live' }),
              stopRejections: 0,
              stopRefusals: 0,
            }),
          )
        : set(acknowledged ? { status: 'live' } : {});
    }
    case 'ORDER_TRIGGERED':
      return set({ status: 'triggered' });
    case 'ORDER_UNKNOWN':
      // Word of a fill or an acknowledgement that came first is better evidence than a lost response.
      return set(order.status === 'submitted' ? { status: 'unknown' } : {});
    case 'CANCEL_REJECTED':
      return set({ cancelRequested: false });
    case 'ORDER_REJECTED':
      return bookRefusal(
        updateOrder(context, order.ref, { status: 'over' }),
        order,
        event.code,
        event.reason,
      );
    case 'ORDER_CLOSED': {
      const missed = sub(event.cumulative, order.filled);
      const inferred = gt(missed, ZERO) ? infer(context, order, missed) : step(context);
      const closed = updateOrder(inferred.context, order.ref, { status: 'over' });
      const refused = event.outcome === 'rejected-at-trigger' ? WOULD_TRIGGER_AT_ONCE : 0;
      const next = bookEnd(closed, order, event.outcome, refused, event.reason);
      return { context: next.context, intents: [...inferred.intents, ...next.intents] };
    }
  }
}

/** An order that is over without a rejection of ours: a stop that ends short of its work means emergency. */
function bookEnd(
  context: PositionContext,
  order: OrderRecord,
  outcome: string,
  code: number,
  reason: string,
): Step<PositionContext> {
  if (code !== 0) return bookRefusal(context, order, code, `${outcome}: ${reason}`);
  const next = timeProtection(endOfOrder(context, order, null));
  if (order.role !== 'stop' || order.cancelRequested || isFlat(next) || isCovered(next)) return step(next);
  return order.status === 'triggered'
    ? demandEmergency(next, `triggered stop ${outcome} with quantity left: ${reason}`)
    : step(next);
}

function bookRefusal(
  context: PositionContext,
  order: OrderRecord,
  code: number,
  reason: string,
): Step<PositionContext> {
  const next = timeProtection(endOfOrder(context, order, code));
  const told = notify('warning', `${context.actor}: ${order.ref} refused (${code}): ${reason}`);
  const evidence =
    code === NOTHING_TO_REDUCE && !isFlat(next) && !isOpening(order)
      ? [askToReconcile(next, `${order.ref} found nothing to reduce, but ${next.quantity} should be open`)]
      : [];
  if (order.role !== 'stop') return step(next, told, ...evidence);
  const refused = {
    ...next,
    stopRejections: next.stopRejections + 1,
    stopRefusals: next.stopRefusals + (isJudgement(code) ? 1 : 0),
  };
  const inPlay = !isFlat(refused) && !(order.cancelRequested && isCovered(refused));
  if (!inPlay) return step(refused);
  if (code === WOULD_TRIGGER_AT_ONCE && !hasTriggered(refused))
    return demandEmergency(refused, `stop would trigger at once: ${reason}`);
  const enough = isJudgement(code) && refused.stopRefusals >= refused.plan.maxStopRejections;
  return enough && !isCovered(refused)
    ? demandEmergency(refused, `stop refused ${refused.stopRefusals} times: ${reason}`)
    : step(refused, told, ...evidence);
}

/** The executor reads everything anew and tells what it finds as fills; the venue in the process needs no telling. */
export const askToReconcile = (context: PositionContext, why: string): Emitted =>
  send(VENUE, { type: 'RECONCILE', why: `${context.actor}: ${why}` });

/**
 * A closing order that ended short is tried again after a pause; a partial exit that took nothing, too.
 * `code` of a refusal; null: it was taken, and ended by itself.
 */
function endOfOrder(context: PositionContext, order: OrderRecord, code: number | null): PositionContext {
  if (isClosing(order))
    return {
      ...context,
      closeRejections: context.closeRejections + 1,
      // While exits rest, the venue may count them in: once they are gone there is something to reduce again.
      nothingToReduce:
        code === NOTHING_TO_REDUCE && pending(context, 'exit').length === 0 ? context.nothingToReduce + 1 : 0,
    };
  // One that the venue never looked at may be tried as often as it takes.
  return order.role === 'exit' ? releasedPart(context, order, code !== null && isJudgement(code)) : context;
}

/** Another stop that is being carried out covers the position: the refused one is not missed. */
const hasTriggered = (context: PositionContext): boolean =>
  isCovered(context) && pending(context, 'stop').some((order) => order.status === 'triggered');

export function demandEmergency(context: PositionContext, reason: string): Step<PositionContext> {
  if (context.emergency !== null) return step(context);
  return step(
    { ...context, emergency: reason },
    notify('critical', `${context.actor}: emergency close: ${reason}`),
  );
}

function bookFill(
  context: PositionContext,
  event: Fill,
  known: OrderRecord | undefined,
): Step<PositionContext> {
  const order = known ?? foreignOrder(context, event);
  const holding = known ? context : { ...context, orders: [...context.orders, order] };
  const fresh = sub(event.cumulative, order.filled);
  // Late word of what is already in the books; the end of the order is news all the same.
  if (lte(fresh, ZERO)) {
    const repeated = { ...context, duplicates: context.duplicates + 1 };
    return step(
      known && event.complete && !isOver(known)
        ? timeProtection(updateOrder(repeated, order.ref, { status: 'over' }))
        : repeated,
    );
  }
  const missed = sub(fresh, event.quantity);
  const inferred = gt(missed, ZERO) ? infer(holding, order, missed, event.price) : step(holding);
  const quantity = gt(missed, ZERO) ? event.quantity : fresh;
  const booked = exchange(inferred.context, order, {
    quantity,
    price: event.price,
    fee: event.fee,
    realizedPnl: event.realizedPnl,
    reduces: event.side === exitSide(context.direction),
    reason: event.cause ?? order.reason,
  });
  const filled = updateOrder(booked.context, order.ref, {
    filled: event.cumulative,
    status: event.complete ? 'over' : statusAfterFill(order),
  });
  const finished = order.role === 'exit' ? takenFromPart(filled, order.ref, fresh, event.complete) : filled;
  const next = timeProtection(
    order.role === 'stop' || order.role === 'venue'
      ? finished
      : { ...finished, closeRejections: 0, nothingToReduce: 0 },
  );
  const overfilled =
    !order.whole && gt(event.cumulative, order.quantity)
      ? [notify('critical', `${context.actor}: ${order.ref} filled ${event.cumulative} of ${order.quantity}`)]
      : [];
  return { context: next, intents: [...inferred.intents, ...booked.intents, ...overfilled] };
}

/** A fill proves that the order exists; a stop that fills has triggered; what is over stays over. */
const statusAfterFill = (order: OrderRecord): OrderRecord['status'] =>
  order.status === 'over' ? 'over' : order.role === 'stop' ? 'triggered' : 'live';

function foreignOrder(context: PositionContext, event: Fill): OrderRecord {
  return {
    ref: event.ref,
    role: 'venue',
    quantity: event.cumulative,
    filled: sub(event.cumulative, event.quantity),
    price: null,
    status: 'live',
    cancelRequested: true,
    reason: event.cause ?? `order ${event.ref} of unknown origin on ${context.symbol}`,
  };
}

/** The venue's total says more was filled than we were told: book it at the best price known, and say so. */
function infer(
  context: PositionContext,
  order: OrderRecord,
  missed: Decimal,
  near: Decimal | null = null,
): Step<PositionContext> {
  const price = near ?? order.price ?? averagePrice(context);
  const reduces = !isOpening(order);
  const perUnit = sub(price, averagePrice(context));
  const gained = mul(context.direction === 'long' ? perUnit : neg(perUnit), missed);
  const booked = exchange(context, order, {
    quantity: missed,
    price,
    fee: ZERO,
    realizedPnl: reduces ? gained : ZERO,
    reduces,
    reason: order.reason,
  });
  const next = updateOrder(booked.context, order.ref, { filled: add(order.filled, missed) });
  return {
    context: { ...next, inferredQuantity: add(next.inferredQuantity, missed) },
    intents: [
      ...booked.intents,
      notify('critical', `${context.actor}: ${order.ref} filled ${missed} that no event told of; reconcile`),
    ],
  };
}

interface Exchanged {
  readonly quantity: Decimal;
  readonly price: Decimal;
  readonly fee: Decimal;
  readonly realizedPnl: Decimal;
  readonly reduces: boolean;
  readonly reason: string;
}

function exchange(context: PositionContext, order: OrderRecord, trade: Exchanged): Step<PositionContext> {
  const paid: PositionContext = {
    ...context,
    fees: add(context.fees, trade.fee),
    grossPnl: add(context.grossPnl, trade.realizedPnl),
  };
  return trade.reduces
    ? reduce(paid, order, trade)
    : withItsStop(paid, increase(paid, order, trade), order, trade);
}

/** An add moves the stop so that no more is at risk than before it; an entry's fill, so that no more is than may be. */
function withItsStop(
  before: PositionContext,
  after: PositionContext,
  order: OrderRecord,
  { quantity, price }: Exchanged,
): Step<PositionContext> {
  const move = order.role === 'add' ? neutralStop(before, quantity, price) : capFromFill(after);
  if (move === null) return step(after);
  const { stopPrice, reason, why } = move;
  return step(
    { ...after, stopPrice, stopReason: reason },
    notify('info', `${after.actor}: stop ${after.stopPrice} → ${stopPrice}: ${why}`),
  );
}

function increase(context: PositionContext, order: OrderRecord, trade: Exchanged): PositionContext {
  const notional = mul(trade.price, trade.quantity);
  const same = context.lots.find((lot) => lot.ref === order.ref);
  const lot = {
    ref: order.ref,
    quantity: add(same?.quantity ?? ZERO, trade.quantity),
    notional: add(same?.notional ?? ZERO, notional),
    at: same?.at ?? context.at,
  };
  return {
    ...context,
    quantity: add(context.quantity, trade.quantity),
    openNotional: add(context.openNotional, notional),
    enteredQuantity: add(context.enteredQuantity, trade.quantity),
    enteredNotional: add(context.enteredNotional, notional),
    lots: [...context.lots.filter((other) => other !== same), lot].slice(-LOTS_KEPT),
    bestPrice: context.bestPrice ?? trade.price,
    firstFillAt: context.firstFillAt ?? context.at,
  };
}

function reduce(context: PositionContext, order: OrderRecord, trade: Exchanged): Step<PositionContext> {
  const left = sub(context.quantity, trade.quantity);
  const short = lt(left, ZERO);
  const quantity = short ? ZERO : left;
  const notional = mul(trade.price, trade.quantity);
  const same = context.exits.find((exit) => exit.ref === order.ref);
  const exit = {
    ref: order.ref,
    reason: trade.reason,
    quantity: add(same?.quantity ?? ZERO, trade.quantity),
    notional: add(same?.notional ?? ZERO, notional),
    at: context.at,
  };
  const next: PositionContext = {
    ...context,
    quantity,
    openNotional: quantity === ZERO ? ZERO : mul(averagePrice(context), quantity),
    exitedQuantity: add(context.exitedQuantity, trade.quantity),
    exitedNotional: add(context.exitedNotional, notional),
    exits: [...context.exits.filter((other) => other !== same), exit].slice(-EXITS_KEPT),
  };
  if (!short) return step(next);
  const broken = `${order.ref} took out ${trade.quantity} of ${context.quantity}`;
  return step({ ...next, broken }, notify('critical', `${context.actor}: the books are broken: ${broken}`));
}

export function settleFunding(
  context: PositionContext,
  event: Timely<Extract<VenueEvent, { type: 'FUNDING_SETTLED' }>>,
): Step<PositionContext> {
  return step({
    ...context,
    at: timeOf(context, event),
    funding: add(context.funding, event.amount),
  });
}
