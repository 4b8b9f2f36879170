/**
 * An order's life at the venue: checked, acknowledged, triggered, filled, closed.
 *
 * Invariants: one acknowledgement or rejection comes first, then fills, then at most one closing event; a
 * reducing order never fills more than is open on the other side; margin is checked when an order can first
 * trade, which for a conditional order is at its trigger and not before.
 */

import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { type IdentifiedOrder, isConditional, isReducing } from '../../domain/order.ts';
import { type VenueError, venueError } from '../venue-errors.ts';
import { bookFill, feeOf } from './account.ts';
import { activationOf, reached, triggerOf } from './conditional.ts';
import type { Conditional, Market, Resting, Venue } from './engine-state.ts';
import { closeOrder, emit, instrumentOf, marketOf, orderKeys, positionOf } from './engine-state.ts';
import type { Quote, SelfTradePrevention } from './engine-types.ts';
import { checkFilters, checkParameters, checkStatus } from './filters.ts';
import { closable, remaining } from './margin.ts';
import { consume, type Lot, planTake, takeBound, wouldTake } from './matching.ts';
import { checkMargin } from './order-margin.ts';
import { meetsOwn, preventSelfTrade, SELF_TRADE } from './self-trade.ts';

export function reject(venue: Venue, order: IdentifiedOrder, error: VenueError): void {
  emit(venue, order.owner, { type: 'ORDER_REJECTED', ...orderKeys(order), ...error });
}

export function submit(
  venue: Venue,
  order: IdentifiedOrder,
  given: Quote | undefined,
  stp?: SelfTradePrevention,
): void {
  const instrument = instrumentOf(venue, order.symbol);
  if (!instrument) {
    reject(venue, order, venueError('BAD_SYMBOL'));
    return;
  }
  const market = marketOf(venue, instrument);
  const quote = observe(market, given);
  const error =
    checkParameters(venue, order) ??
    checkStatus(instrument, order) ??
    checkFilters(venue, market, instrument, order, quote) ??
    checkDuplicate(market, order);
  if (error) {
    reject(venue, order, error);
    return;
  }
  if (isConditional(order.type)) submitConditional(venue, market, order, quote, stp);
  else submitPlain(venue, market, instrument, order, quote, stp);
}

/** Takes a command's quote over as the newest known price; without one the last known stands. */
export function observe(market: Market, given: Quote | undefined): Quote {
  if (!given) return { last: market.last, mark: market.mark };
  market.last = given.last;
  market.mark = given.mark;
  return given;
}

/** Unique among open orders only; plain and conditional orders are separate id spaces. */
function checkDuplicate(market: Market, order: IdentifiedOrder): VenueError | undefined {
  const peers: readonly { order: IdentifiedOrder }[] = isConditional(order.type)
    ? market.conditionals
    : market.orders;
  const taken = peers.some((entry) => entry.order.clientOrderId === order.clientOrderId);
  return taken ? venueError('DUPLICATE_CLIENT_ID') : undefined;
}

function submitConditional(
  venue: Venue,
  market: Market,
  order: IdentifiedOrder,
  quote: Quote,
  stp: SelfTradePrevention | undefined,
): void {
  const price = order.workingType === 'MARK_PRICE' ? quote.mark || quote.last : quote.last;
  const entry: Conditional = {
    order,
    orderId: String(venue.state.nextAlgoId),
    rank: venue.state.nextRank,
    armed: order.type === 'TRAILING_STOP_MARKET' && order.activatePrice === undefined,
    extreme: price,
    ...(stp ? { stp } : {}),
  };
  const error = checkConditional(venue, market, entry, price);
  if (error) {
    reject(venue, order, error);
    return;
  }
  venue.state.nextAlgoId++;
  venue.state.nextRank++;
  market.conditionals.push(entry);
  emit(venue, order.owner, { type: 'ORDER_ACKNOWLEDGED', ...orderKeys(order), orderId: entry.orderId });
}

function checkConditional(
  venue: Venue,
  market: Market,
  entry: Conditional,
  price: number,
): VenueError | undefined {
  const { order } = entry;
  let open = 0;
  for (const other of Object.values(venue.state.markets)) open += other.conditionals.length;
  if (open >= venue.config.maxConditionalOrders) return venueError('MAX_STOP_ORDERS');
  if (order.closePosition) {
    const opens = market.orders.some((resting) => !isReducing(resting.order));
    if (D.isZero(closable(market, order)) && !opens) return venueError('GTE_NEEDS_POSITION');
    const same = market.conditionals.some(
      ({ order: other }) =>
        other.closePosition &&
        other.type === order.type &&
        other.side === order.side &&
        other.positionSide === order.positionSide,
    );
    if (same) return venueError('CLOSE_POSITION_EXISTS');
  }
  if (price <= 0) return undefined;
  const threshold = order.type === 'TRAILING_STOP_MARKET' ? activationOf(entry) : triggerOf(entry);
  return threshold && reached(threshold, price) ? venueError('WOULD_TRIGGER') : undefined;
}

function submitPlain(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  order: IdentifiedOrder,
  quote: Quote,
  stp: SelfTradePrevention | undefined,
): void {
  const entry: Resting = {
    order,
    orderId: String(venue.state.nextOrderId),
    rank: venue.state.nextRank,
    filled: D.ZERO,
    ahead: 0,
    ...(stp ? { stp } : {}),
  };
  const full = market.orders.length >= venue.config.maxOpenOrders;
  const error = full
    ? venueError('MAX_OPEN_ORDERS')
    : checkExecution(venue, market, instrument, entry, quote);
  if (error) {
    reject(venue, order, error);
    return;
  }
  venue.state.nextOrderId++;
  venue.state.nextRank++;
  emit(venue, order.owner, { type: 'ORDER_ACKNOWLEDGED', ...orderKeys(order), orderId: entry.orderId });
  execute(venue, market, instrument, entry, quote);
}

/** What decides whether an order may trade now: at submission, or at a conditional order's trigger. */
export function checkExecution(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  entry: Resting,
  quote: Quote,
): VenueError | undefined {
  const { order } = entry;
  const reducing = isReducing(order);
  if (reducing && D.isZero(closable(market, order))) return venueError('REDUCE_ONLY_REJECT');
  const hedgeClose = reducing && !order.reduceOnly && !order.closePosition;
  if (hedgeClose && D.gt(order.quantity ?? D.ZERO, closable(market, order)))
    return venueError('REDUCE_ONLY_REJECT');
  if (order.reduceOnly && opensBeside(market, order)) {
    const quantity = D.min(order.quantity ?? D.ZERO, closable(market, order));
    if (checkMargin(venue, market, instrument, { ...order, quantity }, quote))
      return venueError('REDUCE_ONLY_MARGIN');
  }
  if (!reducing) {
    const error = checkMargin(venue, market, instrument, order, quote);
    if (error) return error;
  }
  if (order.timeInForce === 'GTX' && order.price !== undefined) {
    const takes = wouldTake(venue, market, instrument, order.side, order.price, quote);
    if (takes || meetsOwn(market, entry, [], true).length > 0) return venueError('POST_ONLY_REJECT');
  }
  if (order.timeInForce === 'FOK') {
    const wanted = openQuantity(market, entry);
    const got = D.sum(plan(venue, market, instrument, entry, wanted, quote).map((lot) => lot.quantity));
    if (D.lt(got, wanted)) return venueError('FOK_REJECT');
  }
  return undefined;
}

/** Open orders of the same side, which after this one has closed the position would open the opposite one. */
const opensBeside = (market: Market, { side, positionSide }: IdentifiedOrder): boolean =>
  market.orders.some(
    ({ order }) => !isReducing(order) && order.side === side && order.positionSide === positionSide,
  );

/** What the order may still fill: its rest, and for a reducing one no more than there is to close. */
export function openQuantity(market: Market, entry: Resting): Decimal {
  const { order } = entry;
  const closing = isReducing(order) ? closable(market, order) : undefined;
  if (order.closePosition) return closing ?? D.ZERO;
  const rest = remaining(entry);
  return closing === undefined ? rest : D.min(rest, closing);
}

function plan(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  entry: Resting,
  quantity: Decimal,
  quote: Quote,
): Lot[] {
  const { order } = entry;
  const bound = order.price ?? takeBound(instrument, order.side, quote);
  return planTake(venue, market, instrument, order.side, quantity, bound, quote);
}

/** Takes what there is to take, then rests, or expires what may not rest. */
export function execute(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  entry: Resting,
  quote: Quote,
): void {
  const { order } = entry;
  const wanted = openQuantity(market, entry);
  let left = wanted;
  if (order.timeInForce !== 'GTX') {
    const planned = plan(venue, market, instrument, entry, wanted, quote);
    const { lots, halted } = preventSelfTrade(venue, market, entry, planned, wanted);
    consume(market, order.side, lots);
    for (const lot of lots) {
      left = D.sub(left, lot.quantity);
      fillOrder(venue, market, instrument, entry, lot, D.isZero(left), false);
    }
    if (halted && D.gt(left, D.ZERO)) {
      closeOrder(venue, entry, 'expired', SELF_TRADE);
      left = D.ZERO;
    }
  }
  if (D.gt(left, D.ZERO)) {
    if (order.price === undefined) closeOrder(venue, entry, 'expired', 'no liquidity within the take bound');
    else if (order.timeInForce === 'IOC' || order.timeInForce === 'FOK')
      closeOrder(venue, entry, 'expired', 'the rest could not be filled at once');
    else rest(market, entry);
  }
  expireKnockedOut(venue, market);
}

function rest(market: Market, entry: Resting): void {
  const { side, price } = entry.order;
  if (market.hasBook && price !== undefined) {
    const level = (side === 'BUY' ? market.bids : market.asks).find(([at]) => D.eq(at, price));
    entry.ahead = level ? Number(level[1]) : 0;
  }
  market.orders.push(entry);
}

export function fillOrder(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  entry: Resting,
  lot: Lot,
  complete: boolean,
  maker: boolean,
): void {
  const { order } = entry;
  entry.filled = D.add(entry.filled, lot.quantity);
  const rate = maker ? instrument.makerFeeRate : instrument.takerFeeRate;
  bookFill(venue, market, instrument, {
    owner: order.owner,
    ref: order.ref,
    clientOrderId: order.clientOrderId,
    positionSide: order.positionSide,
    side: order.side,
    price: lot.price,
    quantity: lot.quantity,
    cumulative: entry.filled,
    complete,
    maker,
    fee: feeOf(D.mul(lot.price, lot.quantity), rate),
  });
}

/** Fills a resting order at its own price, as maker, and takes it off the book when done. */
export function fillResting(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  entry: Resting,
  quantity: Decimal,
): void {
  const price = entry.order.price ?? D.ZERO;
  const complete = D.eq(quantity, openQuantity(market, entry));
  if (complete) market.orders.splice(market.orders.indexOf(entry), 1);
  fillOrder(venue, market, instrument, entry, { price, quantity }, complete, true);
  expireKnockedOut(venue, market);
}

/**
 * With nothing left to close, resting reduce-only orders and closePosition triggers expire. Conditional
 * reduce-only orders stay: they are looked at when they trigger.
 */
export function expireKnockedOut(venue: Venue, market: Market): void {
  const dead = market.orders.filter(({ order }) => isReducing(order) && D.isZero(closable(market, order)));
  const opening = market.orders.some(({ order }) => !isReducing(order));
  const flat = market.conditionals.filter(
    ({ order }) =>
      order.closePosition &&
      D.isZero(closable(market, order)) &&
      (!opening || positionOf(market, order.positionSide) !== undefined),
  );
  if (dead.length === 0 && flat.length === 0) return;
  market.orders = market.orders.filter((entry) => !dead.includes(entry));
  market.conditionals = market.conditionals.filter((entry) => !flat.includes(entry));
  for (const entry of [...dead, ...flat]) closeOrder(venue, entry, 'expired', 'the position is closed');
}

export function cancel(
  venue: Venue,
  owner: string,
  ref: string,
  symbol: string,
  outcome: 'canceled' | 'expired' = 'canceled',
  reason = 'canceled by its owner',
): void {
  const market = venue.state.markets[symbol];
  const mine = ({ order }: { order: IdentifiedOrder }): boolean => order.owner === owner && order.ref === ref;
  const resting = market?.orders.find(mine);
  const conditional = market?.conditionals.find(mine);
  if (market && resting) {
    market.orders.splice(market.orders.indexOf(resting), 1);
    closeOrder(venue, resting, outcome, reason);
    expireKnockedOut(venue, market);
  } else if (market && conditional) {
    market.conditionals.splice(market.conditionals.indexOf(conditional), 1);
    closeOrder(venue, conditional, outcome, reason);
  } else {
    const error = venueError('UNKNOWN_ORDER');
    emit(venue, owner, { type: 'CANCEL_REJECTED', ref, clientOrderId: '', symbol, ...error });
  }
}
