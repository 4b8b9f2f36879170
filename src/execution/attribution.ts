/**
 * Whose fill is it: an order's of ours, the venue's own doing, or somebody else's hand.
 *
 * Invariants: the order's id decides first, the client id second; a fill that one of our orders may have made, or
 * that outruns a fill of theirs, waits until that order has been asked, and one without a client id until a reading
 * that would know it by then; what nobody here ordered goes to the position it changes, and only what is left of it
 * is foreign.
 */
import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import { type ActorId, KILL_ORDERS } from '../core/ids.ts';
import { opensPosition, type VenueEvent } from '../domain/order.ts';
import { keyOf } from '../domain/position-key.ts';
import type { RemoteFill } from '../domain/remote.ts';
import {
  changeForeign,
  changeHolding,
  feeInAsset,
  heldBy,
  holderOf,
  isBooked,
  markBooked,
  oldest,
  payFor,
  signedOf,
  tradeKey,
} from './books.ts';
import { findRecord, recordByOrderId, tell, touch, type Work, wantReport } from './executor-state.ts';
import type { OrderRecord } from './executor-types.ts';
import { absorbFill, applyFill } from './order-fills.ts';
import { askWithin } from './order-record.ts';
import { clearedAfter, outrun } from './outrun.ts';

type Cause = NonNullable<Extract<VenueEvent, { type: 'ORDER_FILLED' }>['cause']>;

export function applyAll(work: Work, record: OrderRecord, fills: readonly RemoteFill[]): void {
  for (const fill of fills) {
    if (isForgotten(work, fill)) {
      absorbFill(record, fill);
      leaveLimbo(work, fill);
    } else {
      takeOrderFill(work, record, fill);
    }
  }
}

/** Books a fill of one of our orders, once those that it outruns have told theirs. */
export function takeOrderFill(work: Work, record: OrderRecord, fill: RemoteFill): void {
  const isNews = !isBooked(work, fill) && !record.trades.includes(fill.tradeId);
  if (isNews && !opensPosition(record.order) && outrun(work, fill, heardAt(work, fill)).length > 0) {
    wait(work, fill);
    return;
  }
  applyFill(work, record, fill);
  leaveLimbo(work, fill);
}

/** Older than what is remembered: readings have brought it long ago, whomever it was booked for then. */
const isForgotten = (work: Work, fill: RemoteFill): boolean =>
  fill.at < oldest(work) && !isBooked(work, fill) && !isWaiting(work, fill);

/** Books a fill of whatever origin, or lets it wait. */
export function takeFill(work: Work, fill: RemoteFill): void {
  if (isBooked(work, fill) || fill.at <= (work.state.baseline ?? 0) || fill.at < oldest(work)) return;
  const cause = causeOfFill(fill);
  const record = recordOf(work, fill);
  if (record) takeOrderFill(work, record, fill);
  else if (cause !== undefined && outrun(work, fill, heardAt(work, fill)).length === 0)
    bookForeign(work, fill, cause);
  else wait(work, fill);
}

/** The same trade again may bring the client id that it lacked. */
function wait(work: Work, fill: RemoteFill): void {
  const { state } = work;
  if (!isWaiting(work, fill)) state.limbo.push({ fill, at: state.at });
  else if (fill.clientOrderId !== undefined)
    state.limbo = state.limbo.map((entry) =>
      tradeKey(entry.fill) === tradeKey(fill) ? { ...entry, fill } : entry,
    );
}

const recordOf = (work: Work, fill: RemoteFill): OrderRecord | undefined =>
  recordByOrderId(work, fill) ??
  (fill.clientOrderId === undefined ? undefined : findRecord(work, fill.clientOrderId));

const causeOfFill = ({ clientOrderId }: RemoteFill): Cause | undefined =>
  clientOrderId === undefined ? undefined : causeOf(clientOrderId);

/** Of orders that no actor has placed. */
function causeOf(clientOrderId: string): Cause | undefined {
  if (clientOrderId.startsWith('autoclose-')) return 'liquidation';
  if (clientOrderId.startsWith('adl_autoclose')) return 'adl';
  if (clientOrderId.startsWith('settlement_autoclose')) return 'settlement';
  if (clientOrderId.startsWith(KILL_ORDERS)) return 'kill';
  return undefined;
}

/** Looks at every waiting fill again; asks the orders that could have made it. `readAt`: of the last reading. */
export function settleLimbo(work: Work, readAt = work.state.cursor): void {
  const { state } = work;
  if (state.limbo.length === 0) return;
  const waiting = state.limbo;
  state.limbo = [];
  for (const entry of waiting) {
    const { fill } = entry;
    if (isBooked(work, fill)) continue;
    const cause = causeOfFill(fill);
    const record = recordOf(work, fill);
    const suspects = record || cause !== undefined ? [] : suspectsOf(work, fill, entry.at);
    if (!record || !opensPosition(record.order)) suspects.push(...outrun(work, fill, entry.at));
    if (suspects.length > 0) {
      state.limbo.push(entry);
      for (const suspect of suspects) askAbout(work, suspect, entry.at);
    } else if (record) {
      applyFill(work, record, fill);
    } else if (mayBeNamed(work, fill, readAt)) {
      state.limbo.push(entry);
      wantReport(work, `whose trade ${fill.tradeId} on ${fill.symbol} is`, 2 * work.settings.secondMs);
    } else {
      bookForeign(work, fill, cause ?? 'manual');
    }
  }
}

/** Its trade was shown before its order: by the next reading it may turn out the venue's own doing. */
const mayBeNamed = (work: Work, { clientOrderId, at }: RemoteFill, readAt: number): boolean =>
  clientOrderId === undefined && readAt < at + work.settings.quietMs;

const isWaiting = (work: Work, fill: RemoteFill): boolean =>
  work.state.limbo.some((waiting) => tradeKey(waiting.fill) === tradeKey(fill));

const heardAt = ({ state }: Work, fill: RemoteFill): number =>
  state.limbo.find((waiting) => tradeKey(waiting.fill) === tradeKey(fill))?.at ?? state.at;

const leaveLimbo = (work: Work, fill: RemoteFill): void => {
  work.state.limbo = work.state.limbo.filter((waiting) => tradeKey(waiting.fill) !== tradeKey(fill));
};

function askAbout(work: Work, suspect: OrderRecord, heardAt: number): void {
  const { order, status, askAt } = suspect;
  const isAsked = Object.values(work.state.calls).some(
    (each) => each.call === 'query' && !each.overdue && each.order === order.clientOrderId,
  );
  if (status === 'sending' || askAt !== null || isAsked) return;
  askWithin(work, suspect, Math.max(0, clearedAfter(work, heardAt) - work.state.at));
}

/** Orders of ours that may have made the fill: those whose plain order's id is not known. */
function suspectsOf(work: Work, fill: RemoteFill, heardAt: number): OrderRecord[] {
  return Object.values(work.state.orders).filter((record) => {
    const { order, actualOrderId, orderId, book } = record;
    if (keyOf(order) !== keyOf(fill) || order.side !== fill.side) return false;
    const idKnown = book === 'algo' ? actualOrderId !== null : orderId !== null;
    // The client id of a plain order is its own; only a conditional one's may differ from what it became.
    const cidDecides = book === 'plain' && fill.clientOrderId !== undefined;
    if (idKnown || cidDecides) return false;
    return !record.acknowledged || record.seenAt < clearedAfter(work, heardAt);
  });
}

/** Nobody here ordered it: it changes what we hold all the same. */
function bookForeign(work: Work, fill: RemoteFill, cause: Cause): void {
  const place = keyOf(fill);
  markBooked(work, fill, cause === 'manual');
  touch(work, place, fill.at);
  let left = signedOf(fill.side, fill.quantity);
  left = D.sub(left, takeFromForeign(work, fill, left, cause));
  const holder = holderOf(work, place);
  if (holder !== undefined && !D.isZero(left)) {
    const held = heldBy(work, place, holder);
    const grows = D.sign(held) === D.sign(left);
    const part = grows || D.lte(D.abs(left), D.abs(held)) ? left : D.neg(held);
    tellForeign(work, holder, fill, D.abs(part), cause);
    changeHolding(work, place, holder, part, fill.price, fill.at);
    left = D.sub(left, part);
  }
  payFor(work, fill);
  changeForeign(work, place, left, fill.price);
  if (!D.isZero(left))
    wantReport(work, `a trade on ${place} that nobody here ordered`, 2 * work.settings.secondMs);
}

/** By hand one closes first what one opened by hand. */
function takeFromForeign(work: Work, fill: RemoteFill, signed: Decimal, cause: Cause): Decimal {
  const place = keyOf(fill);
  const amount = work.state.foreign[place]?.amount ?? D.ZERO;
  const reduces = !D.isZero(amount) && D.sign(amount) !== D.sign(signed);
  if (!reduces || cause !== 'manual') return D.ZERO;
  const part = D.lte(D.abs(signed), D.abs(amount)) ? signed : D.neg(amount);
  changeForeign(work, place, part, fill.price);
  return part;
}

function tellForeign(work: Work, holder: ActorId, fill: RemoteFill, quantity: Decimal, cause: Cause): void {
  const name = fill.clientOrderId ?? `order ${fill.orderId}`;
  tell(work, holder, {
    type: 'ORDER_FILLED',
    // Each such trade is an order of its own in its owner's books.
    ref: `${name}:${fill.tradeId}`,
    clientOrderId: name,
    symbol: fill.symbol,
    tradeId: fill.tradeId,
    side: fill.side,
    price: fill.price,
    quantity,
    cumulative: quantity,
    complete: true,
    maker: fill.maker,
    fee: feeInAsset(work, fill),
    realizedPnl: fill.realizedPnl,
    cause,
  });
}
