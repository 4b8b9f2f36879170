/** What has been: trades, income, forced orders. */
import type { Json } from '../../core/json.ts';
import { optional, WireError } from '../protocol.ts';
import type { Context, Route } from './context.ts';
import { DAY, integerOf, limitOf, optionalSymbol, rangeOf, symbolOf } from './params.ts';
import { forcedRow, incomeRow, tradeRow } from './wire-orders.ts';

function trades(context: Context): Json {
  const { account, params, at, visibleUntil } = context;
  const { symbol } = symbolOf(account, params);
  const orderId = integerOf(params, 'orderId');
  const fromId = integerOf(params, 'fromId');
  const limit = limitOf(params, 500, 1000);
  const start = integerOf(params, 'startTime');
  const end = integerOf(params, 'endTime');
  const timed = start !== undefined || end !== undefined;
  if (fromId !== undefined && timed)
    throw new WireError(-1128, 'Combination of optional parameters invalid.');
  const range = rangeOf(params, at, 7 * DAY, 7 * DAY);
  const known = account.books.trades
    .filter((trade) => trade.symbol === symbol && trade.time <= visibleUntil)
    .filter((trade) => orderId === undefined || trade.orderId === orderId);
  if (fromId !== undefined)
    return known
      .filter(({ id }) => id >= fromId)
      .slice(0, limit)
      .map(tradeRow);
  const within = known.filter(({ time }) => time >= range.from && time <= range.to);
  return (range.open ? within.slice(-limit) : within.slice(0, limit)).map(tradeRow);
}

function income(context: Context): Json {
  const { account, params, at, visibleUntil } = context;
  const symbol = optionalSymbol(account, params)?.symbol;
  const type = optional(params, 'incomeType')?.toUpperCase();
  const limit = limitOf(params, 100, 1000);
  const page = Math.max(integerOf(params, 'page') ?? 1, 1);
  const range = rangeOf(params, at, 7 * DAY);
  const within = account.books.income
    .filter((row) => row.time >= range.from && row.time <= Math.min(range.to, visibleUntil))
    .filter((row) => symbol === undefined || row.symbol === symbol)
    .filter((row) => type === undefined || row.type === type);
  if (range.open && page === 1) return within.slice(-limit).map(incomeRow);
  return within.slice((page - 1) * limit, page * limit).map(incomeRow);
}

function forced(context: Context): Json {
  const { account, params, at } = context;
  const symbol = optionalSymbol(account, params)?.symbol;
  const close = optional(params, 'autoCloseType')?.toUpperCase();
  const causes =
    close === 'ADL' ? ['adl'] : close === 'LIQUIDATION' ? ['liquidation'] : ['adl', 'liquidation'];
  const range = rangeOf(params, at, 7 * DAY);
  return account.books.orders
    .filter((order) => causes.includes(order.cause) && (symbol === undefined || order.symbol === symbol))
    .filter((order) => order.time >= range.from && order.time <= range.to)
    .slice(-limitOf(params, 50, 100))
    .map(forcedRow);
}

const reading = { security: 'signed', changes: false, method: 'GET' } as const;

export const HISTORY_ROUTES: readonly Route[] = [
  { ...reading, path: '/fapi/v1/userTrades', weight: 5, handle: trades },
  { ...reading, path: '/fapi/v1/income', weight: 30, handle: income },
  {
    ...reading,
    path: '/fapi/v1/forceOrders',
    weight: (params) => (params.has('symbol') ? 20 : 50),
    handle: forced,
  },
];
