/**
 * The life of one order: what each piece of evidence changes, and what its owner hears of it.
 *
 * Invariants: evidence only moves an order forward (a status that is over stays over, cumulative quantities
 * only rise), so a reading that lags cannot roll it back; an end is told once all fills that it counts are;
 * acknowledged comes before everything else that presumes it.
 */
import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import { GUARDIAN, VENUE } from '../domain/events.ts';
import { type IdentifiedOrder, isConditional, type VenueEvent } from '../domain/order.ts';
import type { CallEnded, RemoteAlgoOrder, RemoteFill, RemoteOrder } from '../domain/remote.ts';
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
import {
  call,
  finding,
  findRecord,
  opens,
  pauseAfter,
  tell,
  touch,
  type Work,
  wantReport,
} from './executor-state.ts';
import type { OrderEnd, OrderRecord } from './executor-types.ts';

const DUPLICATE_ID = -4116;
const NEW_ORDER_REJECTED = -2010;
/** Nothing left the house. */
const NEVER_SENT = 0;

export const keysOf = ({ order }: Pick<OrderRecord, 'order'>) => ({
  ref: order.ref,
  clientOrderId: order.clientOrderId,
  symbol: order.symbol,
});

/** The executor's own orders (closing what is foreign) have nobody to tell. */
export function tellOwner(work: Work, record: OrderRecord, event: VenueEvent): void {
  if (record.order.owner !== VENUE) tell(work, record.order.owner, event);
}

export function submit(work: Work, order: IdentifiedOrder): void {
  const { state, settings } = work;
  if (findRecord(work, order.clientOrderId)) return;
  const why = opens(order) ? closedTo(work, order.symbol) : null;
  if (why !== null) {
    tell(work, order.owner, { type: 'ORDER_REJECTED', ...keysOf({ order }), code: NEVER_SENT, reason: why });
    return;
  }
  const sendBy = state.at + settings.sendWindowMs;
  state.orders[order.clientOrderId] = newRecord(work, order, sendBy);
  call(work, { call: 'submit', order, sendBy }, { order: order.clientOrderId, owner: order.owner });
}

/** Why nothing may be opened on the symbol now; null when it may. */
function closedTo(work: Work, symbol: string): string | null {
  const { state } = work;
  if (!state.ready) return `reconciling: ${state.stream === 'up' ? 'reading the venue' : state.streamReason}`;
  const unknown = Object.values(state.orders).find(
    ({ order, status }) => order.symbol === symbol && status === 'unknown' && opens(order),
  );
  if (unknown) return `reconciling: what became of ${unknown.order.clientOrderId} is not known yet`;
  if (symbol in state.drifts) return 'reconciling: the venue shows another position than the books';
  if (state.limbo.some(({ fill }) => fill.symbol === symbol)) return 'reconciling: a fill of unknown origin';
  const foreign = state.foreign[symbol]?.amount ?? D.ZERO;
  return D.isZero(foreign) ? null : `${foreign} on ${symbol} was not opened here`;
}

function newRecord(work: Work, order: IdentifiedOrder, sendBy: number): OrderRecord {
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
    // What ends at once is asked for when the stream does not tell its end.
    if (record.status !== 'over' && endsAtOnce(record.order)) askWithin(work, record, work.settings.secondMs);
  }
}

const endsAtOnce = ({ type, timeInForce }: IdentifiedOrder): boolean =>
  type === 'MARKET' || timeInForce === 'IOC' || timeInForce === 'FOK';

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

export function askWithin(work: Work, record: OrderRecord, delayMs: number): void {
  const at = work.state.at + delayMs;
  if (record.askAt === null || record.askAt > at) record.askAt = at;
}

function acknowledge(work: Work, record: OrderRecord, orderId: string): void {
  if (record.acknowledged || record.status === 'over') return;
  record.acknowledged = true;
  record.misses = 0;
  record.absentInReading = false;
  record.status = 'live';
  record.askAt = null;
  record.asked = 0;
  if (record.cancel?.stage === 'wanted') record.cancel.dueAt = work.state.at;
  tellOwner(work, record, { type: 'ORDER_ACKNOWLEDGED', ...keysOf(record), orderId });
}

function trigger(work: Work, record: OrderRecord, actualOrderId: string | undefined): void {
  if (actualOrderId !== undefined && record.actualOrderId === null) {
    record.actualOrderId = actualOrderId;
    work.state.byOrderId[actualOrderId] = record.order.clientOrderId;
  }
  if (record.triggered || record.status === 'over') return;
  record.triggered = true;
  record.status = 'triggered';
  const orderId = record.actualOrderId === null ? {} : { orderId: record.actualOrderId };
  tellOwner(work, record, { type: 'ORDER_TRIGGERED', ...keysOf(record), ...orderId });
  askWithin(work, record, 2 * work.settings.secondMs);
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
    work.state.byOrderId[order.orderId] = record.order.clientOrderId;
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
    touch(work, record.order.symbol, at);
  }
}

/** Open at the venue although we gave it up for lost: nobody waits for it any more. */
const isRisen = (record: OrderRecord, order: Pick<RemoteOrder, 'status'>): boolean =>
  record.end?.outcome === 'lost' && (order.status === 'NEW' || order.status === 'PARTIALLY_FILLED');

function reverse(work: Work, record: OrderRecord, orderId: string): void {
  const { clientOrderId, symbol } = record.order;
  if (record.book === 'plain') work.state.byOrderId[orderId] = clientOrderId;
  finding(
    work,
    `risen:${clientOrderId}`,
    `${clientOrderId} on ${symbol} stands at the venue after it was given up as never sent: it is cancelled`,
    'critical',
  );
  call(work, { call: 'cancel', symbol, book: record.book, clientOrderId });
}

export function observeAlgo(work: Work, record: OrderRecord, algo: RemoteAlgoOrder): void {
  touchBy(work, record, algo.updatedAt);
  if (record.end?.outcome === 'lost' && algo.status === 'NEW') {
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

/** Books one execution of one of our orders, once, and tells whoever it concerns. False when it was known. */
export function applyFill(work: Work, record: OrderRecord, fill: RemoteFill): boolean {
  if (isBooked(work, fill)) {
    // Its effect is in the books already; only the order's own count lacks it.
    if (claimStray(work, fill)) record.absorbed = D.add(record.absorbed, fill.quantity);
    return false;
  }
  markBooked(work, fill);
  work.state.byOrderId[fill.orderId] = record.order.clientOrderId;
  if (record.book === 'algo') {
    acknowledge(work, record, record.orderId ?? fill.orderId);
    trigger(work, record, fill.orderId);
  } else {
    record.orderId ??= fill.orderId;
    acknowledge(work, record, fill.orderId);
  }
  record.filled = D.add(record.filled, fill.quantity);
  record.venueFilled = D.max(record.venueFilled, counted(record));
  touch(work, fill.symbol, fill.at);
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
  hold(work, record, fill, event);
  tellOwner(work, record, event);
  payFor(work, fill);
  if (complete) {
    end(work, record, { outcome: 'filled', reason: 'FILLED' }, fill.at);
    answerLateCancel(work, record);
  }
  return true;
}

function isComplete(record: OrderRecord): boolean {
  if (record.status === 'over') return true;
  if (record.quantity !== null && D.gte(record.filled, record.quantity)) return true;
  return record.end?.outcome === 'filled' && !lacksFills(record);
}

/** Whose holdings a fill changes: its owner's, unless somebody acted in another's place. */
function hold(
  work: Work,
  record: OrderRecord,
  fill: RemoteFill,
  event: Extract<VenueEvent, { type: 'ORDER_FILLED' }>,
): void {
  const { symbol, owner } = record.order;
  const signed = signedOf(fill.side, fill.quantity);
  if (owner === VENUE) {
    changeForeign(work, symbol, signed, fill.price);
    foreignOf(work, symbol).offered = null;
    return;
  }
  const holder = owner === GUARDIAN ? holderOf(work, symbol) : owner;
  if (holder === undefined) {
    changeForeign(work, symbol, signed, fill.price);
    return;
  }
  changeHolding(work, symbol, holder, signed, fill.price, fill.at);
  if (holder === owner) return;
  // In the holder's books each such trade is an order of its own.
  const ref = `${event.clientOrderId}:${event.tradeId}`;
  tell(work, holder, { ...event, ref, cumulative: fill.quantity, complete: true, cause: 'guardian' });
}

const counted = (record: OrderRecord): Decimal => D.add(record.filled, record.absorbed);
/** The venue counts more than was told here. */
export const lacksFills = (record: OrderRecord): boolean => D.gt(record.venueFilled, counted(record));

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
  record.end ??= { outcome: 'expired', reason: 'the venue does not know it any more' };
  record.venueFilled = counted(record);
  settle(work, record);
}

function end(work: Work, record: OrderRecord, how: OrderEnd, at: number): void {
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
function answerLateCancel(work: Work, record: OrderRecord): void {
  const refusal = record.cancel?.refusal;
  if (record.status !== 'over' || !refusal) return;
  record.cancel = null;
  tellOwner(work, record, { type: 'CANCEL_REJECTED', ...keysOf(record), ...refusal });
}
