/**
 * Numbers about the crowd: open interest and the ratios. No source has them, so they are made up from price and
 * volume, smoothly and always the same for the same moment.
 */
import type { Json } from '../../core/json.ts';
import { type Endpoint, required, WireError, type WireRequest } from '../protocol.ts';
import { spot } from './dice.ts';
import { intervalMs } from './intervals.ts';
import { limitOf, type Markets, marketOf, rangeOf } from './rest-params.ts';
import type { SymbolMarket } from './symbol-market.ts';

const PERIODS = ['5m', '15m', '30m', '1h', '2h', '4h', '6h', '12h', '1d'];
const HOUR = 3_600_000;
/** Open interest in ordinary bars' volumes. */
const INTEREST_BARS = 600;

/** Between −1 and 1, changing by the hour without jumps. */
function mood(market: SymbolMarket, at: number, salt: number): number {
  const hour = Math.floor(at / HOUR);
  const part = (at % HOUR) / HOUR;
  const a = spot(market.seed + salt, hour, salt);
  const b = spot(market.seed + salt, hour + 1, salt);
  return 2 * (a + (b - a) * part) - 1;
}

const openInterest = (market: SymbolMarket, at: number): number =>
  market.text.floorQuantity(market.ordinaryVolume * INTEREST_BARS * (1 + 0.1 * mood(market, at, 11)));

/** Moments at the ends of the period's intervals, oldest first. */
function moments({ params, at }: WireRequest): number[] {
  const period = required(params, 'period');
  if (!PERIODS.includes(period)) throw new WireError(-1130, "Data sent for parameter 'period' is not valid.");
  const limit = limitOf(params, 30, 500);
  const { start, end } = rangeOf(params);
  const ms = intervalMs(period);
  const last = Math.floor(Math.min(end ?? at, at) / ms) * ms;
  const first = start === undefined ? last - (limit - 1) * ms : Math.ceil(start / ms) * ms;
  const found: number[] = [];
  for (let moment = first; moment <= last && found.length < limit; moment += ms) found.push(moment);
  return found;
}

function ratio(market: SymbolMarket, at: number, salt: number): Json {
  const long = 0.5 + 0.15 * mood(market, at, salt);
  return {
    symbol: market.symbol,
    longAccount: long.toFixed(4),
    longShortRatio: (long / (1 - long)).toFixed(4),
    shortAccount: (1 - long).toFixed(4),
    timestamp: at,
  };
}

function takers(market: SymbolMarket, at: number): Json {
  const buys = 1 + 0.3 * mood(market, at, 24);
  const volume = market.ordinaryVolume * 2.5;
  return {
    buySellRatio: buys.toFixed(4),
    buyVol: (volume * buys).toFixed(4),
    sellVol: volume.toFixed(4),
    timestamp: at,
  };
}

export function statisticsEndpoints(markets: Markets): Endpoint[] {
  const get = (path: string, weight: number, handle: (request: WireRequest) => Json): Endpoint => ({
    method: 'GET',
    path,
    security: 'none',
    weight,
    changes: false,
    handle,
  });
  const series = (path: string, row: (market: SymbolMarket, at: number) => Json): Endpoint =>
    get(path, 0, (request) => {
      const market = marketOf(markets, request.params);
      return moments(request).map((moment) => row(market, moment));
    });
  return [
    get('/fapi/v1/openInterest', 1, ({ params, at }) => {
      const market = marketOf(markets, params);
      return {
        symbol: market.symbol,
        openInterest: market.text.quantity(openInterest(market, at)),
        time: at,
      };
    }),
    series('/futures/data/openInterestHist', (market, at) => {
      const amount = openInterest(market, at);
      return {
        symbol: market.symbol,
        sumOpenInterest: amount.toFixed(8),
        sumOpenInterestValue: (amount * market.mark).toFixed(8),
        CMCCirculatingSupply: '0',
        timestamp: at,
      };
    }),
    series('/futures/data/topLongShortAccountRatio', (market, at) => ratio(market, at, 21)),
    series('/futures/data/topLongShortPositionRatio', (market, at) => ratio(market, at, 22)),
    series('/futures/data/globalLongShortAccountRatio', (market, at) => ratio(market, at, 23)),
    series('/futures/data/takerlongshortRatio', takers),
    get('/fapi/v1/constituents', 2, ({ params, at }) => {
      const market = marketOf(markets, params);
      return { symbol: market.symbol, time: at, constituents: [] };
    }),
    get('/fapi/v1/assetIndex', 10, ({ params, at }) => assetIndex(markets, params.get('symbol'), at)),
    get('/fapi/v1/insuranceBalance', 1, ({ at }) => ({
      symbols: [...markets.keys()],
      assets: [],
      updateTime: at,
    })),
  ];
}

/** The quote currencies against the dollar, for multi-assets margin: worth what they say. */
function assetIndex(markets: Markets, symbol: string | undefined, at: number): Json {
  const quotes = new Set([...markets.values()].map(({ instrument }) => instrument.quote));
  const rows = [...quotes].map((quote) => ({
    symbol: `${quote}USD`,
    time: at,
    index: '1.00000000',
    bidBuffer: '0.00000000',
    askBuffer: '0.00000000',
    bidRate: '1.00000000',
    askRate: '1.00000000',
    autoExchangeBidBuffer: '0.00000000',
    autoExchangeAskBuffer: '0.00000000',
    autoExchangeBidRate: '1.00000000',
    autoExchangeAskRate: '1.00000000',
  }));
  if (symbol === undefined || symbol === '') return rows;
  const row = rows.find((candidate) => candidate.symbol === symbol.toUpperCase());
  if (!row) throw new WireError(-1121, 'Invalid symbol.');
  return row;
}
