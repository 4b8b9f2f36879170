/**
 * The guardian's own orders: made, heard of, called back.
 *
 * Invariants: all of them only reduce; a fill is passed on to the position's owner, who keeps the books; a ref is
 * never used twice.
 */
import type { Decimal } from '../../src/core/decimal.ts';
import { type Emitted, VENUE } from '../../src/domain/events.ts';
import { type OrderRequest, orderTerms, type VenueEvent } from '../../src/domain/order.ts';
import { keyOf, namedSide, type PositionKey, positionSideOf } from '../../src/domain/position-key.ts';
import type { Timed } from '../messages.ts';
import { isJudgement, NOTHING_TO_REDUCE } from '../position/codes.ts';
import { notify, type Step, send, step } from '../step.ts';
import { type Gap, type GuardBook, type GuardOrder, withGap } from './book.ts';

const FINISHED_KEPT = 8;
/** Together they could hold the whole position thrice; a venue that answers none of them needs no fourth. */
const MAX_OUTSTANDING = 3;

const isOver = (order: GuardOrder): boolean => order.status === 'over';
const outstanding = <C extends GuardBook>(book: C, place: PositionKey): readonly GuardOrder[] =>
  book.orders.filter((order) => keyOf(order) === place && !isOver(order));

/** Nothing of ours is still on its way, and no live stop of ours is newer than the reading may be. */
export function mayPlace(book: GuardBook, place: PositionKey): boolean {
  const placed = outstanding(book, place);
  if (placed.length >= MAX_OUTSTANDING || placed.some((order) => order.status === 'submitted')) return false;
  if (placed.some((order) => order.kind === 'close')) return false;
  return placed.every((order) => order.status !== 'live' || order.readings > 1);
}

export function submit<C extends GuardBook>(
  book: C,
  gap: Gap,
  kind: GuardOrder['kind'],
  quantity: Decimal,
  terms: Pick<OrderRequest, 'type' | 'triggerPrice' | 'workingType'>,
): Step<C> {
  const ref = `guard-${book.ordersMade + 1}`;
  const { symbol, owner, direction } = gap;
  const { side, positionSide, reduceOnly } = orderTerms('close', direction, positionSideOf(keyOf(gap)));
  const order: OrderRequest = { ref, symbol, side, positionSide, quantity, reduceOnly, ...terms };
  const record: GuardOrder = {
    ref,
    symbol,
    ...namedSide(keyOf(gap)),
    owner,
    kind,
    quantity,
    status: 'submitted',
    cancelRequested: false,
    readings: 0,
  };
  const next = { ...book, ordersMade: book.ordersMade + 1, orders: [...book.orders, record] };
  const stage = kind === 'stop' ? 'guarding' : 'closing';
  return step(withGap(next, { ...gap, stage }), { type: 'order.submit', order });
}

/** Nothing is open there any more: what the guardian placed must not meet the next position. */
export function callBack<C extends GuardBook>(book: C, place: PositionKey): Step<C> {
  const left = outstanding(book, place).filter((order) => !order.cancelRequested);
  const orders = book.orders.map((order) =>
    left.includes(order) ? { ...order, cancelRequested: true } : order,
  );
  return step(
    { ...book, orders },
    ...left.map(({ ref, symbol }): Emitted => ({ type: 'order.cancel', ref, symbol })),
  );
}

/** The venue's word on an order of the guardian's own. */
export function hear<C extends GuardBook>(book: C, event: Extract<VenueEvent, { ref: string }>): Step<C> {
  const order = book.orders.find((one) => one.ref === event.ref);
  if (!order)
    return step(
      book,
      notify('warning', `guardian: ${event.type} for an order it does not know: ${event.ref}`),
    );
  const set = (change: Partial<GuardOrder>): C => withOrder(book, order, change);
  switch (event.type) {
    case 'ORDER_ACKNOWLEDGED':
    case 'ORDER_TRIGGERED':
      return isOver(order) ? step(book) : step(set({ status: 'live' }));
    case 'ORDER_UNKNOWN':
      return order.status === 'submitted' ? step(set({ status: 'unknown' })) : step(book);
    case 'CANCEL_REJECTED':
      return step(set({ cancelRequested: false }));
    case 'ORDER_REJECTED':
      return refused(set({ status: 'over' }), order, event.code, event.reason);
    case 'ORDER_CLOSED':
      return event.outcome === 'canceled'
        ? step(set({ status: 'over' }))
        : refused(set({ status: 'over' }), order, null, `${event.outcome}: ${event.reason}`);
    case 'ORDER_FILLED':
      return filled(event.complete ? set({ status: 'over' }) : book, order, event);
  }
}

function withOrder<C extends GuardBook>(book: C, order: GuardOrder, change: Partial<GuardOrder>): C {
  const orders = book.orders.map((one) => (one === order ? { ...one, ...change } : one));
  const finished = orders.filter(isOver);
  const forgotten = new Set(finished.slice(0, Math.max(0, finished.length - FINISHED_KEPT)));
  return { ...book, orders: orders.filter((one) => !forgotten.has(one)) };
}

/** `code` null: it was taken and came to nothing. A fresh reading decides what is to be done. */
function refused<C extends GuardBook>(
  book: C,
  order: GuardOrder,
  code: number | null,
  reason: string,
): Step<C> {
  const counts = order.kind === 'stop' && (code === null || isJudgement(code)) && code !== NOTHING_TO_REDUCE;
  const gaps = book.gaps.map((gap) =>
    counts && keyOf(gap) === keyOf(order) ? { ...gap, refused: gap.refused + 1 } : gap,
  );
  const why = `guardian: ${order.ref} (${order.kind}) on ${order.symbol} refused (${code ?? 'ended'}): ${reason}`;
  return step(
    { ...book, gaps },
    notify('critical', why),
    ...(order.cancelRequested ? [] : [send(VENUE, { type: 'RECONCILE', why })]),
  );
}

/** The owner keeps the books: it hears of the fill as the guardian did. */
function filled<C extends GuardBook>(
  book: C,
  order: GuardOrder,
  event: Extract<VenueEvent, { type: 'ORDER_FILLED' }>,
): Step<C> {
  const { at: _, ...told } = event as typeof event & Partial<Timed>;
  return step(book, send(order.owner, { ...told, cause: 'guardian' }));
}
