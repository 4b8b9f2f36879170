/** The algo service: conditional orders with ids, queries and listings of their own. */
import type { Json } from '../../core/json.ts';
import { optional, type Params, WireError } from '../protocol.ts';
import { type Context, type Route, refuse } from './context.ts';
import { protective } from './order-endpoints.ts';
import { DAY, integerOf, limitOf, optionalSymbol, rangeOf, symbolOf } from './params.ts';
import { placeAlgo } from './place-algo.ts';
import { type AlgoRecord, isWaiting } from './records.ts';
import { algoAnswer, algoRow } from './wire-orders.ts';

const ALGO = '/fapi/v1/algoOrder';

function find({ account, params }: Context): AlgoRecord | undefined {
  const algoId = integerOf(params, 'algoId');
  const clientAlgoId = optional(params, 'clientAlgoId');
  if (algoId !== undefined) return account.index.algo({ algoId });
  if (clientAlgoId !== undefined) return account.index.algo({ clientAlgoId });
  throw new WireError(-1102, "Param 'algoId' or 'clientAlgoId' must be sent, but both were empty/null!");
}

function visible({ account, at, visibleUntil }: Context, algo: AlgoRecord): boolean {
  if (algo.createTime > visibleUntil) return false;
  const gone = algo.status === 'CANCELED' || algo.status === 'EXPIRED' || algo.status === 'REJECTED';
  return !(gone && account.rules.threeDayRule && at - algo.updateTime > 3 * DAY);
}

function cancel(context: Context): Json {
  const algo = find(context);
  if (!algo || !isWaiting(algo)) throw new WireError(-2011, 'Unknown order sent.');
  refuse(context.account.cancel(context.at, algo.symbol, algo.ref));
  // A string here, a number where all are cancelled: as the venue has it.
  return { algoId: algo.algoId, clientAlgoId: algo.clientAlgoId, code: '200', msg: 'success' };
}

function query(context: Context): Json {
  const algo = find(context);
  if (!algo || !visible(context, algo)) throw new WireError(-2013, 'Order does not exist.');
  return algoRow(algo);
}

function open(context: Context): Json {
  const { account, params } = context;
  const symbol = optionalSymbol(account, params)?.symbol;
  const algoId = integerOf(params, 'algoId');
  return [...account.index.openAlgos]
    .filter((algo) => (symbol === undefined || algo.symbol === symbol) && visible(context, algo))
    .filter((algo) => algoId === undefined || algo.algoId === algoId)
    .map(algoRow);
}

function all(context: Context): Json {
  const { account, params, at } = context;
  const { symbol } = symbolOf(account, params);
  const first = integerOf(params, 'algoId');
  const limit = limitOf(params, 500, 1000);
  const page = Math.max(integerOf(params, 'page') ?? 0, 0);
  const range = rangeOf(params, at, 7 * DAY, 7 * DAY);
  const known = account.books.algos.filter((algo) => algo.symbol === symbol && visible(context, algo));
  if (first !== undefined)
    return known
      .filter((algo) => algo.algoId >= first)
      .slice(0, limit)
      .map(algoRow);
  const within = known.filter((algo) => algo.createTime >= range.from && algo.createTime <= range.to);
  const rows = page > 1 ? within.slice((page - 1) * limit, page * limit) : within.slice(0, limit);
  return (range.open && page <= 1 ? within.slice(-limit) : rows).map(algoRow);
}

function cancelAll(context: Context): Json {
  const { account, params, at } = context;
  const { symbol } = symbolOf(account, params);
  for (const algo of [...account.index.openAlgos])
    if (algo.symbol === symbol && isWaiting(algo)) account.cancel(at, symbol, algo.ref);
  return { code: 200, msg: 'The operation of cancel all open order is done.' };
}

const always = (): boolean => true;
const changing = { security: 'signed', changes: true } as const;
const reading = { security: 'signed', changes: false } as const;
const bySymbol = (params: Params): number => (params.has('symbol') ? 1 : 40);

export const ALGO_ROUTES: readonly Route[] = [
  {
    ...changing,
    method: 'POST',
    path: ALGO,
    weight: 0,
    orders: 1,
    protective,
    handle: (context) => algoAnswer(placeAlgo(context)),
  },
  { ...changing, method: 'DELETE', path: ALGO, weight: 1, protective: always, handle: cancel },
  { ...reading, method: 'GET', path: ALGO, weight: 1, handle: query },
  { ...reading, method: 'GET', path: '/fapi/v1/openAlgoOrders', weight: bySymbol, handle: open },
  { ...reading, method: 'GET', path: '/fapi/v1/allAlgoOrders', weight: 5, handle: all },
  {
    ...changing,
    method: 'DELETE',
    path: '/fapi/v1/algoOpenOrders',
    weight: 1,
    protective: always,
    handle: cancelAll,
  },
];
