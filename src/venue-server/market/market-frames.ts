/**
 * Market frames in the venue's own shapes, field for field (`st` 1 is USD-M; `ps` the pair, which for perpetuals
 * is the symbol; `nq` the quantity without rounding; `ap` the average mark).
 */
import type { Json } from '../../core/json.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { ForcedOrder } from '../core-types.ts';
import type { Kline } from './bar-history.ts';
import { klineCloseTime } from './bar-history.ts';
import type { DaySummary } from './day-statistics.ts';
import type { ShownLevel, Touch } from './ladder.ts';
import { markText, type NumberText, rateText } from './number-text.ts';
import type { SymbolMarket } from './symbol-market.ts';
import type { PublicTrade } from './trade-tape.ts';

export type Frame = { readonly [key: string]: Json };

const USD_MARGINED = 1;

export function bookTickerFrame(market: SymbolMarket, touch: Touch, at: number): Frame {
  const { text } = market;
  return {
    e: 'bookTicker',
    u: market.bookId,
    s: market.symbol,
    ps: market.symbol,
    b: text.price(touch.bid),
    B: text.quantity(touch.bidQuantity),
    a: text.price(touch.ask),
    A: text.quantity(touch.askQuantity),
    T: market.at,
    E: at,
    st: USD_MARGINED,
  };
}

export function aggTradeFrame(market: SymbolMarket, trade: PublicTrade, at: number): Frame {
  const quantity = market.text.quantity(trade.quantity);
  return {
    e: 'aggTrade',
    E: at,
    a: trade.id,
    s: market.symbol,
    p: market.text.price(trade.price),
    q: quantity,
    nq: quantity,
    f: trade.id,
    l: trade.id,
    T: trade.at,
    m: trade.buyerMaker,
    st: USD_MARGINED,
  };
}

export function tradeFrame(market: SymbolMarket, trade: PublicTrade, at: number): Frame {
  return {
    e: 'trade',
    E: at,
    T: trade.at,
    s: market.symbol,
    t: trade.id,
    p: market.text.price(trade.price),
    q: market.text.quantity(trade.quantity),
    X: 'MARKET',
    m: trade.buyerMaker,
  };
}

export function klineFrame(
  market: SymbolMarket,
  interval: string,
  bar: Kline,
  closed: boolean,
  at: number,
): Frame {
  const { text, symbol } = market;
  const lastId = market.tape.last?.id ?? 0;
  return {
    e: 'kline',
    E: at,
    s: symbol,
    k: {
      t: bar.openTime,
      T: klineCloseTime(interval, bar.openTime),
      s: symbol,
      i: interval,
      f: bar.trades === 0 ? -1 : Math.max(0, lastId - bar.trades + 1),
      L: bar.trades === 0 ? -1 : lastId,
      o: text.price(bar.open),
      c: text.price(bar.close),
      h: text.price(bar.high),
      l: text.price(bar.low),
      v: text.volume(bar.volume),
      n: bar.trades,
      x: closed,
      q: text.amount(bar.quoteVolume),
      V: text.quantity(text.floorQuantity(bar.takerBuyVolume)),
      Q: text.amount(bar.volume > 0 ? (bar.quoteVolume * bar.takerBuyVolume) / bar.volume : 0),
      B: '0',
    },
  };
}

/** The same under the pair's name. */
export function continuousKlineFrame(kline: Frame): Frame {
  const { s, k, ...rest } = kline;
  const { s: _symbol, ...bar } = k as Frame;
  return { ...rest, e: 'continuous_kline', ps: s ?? null, ct: 'PERPETUAL', k: bar };
}

export function markPriceFrame(market: SymbolMarket, at: number): Frame {
  const { rate, nextAt } = market.funding.terms(at);
  const mark = markText(market.mark);
  return {
    e: 'markPriceUpdate',
    E: at,
    s: market.symbol,
    p: mark,
    ap: mark,
    P: mark,
    i: markText(market.index),
    r: rateText(rate),
    T: nextAt,
    st: USD_MARGINED,
  };
}

export function miniTickerFrame(market: SymbolMarket, day: DaySummary, at: number): Frame {
  const { text } = market;
  return {
    e: '24hrMiniTicker',
    E: at,
    s: market.symbol,
    ps: market.symbol,
    c: text.price(market.last),
    o: text.price(day.open),
    h: text.price(day.high),
    l: text.price(day.low),
    v: text.volume(day.volume),
    q: text.turnover(day.quoteVolume),
    st: USD_MARGINED,
  };
}

export function tickerFrame(market: SymbolMarket, day: DaySummary, at: number): Frame {
  const { text, symbol, last, tape } = market;
  const lastId = tape.last?.id ?? 0;
  return {
    e: '24hrTicker',
    E: at,
    s: symbol,
    ps: symbol,
    p: signedPrice(last - day.open, text),
    P: (((last - day.open) / day.open) * 100).toFixed(3),
    w: text.price(text.atTick(text.ticksOf(day.volume > 0 ? day.quoteVolume / day.volume : last))),
    c: text.price(last),
    Q: text.quantity(tape.last?.quantity ?? 0),
    o: text.price(day.open),
    h: text.price(day.high),
    l: text.price(day.low),
    v: text.volume(day.volume),
    q: text.turnover(day.quoteVolume),
    O: day.openTime,
    C: at,
    F: Math.max(0, lastId - day.trades),
    L: lastId,
    n: day.trades,
    st: USD_MARGINED,
  };
}

export const signedPrice = (difference: number, text: NumberText): string =>
  difference.toFixed(text.pricePlaces);

export const levelTexts = (levels: readonly ShownLevel[], text: NumberText): string[][] =>
  levels.map(([price, quantity]) => [text.price(price), text.quantity(quantity)]);

export interface DepthIds {
  readonly first: number;
  readonly last: number;
  readonly previous: number;
}

export function depthFrame(
  market: SymbolMarket,
  ids: DepthIds,
  bids: readonly ShownLevel[],
  asks: readonly ShownLevel[],
  at: number,
): Frame {
  return {
    e: 'depthUpdate',
    E: at,
    T: market.at,
    s: market.symbol,
    ps: market.symbol,
    U: ids.first,
    u: ids.last,
    pu: ids.previous,
    b: levelTexts(bids, market.text),
    a: levelTexts(asks, market.text),
    st: USD_MARGINED,
  };
}

export function forceOrderFrame(order: ForcedOrder, at: number): Frame {
  return {
    e: 'forceOrder',
    E: at,
    o: {
      s: order.symbol,
      S: order.side,
      o: 'LIMIT',
      f: 'IOC',
      q: order.quantity,
      p: order.price,
      ap: order.averagePrice,
      X: 'FILLED',
      l: order.quantity,
      z: order.quantity,
      T: at,
    },
    ps: order.symbol,
    st: USD_MARGINED,
  };
}

/** Perpetuals have no delivery: the venue says the year 2100. */
export const DELIVERY_AT = 4_133_404_800_000;
export const ONBOARD_AT = 1_569_398_400_000;

export function contractInfoFrame(instrument: Instrument, at: number): Frame {
  return {
    e: 'contractInfo',
    E: at,
    s: instrument.symbol,
    ps: instrument.symbol,
    ct: 'PERPETUAL',
    dt: instrument.deliversAt ?? DELIVERY_AT,
    ot: ONBOARD_AT,
    cs: instrument.status,
    bks: instrument.brackets.map((bracket) => ({
      bs: bracket.bracket,
      bnf: Number(bracket.notionalFloor),
      bnc: Number(bracket.notionalCap),
      mmr: Number(bracket.maintMarginRate),
      cf: Number(bracket.cum),
      mi: 1,
      ma: bracket.initialLeverage,
    })),
    st: USD_MARGINED,
  };
}
