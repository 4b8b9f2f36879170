/** A conditional order's trigger: margin, reduction and prices are looked at now, and not before. */
import * as D from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { isReducing } from '../../domain/order.ts';
import type { VenueError } from '../venue-errors.ts';
import type { Conditional, Market, Resting, Venue } from './engine-state.ts';
import { closeOrder, detail, emit, orderKeys } from './engine-state.ts';
import type { EngineInput, Quote } from './engine-types.ts';
import { checkPercentPrice } from './filters.ts';
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
    refusalOf(venue, conditional) ??
    checkExecution(venue, market, instrument, entry, quote) ??
    (isReducing(order) ? undefined : checkPercentPrice(venue, market, instrument, order, quote));
  if (error) closeOrder(venue, entry, 'rejected-at-trigger', `${error.code}: ${error.reason}`);
  else {
    started(venue, market, entry);
    execute(venue, market, instrument, entry, quote);
  }
}

type Refuse = Extract<EngineInput, { type: 'REFUSE_TRIGGER' }>;

/** Marks the order that is meant, or leaves word for the next trigger; a second word for the same changes nothing. */
export function refuseTrigger(venue: Venue, { code, reason, clientOrderId, symbol }: Refuse): void {
  if (clientOrderId !== undefined) {
    for (const { conditionals } of Object.values(venue.state.markets))
      for (const conditional of conditionals)
        if (conditional.order.clientOrderId === clientOrderId) conditional.refusal = { code, reason };
    return;
  }
  const waiting = venue.state.refuseNext ?? [];
  if (waiting.some((one) => one.symbol === symbol)) return;
  venue.state.refuseNext = [...waiting, { code, reason, ...(symbol === undefined ? {} : { symbol }) }];
}

function refusalOf({ state }: Venue, { order, refusal }: Conditional): VenueError | undefined {
  if (refusal) return refusal;
  const next = state.refuseNext?.find(({ symbol }) => symbol === undefined || symbol === order.symbol);
  if (!next) return undefined;
  const left = state.refuseNext?.filter((one) => one !== next) ?? [];
  if (left.length > 0) state.refuseNext = left;
  else delete state.refuseNext;
  return next;
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
