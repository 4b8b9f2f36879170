/** A conditional order's trigger: margin, reduction and prices are looked at now, and not before. */
import * as D from '../core/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';
import type { Conditional, Market, Resting, Venue } from './engine-state.ts';
import { closeOrder, detail, emit, orderKeys } from './engine-state.ts';
import type { Quote } from './engine-types.ts';
import { checkPercentPrice } from './filters.ts';
import { isReducing } from './margin.ts';
import { checkExecution, execute, openQuantity } from './orders.ts';

/** A conditional order's trigger: it becomes a plain order with an id of its own, or is refused. */
export function trigger(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  conditional: Conditional,
  quote: Quote,
): void {
  const { order } = conditional;
  market.conditionals.splice(market.conditionals.indexOf(conditional), 1);
  const entry: Resting = {
    order,
    orderId: String(venue.state.nextOrderId++),
    rank: venue.state.nextRank++,
    filled: D.ZERO,
    ahead: 0,
    ...(conditional.stp ? { stp: conditional.stp } : {}),
  };
  emit(venue, order.owner, { type: 'ORDER_TRIGGERED', ...orderKeys(order), orderId: entry.orderId });
  const error =
    checkExecution(venue, market, instrument, entry, quote) ??
    (isReducing(order) ? undefined : checkPercentPrice(venue, market, instrument, order, quote));
  if (error) closeOrder(venue, entry, 'rejected-at-trigger', `${error.code}: ${error.reason}`);
  else {
    started(venue, market, entry);
    execute(venue, market, instrument, entry, quote);
  }
}

function started(venue: Venue, market: Market, entry: Resting): void {
  const { order, orderId } = entry;
  const { symbol, ref, clientOrderId, side, positionSide } = order;
  detail(venue, {
    type: 'ORDER_STARTED',
    symbol,
    ref,
    clientOrderId,
    orderId,
    side,
    positionSide,
    quantity: order.quantity ?? openQuantity(market, entry),
    price: order.price ?? D.ZERO,
  });
}
