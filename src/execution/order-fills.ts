/**
 * Fills of our orders, and the end of an order once they are all told.
 *
 * Invariants: a trade is booked once; holdings and wallet change in the same step as the owner is told; an end
 * waits for every fill that it counts.
 */
import * as D from '../core/decimal.ts';
import { GUARDIAN, VENUE } from '../domain/events.ts';
import { keyOf } from '../domain/position-key.ts';
import type { RemoteFill } from '../domain/remote.ts';
import {
  changeForeign,
  changeHolding,
  claimStray,
  feeInAsset,
  foreignOf,
  holderOf,
  isBooked,
  markBooked,
  payFor,
  signedOf,
} from './books.ts';
import { nameOrder, pauseAfter, touch, type Work } from './executor-state.ts';
import type { OrderRecord } from './executor-types.ts';
import {
  acknowledge,
  answerLateCancel,
  askWithin,
  counted,
  end,
  keysOf,
  lacksFills,
  tellOwner,
  trigger,
} from './order-record.ts';

/** Books one execution of one of our orders, once, and tells whoever it concerns. False when it was known. */
export function applyFill(work: Work, record: OrderRecord, fill: RemoteFill): boolean {
  if (record.trades.includes(fill.tradeId)) return false;
  if (isBooked(work, fill)) {
    if (claimStray(work, fill)) absorbFill(record, fill);
    return false;
  }
  markBooked(work, fill);
  if (record.status === 'over' && record.trades.includes(inferredTrade(record))) {
    // What was made up in its place is told and held; its money is not.
    absorbFill(record, fill);
    payFor(work, fill);
    return false;
  }
  record.trades.push(fill.tradeId);
  nameOrder(work, fill.symbol, fill.orderId, record.order.clientOrderId);
  if (record.book === 'algo') {
    acknowledge(work, record, record.orderId ?? fill.orderId);
    trigger(work, record, fill.orderId);
  } else {
    record.orderId ??= fill.orderId;
    acknowledge(work, record, fill.orderId);
  }
  record.filled = D.add(record.filled, fill.quantity);
  record.venueFilled = D.max(record.venueFilled, counted(record));
  touch(work, keyOf(fill), fill.at);
  const complete = isComplete(record);
  const event = {
    type: 'ORDER_FILLED',
    ...keysOf(record),
    tradeId: fill.tradeId,
    side: fill.side,
    price: fill.price,
    quantity: fill.quantity,
    cumulative: record.filled,
    complete,
    maker: fill.maker,
    fee: feeInAsset(work, fill),
    realizedPnl: fill.realizedPnl,
  } as const;
  hold(work, record, fill);
  tellOwner(work, record, event);
  payFor(work, fill);
  if (complete) {
    end(work, record, { outcome: 'filled', reason: 'FILLED' }, fill.at);
    answerLateCancel(work, record);
  }
  return true;
}

/** The name of what is made up for an order whose fills no trade list shows. */
export const inferredTrade = ({ order }: OrderRecord): string => `inferred-${order.clientOrderId}`;

/** Its effect is in the books already; only the order's own count lacks it. */
export function absorbFill(record: OrderRecord, fill: RemoteFill): void {
  if (record.trades.includes(fill.tradeId)) return;
  record.trades.push(fill.tradeId);
  record.absorbed = D.add(record.absorbed, fill.quantity);
}

function isComplete(record: OrderRecord): boolean {
  if (record.status === 'over') return true;
  if (record.quantity !== null && D.gte(record.filled, record.quantity)) return true;
  return record.end?.outcome === 'filled' && !lacksFills(record);
}

/**
 * Whose holdings a fill changes: its owner's; the guardian's orders take out of what somebody else holds, and it passes
 * their fills on itself (machines/guardian/orders.ts): told from here, too, they would be booked twice.
 */
function hold(work: Work, record: OrderRecord, fill: RemoteFill): void {
  const { owner } = record.order;
  const place = keyOf(record.order);
  const signed = signedOf(fill.side, fill.quantity);
  if (owner === VENUE) {
    changeForeign(work, place, signed, fill.price);
    foreignOf(work, place).offered = null;
    return;
  }
  const holder = owner === GUARDIAN ? holderOf(work, place) : owner;
  if (holder === undefined) changeForeign(work, place, signed, fill.price);
  else changeHolding(work, place, holder, signed, fill.price, fill.at);
}

/** Tells the end once everything that it counts has been told; until then the missing fills are asked for. */
export function settle(work: Work, record: OrderRecord): void {
  if (record.status === 'over') return;
  if (lacksFills(record)) {
    askWithin(work, record, pauseAfter(work.settings, record.asked));
    return;
  }
  if (record.end === null) return;
  const { outcome, reason } = record.end;
  end(work, record, record.end, Math.max(record.updatedAt, work.state.cursor));
  tellOwner(work, record, {
    type: 'ORDER_CLOSED',
    ...keysOf(record),
    outcome: outcome === 'rejected-at-trigger' || outcome === 'canceled' ? outcome : 'expired',
    cumulative: record.filled,
    reason,
  });
}

/** The venue has forgotten it: it can do nothing any more. */
export function forgottenByVenue(work: Work, record: OrderRecord): void {
  record.end ??= { outcome: 'forgotten', reason: 'the venue does not know it any more' };
  record.venueFilled = counted(record);
  settle(work, record);
}
