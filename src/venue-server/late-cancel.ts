/**
 * The race that a cancel loses: the order it names fills, wholly or in part, a moment before.
 *
 * The market is moved for this one order only: a trade beyond a limit order's price meets it before all others
 * there; a conditional order sees a price at its trigger.
 */
import * as D from '../core/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';
import type { EngineInput } from '../exchange/engine/engine-types.ts';
import { type Endpoint, type Params, WireError, type WireRequest } from './protocol.ts';

export interface LateCancelParts {
  readonly endpoint: (name: string) => Endpoint | undefined;
  readonly instrument: (symbol: string) => Instrument | undefined;
  readonly feed: (input: EngineInput) => void;
}

const QUERIES: Readonly<Record<string, string>> = {
  '/fapi/v1/order': 'GET /fapi/v1/order',
  '/fapi/v1/algoOrder': 'GET /fapi/v1/algoOrder',
};

export function fillBeforeCancel(request: WireRequest, share: number, parts: LateCancelParts): void {
  const order = question(request, parts);
  if (!order) return;
  const { symbol = '', side = '', at } = { ...order, at: request.at };
  const instrument = parts.instrument(symbol);
  if (!instrument) return;
  if (order.triggerPrice !== undefined) {
    const price = Number(order.triggerPrice);
    if (price > 0) parts.feed({ type: 'PRICE', at, symbol, last: price, mark: price });
    return;
  }
  const open = D.sub(order.origQty ?? '0', order.executedQty ?? '0');
  const part = D.floorTo(D.mul(open, D.fromNumber(share)), instrument.stepSize);
  if (!D.gt(part, D.ZERO) || order.price === undefined) return;
  const beyond =
    side === 'BUY' ? D.sub(order.price, instrument.tickSize) : D.add(order.price, instrument.tickSize);
  parts.feed({ type: 'TRADE', at, symbol, price: beyond, quantity: part, buyerMaker: side === 'BUY' });
}

type WireOrder = Readonly<
  Partial<Record<'symbol' | 'side' | 'price' | 'origQty' | 'executedQty' | 'triggerPrice', string>>
>;

/** The order as the venue would show it; undefined when there is none that could still fill. */
function question(request: WireRequest, parts: LateCancelParts): WireOrder | undefined {
  const query = QUERIES[request.path];
  const endpoint = query === undefined ? undefined : parts.endpoint(query);
  try {
    return endpoint?.handle({ ...request, method: 'GET', params: identity(request.params) }) as
      | WireOrder
      | undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

const IDENTITY = new Set(['symbol', 'orderid', 'origclientorderid', 'algoid', 'clientalgoid', 'timestamp']);

const identity = (params: Params): Params => new Map([...params].filter(([name]) => IDENTITY.has(name)));
