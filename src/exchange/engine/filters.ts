/**
 * Order validation in the order Binance answers: parameters, modes, then the symbol's filters.
 * Pure: returns the first refusal, or undefined when the order may go on to margin and matching.
 */

import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { type IdentifiedOrder, isConditional, isReducing } from '../../domain/order.ts';
import { type VenueError, venueError } from '../venue-errors.ts';
import type { Market, Venue } from './engine-state.ts';
import { positionModeOf } from './engine-state.ts';
import type { Quote } from './engine-types.ts';
import { markOf } from './margin.ts';
import { bestPrice } from './matching.ts';

const CLIENT_ID = /^[.A-Z:/a-z0-9_-]+$/;
const PLAIN_DECIMAL = /^-?\d+(\.\d+)?$/;
const MAX_CALLBACK_PERCENT = '20';
const MIN_CALLBACK_PERCENT = '0.1';

const takesPrice = (order: IdentifiedOrder): boolean =>
  order.type === 'LIMIT' || order.type === 'STOP' || order.type === 'TAKE_PROFIT';

const takesTrigger = (order: IdentifiedOrder): boolean =>
  isConditional(order.type) && order.type !== 'TRAILING_STOP_MARKET';

export function checkParameters(venue: Venue, order: IdentifiedOrder): VenueError | undefined {
  return checkClientId(order) ?? checkNumbers(order) ?? checkPresence(order) ?? checkModes(venue, order);
}

function checkClientId({ clientOrderId, type }: IdentifiedOrder): VenueError | undefined {
  const name = isConditional(type) ? 'clientAlgoId' : 'newClientOrderId';
  if (clientOrderId.length === 0) return venueError('MANDATORY_PARAM', name);
  if (clientOrderId.length > 36) return venueError('CLIENT_ID_LENGTH');
  return CLIENT_ID.test(clientOrderId) ? undefined : venueError('ILLEGAL_CHARS', name);
}

function checkNumbers(order: IdentifiedOrder): VenueError | undefined {
  for (const name of ['quantity', 'price', 'triggerPrice', 'activatePrice', 'callbackRate'] as const) {
    const value = order[name];
    if (value !== undefined && !PLAIN_DECIMAL.test(value)) return venueError('MANDATORY_PARAM', name);
  }
  return undefined;
}

function checkPresence(order: IdentifiedOrder): VenueError | undefined {
  const { type, closePosition } = order;
  if (closePosition) {
    if (type !== 'STOP_MARKET' && type !== 'TAKE_PROFIT_MARKET')
      return venueError('INVALID_CLOSE_POSITION', type, true);
    if (order.quantity !== undefined) return venueError('QUANTITY_WITH_CLOSE_POSITION');
  } else if (order.quantity === undefined) return venueError('MANDATORY_PARAM', 'quantity');
  if (takesPrice(order) !== (order.price !== undefined))
    return takesPrice(order) ? venueError('MANDATORY_PARAM', 'price') : venueError('UNNEEDED_PARAM', 'price');
  if (takesTrigger(order) !== (order.triggerPrice !== undefined))
    return takesTrigger(order)
      ? venueError('MANDATORY_PARAM', 'triggerPrice')
      : venueError('UNNEEDED_PARAM', 'triggerPrice');
  if (type === 'LIMIT' && order.timeInForce === undefined)
    return venueError('MANDATORY_PARAM', 'timeInForce');
  if (type === 'MARKET' && order.timeInForce !== undefined)
    return venueError('UNNEEDED_PARAM', 'timeInForce');
  return checkTrailing(order);
}

function checkTrailing(order: IdentifiedOrder): VenueError | undefined {
  const { callbackRate } = order;
  if (order.type !== 'TRAILING_STOP_MARKET') {
    if (callbackRate !== undefined) return venueError('UNNEEDED_PARAM', 'callbackRate');
    return order.activatePrice === undefined ? undefined : venueError('UNNEEDED_PARAM', 'activatePrice');
  }
  if (callbackRate === undefined) return venueError('MANDATORY_PARAM', 'callbackRate');
  const fits =
    D.gte(callbackRate, MIN_CALLBACK_PERCENT) &&
    D.lte(callbackRate, MAX_CALLBACK_PERCENT) &&
    D.isMultipleOf(callbackRate, '0.1');
  return fits ? undefined : venueError('INVALID_PARAMETER', 'callbackRate');
}

function checkModes(venue: Venue, order: IdentifiedOrder): VenueError | undefined {
  const hedge = positionModeOf(venue) === 'hedge';
  if (hedge === (order.positionSide === 'BOTH')) return venueError('POSITION_SIDE_MISMATCH');
  if (!hedge) return undefined;
  // In hedge mode the closing side reduces by itself, and reduceOnly may not be sent.
  if (order.reduceOnly && !order.closePosition) return venueError('REDUCE_ONLY_CONFLICT');
  if (order.closePosition && !isReducing({ ...order, closePosition: false }))
    return venueError('REDUCE_ONLY_CONFLICT');
  return undefined;
}

export function checkStatus(instrument: Instrument, order: IdentifiedOrder): VenueError | undefined {
  if (instrument.status === 'TRADING') return undefined;
  if (instrument.status === 'CLOSE') return venueError('SYMBOL_CLOSED');
  // A conditional exit may be placed during a halt: it waits for the market anyway.
  const waits = isConditional(order.type) && isReducing(order) && instrument.status === 'TRADING_HALT';
  return waits ? undefined : venueError('SYMBOL_NOT_TRADING');
}

export function checkFilters(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  order: IdentifiedOrder,
  quote: Quote,
): VenueError | undefined {
  return (
    checkPrices(instrument, order) ??
    checkQuantity(instrument, order) ??
    checkNotional(market, instrument, order, quote) ??
    (isConditional(order.type) ? undefined : checkPercentPrice(venue, market, instrument, order, quote))
  );
}

const places = (value: Decimal): number => (D.decimal(value).split('.')[1] ?? '').length;

/** What is on the grid is never too precise. */
const decimals = (step: Decimal, named = 8): number => Math.max(places(step), named);

function checkPrices(instrument: Instrument, order: IdentifiedOrder): VenueError | undefined {
  const { price, triggerPrice, activatePrice } = order;
  if (price !== undefined) {
    if (D.lte(price, D.ZERO)) return venueError('PRICE_BELOW_ZERO');
    if (D.gt(price, instrument.maxPrice)) return venueError('PRICE_ABOVE_MAX');
    if (D.lt(price, instrument.minPrice)) return venueError('PRICE_BELOW_MIN');
  }
  if (triggerPrice !== undefined) {
    if (D.lte(triggerPrice, D.ZERO)) return venueError('STOP_PRICE_BELOW_ZERO');
    if (D.gt(triggerPrice, instrument.maxPrice)) return venueError('STOP_PRICE_ABOVE_MAX');
  }
  if (
    activatePrice !== undefined &&
    (D.lte(activatePrice, D.ZERO) || D.gt(activatePrice, instrument.maxPrice))
  )
    return venueError('INVALID_ACTIVATION_PRICE');
  for (const value of [price, triggerPrice, activatePrice]) {
    if (value === undefined) continue;
    if (places(value) > decimals(instrument.tickSize, instrument.pricePrecision))
      return venueError('BAD_PRECISION');
    if (!D.isMultipleOf(value, instrument.tickSize)) return venueError('PRICE_OFF_TICK');
  }
  return undefined;
}

function checkQuantity(instrument: Instrument, order: IdentifiedOrder): VenueError | undefined {
  const { quantity, type } = order;
  if (quantity === undefined) return undefined;
  if (D.lte(quantity, D.ZERO)) return venueError('QUANTITY_BELOW_ZERO');
  if (places(quantity) > decimals(instrument.stepSize, instrument.quantityPrecision))
    return venueError('BAD_PRECISION');
  if (D.lt(quantity, instrument.minQuantity)) return venueError('QUANTITY_BELOW_MIN');
  const limited = type === 'LIMIT' || type === 'STOP' || type === 'TAKE_PROFIT';
  const most = limited ? instrument.maxQuantity : instrument.marketMaxQuantity;
  if (D.gt(quantity, most)) return venueError('QUANTITY_ABOVE_MAX');
  return D.isMultipleOf(quantity, instrument.stepSize) ? undefined : venueError('QUANTITY_OFF_STEP');
}

/** Market orders are valued at mark, limits at their price, market triggers at their trigger. */
function checkNotional(
  market: Market,
  instrument: Instrument,
  order: IdentifiedOrder,
  quote: Quote,
): VenueError | undefined {
  const { quantity } = order;
  if (quantity === undefined || isReducing(order)) return undefined;
  const known = quote.mark || quote.last ? D.fromNumber(quote.mark || quote.last) : markOf(market);
  const price = order.price ?? order.triggerPrice ?? order.activatePrice ?? known;
  if (D.isZero(price) || D.gte(D.mul(quantity, price), instrument.minNotional)) return undefined;
  return venueError('MIN_NOTIONAL', instrument.minNotional);
}

/** PERCENT_PRICE against the mark: a buyer's ceiling and a seller's floor. */
export function checkPercentPrice(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  order: IdentifiedOrder,
  quote: Quote,
): VenueError | undefined {
  const mark = quote.mark || quote.last;
  const buying = order.side === 'BUY';
  if (mark <= 0) return order.price === undefined ? venueError('MARKET_PERCENT_PRICE') : undefined;
  const factor = buying ? instrument.multiplierUp : instrument.multiplierDown;
  const bound = D.mul(D.fromNumber(mark), factor);
  const beyond = (price: Decimal): boolean => (buying ? D.gt(price, bound) : D.lt(price, bound));
  if (order.price !== undefined) {
    if (!beyond(order.price)) return undefined;
    return venueError(buying ? 'PRICE_ABOVE_MULTIPLIER' : 'PRICE_BELOW_MULTIPLIER', bound);
  }
  const best = bestPrice(venue, market, instrument, order.side, quote);
  return best === undefined || beyond(best) ? venueError('MARKET_PERCENT_PRICE') : undefined;
}
