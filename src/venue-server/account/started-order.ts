/** The record of an order that nobody placed in this form: a conditional order's own, or one of the venue. */
import * as D from '../../core/decimal.ts';
import type { DetailEvent } from '../../exchange/engine/engine-types.ts';
import type { AlgoRecord, OrderRecord } from './records.ts';

type Started = Extract<DetailEvent, { type: 'ORDER_STARTED' }>;

export function startedOrder(event: Started, algo: AlgoRecord | undefined, at: number): OrderRecord {
  const limited = algo?.type === 'STOP' || algo?.type === 'TAKE_PROFIT';
  const plain = limited ? 'LIMIT' : 'MARKET';
  return {
    symbol: event.symbol,
    ref: event.ref,
    side: event.side,
    positionSide: event.positionSide,
    timeInForce: algo?.timeInForce ?? 'IOC',
    reduceOnly: algo?.reduceOnly ?? event.positionSide === 'BOTH',
    closePosition: algo?.closePosition ?? false,
    workingType: algo?.workingType ?? 'CONTRACT_PRICE',
    priceProtect: algo?.priceProtect ?? false,
    stp: algo?.stp ?? 'NONE',
    priceMatch: algo?.priceMatch ?? 'NONE',
    goodTillDate: algo?.goodTillDate ?? 0,
    orderId: Number(event.orderId),
    clientOrderId: event.clientOrderId,
    type: event.cause === 'liquidation' ? 'LIQUIDATION' : plain,
    origType: algo?.type ?? (event.cause === 'liquidation' ? 'LIQUIDATION' : plain),
    price: event.price,
    quantity: event.quantity,
    status: 'NEW',
    executed: D.ZERO,
    quote: D.ZERO,
    stopPrice: algo?.triggerPrice ?? '0',
    cause: event.cause ?? '',
    amendments: 0,
    time: at,
    updateTime: at,
  };
}
