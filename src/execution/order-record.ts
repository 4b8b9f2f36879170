/**
 * One order's record: how it begins, the steps that it only ever takes forward, and its end.
 *
 * Invariants: acknowledged, triggered and over are each told once; an order that is over is kept apart, for late
 * fills, and nothing is asked about it any more.
 */
import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import { VENUE } from '../domain/events.ts';
import { type IdentifiedOrder, isConditional, type VenueEvent } from '../domain/order.ts';
import { nameOrder, tell, type Work } from './executor-state.ts';
import type { OrderEnd, OrderRecord } from './executor-types.ts';

export const keysOf = ({ order }: Pick<OrderRecord, 'order'>) => ({
  ref: order.ref,
  clientOrderId: order.clientOrderId,
  symbol: order.symbol,
});

/** The executor's own orders (closing what is foreign) have nobody to tell. */
export function tellOwner(work: Work, record: OrderRecord, event: VenueEvent): void {
  if (record.order.owner !== VENUE) tell(work, record.order.owner, event);
}

export function newRecord(work: Work, order: IdentifiedOrder, sendBy: number): OrderRecord {
  return {
    order,
    book: isConditional(order.type) ? 'algo' : 'plain',
    quantity: order.quantity ?? null,
    status: 'sending',
    orderId: null,
    actualOrderId: null,
    acknowledged: false,
    toldUnknown: false,
    triggered: false,
    filled: D.ZERO,
    absorbed: D.ZERO,
    trades: [],
    venueFilled: D.ZERO,
    end: null,
    sendBy,
    updatedAt: 0,
    seenAt: work.state.at,
    askAt: null,
    asked: 0,
    misses: 0,
    missedAt: 0,
    absentInReading: false,
    cancel: null,
    orphanSince: null,
    overAt: null,
  };
}

export function askWithin(work: Work, record: OrderRecord, delayMs: number): void {
  const at = work.state.at + delayMs;
  if (record.askAt === null || record.askAt > at) record.askAt = at;
  work.waiting.wait(record);
}

export function acknowledge(work: Work, record: OrderRecord, orderId: string): void {
  if (record.acknowledged || record.status === 'over') return;
  record.acknowledged = true;
  record.misses = 0;
  record.absentInReading = false;
  record.status = 'live';
  record.askAt = null;
  record.asked = 0;
  // What is over in the moment in which it arrives is asked for when nobody tells how it ended.
  if (endsAtOnce(record.order)) askWithin(work, record, work.settings.secondMs);
  if (record.cancel?.stage === 'wanted') record.cancel.dueAt = work.state.at;
  tellOwner(work, record, { type: 'ORDER_ACKNOWLEDGED', ...keysOf(record), orderId });
}

export function trigger(work: Work, record: OrderRecord, actualOrderId: string | undefined): void {
  if (actualOrderId !== undefined && record.actualOrderId === null) {
    record.actualOrderId = actualOrderId;
    nameOrder(work, record.order.symbol, actualOrderId, record.order.clientOrderId);
  }
  if (record.triggered || record.status === 'over') return;
  record.triggered = true;
  record.status = 'triggered';
  const orderId = record.actualOrderId === null ? {} : { orderId: record.actualOrderId };
  tellOwner(work, record, { type: 'ORDER_TRIGGERED', ...keysOf(record), ...orderId });
  askWithin(work, record, 2 * work.settings.secondMs);
}

export const endsAtOnce = ({ type, timeInForce }: IdentifiedOrder): boolean =>
  type === 'MARKET' || timeInForce === 'IOC' || timeInForce === 'FOK';

export const counted = (record: OrderRecord): Decimal => D.add(record.filled, record.absorbed);
/** The venue counts more than was told here. */
export const lacksFills = (record: OrderRecord): boolean => D.gt(record.venueFilled, counted(record));

export function end(work: Work, record: OrderRecord, how: OrderEnd, at: number): void {
  if (record.status === 'over') return;
  const { clientOrderId } = record.order;
  const { cancel } = record;
  record.status = 'over';
  record.end = how;
  record.askAt = null;
  record.cancel = null;
  record.overAt = at;
  delete work.state.orders[clientOrderId];
  work.state.finished[clientOrderId] = record;
  // Kept for a moment: the refusal is told after the fill that caused it.
  if (cancel?.tell && cancel.refusal !== null && how.outcome === 'filled')
    record.cancel = { ...cancel, stage: 'check' };
}

/** A cancel that came too late is refused only after the fills that made it so. */
export function answerLateCancel(work: Work, record: OrderRecord): void {
  const refusal = record.cancel?.refusal;
  if (record.status !== 'over' || !refusal) return;
  record.cancel = null;
  tellOwner(work, record, { type: 'CANCEL_REJECTED', ...keysOf(record), ...refusal });
}
