/** The user stream's frames, field for field as the venue sends them. */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Json } from '../../core/json.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { DetailEvent } from '../../exchange/engine/engine-types.ts';
import type { PositionBook } from '../../exchange/engine/venue-books.ts';
import type { AlgoRecord, OrderRecord, TradeRecord } from './records.ts';
import { amountText } from './wire-decimals.ts';
import { averagePrice } from './wire-orders.ts';

export type Moved = Extract<DetailEvent, { type: 'POSITION_MOVED' }>;

export type Execution = 'NEW' | 'TRADE' | 'CALCULATED' | 'CANCELED' | 'EXPIRED' | 'AMENDMENT';

/** What a trade adds to the order's own fields. */
export type Executed = Pick<
  TradeRecord,
  'id' | 'price' | 'quantity' | 'fee' | 'asset' | 'realized' | 'maker'
>;

export interface OrderNews {
  readonly execution: Execution;
  readonly at: number;
  readonly trade?: Executed;
  /** The venue's number for why it ended; 0 for no reason. */
  readonly expiry?: number;
  /** Of all open orders of the symbol on each side. */
  readonly bidsNotional: Decimal;
  readonly asksNotional: Decimal;
}

export function orderTradeUpdate(order: OrderRecord, news: OrderNews): Json {
  const { trade, at } = news;
  return {
    e: 'ORDER_TRADE_UPDATE',
    E: at,
    T: at,
    o: {
      s: order.symbol,
      c: order.clientOrderId,
      S: order.side,
      o: order.type,
      f: order.timeInForce,
      q: order.quantity,
      p: order.price,
      ap: averagePrice(order),
      sp: order.stopPrice,
      x: news.execution,
      X: order.status,
      i: order.orderId,
      l: trade?.quantity ?? '0',
      z: order.executed,
      L: trade?.price ?? '0',
      ...(trade ? { N: trade.asset, n: trade.fee } : { n: '0', N: 'USDT' }),
      T: at,
      t: trade?.id ?? 0,
      b: news.bidsNotional,
      a: news.asksNotional,
      m: trade?.maker ?? false,
      R: order.reduceOnly,
      wt: order.workingType,
      ot: order.origType,
      ps: order.positionSide,
      cp: order.closePosition,
      rp: trade?.realized ?? '0',
      pP: order.priceProtect,
      si: 0,
      ss: 0,
      V: order.stp,
      pm: order.priceMatch,
      gtd: order.goodTillDate,
      er: String(news.expiry ?? 0),
    },
  };
}

export const tradeLite = (order: OrderRecord, trade: Executed, at: number): Json => ({
  e: 'TRADE_LITE',
  E: at,
  T: at,
  s: order.symbol,
  q: order.quantity,
  p: order.price,
  m: trade.maker,
  c: order.clientOrderId,
  S: order.side,
  L: trade.price,
  l: trade.quantity,
  t: trade.id,
  i: order.orderId,
});

export function algoUpdate(algo: AlgoRecord, at: number): Json {
  const trailing = algo.type === 'TRAILING_STOP_MARKET';
  const limited = algo.type === 'STOP' || algo.type === 'TAKE_PROFIT';
  return {
    e: 'ALGO_UPDATE',
    T: at,
    E: at,
    o: {
      caid: algo.clientAlgoId,
      aid: algo.algoId,
      at: 'CONDITIONAL',
      o: algo.type,
      s: algo.symbol,
      S: algo.side,
      ps: algo.positionSide,
      f: algo.timeInForce,
      q: algo.quantity,
      X: algo.status,
      ...(algo.actualOrderId === 0
        ? { ai: '' }
        : {
            ai: String(algo.actualOrderId),
            ap: algo.actualPrice,
            aq: algo.actualQuantity,
            act: limited ? 'LIMIT' : 'MARKET',
          }),
      tp: algo.triggerPrice,
      p: algo.price,
      V: algo.stp,
      wt: algo.workingType,
      pm: algo.priceMatch,
      cp: algo.closePosition,
      pP: algo.priceProtect,
      R: algo.reduceOnly,
      tt: algo.triggerTime,
      gtd: algo.goodTillDate,
      ...(algo.reason === '' ? {} : { rm: algo.reason }),
      ...(trailing ? { AP: algo.activatePrice, cr: algo.callbackRate } : {}),
      ia: algo.active,
    },
  };
}

export const entryPriceOf = (quantity: Decimal, entryNotional: Decimal): Decimal =>
  D.isZero(quantity) ? '0' : D.div(entryNotional, quantity, 8);

/** What the price must reach for the position to come out even after a taker's fee. */
export function breakEven(quantity: Decimal, entryNotional: Decimal, takerRate: Decimal): Decimal {
  if (D.isZero(quantity)) return '0';
  const entry = D.div(entryNotional, quantity, 8);
  const factor = D.sign(quantity) > 0 ? D.add('1', takerRate) : D.sub('1', takerRate);
  return D.round(D.mul(entry, factor), 8);
}

export interface AccountNews {
  readonly at: number;
  readonly reason: string;
  readonly asset: string;
  readonly wallet: Decimal;
  readonly crossWallet: Decimal;
  /** Balance change except profit and fees. */
  readonly change?: Decimal;
  readonly positions?: readonly Json[];
}

export const accountUpdate = (news: AccountNews): Json => ({
  e: 'ACCOUNT_UPDATE',
  E: news.at,
  T: news.at,
  a: {
    m: news.reason,
    B: [
      {
        a: news.asset,
        wb: amountText(news.wallet),
        cw: amountText(news.crossWallet),
        bc: news.change ?? '0',
      },
    ],
    P: news.positions ?? [],
  },
});

export function positionNews(
  moved: Moved,
  about: { cr: Decimal; isolated: boolean; takerRate: Decimal },
): Json {
  const { quantity, entryNotional, mark } = moved;
  return {
    s: moved.symbol,
    pa: quantity,
    ep: entryPriceOf(quantity, entryNotional),
    bep: breakEven(quantity, entryNotional, about.takerRate),
    cr: about.cr,
    up: D.round(D.sub(D.mul(quantity, mark), entryNotional), 8),
    mt: about.isolated ? 'isolated' : 'cross',
    iw: moved.isolated,
    ps: moved.positionSide,
    ma: 'USDT',
  };
}

export const marginCall = (
  at: number,
  crossWallet: Decimal,
  positions: readonly (PositionBook & { isolated: boolean })[],
): Json => ({
  e: 'MARGIN_CALL',
  E: at,
  cw: crossWallet,
  p: positions.map((position) => ({
    s: position.symbol,
    ps: position.side,
    pa: position.quantity,
    mt: position.isolated ? 'ISOLATED' : 'CROSSED',
    iw: position.isolatedWallet,
    mp: position.markPrice,
    up: position.unrealized,
    mm: position.maintMargin,
  })),
});

export const leverageUpdate = (at: number, symbol: SymbolName, leverage: number): Json => ({
  e: 'ACCOUNT_CONFIG_UPDATE',
  E: at,
  T: at,
  ac: { s: symbol, l: leverage },
});

export const triggerReject = (at: number, algo: AlgoRecord): Json => ({
  e: 'CONDITIONAL_ORDER_TRIGGER_REJECT',
  E: at,
  T: at,
  or: { s: algo.symbol, i: algo.algoId, r: algo.reason },
});

export const listenKeyExpired = (at: number, listenKey: string): Json => ({
  e: 'listenKeyExpired',
  E: at,
  listenKey,
});
