/**
 * Prices and quantities onto the venue's grid, never looser than asked: what is bought is never paid dearer, what is
 * sold is never let go cheaper, a stop never stands further from the market, no quantity grows.
 *
 * Invariants: exact decimals throughout; what is on the grid already comes back unchanged; nothing moves by a whole
 * step.
 */
import { ceilTo, type Decimal, floorTo, lt } from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { isReducing, type OrderRequest, type Side } from '../../domain/order.ts';

export type Grid = Pick<Instrument, 'tickSize' | 'stepSize'>;

/** A limit: a buyer pays at most this, a seller takes at least this. */
export const limitPrice = (side: Side, price: Decimal, tick: Decimal): Decimal =>
  side === 'BUY' ? floorTo(price, tick) : ceilTo(price, tick);

/**
 * Where a stop fires. A protective one fires no later than asked: a long's sell stop moves up, a short's buy stop
 * down. A stop that opens fires no earlier.
 */
export const stopPrice = (side: Side, protective: boolean, price: Decimal, tick: Decimal): Decimal =>
  (side === 'SELL') === protective ? ceilTo(price, tick) : floorTo(price, tick);

/** Where a trailing stop arms: a protective one no later than asked, one that opens no earlier. */
export const activationPrice = (side: Side, protective: boolean, price: Decimal, tick: Decimal): Decimal =>
  (side === 'SELL') === protective ? floorTo(price, tick) : ceilTo(price, tick);

/** Callbacks come in tenths of a percent, at least one of them; a smaller one is the tighter. */
export function callbackRate(percent: Decimal): Decimal {
  const rounded = floorTo(percent, '0.1');
  return lt(rounded, '0.1') ? '0.1' : rounded;
}

/** The request as the grid allows it; the same object where nothing had to move. */
export function onGrid<T extends OrderRequest>(order: T, { tickSize, stepSize }: Grid): T {
  const { side, type, quantity, price, triggerPrice, activatePrice } = order;
  const protective = isReducing(order);
  const takesProfit = type === 'TAKE_PROFIT' || type === 'TAKE_PROFIT_MARKET';
  const moved: { -readonly [K in keyof OrderRequest]?: OrderRequest[K] } = {};
  if (quantity !== undefined) moved.quantity = floorTo(quantity, stepSize);
  if (price !== undefined) moved.price = limitPrice(side, price, tickSize);
  if (triggerPrice !== undefined)
    moved.triggerPrice = takesProfit
      ? limitPrice(side, triggerPrice, tickSize)
      : stopPrice(side, protective, triggerPrice, tickSize);
  if (activatePrice !== undefined)
    moved.activatePrice = activationPrice(side, protective, activatePrice, tickSize);
  if (order.callbackRate !== undefined) moved.callbackRate = callbackRate(order.callbackRate);
  const same = Object.entries(moved).every(([name, value]) => order[name as keyof OrderRequest] === value);
  return same ? order : { ...order, ...moved };
}
