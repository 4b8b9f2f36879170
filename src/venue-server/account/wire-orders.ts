/** Orders, conditional orders and trades in the exact forms of the private endpoints. */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Json } from '../../core/json.ts';
import type { AlgoRecord, Amendment, IncomeRecord, OrderRecord, TradeRecord } from './records.ts';
import { amountText, averageText } from './wire-decimals.ts';

type Fields = { readonly [key: string]: Json };

export const averagePrice = ({ executed, quote }: Pick<OrderRecord, 'executed' | 'quote'>): Decimal =>
  D.isZero(executed) ? '0' : D.div(quote, executed, 8);

/** The answer to placing, changing and cancelling. */
export function orderAnswer(order: OrderRecord): Fields {
  return {
    orderId: order.orderId,
    symbol: order.symbol,
    status: order.status,
    clientOrderId: order.clientOrderId,
    price: order.price,
    avgPrice: averageText(averagePrice(order)),
    origQty: order.quantity,
    executedQty: order.executed,
    cumQty: order.executed,
    cumQuote: order.quote,
    timeInForce: order.timeInForce,
    type: order.type,
    reduceOnly: order.reduceOnly,
    closePosition: order.closePosition,
    side: order.side,
    positionSide: order.positionSide,
    stopPrice: order.stopPrice,
    workingType: order.workingType,
    priceProtect: order.priceProtect,
    origType: order.origType,
    priceMatch: order.priceMatch,
    selfTradePreventionMode: order.stp,
    goodTillDate: order.goodTillDate,
    updateTime: order.updateTime,
  };
}

/** As ACK gives it: placed, and nothing said of what came of it. */
export const orderReceipt = (order: OrderRecord): Fields => ({
  ...orderAnswer(order),
  status: 'NEW',
  avgPrice: averageText(D.ZERO),
  executedQty: '0',
  cumQty: '0',
  cumQuote: '0',
  updateTime: order.time,
});

/** As queries and listings give it. */
export function orderRow(order: OrderRecord): Fields {
  const { cumQty: _, ...row } = orderAnswer(order);
  return { ...row, time: order.time };
}

export const forcedRow = (order: OrderRecord): Fields => {
  const {
    priceProtect: _p,
    priceMatch: _m,
    selfTradePreventionMode: _s,
    goodTillDate: _g,
    ...row
  } = orderRow(order);
  return row;
};

/** What conditional orders with a market order behind them show for a price they do not have. */
const shown = (value: Decimal): Decimal => (D.isZero(value) ? '0' : value);

export function algoAnswer(algo: AlgoRecord): Fields {
  return {
    algoId: algo.algoId,
    clientAlgoId: algo.clientAlgoId,
    algoType: 'CONDITIONAL',
    orderType: algo.type,
    symbol: algo.symbol,
    side: algo.side,
    positionSide: algo.positionSide,
    timeInForce: algo.timeInForce,
    quantity: algo.quantity,
    algoStatus: algo.status,
    triggerPrice: shown(algo.triggerPrice),
    price: shown(algo.price),
    icebergQuantity: null,
    selfTradePreventionMode: algo.stp,
    workingType: algo.workingType,
    priceMatch: algo.priceMatch,
    closePosition: algo.closePosition,
    priceProtect: algo.priceProtect,
    reduceOnly: algo.reduceOnly,
    activatePrice: algo.type === 'TRAILING_STOP_MARKET' ? shown(algo.activatePrice) : '',
    callbackRate: algo.type === 'TRAILING_STOP_MARKET' ? algo.callbackRate : '',
    createTime: algo.createTime,
    updateTime: algo.updateTime,
    triggerTime: algo.triggerTime,
    goodTillDate: algo.goodTillDate,
  };
}

export function algoRow(algo: AlgoRecord): Fields {
  const plain = algo.type === 'STOP' || algo.type === 'TAKE_PROFIT' ? 'LIMIT' : 'MARKET';
  return {
    ...algoAnswer(algo),
    actualOrderId: algo.actualOrderId === 0 ? '' : String(algo.actualOrderId),
    actualPrice: algo.actualPrice,
    actualType: algo.actualOrderId === 0 ? '' : plain,
    actualQty: algo.actualQuantity,
    tpTriggerPrice: '0.000',
    tpPrice: '0.000',
    slTriggerPrice: '0.000',
    slPrice: '0.000',
    tpOrderType: '',
  };
}

export function tradeRow(trade: TradeRecord): Fields {
  return {
    symbol: trade.symbol,
    id: trade.id,
    orderId: trade.orderId,
    side: trade.side,
    price: trade.price,
    qty: trade.quantity,
    realizedPnl: amountText(trade.realized),
    quoteQty: D.mul(trade.price, trade.quantity),
    commission: amountText(trade.fee),
    commissionAsset: trade.asset,
    time: trade.time,
    positionSide: trade.positionSide,
    buyer: trade.side === 'BUY',
    maker: trade.maker,
  };
}

export const incomeRow = (income: IncomeRecord): Fields => ({
  symbol: income.symbol,
  incomeType: income.type,
  income: amountText(income.amount),
  asset: income.asset,
  time: income.time,
  info: income.info,
  tranId: income.tranId,
  tradeId: income.tradeId,
});

export const amendmentRow = (amendment: Amendment): Fields => ({
  amendmentId: amendment.id,
  symbol: amendment.symbol,
  pair: amendment.symbol,
  orderId: amendment.orderId,
  clientOrderId: amendment.clientOrderId,
  time: amendment.time,
  amendment: {
    price: { before: amendment.priceBefore, after: amendment.priceAfter },
    origQty: { before: amendment.quantityBefore, after: amendment.quantityAfter },
    count: amendment.count,
  },
});
