/** /fapi/v1/order and what belongs to it: placing, changing, cancelling and looking at plain orders. */
import type { Json } from '../../core/json.ts';
import { optional, type Params, required, WireError } from '../protocol.ts';
import { OWNER } from './account.ts';
import { type Context, prices, type Route, refuse } from './context.ts';
import { matchedPrice, sideOf, wantsResult } from './order-terms.ts';
import { DAY, decimalOf, integerOf, limitOf, optionalSymbol, rangeOf, symbolOf } from './params.ts';
import { placeOrder } from './place-order.ts';
import { isOpen, type OrderRecord } from './records.ts';
import { checkRestriction } from './restrictions.ts';
import { amendmentRow, orderAnswer, orderReceipt, orderRow } from './wire-orders.ts';

const ORDER = '/fapi/v1/order';

const flag = (params: Params, name: string): boolean =>
  params.get(name.toLowerCase())?.toLowerCase() === 'true';

/** Orders that can only reduce are let through when the venue is overloaded. */
export const protective = (params: Params): boolean =>
  flag(params, 'reduceOnly') || flag(params, 'closePosition');

export function idOf(params: Params): { readonly orderId?: number; readonly clientOrderId?: string } {
  const orderId = integerOf(params, 'orderId');
  const clientOrderId = optional(params, 'origClientOrderId');
  if (orderId !== undefined) return { orderId };
  if (clientOrderId !== undefined) return { clientOrderId };
  throw new WireError(
    -1102,
    "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
  );
}

/** Cancelled or expired with nothing filled: such orders are soon gone from the venue's memory. */
export function isForgotten({ account, at }: Context, order: OrderRecord): boolean {
  if (isOpen(order) || order.executed !== '0' || !account.rules.threeDayRule) return false;
  return at - order.updateTime > 3 * DAY;
}

const visible = (context: Context, order: OrderRecord): boolean =>
  order.time <= context.visibleUntil && !isForgotten(context, order);

export function place(context: Context): Json {
  const result = wantsResult(context.params);
  const record = placeOrder(context);
  return result ? orderAnswer(record) : orderReceipt(record);
}

export function cancelOne(context: Context, id: ReturnType<typeof idOf>): Json {
  const { account, at, params } = context;
  const { symbol } = symbolOf(account, params);
  const order = account.index.order(symbol, id);
  if (!order || !isOpen(order)) throw new WireError(-2011, 'Unknown order sent.');
  refuse(account.cancel(at, symbol, order.ref));
  return orderAnswer(order);
}

const MOST_AMENDMENTS = 10_000;

export function amendOne(context: Context): Json {
  const { account, at, params } = context;
  const instrument = symbolOf(account, params);
  const { symbol } = instrument;
  const side = sideOf(params);
  const { priceMatch, price: matched } = matchedPrice(context, params, instrument, side);
  required(params, 'quantity');
  if (priceMatch === 'NONE') required(params, 'price');
  const order = account.index.order(symbol, idOf(params));
  if (!order || !isOpen(order)) throw new WireError(-2013, 'Order does not exist.');
  if (order.side !== side) throw new WireError(-1117, 'Invalid side.');
  if (order.type !== 'LIMIT') throw new WireError(-5025, 'Only limit order is supported.');
  if (order.amendments >= MOST_AMENDMENTS) throw new WireError(-5026, 'Exceed maximum modify order limit.');
  const quantity = decimalOf(params, 'quantity') ?? '0';
  const price = matched ?? decimalOf(params, 'price') ?? '0';
  const { ref } = order;
  checkRestriction(account.books.restriction, order.reduceOnly);
  refuse(
    account.apply({
      type: 'order.amend',
      at,
      owner: OWNER,
      ref,
      symbol,
      quantity,
      price,
      ...prices(context, symbol),
    }),
  );
  return orderAnswer(order);
}

function query(context: Context): Json {
  const { account, params } = context;
  const { symbol } = symbolOf(account, params);
  const order = account.index.order(symbol, idOf(params));
  if (!order || !visible(context, order)) throw new WireError(-2013, 'Order does not exist.');
  return orderRow(order);
}

function queryOpen(context: Context): Json {
  const { account, params } = context;
  const { symbol } = symbolOf(account, params);
  const order = account.index.order(symbol, idOf(params));
  if (!order || !isOpen(order) || !visible(context, order))
    throw new WireError(-2013, 'Order does not exist.');
  return orderRow(order);
}

function openOrders(context: Context): Json {
  const symbol = optionalSymbol(context.account, context.params)?.symbol;
  return [...context.account.index.openOrders]
    .filter((order) => (symbol === undefined || order.symbol === symbol) && visible(context, order))
    .map(orderRow);
}

function allOrders(context: Context): Json {
  const { account, params, at } = context;
  const { symbol } = symbolOf(account, params);
  const first = integerOf(params, 'orderId');
  const limit = limitOf(params, 500, 1000);
  const { from, to, open } = rangeOf(params, at, 7 * DAY, 7 * DAY);
  const known = account.books.orders.filter((order) => order.symbol === symbol && visible(context, order));
  if (first !== undefined)
    return known
      .filter((order) => order.orderId >= first)
      .slice(0, limit)
      .map(orderRow);
  const within = known.filter((order) => order.time >= from && order.time <= to);
  return (open ? within.slice(-limit) : within.slice(0, limit)).map(orderRow);
}

function cancelAll(context: Context): Json {
  const { account, params, at } = context;
  const { symbol } = symbolOf(account, params);
  for (const order of [...account.index.openOrders])
    if (order.symbol === symbol && isOpen(order)) account.cancel(at, symbol, order.ref);
  return { code: 200, msg: 'The operation of cancel all open order is done.' };
}

function test(context: Context): Json {
  return place({ ...context, account: context.account.scratch() });
}

function amendments(context: Context): Json {
  const { account, params, at } = context;
  const { symbol } = symbolOf(account, params);
  const orderId = integerOf(params, 'orderId');
  const clientOrderId = optional(params, 'origClientOrderId');
  const { from, to } = rangeOf(params, at, 90 * DAY);
  return account.books.amendments
    .filter((one) => one.symbol === symbol && one.time >= from && one.time <= to)
    .filter((one) => orderId === undefined || one.orderId === orderId)
    .filter((one) => clientOrderId === undefined || one.clientOrderId === clientOrderId)
    .slice(-limitOf(params, 50, 100))
    .reverse()
    .map(amendmentRow);
}

function countdown(context: Context): Json {
  const { account, params, at } = context;
  const { symbol } = symbolOf(account, params);
  required(params, 'countdownTime');
  const time = integerOf(params, 'countdownTime') ?? 0;
  account.touched = true;
  if (time === 0) delete account.books.countdowns[symbol];
  else account.books.countdowns[symbol] = at + time;
  return { symbol, countdownTime: String(time) };
}

const always = (): boolean => true;
const base = { security: 'signed' } as const;
const changing = { ...base, changes: true } as const;
const reading = { ...base, changes: false } as const;
const bySymbol = (one: number, all: number) => (params: Params) => (params.has('symbol') ? one : all);

export const ORDER_ROUTES: readonly Route[] = [
  { ...changing, method: 'POST', path: ORDER, weight: 0, orders: 1, protective, handle: place },
  { ...changing, method: 'PUT', path: ORDER, weight: 1, orders: 1, handle: amendOne },
  {
    ...changing,
    method: 'DELETE',
    path: ORDER,
    weight: 1,
    protective: always,
    handle: (context) => cancelOne(context, idOf(context.params)),
  },
  { ...reading, method: 'GET', path: ORDER, weight: 1, handle: query },
  { ...reading, method: 'POST', path: '/fapi/v1/order/test', weight: 0, handle: test },
  { ...reading, method: 'GET', path: '/fapi/v1/openOrder', weight: 1, handle: queryOpen },
  { ...reading, method: 'GET', path: '/fapi/v1/openOrders', weight: bySymbol(1, 40), handle: openOrders },
  { ...reading, method: 'GET', path: '/fapi/v1/allOrders', weight: 5, handle: allOrders },
  {
    ...changing,
    method: 'DELETE',
    path: '/fapi/v1/allOpenOrders',
    weight: 1,
    protective: always,
    handle: cancelAll,
  },
  { ...reading, method: 'GET', path: '/fapi/v1/orderAmendment', weight: 1, handle: amendments },
  { ...changing, method: 'POST', path: '/fapi/v1/countdownCancelAll', weight: 10, handle: countdown },
];
