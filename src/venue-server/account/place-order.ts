/** A plain order from its parameters to its record. */
import * as D from '../../core/decimal.ts';
import type { IdentifiedOrder } from '../../domain/order.ts';
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
import { booleanOf, decimalOf, symbolOf } from './params.ts';
import type { OrderRecord } from './records.ts';
import { checkRestriction } from './restrictions.ts';

const CONDITIONAL = ['STOP', 'STOP_MARKET', 'TAKE_PROFIT', 'TAKE_PROFIT_MARKET', 'TRAILING_STOP_MARKET'];

function typeOf(params: Params): 'LIMIT' | 'MARKET' {
  const type = required(params, 'type').toUpperCase();
  if (CONDITIONAL.includes(type))
    throw new WireError(
      -4120,
      'Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.',
    );
  if (type === 'LIMIT' || type === 'MARKET') return type;
  throw new WireError(-1116, 'Invalid orderType.');
}

function checkMandatory(params: Params, type: 'LIMIT' | 'MARKET', matched: boolean): void {
  required(params, 'quantity');
  if (type === 'LIMIT') {
    required(params, 'timeInForce');
    if (!matched) required(params, 'price');
    return;
  }
  if (matched)
    throw new WireError(-5038, 'Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT.');
  for (const name of ['price', 'timeInForce', 'stopPrice'])
    if (optional(params, name) !== undefined)
      throw new WireError(-1106, `Parameter '${name}' sent when not required.`);
}

export function placeOrder(context: Context): OrderRecord {
  const { account, at, params } = context;
  const instrument = symbolOf(account, params);
  const { symbol } = instrument;
  const side = sideOf(params);
  const type = typeOf(params);
  const { priceMatch, price: matched } = matchedPrice(context, params, instrument, side);
  checkMandatory(params, type, priceMatch !== 'NONE');
  const tif = timeInForceOf(params);
  if (tif === 'GTE_GTC') throw new WireError(-1115, 'Invalid timeInForce.');
  const price = matched ?? decimalOf(params, 'price');
  const quantity = decimalOf(params, 'quantity') ?? D.ZERO;
  const positionSide = positionSideOf(params);
  const reduceOnly = booleanOf(params, 'reduceOnly');
  if (booleanOf(params, 'closePosition'))
    throw new WireError(-4136, `Target strategy invalid for orderType ${type},closePosition true`);
  const goodTillDate = goodTillOf(params, tif, at);
  const stp = stpOf(params);
  const { ref, clientId } = account.nextRef();
  const clientOrderId = optional(params, 'newClientOrderId') ?? clientId;
  const engineTif = engineTimeInForce(tif);
  const order: IdentifiedOrder = {
    ref,
    owner: OWNER,
    clientOrderId,
    symbol,
    side,
    positionSide,
    type,
    quantity,
    ...(price === undefined ? {} : { price }),
    ...(engineTif ? { timeInForce: engineTif } : {}),
    reduceOnly,
  };
  const draft: Draft = {
    symbol,
    ref,
    side,
    positionSide,
    timeInForce: tif ?? 'GTC',
    // In hedge mode the closing side reduces by itself, and says so.
    reduceOnly: reduceOnly || positionSide === (side === 'BUY' ? 'SHORT' : 'LONG'),
    closePosition: false,
    workingType: 'CONTRACT_PRICE',
    priceProtect: false,
    stp,
    priceMatch,
    goodTillDate,
    clientOrderId,
    type,
    origType: type,
    price: price ?? '0',
    quantity,
    status: 'NEW',
    executed: D.ZERO,
    quote: D.ZERO,
    stopPrice: '0',
    cause: '',
    amendments: 0,
  };
  checkRestriction(account.books.restriction, draft.reduceOnly);
  refuse(account.apply({ type: 'order.submit', at, order, stp, ...prices(context, symbol) }, draft));
  const record = account.index.orderOfRef(ref);
  if (!record) throw new WireError(-1000, 'An unknown error occurred while processing the request.');
  return record;
}
