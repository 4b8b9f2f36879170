/** What the venue is: time, what is traded and by which rules, and the stubs that libraries call on their way in. */
import { mul } from '../../core/decimal.ts';
import type { Json } from '../../core/json.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { Endpoint, WireRequest } from '../protocol.ts';
import { DELIVERY_AT, ONBOARD_AT } from './market-frames.ts';
import { NumberText } from './number-text.ts';
import type { Markets } from './rest-params.ts';

const RATE_LIMITS: Json = [
  { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 2400 },
  { rateLimitType: 'ORDERS', interval: 'MINUTE', intervalNum: 1, limit: 1200 },
  { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 300 },
];
const ORDER_TYPES: Json = [
  'LIMIT',
  'MARKET',
  'STOP',
  'STOP_MARKET',
  'TAKE_PROFIT',
  'TAKE_PROFIT_MARKET',
  'TRAILING_STOP_MARKET',
];
const MOST_ORDERS = 200;

export function symbolInfo(instrument: Instrument): { readonly [key: string]: Json } {
  const { symbol, stepSize, minQuantity } = instrument;
  const text = new NumberText(instrument);
  const maintenance = instrument.brackets[0]?.maintMarginRate ?? '0.025';
  return {
    symbol,
    pair: symbol,
    contractType: 'PERPETUAL',
    deliveryDate: instrument.deliversAt ?? DELIVERY_AT,
    onboardDate: ONBOARD_AT,
    status: instrument.status,
    maintMarginPercent: Number(mul(maintenance, '100')).toFixed(4),
    requiredMarginPercent: Number(mul(maintenance, '200')).toFixed(4),
    baseAsset: instrument.base,
    quoteAsset: instrument.quote,
    marginAsset: instrument.quote,
    pricePrecision: text.pricePlaces,
    quantityPrecision: text.quantityPlaces,
    baseAssetPrecision: 8,
    quotePrecision: 8,
    underlyingType: 'COIN',
    underlyingSubType: [],
    settlePlan: 0,
    triggerProtect: Number(instrument.triggerProtectRate).toFixed(4),
    liquidationFee: Number(instrument.liquidationFeeRate).toFixed(6),
    marketTakeBound: instrument.marketTakeBoundRate,
    maxMoveOrderLimit: 10_000,
    permissionSets: [],
    filters: [
      {
        filterType: 'PRICE_FILTER',
        minPrice: text.price(Number(instrument.minPrice)),
        maxPrice: instrument.maxPrice,
        tickSize: text.price(text.tick),
      },
      { filterType: 'LOT_SIZE', minQty: minQuantity, maxQty: instrument.maxQuantity, stepSize },
      { filterType: 'MARKET_LOT_SIZE', minQty: minQuantity, maxQty: instrument.marketMaxQuantity, stepSize },
      { filterType: 'MAX_NUM_ORDERS', limit: MOST_ORDERS },
      { filterType: 'MIN_NOTIONAL', notional: instrument.minNotional },
      {
        filterType: 'PERCENT_PRICE',
        multiplierUp: Number(instrument.multiplierUp).toFixed(4),
        multiplierDown: Number(instrument.multiplierDown).toFixed(4),
        multiplierDecimal: '4',
      },
      { filterType: 'POSITION_RISK_CONTROL', positionControlSide: 'NONE' },
    ],
    orderTypes: ORDER_TYPES,
    timeInForce: ['GTC', 'IOC', 'FOK', 'GTX', 'GTD'],
  };
}

/** `version` changes with every change of an instrument, so that the long answer is built once. */
export function generalEndpoints(markets: Markets, version: () => number): Endpoint[] {
  let built: { readonly version: number; readonly symbols: Json; readonly assets: Json } | undefined;
  const info = (at: number): Json => {
    if (built?.version !== version()) {
      const instruments = [...markets.values()].map(({ instrument }) => instrument);
      const quotes = [...new Set(instruments.map(({ quote }) => quote))];
      built = {
        version: version(),
        symbols: instruments.map(symbolInfo),
        assets: quotes.map((asset) => ({ asset, marginAvailable: true, autoAssetExchange: '-10000' })),
      };
    }
    return {
      timezone: 'UTC',
      serverTime: at,
      futuresType: 'U_MARGINED',
      rateLimits: RATE_LIMITS,
      exchangeFilters: [],
      assets: built.assets,
      symbols: built.symbols,
    };
  };
  const get = (path: string, weight: number, handle: (request: WireRequest) => Json): Endpoint => ({
    method: 'GET',
    path,
    security: 'none',
    weight,
    changes: false,
    handle,
  });
  const coins = (): Json =>
    [...new Set([...markets.values()].flatMap(({ instrument }) => [instrument.base, instrument.quote]))].map(
      (coin) => ({
        coin,
        name: coin,
        depositAllEnable: true,
        withdrawAllEnable: true,
        trading: true,
        isLegalMoney: false,
        free: '0',
        locked: '0',
        freeze: '0',
        withdrawing: '0',
        ipoing: '0',
        ipoable: '0',
        storage: '0',
        networkList: [],
      }),
    );
  return [
    get('/fapi/v1/ping', 1, () => ({})),
    get('/fapi/v1/time', 1, ({ at }) => ({ serverTime: at })),
    get('/fapi/v1/exchangeInfo', 1, ({ at }) => info(at)),
    get('/sapi/v1/system/status', 1, () => ({ status: 0, msg: 'normal' })),
    { ...get('/sapi/v1/capital/config/getall', 10, coins), security: 'signed' },
    { ...get('/sapi/v1/margin/allPairs', 1, () => []), security: 'key' },
  ];
}
