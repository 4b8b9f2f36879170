/**
 * What the exchange serves, and which method of which client the conformance tests call on it. docs/CONFORMANCE.md is
 * this table; the tests compare it with what the exchange journaled that it answered.
 */
import assert from 'node:assert/strict';

type Part = 'market' | 'account';
/** Endpoint, ccxt's call, the SDK's method; '' where the client has none or the tests call none. */
type Row = readonly [endpoint: string, part: Part, ccxt: string, sdk: string];

export const ROWS: readonly Row[] = [
  ['GET /fapi/v1/ping', 'market', '', 'testConnectivity'],
  ['GET /fapi/v1/time', 'market', 'fetchTime', 'checkServerTime'],
  ['GET /fapi/v1/exchangeInfo', 'market', 'loadMarkets', 'exchangeInformation'],
  ['GET /fapi/v1/depth', 'market', 'fetchOrderBook', 'orderBook'],
  ['GET /fapi/v1/ticker/price', 'market', '', 'symbolPriceTicker'],
  ['GET /fapi/v2/ticker/price', 'market', 'fetchLastPrices', 'symbolPriceTickerV2'],
  ['GET /fapi/v1/ticker/bookTicker', 'market', 'fetchBidsAsks', 'symbolOrderBookTicker'],
  ['GET /fapi/v1/ticker/24hr', 'market', 'fetchTicker(s)', 'ticker24hrPriceChangeStatistics'],
  ['GET /fapi/v1/premiumIndex', 'market', 'fetchFundingRate(s), fetchMarkPrice(s)', 'markPrice'],
  ['GET /fapi/v1/aggTrades', 'market', 'fetchTrades', 'compressedAggregateTradesList'],
  ['GET /fapi/v1/trades', 'market', '', 'recentTradesList'],
  ['GET /fapi/v1/historicalTrades', 'market', '', 'oldTradesLookup'],
  ['GET /fapi/v1/klines', 'market', 'fetchOHLCV', 'klineCandlestickData'],
  ['GET /fapi/v1/continuousKlines', 'market', '', 'continuousContractKlineCandlestickData'],
  ['GET /fapi/v1/markPriceKlines', 'market', 'fetchOHLCV (mark)', 'markPriceKlineCandlestickData'],
  ['GET /fapi/v1/indexPriceKlines', 'market', 'fetchOHLCV (index)', 'indexPriceKlineCandlestickData'],
  ['GET /fapi/v1/fundingRate', 'market', 'fetchFundingRateHistory', 'getFundingRateHistory'],
  ['GET /fapi/v1/fundingInfo', 'market', 'fetchFundingIntervals', 'getFundingRateInfo'],
  ['GET /fapi/v1/openInterest', 'market', 'fetchOpenInterest', 'openInterest'],
  ['GET /futures/data/openInterestHist', 'market', 'fetchOpenInterestHistory', 'openInterestStatistics'],
  ['GET /futures/data/topLongShortAccountRatio', 'market', '', 'topTraderLongShortRatioAccounts'],
  ['GET /futures/data/topLongShortPositionRatio', 'market', '', 'topTraderLongShortRatioPositions'],
  ['GET /futures/data/globalLongShortAccountRatio', 'market', 'fetchLongShortRatioHistory', 'longShortRatio'],
  ['GET /futures/data/takerlongshortRatio', 'market', '', 'takerBuySellVolume'],
  ['GET /fapi/v1/constituents', 'market', '', ''],
  ['GET /fapi/v1/assetIndex', 'market', '', ''],
  ['GET /fapi/v1/insuranceBalance', 'market', '', ''],
  ['GET /sapi/v1/system/status', 'market', 'fetchStatus', ''],
  ['GET /sapi/v1/capital/config/getall', 'market', 'loadMarkets', ''],
  ['GET /sapi/v1/margin/allPairs', 'market', 'loadMarkets', ''],
  ['GET /sapi/v1/account/apiRestrictions', 'account', '', ''],
  ['POST /fapi/v1/order', 'account', 'createOrder', 'newOrder'],
  ['PUT /fapi/v1/order', 'account', 'editOrder', 'modifyOrder'],
  ['DELETE /fapi/v1/order', 'account', 'cancelOrder', 'cancelOrder'],
  ['GET /fapi/v1/order', 'account', 'fetchOrder', 'queryOrder'],
  ['POST /fapi/v1/order/test', 'account', '', 'testOrder'],
  ['GET /fapi/v1/openOrder', 'account', 'fetchOpenOrder', 'queryCurrentOpenOrder'],
  ['GET /fapi/v1/openOrders', 'account', 'fetchOpenOrders', 'currentAllOpenOrders'],
  ['GET /fapi/v1/allOrders', 'account', 'fetchOrders', 'allOrders'],
  ['DELETE /fapi/v1/allOpenOrders', 'account', 'cancelAllOrders', 'cancelAllOpenOrders'],
  ['GET /fapi/v1/orderAmendment', 'account', '', 'getOrderModifyHistory'],
  [
    'POST /fapi/v1/countdownCancelAll',
    'account',
    'fapiPrivatePostCountdownCancelAll',
    'autoCancelAllOpenOrders',
  ],
  ['POST /fapi/v1/batchOrders', 'account', 'createOrders', 'placeMultipleOrders'],
  ['PUT /fapi/v1/batchOrders', 'account', '', 'modifyMultipleOrders'],
  ['DELETE /fapi/v1/batchOrders', 'account', 'cancelOrders', 'cancelMultipleOrders'],
  ['POST /fapi/v1/algoOrder', 'account', 'createOrder (conditional)', 'newAlgoOrder'],
  ['DELETE /fapi/v1/algoOrder', 'account', 'cancelOrder (trigger)', 'cancelAlgoOrder'],
  ['GET /fapi/v1/algoOrder', 'account', 'fetchOrder (trigger)', 'queryAlgoOrder'],
  ['GET /fapi/v1/openAlgoOrders', 'account', 'fetchOpenOrders (trigger)', 'currentAllAlgoOpenOrders'],
  ['GET /fapi/v1/allAlgoOrders', 'account', 'fetchOrders (trigger)', 'queryAllAlgoOrders'],
  ['DELETE /fapi/v1/algoOpenOrders', 'account', 'cancelAllOrders (trigger)', 'cancelAllAlgoOpenOrders'],
  ['GET /fapi/v3/account', 'account', 'fetchBalance', 'accountInformationV3'],
  ['GET /fapi/v2/account', 'account', '', 'accountInformationV2'],
  ['GET /fapi/v1/accountConfig', 'account', 'fetchTradingFees', 'futuresAccountConfiguration'],
  ['GET /fapi/v3/balance', 'account', '', 'futuresAccountBalanceV3'],
  ['GET /fapi/v2/balance', 'account', '', 'futuresAccountBalanceV2'],
  ['GET /fapi/v3/positionRisk', 'account', 'fetchPositions', 'positionInformationV3'],
  ['GET /fapi/v2/positionRisk', 'account', '', 'positionInformationV2'],
  ['GET /fapi/v1/leverageBracket', 'account', 'fetchLeverageTiers', 'notionalAndLeverageBrackets'],
  ['GET /fapi/v1/symbolConfig', 'account', 'fetchLeverage(s), fetchMarginMode(s)', 'symbolConfiguration'],
  ['GET /fapi/v1/commissionRate', 'account', 'fetchTradingFee', 'userCommissionRate'],
  ['GET /fapi/v1/adlQuantile', 'account', '', 'positionAdlQuantileEstimation'],
  ['GET /fapi/v1/rateLimit/order', 'account', '', 'queryUserRateLimit'],
  ['GET /fapi/v1/apiTradingStatus', 'account', '', 'futuresTradingQuantitativeRulesIndicators'],
  ['GET /fapi/v1/multiAssetsMargin', 'account', '', 'getCurrentMultiAssetsMode'],
  ['GET /fapi/v1/feeBurn', 'account', '', 'getBnbBurnStatus'],
  ['POST /fapi/v1/leverage', 'account', 'setLeverage', 'changeInitialLeverage'],
  ['POST /fapi/v1/marginType', 'account', 'setMarginMode', 'changeMarginType'],
  ['POST /fapi/v1/positionSide/dual', 'account', 'setPositionMode', 'changePositionMode'],
  ['GET /fapi/v1/positionSide/dual', 'account', 'fetchPositionMode', 'getCurrentPositionMode'],
  ['POST /fapi/v1/positionMargin', 'account', 'addMargin, reduceMargin', 'modifyIsolatedPositionMargin'],
  [
    'GET /fapi/v1/positionMargin/history',
    'account',
    'fetchMarginAdjustmentHistory',
    'getPositionMarginChangeHistory',
  ],
  ['GET /fapi/v1/userTrades', 'account', 'fetchMyTrades', 'accountTradeList'],
  ['GET /fapi/v1/income', 'account', 'fetchLedger, fetchFundingHistory', 'getIncomeHistory'],
  ['GET /fapi/v1/forceOrders', 'account', 'fetchMyLiquidations', 'usersForceOrders'],
  ['POST /fapi/v1/listenKey', 'account', '', 'startUserDataStream'],
  ['PUT /fapi/v1/listenKey', 'account', '', 'keepaliveUserDataStream'],
  ['DELETE /fapi/v1/listenKey', 'account', '', 'closeUserDataStream'],
];

const CCXT_STREAMS = [
  'market 24hrMiniTicker',
  'market 24hrMiniTicker[]',
  'market 24hrTicker',
  'market aggTrade',
  'market forceOrder',
  'market kline',
  'market markPriceUpdate',
  'market markPriceUpdate[]',
  'private ACCOUNT_UPDATE',
  'private ALGO_UPDATE',
  'private ORDER_TRADE_UPDATE',
  'private TRADE_LITE',
  'public bookTicker',
  'public depthUpdate',
  'public trade',
];

const SDK_STREAMS = [
  'aggregateTradeStreams',
  'allBookTickersStream',
  'allMarketLiquidationOrderStreams',
  'allMarketMiniTickersStream',
  'allMarketTickersStreams',
  'continuousContractKlineCandlestickStreams',
  'contractInfoStream',
  'diffBookDepthStreams',
  'individualSymbolBookTickerStreams',
  'individualSymbolMiniTickerStream',
  'individualSymbolTickerStreams',
  'klineCandlestickStreams',
  'liquidationOrderStreams',
  'markPriceStream',
  'markPriceStreamForAllMarket',
  'partialBookDepthStreams',
  'userData',
];

export const rowsOf = (_client: 'sdk'): string[] =>
  ROWS.map(([, , , sdk]) => sdk).filter((name) => name !== '');
export const ccxtStreams = (): string[] => [...CCXT_STREAMS];
export const sdkStreams = (): string[] => [...SDK_STREAMS];

/** What the table says was asked was answered; and what was answered stands in the table. */
export function assertEvidence(
  client: 'ccxt' | 'sdk',
  part: Part | undefined,
  answered: ReadonlySet<string>,
): void {
  const named = ROWS.filter((row) => row[client === 'ccxt' ? 2 : 3] !== '');
  const due = named.filter((row) => part === undefined || row[1] === part).map(([endpoint]) => endpoint);
  assert.deepEqual(
    due.filter((endpoint) => !answered.has(endpoint)),
    [],
    'in the table, and never answered',
  );
  const known = new Set(named.map(([endpoint]) => endpoint));
  assert.deepEqual(
    [...answered].filter((endpoint) => !known.has(endpoint)),
    [],
    'answered, and not in the table',
  );
}

export function conformanceTable(): string {
  const rows = ROWS.map(([endpoint, , ccxt, sdk]) => `| \`${endpoint}\` | ${ccxt || '–'} | ${sdk || '–'} |`);
  return ['| endpoint | ccxt | official SDK |', '|---|---|---|', ...rows].join('\n');
}
