/**
 * The endpoints of the venue that the gateway uses, and what each costs of the rate limits. Prices and quantities
 * are text; nothing here knows how a request is signed or sent.
 */

import type { CallCost } from '../rate-budget.ts';
import type { Api, Method, WireParams } from '../venue-client.ts';

export interface Verb {
  readonly api: Api;
  readonly method: Method;
  readonly path: string;
  readonly cost: (params: WireParams) => CallCost;
}

const weighs = (weight: number) => (): CallCost => ({ weight });
/** Placing weighs nothing for the address and counts as an order for the account. */
const oneOrder = (): CallCost => ({ weight: 0, orders: 1 });
const bySymbol =
  (one: number, all: number) =>
  (params: WireParams): CallCost => ({ weight: params.symbol === undefined ? all : one });

const read = (api: Api, path: string, cost: Verb['cost']): Verb => ({ api, method: 'GET', path, cost });
const act = (method: Method, path: string, cost: Verb['cost']): Verb => ({
  api: 'fapiPrivate',
  method,
  path,
  cost,
});

export const VERBS = {
  time: read('fapiPublic', 'time', weighs(1)),
  exchangeInfo: read('fapiPublic', 'exchangeInfo', weighs(1)),
  fundingInfo: read('fapiPublic', 'fundingInfo', weighs(1)),
  /** Weighed in another pool; a loopback venue has one pool only. */
  apiRestrictions: read('sapi', 'account/apiRestrictions', weighs(1)),
  accountConfig: read('fapiPrivate', 'accountConfig', weighs(5)),
  symbolConfig: read('fapiPrivate', 'symbolConfig', weighs(5)),
  leverageBracket: read('fapiPrivate', 'leverageBracket', weighs(1)),
  commissionRate: read('fapiPrivate', 'commissionRate', weighs(20)),
  account: read('fapiPrivateV3', 'account', weighs(5)),
  balance: read('fapiPrivateV3', 'balance', weighs(5)),
  positionRisk: read('fapiPrivateV3', 'positionRisk', weighs(5)),
  openOrders: read('fapiPrivate', 'openOrders', bySymbol(1, 40)),
  openAlgoOrders: read('fapiPrivate', 'openAlgoOrders', bySymbol(1, 40)),
  order: read('fapiPrivate', 'order', weighs(1)),
  algoOrder: read('fapiPrivate', 'algoOrder', weighs(1)),
  userTrades: read('fapiPrivate', 'userTrades', weighs(5)),
  income: read('fapiPrivate', 'income', weighs(30)),
  placeOrder: act('POST', 'order', oneOrder),
  placeAlgoOrder: act('POST', 'algoOrder', oneOrder),
  cancelOrder: act('DELETE', 'order', weighs(1)),
  cancelAlgoOrder: act('DELETE', 'algoOrder', weighs(1)),
  setLeverage: act('POST', 'leverage', weighs(1)),
  setMarginType: act('POST', 'marginType', weighs(1)),
  setPositionMode: act('POST', 'positionSide/dual', weighs(1)),
  createListenKey: act('POST', 'listenKey', weighs(1)),
  renewListenKey: act('PUT', 'listenKey', weighs(1)),
  closeListenKey: act('DELETE', 'listenKey', weighs(1)),
} as const satisfies Record<string, Verb>;

export type VerbName = keyof typeof VERBS;

/** Reads may be asked again; anything else leaves once. */
export type ReadVerb =
  | 'time'
  | 'exchangeInfo'
  | 'fundingInfo'
  | 'apiRestrictions'
  | 'accountConfig'
  | 'symbolConfig'
  | 'leverageBracket'
  | 'commissionRate'
  | 'account'
  | 'balance'
  | 'positionRisk'
  | 'openOrders'
  | 'openAlgoOrders'
  | 'order'
  | 'algoOrder'
  | 'userTrades'
  | 'income';
export type ActVerb = Exclude<VerbName, ReadVerb>;
