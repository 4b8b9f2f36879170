/** Where the market stands: tickers, marks, the book, the newest trades. */
import type { Json } from '../../core/json.ts';
import { type Endpoint, type Params, WireError, type WireRequest } from '../protocol.ts';
import { levelTexts, signedPrice } from './market-frames.ts';
import { markText, rateText } from './number-text.ts';
import {
  eachOf,
  hasSymbol,
  limitOf,
  limitText,
  type Markets,
  marketOf,
  marketsOf,
  rangeOf,
  wholeOf,
} from './rest-params.ts';
import type { SymbolMarket } from './symbol-market.ts';
import type { PublicTrade } from './trade-tape.ts';

const DEPTH_LIMITS = [5, 10, 20, 50, 100, 500, 1000];

export function priceEndpoints(markets: Markets): Endpoint[] {
  const perSymbol =
    (answer: (market: SymbolMarket, at: number) => Json) =>
    ({ params, at }: WireRequest): Json =>
      eachOf(marketsOf(markets, params), (market) => answer(market, at));
  return [
    get('/fapi/v1/depth', depthWeight, ({ params, at }) => depth(markets, params, at)),
    get('/fapi/v1/ticker/price', one(1, 2), perSymbol(lastPrice)),
    get('/fapi/v2/ticker/price', one(1, 2), perSymbol(lastPrice)),
    get('/fapi/v1/ticker/bookTicker', one(2, 5), perSymbol(bookTicker)),
    get('/fapi/v1/ticker/24hr', one(1, 40), perSymbol(dayTicker)),
    get('/fapi/v1/premiumIndex', one(1, 10), perSymbol(premiumIndex)),
    get('/fapi/v1/aggTrades', 20, ({ params }) => {
      const market = marketOf(markets, params);
      const limit = limitOf(params, 500, 1000);
      const { start, end } = rangeOf(params);
      const found = market.tape.read(limit, { id: wholeOf(params, 'fromId'), start, end });
      return found.map((trade) => aggTrade(market, trade));
    }),
    get('/fapi/v1/trades', 5, ({ params }) => {
      const market = marketOf(markets, params);
      return market.tape.read(limitOf(params, 500, 1000)).map((trade) => publicTrade(market, trade));
    }),
    {
      ...get('/fapi/v1/historicalTrades', 20, ({ params }) => {
        const market = marketOf(markets, params);
        const found = market.tape.read(limitOf(params, 100, 500), { id: wholeOf(params, 'fromId') });
        return found.map((trade) => publicTrade(market, trade));
      }),
      security: 'key',
    },
  ];
}

const get = (path: string, weight: Endpoint['weight'], handle: (request: WireRequest) => Json): Endpoint => ({
  method: 'GET',
  path,
  security: 'none',
  weight,
  changes: false,
  handle,
});

/** Cheap for one symbol, dear for all. */
const one =
  (single: number, all: number) =>
  (params: Params): number =>
    hasSymbol(params) ? single : all;

function depthWeight(params: Params): number {
  const limit = limitText(params, 500);
  if (limit <= 50) return 2;
  if (limit <= 100) return 5;
  return limit <= 500 ? 10 : 20;
}

function depth(markets: Markets, params: Params, at: number): Json {
  const market = marketOf(markets, params);
  const limit = wholeOf(params, 'limit') ?? 500;
  if (!DEPTH_LIMITS.includes(limit)) throw new WireError(-4021, `'${limit}' is not valid depth limit.`);
  const { bids, asks } = market.book();
  return {
    lastUpdateId: market.snapshotId(),
    E: at,
    T: market.at,
    bids: levelTexts(bids.slice(0, limit), market.text),
    asks: levelTexts(asks.slice(0, limit), market.text),
  };
}

const lastPrice = (market: SymbolMarket): Json => ({
  symbol: market.symbol,
  price: market.text.price(market.last),
  time: market.tape.last?.at ?? market.at,
});

function bookTicker(market: SymbolMarket): Json {
  const { symbol, text } = market;
  const touch = market.touch();
  return {
    symbol,
    bidPrice: text.price(touch?.bid ?? 0),
    bidQty: text.quantity(touch?.bidQuantity ?? 0),
    askPrice: text.price(touch?.ask ?? 0),
    askQty: text.quantity(touch?.askQuantity ?? 0),
    time: market.at,
    lastUpdateId: market.bookId,
  };
}

function dayTicker(market: SymbolMarket, at: number): Json {
  const { symbol, text, last, tape } = market;
  const day = market.day.summary(at, market.forming);
  const open = day?.open ?? last;
  const lastId = tape.last?.id ?? 0;
  const average = day && day.volume > 0 ? day.quoteVolume / day.volume : last;
  return {
    symbol,
    priceChange: signedPrice(last - open, text),
    priceChangePercent: (((last - open) / open) * 100).toFixed(3),
    weightedAvgPrice: text.price(text.atTick(text.ticksOf(average))),
    lastPrice: text.price(last),
    lastQty: text.quantity(tape.last?.quantity ?? 0),
    openPrice: text.price(open),
    highPrice: text.price(day?.high ?? last),
    lowPrice: text.price(day?.low ?? last),
    volume: text.volume(day?.volume ?? 0),
    quoteVolume: text.turnover(day?.quoteVolume ?? 0),
    openTime: day?.openTime ?? at,
    closeTime: at,
    firstId: Math.max(0, lastId - (day?.trades ?? 0)),
    lastId,
    count: day?.trades ?? 0,
  };
}

function premiumIndex(market: SymbolMarket, at: number): Json {
  const { rate, nextAt } = market.funding.terms(at);
  return {
    symbol: market.symbol,
    markPrice: markText(market.mark),
    indexPrice: markText(market.index),
    estimatedSettlePrice: markText(market.index),
    lastFundingRate: rateText(rate),
    interestRate: '0.00010000',
    nextFundingTime: nextAt,
    time: at,
  };
}

function aggTrade({ text }: SymbolMarket, trade: PublicTrade): Json {
  const quantity = text.quantity(trade.quantity);
  return {
    a: trade.id,
    p: text.price(trade.price),
    q: quantity,
    nq: quantity,
    f: trade.id,
    l: trade.id,
    T: trade.at,
    m: trade.buyerMaker,
  };
}

const publicTrade = ({ text }: SymbolMarket, trade: PublicTrade): Json => ({
  id: trade.id,
  price: text.price(trade.price),
  qty: text.quantity(trade.quantity),
  quoteQty: text.turnover(trade.price * trade.quantity),
  time: trade.at,
  isBuyerMaker: trade.buyerMaker,
  isRPITrade: false,
});
