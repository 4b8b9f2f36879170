/**
 * Binance's own client (its official SDK) over a real socket to a real `bulkhead exchange`: each of its methods that
 * the exchange serves is called, and every field that the SDK declares for the answer must be there, of the declared
 * type. Exceptions are listed with their reasons, and one that is no longer needed is an error.
 */
import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import { assertEvidence, rowsOf } from '../support/conformance/conformance-table.ts';
import { ConformanceVenue } from '../support/conformance/conformance-venue.ts';
import { openSdk, type RestApi } from '../support/conformance/sdk-client.ts';
import { restAnswers, TypeJudge } from '../support/conformance/sdk-types.ts';

type Params = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, unknown>>;

const BTC = { symbol: 'BTCUSDT' };
const ETH = { symbol: 'ETHUSDT' };

const COIN = 'of coin-margined contracts, which share the declaration';
const PLAIN = 'of trailing stops, which are no plain orders any more';
const REFUSED = 'of elements that were refused';
const PER_MODE = 'one-way positions have BOTH, hedged ones LONG and SHORT; HEDGE is a sign of the website';

const EXCEPTIONS = {
  '*.cumBase': COIN,
  '*.baseQty': COIN,
  '*.pair': COIN,
  '*.marginAsset': COIN,
  '*.modifyId': COIN,
  '*.activatePrice': PLAIN,
  '*.priceRate': PLAIN,
  '*.code': REFUSED,
  '*.msg': REFUSED,
  '*.icebergQuantity!': 'null, as in the venue’s own examples',
  'PositionAdlQuantileEstimationResponseInnerAdlQuantile.LONG': PER_MODE,
  'PositionAdlQuantileEstimationResponseInnerAdlQuantile.SHORT': PER_MODE,
  'PositionAdlQuantileEstimationResponseInnerAdlQuantile.HEDGE': PER_MODE,
  'FuturesTradingQuantitativeRulesIndicatorsResponseIndicators.*': 'only for who broke the rules',
  'exchangeInformation.exchangeFilters.string': 'empty at the venue too',
  'exchangeInformation.symbols[].underlyingSubType.string': 'a label of the website',
};

const ANSWERS = restAnswers();
const judge = new TypeJudge(EXCEPTIONS);
const called = new Set<string>();
let venue: ConformanceVenue;
let api: RestApi;
let price: number;

/** Calls a method of the SDK, and holds its answer against the SDK's declarations. */
async function call<T = Row>(method: keyof RestApi & string, params?: Params): Promise<T> {
  const type = ANSWERS.get(method);
  assert.ok(type !== undefined, `the SDK declares no ${method}`);
  const ask = (api[method] as (params?: Params) => Promise<{ data(): Promise<unknown> }>).bind(api);
  const answer = await (await ask(params)).data();
  called.add(method);
  judge.judge(method, type, answer);
  return answer as T;
}

const at = (fraction: number): number => Math.floor(price * fraction);
const market = (side: 'BUY' | 'SELL', quantity: number, more: Params = {}): Promise<Row> =>
  call('newOrder', { ...BTC, side, type: 'MARKET', quantity, newOrderRespType: 'RESULT', ...more });
const limit = (newClientOrderId: string, fraction: number): Promise<Row> =>
  call('newOrder', {
    ...BTC,
    side: 'BUY',
    type: 'LIMIT',
    timeInForce: 'GTC',
    quantity: 0.01,
    price: at(fraction),
    newClientOrderId,
  });
const stop = (clientAlgoId: string, fraction: number): Promise<Row> =>
  call('newAlgoOrder', {
    ...BTC,
    algoType: 'CONDITIONAL',
    side: 'SELL',
    type: 'STOP_MARKET',
    quantity: 0.01,
    triggerPrice: at(fraction),
    clientAlgoId,
  });

async function advance(ms: number): Promise<void> {
  await venue.advance(ms);
  mock.timers.setTime(venue.at);
}

before(async () => {
  venue = await ConformanceVenue.open();
  // The SDK stamps its requests with the process's clock.
  mock.timers.enable({ apis: ['Date'], now: venue.at });
  api = openSdk(venue).restAPI;
  await advance(5_000);
  price = Number((await call('symbolPriceTickerV2', BTC)).price);
});

after(async () => {
  mock.timers.reset();
  await venue?.close();
});

test('market data', async () => {
  await call('testConnectivity');
  assert.deepEqual(await call('checkServerTime'), { serverTime: venue.at });
  const { symbols } = await call<{ symbols: Row[] }>('exchangeInformation');
  assert.deepEqual(
    symbols.map(({ symbol }) => symbol),
    ['BTCUSDT', 'ETHUSDT', 'XRPUSDT'],
  );
  const book = await call<{ bids: string[][]; asks: string[][] }>('orderBook', { ...BTC, limit: 5 });
  assert.ok(Number(book.bids[0]?.[0]) < Number(book.asks[0]?.[0]));
  assert.equal(book.bids.length, 5);
  for (const params of [BTC, {}]) {
    await call('symbolOrderBookTicker', params);
    await call('symbolPriceTicker', params);
    await call('symbolPriceTickerV2', params);
    await call('ticker24hrPriceChangeStatistics', params);
    await call('markPrice', params);
  }
  const trades = await call<Row[]>('recentTradesList', { ...BTC, limit: 3 });
  assert.ok(trades.length > 0 && trades.length <= 3);
  await call('oldTradesLookup', { ...BTC, limit: 3 });
  await call('compressedAggregateTradesList', { ...BTC, limit: 3 });
  const candles = { ...BTC, interval: '1m', limit: 3 };
  const klines = await call<unknown[][]>('klineCandlestickData', candles);
  assert.deepEqual(
    klines.map(([openTime]) => openTime),
    [2, 1, 0].map((back) => Math.floor(venue.at / 60_000) * 60_000 - back * 60_000),
  );
  await call('markPriceKlineCandlestickData', candles);
  await call('indexPriceKlineCandlestickData', { pair: 'BTCUSDT', interval: '1m', limit: 3 });
  const continuous = { pair: 'BTCUSDT', contractType: 'PERPETUAL', interval: '1m', limit: 3 };
  assert.deepEqual(await call<unknown>('continuousContractKlineCandlestickData', continuous), klines);
  await call('getFundingRateHistory', { ...BTC, limit: 3 });
  await venue.admin('POST', '/instrument', { symbol: 'XRPUSDT', fundingIntervalHours: 4 });
  const [adjusted] = await call<Row[]>('getFundingRateInfo');
  assert.partialDeepStrictEqual(adjusted, { symbol: 'XRPUSDT', fundingIntervalHours: 4 });
  await call('openInterest', BTC);
  const statistics = { ...BTC, period: '5m', limit: 3 };
  await call('openInterestStatistics', statistics);
  await call('longShortRatio', statistics);
  await call('topTraderLongShortRatioAccounts', statistics);
  await call('topTraderLongShortRatioPositions', statistics);
  await call('takerBuySellVolume', statistics);
});

test('settings', async () => {
  assert.partialDeepStrictEqual(await call('changeInitialLeverage', { ...BTC, leverage: 12 }), {
    leverage: 12,
  });
  const change = { ...ETH, marginType: 'ISOLATED' };
  assert.deepEqual(await call('changeMarginType', change), { code: 200, msg: 'success' });
  const config = await call<Row[]>('symbolConfiguration', ETH);
  assert.equal(config[0]?.marginType, 'ISOLATED');
  await call('changePositionMode', { dualSidePosition: 'true' });
  assert.deepEqual(await call('getCurrentPositionMode'), { dualSidePosition: true });
  await call('changePositionMode', { dualSidePosition: 'false' });
  assert.deepEqual(await call('getCurrentMultiAssetsMode'), { multiAssetsMargin: false });
  assert.deepEqual(await call('getBnbBurnStatus'), { feeBurn: false });
  await call('notionalAndLeverageBrackets', BTC);
  await call('notionalAndLeverageBrackets');
  const fees = await call('userCommissionRate', BTC);
  assert.deepEqual([fees.makerCommissionRate, fees.takerCommissionRate], ['0.0002', '0.0005']);
  await call('queryUserRateLimit');
  await call('futuresAccountConfiguration');
  await call('futuresTradingQuantitativeRulesIndicators');
});

test('orders', async () => {
  const filled = await market('BUY', 0.05, { newClientOrderId: 'sdk-1' });
  assert.partialDeepStrictEqual(filled, { status: 'FILLED', executedQty: '0.05', clientOrderId: 'sdk-1' });
  const placed = await limit('sdk-2', 0.95);
  assert.equal(placed.status, 'NEW');
  const known = await call('queryOrder', { ...BTC, orderId: placed.orderId });
  assert.partialDeepStrictEqual(known, { clientOrderId: 'sdk-2', price: String(at(0.95)) });
  assert.deepEqual(await call('queryCurrentOpenOrder', { ...BTC, origClientOrderId: 'sdk-2' }), known);
  assert.deepEqual(await call<unknown>('currentAllOpenOrders', BTC), [known]);
  const change = { ...BTC, side: 'BUY', orderId: placed.orderId, quantity: 0.02, price: at(0.94) };
  assert.partialDeepStrictEqual(await call('modifyOrder', change), { origQty: '0.02' });
  const [amended] = await call<Row[]>('getOrderModifyHistory', BTC);
  assert.equal(amended?.orderId, placed.orderId);
  const cancelled = await call('cancelOrder', { ...BTC, origClientOrderId: 'sdk-2' });
  assert.partialDeepStrictEqual(cancelled, { status: 'CANCELED', orderId: placed.orderId });
  const one = (newClientOrderId: string, quantity: string) => ({
    ...BTC,
    side: 'BUY',
    type: 'LIMIT',
    timeInForce: 'GTC',
    quantity,
    price: String(at(0.9)),
    newClientOrderId,
  });
  const batchOrders = [one('sdk-3', '0.01'), one('sdk-4', '0.01')];
  const batch = await call<Row[]>('placeMultipleOrders', { batchOrders });
  assert.deepEqual(
    batch.map(({ status }) => status),
    ['NEW', 'NEW'],
  );
  const changes = batch.map(({ orderId }) => ({
    ...BTC,
    side: 'BUY',
    orderId,
    quantity: '0.01',
    price: String(at(0.89)),
  }));
  const changed = await call<Row[]>('modifyMultipleOrders', { batchOrders: changes });
  assert.deepEqual(
    changed.map((order) => order.price),
    [String(at(0.89)), String(at(0.89))],
  );
  const ids = batch.map(({ orderId }) => orderId);
  const gone = await call<Row[]>('cancelMultipleOrders', { ...BTC, orderIdList: ids.slice(0, 1) });
  assert.equal(gone[0]?.status, 'CANCELED');
  await call('cancelAllOpenOrders', BTC);
  const all = await call<Row[]>('allOrders', BTC);
  assert.deepEqual(
    all.map(({ clientOrderId }) => clientOrderId),
    ['sdk-1', 'sdk-2', 'sdk-3', 'sdk-4'],
  );
  await call('testOrder', { ...BTC, side: 'BUY', type: 'MARKET', quantity: 0.01 });
  assert.equal((await call<Row[]>('allOrders', BTC)).length, 4);
  await call('autoCancelAllOpenOrders', { ...BTC, countdownTime: 1_000 });
});

test('conditional orders', async () => {
  const placed = await stop('algo-1', 0.9);
  assert.partialDeepStrictEqual(placed, { algoStatus: 'NEW', clientAlgoId: 'algo-1' });
  await stop('algo-2', 0.8);
  const known = await call('queryAlgoOrder', { clientAlgoId: 'algo-1' });
  assert.equal(known.algoId, placed.algoId);
  assert.equal((await call<Row[]>('currentAllAlgoOpenOrders', BTC)).length, 2);
  const cancelled = await call('cancelAlgoOrder', { algoId: placed.algoId });
  assert.equal(cancelled.code, '200');
  const all = await call<Row[]>('queryAllAlgoOrders', BTC);
  assert.deepEqual(
    all.map(({ algoStatus }) => algoStatus),
    ['CANCELED', 'NEW'],
  );
  await call('cancelAllAlgoOpenOrders', BTC);
  assert.deepEqual((await call<Row[]>('queryAllAlgoOrders', BTC)).at(-1)?.algoStatus, 'CANCELED');
});

test('the account', async () => {
  await market('SELL', 1, ETH);
  const [v3, v2] = [await call('accountInformationV3'), await call('accountInformationV2')];
  assert.equal(v3.totalWalletBalance, v2.totalWalletBalance);
  const [balance] = await call<Row[]>('futuresAccountBalanceV3');
  assert.equal(balance?.balance, v3.totalWalletBalance);
  await call('futuresAccountBalanceV2');
  const positions = await call<Row[]>('positionInformationV3');
  assert.deepEqual(
    positions.map(({ symbol, positionAmt }) => [symbol, positionAmt]),
    [
      ['BTCUSDT', '0.05'],
      ['ETHUSDT', '-1'],
    ],
  );
  await call('positionInformationV2', BTC);
  await call('positionAdlQuantileEstimation', BTC);
  const trades = await call<Row[]>('accountTradeList', BTC);
  const paid = trades.reduce((sum, { commission }) => sum + Number(commission), 0);
  const income = await call<Row[]>('getIncomeHistory', { incomeType: 'COMMISSION', ...BTC });
  const booked = income.reduce((sum, row) => sum + Number(row.income), 0);
  assert.ok(Math.abs(paid + booked) < 1e-9 && paid > 0);
  await call('modifyIsolatedPositionMargin', { ...ETH, amount: 10, type: 1 });
  const [move] = await call<Row[]>('getPositionMarginChangeHistory', ETH);
  assert.equal(move?.amount, '10');
  await venue.admin('POST', '/adl', { symbol: 'ETHUSDT' });
  const [forced] = await call<Row[]>('usersForceOrders', { autoCloseType: 'ADL' });
  assert.match(String(forced?.clientOrderId), /^adl_autoclose/);
});

test('the user stream’s key', async () => {
  const { listenKey } = await call('startUserDataStream');
  assert.match(String(listenKey), /^\w{10,}$/);
  assert.deepEqual(await call('startUserDataStream'), { listenKey });
  assert.deepEqual(await call('keepaliveUserDataStream'), { listenKey });
  await call('closeUserDataStream');
  await assert.rejects(call('keepaliveUserDataStream'), /This listenKey does not exist/);
});

test('every declared field was there, or is excused for a reason that still holds', () => {
  assert.deepEqual([...new Set(judge.problems)], []);
  assert.deepEqual(judge.unused(), []);
});

test('the venue’s books are sound, and it answered what docs/CONFORMANCE.md says', async () => {
  assert.deepEqual(await venue.admin('GET', '/violations'), { violations: [] });
  assert.deepEqual([...called].sort(), rowsOf('sdk').sort());
  assertEvidence('sdk', undefined, await venue.answered());
});
