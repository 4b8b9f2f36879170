/** What was: klines of last, mark and index prices, and funding. */
import type { Json } from '../../core/json.ts';
import { type Endpoint, type Params, WireError, type WireRequest } from '../protocol.ts';
import { type Kline, klineCloseTime } from './bar-history.ts';
import { markText, rateText } from './number-text.ts';
import {
  hasSymbol,
  intervalOf,
  limitOf,
  limitText,
  type Markets,
  marketOf,
  marketsOf,
  rangeOf,
} from './rest-params.ts';
import type { SymbolMarket } from './symbol-market.ts';

type RowText = (market: SymbolMarket, interval: string, bar: Kline) => Json;

export function historyEndpoints(markets: Markets): Endpoint[] {
  const klines = (path: string, symbolName: string, row: RowText): Endpoint =>
    get(path, klineWeight, ({ params, at }) => {
      const market = marketOf(markets, params, symbolName);
      if (path.endsWith('continuousKlines')) contractType(params);
      return rows(market, params, at).map((bar) => row(market, intervalOf(params), bar));
    });
  return [
    klines('/fapi/v1/klines', 'symbol', lastRow),
    klines('/fapi/v1/continuousKlines', 'pair', lastRow),
    klines('/fapi/v1/markPriceKlines', 'symbol', markRow),
    klines('/fapi/v1/indexPriceKlines', 'pair', markRow),
    get('/fapi/v1/fundingRate', 1, ({ params, at }) => fundingRates(markets, params, at)),
    get('/fapi/v1/fundingInfo', 1, () => fundingInfo(markets)),
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

function klineWeight(params: Params): number {
  const limit = limitText(params, 500);
  if (limit < 100) return 1;
  if (limit < 500) return 2;
  return limit <= 1000 ? 5 : 10;
}

function contractType(params: Params): void {
  const type = params.get('contracttype');
  if (type === undefined || type === '')
    throw new WireError(
      -1102,
      "Mandatory parameter 'contractType' was not sent, was empty/null, or malformed.",
    );
  if (type !== 'PERPETUAL') throw new WireError(-4144, 'Invalid pair.');
}

function rows(market: SymbolMarket, params: Params, at: number): Kline[] {
  const interval = intervalOf(params);
  const limit = limitOf(params, 500, 1500);
  const { start, end } = rangeOf(params);
  // What has not begun yet is not shown, whatever is asked for.
  const until = Math.min(end ?? at, at) + 1;
  const from = start === undefined ? {} : { from: start };
  return market.history.klines(interval, { ...from, until, limit }, market.forming);
}

function lastRow({ text }: SymbolMarket, interval: string, bar: Kline): Json {
  const quoteShare = bar.volume > 0 ? (bar.quoteVolume * bar.takerBuyVolume) / bar.volume : 0;
  return [
    bar.openTime,
    text.price(bar.open),
    text.price(bar.high),
    text.price(bar.low),
    text.price(bar.close),
    text.volume(bar.volume),
    klineCloseTime(interval, bar.openTime),
    text.amount(bar.quoteVolume),
    bar.trades,
    text.quantity(text.floorQuantity(bar.takerBuyVolume)),
    text.amount(quoteShare),
    '0',
  ];
}

/** The index moves with the mark: its own past is not kept. */
const markRow = (_market: SymbolMarket, interval: string, bar: Kline): Json => [
  bar.openTime,
  markText(bar.markOpen),
  markText(bar.markHigh),
  markText(bar.markLow),
  markText(bar.markClose),
  '0',
  klineCloseTime(interval, bar.openTime),
  '0',
  bar.trades,
  '0',
  '0',
  '0',
];

function fundingRates(markets: Markets, params: Params, at: number): Json {
  const limit = limitOf(params, 100, 1000);
  const { start, end } = rangeOf(params);
  const found = hasSymbol(params) ? marketOf(markets, params) : marketsOf(markets, params);
  const rowsOf = (market: SymbolMarket) =>
    market.funding.history(start, end ?? at, limit).map((settled) => ({ market, settled }));
  const all = (Array.isArray(found) ? found.flatMap(rowsOf) : rowsOf(found)).sort(
    (a, b) => a.settled.at - b.settled.at,
  );
  const page = start === undefined ? all.slice(-limit) : all.slice(0, limit);
  return page.map(({ market, settled }) => ({
    symbol: market.symbol,
    fundingTime: settled.at,
    fundingRate: rateText(settled.rate),
    markPrice: markText(settled.mark),
    rateType: 'REGULAR',
  }));
}

/** Only symbols that differ from the ordinary eight hours, as at the venue. */
const fundingInfo = (markets: Markets): Json =>
  [...markets.values()]
    .filter(({ funding }) => funding.hours !== 8)
    .map(({ symbol, funding }) => ({
      symbol,
      adjustedFundingRateCap: rateText(funding.cap),
      adjustedFundingRateFloor: rateText(-funding.cap),
      fundingIntervalHours: funding.hours,
      disclaimer: false,
    }));
