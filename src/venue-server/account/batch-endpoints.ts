/** Several orders in one request: each element is answered for itself, refusals included, in HTTP 200. */
import type { Json } from '../../core/json.ts';
import { optional, type Params, WireError } from '../protocol.ts';
import type { Context, Route } from './context.ts';
import { amendOne, cancelOne, place } from './order-endpoints.ts';
import { invalid, listOf } from './params.ts';

const BATCH = '/fapi/v1/batchOrders';
const MOST_PLACED = 5;
const MOST_CANCELED = 10;

function elementParams(element: Json): Params {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) throw invalid('batchOrders');
  const entries = Object.entries(element).filter(([, value]) => value !== null);
  return new Map(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function each(context: Context, elements: readonly Json[], act: (context: Context) => Json): Json {
  return elements.map((element) => attempt(() => act({ ...context, params: elementParams(element) })));
}

function attempt(act: () => Json): Json {
  try {
    return act();
  } catch (error) {
    if (error instanceof WireError) return { code: error.code, msg: error.message };
    throw error;
  }
}

function orders(params: Params): readonly Json[] {
  const list = listOf(params, 'batchOrders');
  if (list === undefined)
    throw new WireError(
      -1102,
      "Mandatory parameter 'batchOrders' was not sent, was empty/null, or malformed.",
    );
  if (list.length === 0 || list.length > MOST_PLACED)
    throw new WireError(-4082, 'Invalid number of batch place orders.');
  return list;
}

function cancelSeveral(context: Context): Json {
  const { params } = context;
  const byId = listOf(params, 'orderIdList');
  const byClient = listOf(params, 'origClientOrderIdList');
  const list = byId ?? byClient;
  if (list === undefined)
    throw new WireError(
      -1102,
      "Param 'orderIdList' or 'origClientOrderIdList' must be sent, but both were empty/null!",
    );
  if (list.length === 0 || list.length > MOST_CANCELED) throw invalid('orderIdList');
  return list.map((id) =>
    attempt(() => cancelOne(context, byId ? { orderId: Number(id) } : { clientOrderId: String(id) })),
  );
}

const count = (params: Params): number => {
  try {
    const list: unknown = JSON.parse(optional(params, 'batchOrders') ?? '[]');
    return Array.isArray(list) ? list.length : 0;
  } catch {
    return 0;
  }
};

const changing = { security: 'signed', changes: true, path: BATCH } as const;

export const BATCH_ROUTES: readonly Route[] = [
  {
    ...changing,
    method: 'POST',
    weight: 5,
    orders: count,
    handle: (context) => each(context, orders(context.params), place),
  },
  {
    ...changing,
    method: 'PUT',
    weight: 5,
    orders: count,
    handle: (context) => each(context, orders(context.params), amendOne),
  },
  { ...changing, method: 'DELETE', weight: 1, protective: () => true, handle: cancelSeveral },
];
