/**
 * The life of one order: what each piece of evidence changes, and what its owner hears of it.
 *
 * Invariants: evidence only moves an order forward (a status that is over stays over, cumulative quantities
 * only rise), so a reading that lags cannot roll it back; an end is told once all fills that it counts are;
 * acknowledged comes before everything else that presumes it.
 */
import * as D from '../core/decimal.ts';
import { VENUE } from '../domain/events.ts';
import { type IdentifiedOrder, opensPosition } from '../domain/order.ts';
import { keyOf, type PositionKey } from '../domain/position-key.ts';
import type { CallEnded, RemoteAlgoOrder, RemoteOrder } from '../domain/remote.ts';
import { gateReason, refusedAtGate } from './entry-gate.ts';
import {
  call,
  closingMatter,
  finding,
  findRecord,
  keepRecord,
  nameOrder,
  pauseAfter,
  READINGS_MAY_FAIL,
  tell,
  touch,
  type Work,
  wantReport,
} from './executor-state.ts';
import type { OrderEnd, OrderRecord } from './executor-types.ts';
import { settle } from './order-fills.ts';
import { acknowledge, askWithin, end, keysOf, newRecord, tellOwner, trigger } from './order-record.ts';

const DUPLICATE_ID = -4116;
const NEW_ORDER_REJECTED = -2010;
/** Nothing left the house. */
const NEVER_SENT = 0;

/** `gate`: why a breaker forbids it that this actor has not heard of yet. */
export function submit(work: Work, order: IdentifiedOrder, gate?: string): void {
  const { state, settings } = work;
  if (findRecord(work, order.clientOrderId)) return;
  if (state.doubtful?.includes(order.clientOrderId)) {
    lookForIt(work, order);
    return;
  }
  const why = opensPosition(order)
    ? (gate ?? gateReason(state.breakers, order) ?? closedTo(work, keyOf(order)))
    : null;
  if (why !== null) {
    tell(work, order.owner, refusedAtGate(order, why));
    return;
  }
  const sendBy = state.at + settings.sendWindowMs;
  keepRecord(work, newRecord(work, order, sendBy));
  call(work, { call: 'submit', order, sendBy }, { order: order.clientOrderId, owner: order.owner });
}

/** A life whose journal is lost may have sent it: it is not sent again, and only evidence tells. */
function lookForIt(work: Work, order: IdentifiedOrder): void {
  const { state } = work;
  const record = newRecord(work, order, state.at);
  keepRecord(work, record);
  const left = state.doubtful?.filter((id) => id !== order.clientOrderId) ?? [];
  if (left.length > 0) state.doubtful = left;
  else delete state.doubtful;
  becomeUnknown(work, record, 'the journal was restored: the life before may have sent it', 0);
}

/** Why nothing may be opened there now; null when it may. */
function closedTo(work: Work, place: PositionKey): string | null {
  const { state } = work;
  if (state.report.failures >= READINGS_MAY_FAIL) return 'reconciling: the venue cannot be read';
  if (!state.ready) return `reconciling: ${state.stream === 'up' ? 'reading the venue' : state.streamReason}`;
  const unknown = Object.values(state.orders).find(
    ({ order, status }) => keyOf(order) === place && status === 'unknown' && opensPosition(order),
  );
  if (unknown) return `reconciling: what became of ${unknown.order.clientOrderId} is not known yet`;
  if (place in state.drifts) return 'reconciling: the venue shows another position than the books';
  if (state.limbo.some(({ fill }) => keyOf(fill) === place)) return 'reconciling: a fill of unknown origin';
  const foreign = state.foreign[place]?.amount ?? D.ZERO;
  return D.isZero(foreign) ? null : `${foreign} on ${place} was not opened here`;
}

export function submitEnded(work: Work, record: OrderRecord, result: CallEnded['result']): void {
  if (result.outcome === 'unknown') {
    becomeUnknown(work, record, result.reason);
  } else if (result.outcome === 'rejected') {
    if (result.code === DUPLICATE_ID) becomeUnknown(work, record, 'the venue knows this id already', 0);
    else refused(work, record, result.code, result.reason);
  } else {
    const answer = result.value as
      | { book: 'plain'; order: RemoteOrder }
      | { book: 'algo'; algo: RemoteAlgoOrder };
    if (answer.book === 'plain') observePlain(work, record, answer.order);
    else observeAlgo(work, record, answer.algo);
    record.seenAt = work.state.at;
    settle(work, record);
  }
}

function refused(work: Work, record: OrderRecord, code: number, reason: string): void {
  if (record.status === 'over') return;
  if (record.acknowledged) {
    finding(
      work,
      `refused:${record.order.clientOrderId}`,
      `${record.order.clientOrderId} was refused (${code}: ${reason}) although it exists`,
    );
    return;
  }
  end(work, record, { outcome: 'refused', reason }, work.state.venueAt);
  if (record.order.owner === VENUE) {
    const place = keyOf(record.order);
    const text = `${place}: closing what nobody here opened was refused (${code}: ${reason}); it is tried again`;
    finding(work, closingMatter(place), text);
  }
  tellOwner(work, record, { type: 'ORDER_REJECTED', ...keysOf(record), code, reason });
}

/** It certainly was never there: nothing of it was found after it could still have landed. */
export function neverArrived(work: Work, record: OrderRecord): void {
  const reason = 'never reached the venue';
  end(work, record, { outcome: 'lost', reason }, work.state.venueAt);
  tellOwner(work, record, { type: 'ORDER_REJECTED', ...keysOf(record), code: NEVER_SENT, reason });
}

export function becomeUnknown(work: Work, record: OrderRecord, reason: string, delayMs?: number): void {
  if (record.status === 'over' || record.acknowledged) return;
  record.status = 'unknown';
  record.asked = 0;
  askWithin(work, record, delayMs ?? work.settings.ladder[0] ?? 0);
  wantReport(work, `${record.order.clientOrderId} is UNKNOWN`, 2 * work.settings.secondMs);
  if (record.toldUnknown) return;
  record.toldUnknown = true;
  tellOwner(work, record, { type: 'ORDER_UNKNOWN', ...keysOf(record), reason });
}

const ENDS: Record<string, OrderEnd['outcome']> = {
  FILLED: 'filled',
  CANCELED: 'canceled',
  EXPIRED: 'expired',
  EXPIRED_IN_MATCH: 'expired',
  REJECTED: 'expired',
};

/** Takes what the venue says of a plain order: ours, or the one that our conditional order became. */
export function observePlain(work: Work, record: OrderRecord, order: RemoteOrder): void {
  touchBy(work, record, order.updatedAt);
  if (isRisen(record, order)) {
    reverse(work, record, order.orderId);
    return;
  }
  if (record.book === 'algo') {
    acknowledge(work, record, record.orderId ?? order.orderId);
    trigger(work, record, order.orderId);
    record.quantity ??= order.quantity;
    if (order.status === 'REJECTED')
      record.end ??= { outcome: 'rejected-at-trigger', reason: order.expiryReason ?? 'REJECTED' };
  } else {
    record.orderId ??= order.orderId;
    nameOrder(work, order.symbol, order.orderId, record.order.clientOrderId);
    if (order.status === 'REJECTED' && !record.acknowledged) {
      refused(work, record, NEW_ORDER_REJECTED, order.expiryReason ?? 'rejected by the venue');
      return;
    }
    acknowledge(work, record, order.orderId);
  }
  record.venueFilled = D.max(record.venueFilled, order.filled);
  const outcome = ENDS[order.status];
  if (outcome !== undefined) record.end ??= { outcome, reason: order.expiryReason ?? order.status };
}

function touchBy(work: Work, record: OrderRecord, at: number): void {
  if (at > record.updatedAt) {
    record.updatedAt = at;
    touch(work, keyOf(record.order), at);
  }
}

const GIVEN_UP: ReadonlySet<string> = new Set(['lost', 'refused', 'forgotten']);

/** Open at the venue although its owner was told that it is not there: nobody waits for it any more. */
const isRisen = (record: OrderRecord, { status }: Pick<RemoteOrder | RemoteAlgoOrder, 'status'>): boolean =>
  record.status === 'over' &&
  GIVEN_UP.has(record.end?.outcome ?? '') &&
  (status === 'NEW' || status === 'PARTIALLY_FILLED');

function reverse(work: Work, record: OrderRecord, orderId: string): void {
  const { clientOrderId, symbol } = record.order;
  if (record.book === 'plain') nameOrder(work, symbol, orderId, clientOrderId);
  finding(
    work,
    `risen:${clientOrderId}`,
    `${clientOrderId} on ${symbol} stands at the venue after it was given up (${record.end?.reason}): it is cancelled`,
    'critical',
  );
  call(work, { call: 'cancel', symbol, book: record.book, clientOrderId });
}

export function observeAlgo(work: Work, record: OrderRecord, algo: RemoteAlgoOrder): void {
  touchBy(work, record, algo.updatedAt);
  if (isRisen(record, algo)) {
    reverse(work, record, algo.algoId);
    return;
  }
  record.orderId ??= algo.algoId;
  acknowledge(work, record, algo.algoId);
  const spawned = algo.actualOrderId !== undefined && algo.actualOrderId !== '';
  if (spawned) trigger(work, record, algo.actualOrderId);
  switch (algo.status) {
    case 'TRIGGERED':
      trigger(work, record, undefined);
      break;
    case 'FINISHED':
      // Says nothing of fills: the order that it became does.
      trigger(work, record, undefined);
      askWithin(work, record, pauseAfter(work.settings, record.asked));
      break;
    case 'TRIGGERING':
      askWithin(work, record, work.settings.secondMs);
      break;
    case 'CANCELED':
      if (!record.triggered) record.end ??= { outcome: 'canceled', reason: algo.reason ?? 'CANCELED' };
      break;
    case 'REJECTED':
      record.end ??= { outcome: 'rejected-at-trigger', reason: algo.reason ?? 'REJECTED' };
      break;
    case 'EXPIRED':
      record.end ??= {
        outcome: record.triggered ? 'rejected-at-trigger' : 'expired',
        reason: algo.reason ?? 'EXPIRED',
      };
      break;
    default:
  }
}
