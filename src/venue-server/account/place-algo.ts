/** A conditional order from its parameters to its record. `activationPrice` is not a parameter here and is ignored. */
import * as D from '../../core/decimal.ts';
import type { ConditionalOrderType, IdentifiedOrder, WorkingType } from '../../domain/order.ts';
import { optional, type Params, required, WireError } from '../protocol.ts';
import { OWNER } from './account.ts';
import { type Context, prices, refuse } from './context.ts';
import type { Draft } from './digest.ts';
import {
  engineTimeInForce,
  goodTillOf,
  matchedPrice,
  positionSideOf,
  sideOf,
  stpOf,
  timeInForceOf,
} from './order-terms.ts';
import { booleanOf, choiceOf, decimalOf, invalid, symbolOf } from './params.ts';
import type { AlgoRecord } from './records.ts';
import { checkRestriction } from './restrictions.ts';

const TYPES: readonly ConditionalOrderType[] = [
  'STOP',
  'STOP_MARKET',
  'TAKE_PROFIT',
  'TAKE_PROFIT_MARKET',
  'TRAILING_STOP_MARKET',
];

function typeOf(params: Params): ConditionalOrderType {
  if (required(params, 'algoType').toUpperCase() !== 'CONDITIONAL') throw invalid('algoType');
  required(params, 'type');
  const type = choiceOf(params, 'type', TYPES, () => new WireError(-1116, 'Invalid orderType.'));
  return type ?? 'STOP_MARKET';
}

const WORKING: readonly WorkingType[] = ['MARK_PRICE', 'CONTRACT_PRICE'];

function checkClose(params: Params, type: ConditionalOrderType): boolean {
  const closePosition = booleanOf(params, 'closePosition');
  if (!closePosition) return false;
  if (type !== 'STOP_MARKET' && type !== 'TAKE_PROFIT_MARKET')
    throw new WireError(-4136, `Target strategy invalid for orderType ${type},closePosition true`);
  if (optional(params, 'quantity') !== undefined)
    throw new WireError(-4137, 'Quantity must be zero with closePosition equals true');
  if (optional(params, 'reduceOnly') !== undefined)
    throw new WireError(-4138, 'Reduce only must be true with closePosition equals true');
  return true;
}

export function placeAlgo(context: Context): AlgoRecord {
  const { account, at, params } = context;
  const instrument = symbolOf(account, params);
  const { symbol } = instrument;
  const side = sideOf(params);
  const type = typeOf(params);
  const trailing = type === 'TRAILING_STOP_MARKET';
  const closePosition = checkClose(params, type);
  if (!closePosition) required(params, 'quantity');
  if (trailing) required(params, 'callbackRate');
  else required(params, 'triggerPrice');
  const { priceMatch, price: matched } = matchedPrice(context, params, instrument, side);
  const price = matched ?? decimalOf(params, 'price');
  const quantity = closePosition ? undefined : decimalOf(params, 'quantity');
  const triggerPrice = decimalOf(params, 'triggerPrice');
  const activatePrice = decimalOf(params, 'activatePrice');
  const callbackRate = decimalOf(params, 'callbackRate');
  const positionSide = positionSideOf(params);
  const reduceOnly = booleanOf(params, 'reduceOnly');
  const priceProtect = booleanOf(params, 'priceProtect');
  const working = () => new WireError(-1130, "Data sent for parameter 'workingType' is not valid.");
  const workingType = choiceOf(params, 'workingType', WORKING, working) ?? 'CONTRACT_PRICE';
  const tif = timeInForceOf(params);
  const goodTillDate = goodTillOf(params, tif, at);
  const stp = stpOf(params);
  const { ref, clientId } = account.nextRef();
  const clientAlgoId = optional(params, 'clientAlgoId') ?? clientId;
  const limited = type === 'STOP' || type === 'TAKE_PROFIT';
  const engineTif = limited ? (engineTimeInForce(tif) ?? 'GTC') : undefined;
  const order: IdentifiedOrder = {
    ref,
    owner: OWNER,
    clientOrderId: clientAlgoId,
    symbol,
    side,
    positionSide,
    type,
    reduceOnly,
    workingType,
    priceProtect,
    ...(quantity === undefined ? { closePosition } : { quantity }),
    ...(price === undefined ? {} : { price }),
    ...(engineTif ? { timeInForce: engineTif } : {}),
    ...(triggerPrice === undefined ? {} : { triggerPrice }),
    ...(activatePrice === undefined ? {} : { activatePrice }),
    ...(callbackRate === undefined ? {} : { callbackRate }),
  };
  const draft: Draft = {
    symbol,
    ref,
    side,
    positionSide,
    timeInForce: tif ?? 'GTC',
    reduceOnly: reduceOnly || closePosition || positionSide === (side === 'BUY' ? 'SHORT' : 'LONG'),
    closePosition,
    workingType,
    priceProtect,
    stp,
    priceMatch,
    goodTillDate,
    clientAlgoId,
    type,
    quantity: quantity ?? '0',
    price: price ?? '0',
    triggerPrice: triggerPrice ?? '0',
    activatePrice: activatePrice ?? '0',
    callbackRate: callbackRate ?? '',
    status: 'NEW',
    active: !trailing || activatePrice === undefined,
    actualOrderId: 0,
    actualPrice: '0',
    actualQuantity: D.ZERO,
    reason: '',
    triggerTime: 0,
  };
  checkRestriction(account.books.restriction, draft.reduceOnly);
  refuse(account.apply({ type: 'order.submit', at, order, stp, ...prices(context, symbol) }, draft));
  const record = account.index.algoOfRef(ref);
  if (!record) throw new WireError(-1000, 'An unknown error occurred while processing the request.');
  return record;
}
