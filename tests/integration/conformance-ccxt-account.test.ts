/**
 * ccxt's unified calls on the account, over a real socket to a real `bulkhead exchange`: what ccxt makes of each
 * answer is compared with what was asked for and with the venue's own books.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type CcxtClient, openCcxt } from '../support/conformance/ccxt-client.ts';
import { assertEvidence } from '../support/conformance/conformance-table.ts';
import { ConformanceVenue } from '../support/conformance/conformance-venue.ts';

const BTC = 'BTC/USDT:USDT';
const ETH = 'ETH/USDT:USDT';
const TAKER = 0.0005;

let venue: ConformanceVenue;
let ccxt: CcxtClient;
/** What BTC cost when the tests began; prices below are fractions of it. */
let price: number;

const at = (fraction: number): number => Math.floor(price * fraction);
const near = (actual: number | undefined, expected: number, what: string): void =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-6, `${what}: ${actual}, not ${expected}`);
const limit = (clientOrderId: string, fraction: number, more: object = {}) =>
  ccxt.createOrder(BTC, 'limit', 'buy', 0.01, at(fraction), { clientOrderId, ...more });
const stop = (clientOrderId: string, fraction: number, more: object = {}) =>
  ccxt.createOrder(BTC, 'STOP_MARKET', 'sell', 0.01, undefined, {
    clientOrderId,
    triggerPrice: at(fraction),
    ...more,
  });
const idOf = ({ id }: { readonly id: string | undefined }): string => id ?? '';
const clear = async (): Promise<void> => {
  await ccxt.cancelAllOrders(BTC);
  await ccxt.cancelAllOrders(BTC, { trigger: true });
};

before(async () => {
  venue = await ConformanceVenue.open();
  ccxt = await openCcxt(venue);
  await ccxt.loadMarkets();
  price = (await ccxt.fetchTicker(BTC)).last ?? 0;
  assert.ok(price > 0);
});

after(async () => {
  await ccxt?.close();
  await venue?.close();
});

test('settings: leverage, margin mode, position mode, and their refusals', async () => {
  assert.equal((await ccxt.setLeverage(7, ETH)).leverage, 7);
  assert.equal((await ccxt.fetchLeverage(ETH)).longLeverage, 7);
  assert.equal((await ccxt.fetchLeverages([ETH]))[ETH]?.shortLeverage, 7);
  await ccxt.setMarginMode('isolated', ETH);
  assert.equal((await ccxt.fetchMarginMode(ETH)).marginMode, 'isolated');
  assert.equal((await ccxt.fetchMarginModes([ETH]))[ETH]?.marginMode, 'isolated');
  await assert.rejects(ccxt.setMarginMode('isolated', ETH), { name: 'MarginModeAlreadySet' });
  assert.equal((await ccxt.fetchPositionMode()).hedged, false);
  await assert.rejects(ccxt.setPositionMode(false), { name: 'OperationRejected' });
  await ccxt.setPositionMode(true);
  assert.equal((await ccxt.fetchPositionMode()).hedged, true);
  await ccxt.setPositionMode(false);
  const tiers = (await ccxt.fetchLeverageTiers([BTC]))[BTC] ?? [];
  assert.deepEqual(
    [tiers[0]?.minNotional, tiers[0]?.maintenanceMarginRate, tiers[1]?.minNotional],
    [0, 0.004, tiers[0]?.maxNotional],
  );
});

test('a market order: its answer, its trade, its fee, the position and the balance agree', async () => {
  await ccxt.setLeverage(10, BTC);
  const order = await ccxt.createOrder(BTC, 'market', 'buy', 0.02, undefined, { clientOrderId: 'market-1' });
  assert.partialDeepStrictEqual(order, {
    clientOrderId: 'market-1',
    status: 'closed',
    side: 'buy',
    type: 'market',
    amount: 0.02,
    filled: 0.02,
    remaining: 0,
    timestamp: venue.at,
  });
  const trades = await ccxt.fetchMyTrades(BTC);
  const cost = trades.reduce((sum, trade) => sum + (trade.cost ?? 0), 0);
  const fees = trades.reduce((sum, trade) => sum + (trade.fee?.cost ?? 0), 0);
  assert.ok(trades.every((trade) => trade.order === order.id && trade.takerOrMaker === 'taker'));
  near(order.cost, cost, 'cost');
  near(order.average, cost / 0.02, 'average');
  near(fees, cost * TAKER, 'fee');

  const [position] = await ccxt.fetchPositions([BTC]);
  assert.partialDeepStrictEqual(position, { symbol: BTC, side: 'long', contracts: 0.02, hedged: false });
  near(position?.entryPrice, cost / 0.02, 'entry');
  near(position?.unrealizedPnl, 0.02 * ((position?.markPrice ?? 0) - (position?.entryPrice ?? 0)), 'P&L');
  near(position?.initialMargin, (0.02 * (position?.markPrice ?? 0)) / 10, 'initial margin');

  const balance = await ccxt.fetchBalance();
  assert.equal(balance.info.totalWalletBalance, (10_000 - fees).toFixed(8));
  near(balance.USDT?.total, 10_000 - fees + (position?.unrealizedPnl ?? 0), 'total');
  near(balance.USDT?.used, position?.initialMargin ?? 0, 'used');
  near(balance.USDT?.free, (balance.USDT?.total ?? 0) - (balance.USDT?.used ?? 0), 'free');
  const [risk] = await ccxt.fetchPositionsRisk([BTC]);
  assert.equal(risk?.contracts, 0.02);
  const [ofAccount] = await ccxt.fetchAccountPositions([BTC]);
  assert.equal(ofAccount?.contracts, 0.02);
});

test('limit orders: GTC, post-only, IOC, FOK, reduce-only', async () => {
  const resting = await limit('gtc', 0.95);
  assert.partialDeepStrictEqual(resting, {
    status: 'open',
    price: at(0.95),
    amount: 0.01,
    filled: 0,
    timeInForce: 'GTC',
  });
  const maker = await limit('post-only', 0.94, { postOnly: true });
  assert.partialDeepStrictEqual(maker, { status: 'open', postOnly: true });
  await assert.rejects(limit('post-taker', 1.01, { postOnly: true }), { name: 'OrderNotFillable' });
  const gone = await limit('ioc', 0.95, { timeInForce: 'IOC' });
  assert.partialDeepStrictEqual(gone.info, { status: 'EXPIRED', executedQty: '0' });
  const taken = await limit('ioc-taker', 1.01, { timeInForce: 'IOC' });
  assert.partialDeepStrictEqual(taken, { status: 'closed', filled: 0.01 });
  await assert.rejects(limit('fok', 0.95, { timeInForce: 'FOK' }), { name: 'OrderNotFillable' });
  const back = await ccxt.createOrder(BTC, 'market', 'sell', 0.01, undefined, { reduceOnly: true });
  assert.partialDeepStrictEqual(back, { status: 'closed', reduceOnly: true, filled: 0.01 });
  await assert.rejects(limit('ro', 0.95, { reduceOnly: true }), { name: 'InvalidOrder' });
  await clear();
});

test('orders are found by id and client id, changed, listed and cancelled', async () => {
  const order = await limit('one', 0.95);
  const same = { id: order.id, clientOrderId: 'one', status: 'open', price: at(0.95), amount: 0.01 };
  assert.partialDeepStrictEqual(await ccxt.fetchOrder(idOf(order), BTC), same);
  assert.partialDeepStrictEqual(await ccxt.fetchOrder('', BTC, { clientOrderId: 'one' }), same);
  assert.partialDeepStrictEqual(await ccxt.fetchOpenOrder(idOf(order), BTC), same);
  const changed = await ccxt.editOrder(idOf(order), BTC, 'limit', 'buy', 0.02, at(0.93));
  assert.partialDeepStrictEqual(changed, { id: order.id, price: at(0.93), amount: 0.02 });
  const open = await ccxt.fetchOpenOrders(BTC);
  assert.deepEqual(
    open.map(({ id, price: of, amount }) => [id, of, amount]),
    [[order.id, at(0.93), 0.02]],
  );
  assert.equal((await ccxt.fetchOpenOrders()).length, 1);
  assert.partialDeepStrictEqual(await ccxt.cancelOrder(idOf(order), BTC), {
    id: order.id,
    status: 'canceled',
  });
  await limit('two', 0.95);
  const byName = await ccxt.cancelOrder('', BTC, { clientOrderId: 'two' });
  assert.partialDeepStrictEqual(byName, { clientOrderId: 'two', status: 'canceled' });
  assert.deepEqual(await ccxt.fetchOpenOrders(BTC), []);
  await assert.rejects(ccxt.cancelOrder(idOf(order), BTC), { name: 'OrderNotFound' });
  await assert.rejects(ccxt.fetchOrder('1', BTC), { name: 'OrderNotFound' });
  const all = await ccxt.fetchOrders(BTC);
  assert.equal(all.find(({ id }) => id === order.id)?.status, 'canceled');
  const cancelled = await ccxt.fetchCanceledOrders(BTC);
  assert.ok(['one', 'two'].every((name) => cancelled.some(({ clientOrderId }) => clientOrderId === name)));
  assert.ok((await ccxt.fetchClosedOrders(BTC)).some(({ clientOrderId }) => clientOrderId === 'market-1'));
});

test('a batch answers each order for itself; several are cancelled at once', async () => {
  const request = (clientOrderId: string, fraction: number) => ({
    symbol: BTC,
    type: 'limit' as const,
    side: 'buy' as const,
    amount: 0.01,
    price: at(fraction),
    params: { clientOrderId },
  });
  const conditional = {
    ...request('b4', 0.9),
    type: 'STOP_MARKET' as 'market',
    side: 'sell' as const,
    price: undefined,
    params: { clientOrderId: 'b4', triggerPrice: at(0.9) },
  };
  const batch = await ccxt.createOrders([
    request('b1', 0.9),
    request('b2', 0.91),
    request('b3', 0.92),
    conditional,
  ]);
  assert.deepEqual(
    batch.map(({ clientOrderId, status }) => [clientOrderId, status]),
    [
      ['b1', 'open'],
      ['b2', 'open'],
      ['b3', 'open'],
      [undefined, 'rejected'],
    ],
  );
  assert.equal(batch[3]?.info.code, -4120);
  const byId = await ccxt.cancelOrders([batch[0]?.id ?? ''], BTC);
  assert.deepEqual(
    byId.map(({ clientOrderId, status }) => [clientOrderId, status]),
    [['b1', 'canceled']],
  );
  // ccxt's unified call leaves out what names no symbol, refusals among them.
  const byName = (await ccxt.fapiPrivateDeleteBatchOrders({
    symbol: 'BTCUSDT',
    origclientorderidlist: ['b2', 'b1'],
  })) as { clientOrderId?: string; code?: string }[];
  assert.deepEqual([byName[0]?.clientOrderId, Number(byName[1]?.code)], ['b2', -2011]);
  await ccxt.cancelOrders([], BTC, { clientOrderIds: ['b3'] });
  await ccxt.cancelAllOrders(BTC);
  assert.deepEqual(await ccxt.fetchOpenOrders(BTC), []);
});

test('every conditional type goes to the algo service and is told back as asked', async () => {
  const sell = (type: string, id: string, params: object, of?: number) =>
    ccxt.createOrder(BTC, type, 'sell', 0.01, of, { clientOrderId: id, reduceOnly: true, ...params });
  const placed = [
    await stop('c1', 0.9, { workingType: 'MARK_PRICE', priceProtect: 'TRUE' }),
    await sell('TAKE_PROFIT_MARKET', 'c2', { triggerPrice: at(1.1) }),
    await sell('market', 'c3', { stopLossPrice: at(0.91) }),
    await sell('market', 'c4', { takeProfitPrice: at(1.11) }),
    await sell('limit', 'c5', { stopLossPrice: at(0.92) }, at(0.919)),
    await sell('limit', 'c6', { takeProfitPrice: at(1.12) }, at(1.121)),
    await sell('TRAILING_STOP_MARKET', 'c7', { trailingPercent: 2, activatePrice: at(1.05) }),
    await stop('c8', 0.8, { closePosition: true }),
  ];
  const open = await ccxt.fetchOpenOrders(BTC, undefined, undefined, { trigger: true });
  assert.deepEqual(
    open.map(({ id }) => id),
    placed.map(({ id }) => id),
  );
  const shown = open.map(({ info }) => [info.clientAlgoId, info.orderType, Number(info.triggerPrice)]);
  assert.deepEqual(shown, [
    ['c1', 'STOP_MARKET', at(0.9)],
    ['c2', 'TAKE_PROFIT_MARKET', at(1.1)],
    ['c3', 'STOP_MARKET', at(0.91)],
    ['c4', 'TAKE_PROFIT_MARKET', at(1.11)],
    ['c5', 'STOP', at(0.92)],
    ['c6', 'TAKE_PROFIT', at(1.12)],
    ['c7', 'TRAILING_STOP_MARKET', shown[6]?.[2]],
    ['c8', 'STOP_MARKET', at(0.8)],
  ]);
  assert.partialDeepStrictEqual(open[0]?.info, { workingType: 'MARK_PRICE', priceProtect: true });
  assert.partialDeepStrictEqual(open[6]?.info, { callbackRate: '2', activatePrice: String(at(1.05)) });
  assert.partialDeepStrictEqual(open[7]?.info, { closePosition: true });
  const first = await ccxt.fetchOrder(placed[0]?.id ?? '', BTC, { trigger: true });
  assert.partialDeepStrictEqual(first.info, { clientAlgoId: 'c1', algoStatus: 'NEW', actualOrderId: '' });
  const cancelled = await ccxt.cancelOrder(placed[0]?.id ?? '', BTC, { trigger: true });
  // A string here, as at the venue.
  assert.deepEqual([cancelled.id, cancelled.info.code], [placed[0]?.id, '200']);
  await ccxt.cancelAllOrders(BTC, { trigger: true });
  assert.deepEqual(await ccxt.fetchOpenOrders(BTC, undefined, undefined, { trigger: true }), []);
  const all = await ccxt.fetchOrders(BTC, undefined, undefined, { trigger: true });
  assert.equal(all.length, placed.length);
  assert.ok(all.every(({ info }) => info.algoStatus === 'CANCELED'));
});

test('a stop that is triggered becomes an order of its own, which the algo order names', async () => {
  const placed = await stop('falls', 0.99, { reduceOnly: true });
  await venue.admin('POST', '/price', { symbol: 'BTCUSDT', fraction: -0.02 });
  await venue.advance(2_000);
  const algo = await ccxt.fetchOrder(idOf(placed), BTC, { trigger: true });
  assert.equal(algo.info.algoStatus, 'FINISHED');
  const spawned = await ccxt.fetchOrder(String(algo.info.actualOrderId), BTC);
  assert.partialDeepStrictEqual(spawned, { status: 'closed', filled: 0.01, side: 'sell', type: 'market' });
  assert.equal(spawned.clientOrderId, 'falls');
  const [position] = await ccxt.fetchPositions([BTC]);
  assert.equal(position?.contracts, 0.01);
});

test('isolated margin is moved; its history tells so', async () => {
  await ccxt.createOrder(ETH, 'market', 'sell', 0.5);
  const [before_] = await ccxt.fetchPositions([ETH]);
  assert.partialDeepStrictEqual(before_, { side: 'short', marginMode: 'isolated', contracts: 0.5 });
  assert.partialDeepStrictEqual(await ccxt.addMargin(ETH, 20), { type: 'add', amount: 20, status: 'ok' });
  assert.partialDeepStrictEqual(await ccxt.reduceMargin(ETH, 5), { type: 'reduce', amount: 5 });
  const [now] = await ccxt.fetchPositions([ETH]);
  const wallet = (position: typeof now): number => Number(position?.info.isolatedWallet);
  near(wallet(now) - wallet(before_), 15, 'isolated wallet');
  assert.ok((now?.liquidationPrice ?? 0) > (before_?.liquidationPrice ?? 0));
  const moves = await ccxt.fetchMarginAdjustmentHistory(ETH);
  assert.deepEqual(
    moves.map(({ type, amount }) => [type, amount]),
    [
      ['add', 20],
      ['reduce', 5],
    ],
  );
});

test('funding is paid at its hour, and stands in the income and the ledger', async () => {
  const toHour = 8 * 3_600_000 - (venue.at % (8 * 3_600_000));
  await venue.advance(toHour + 2_000);
  const [position] = await ccxt.fetchPositions([ETH]);
  assert.equal(position?.contracts, 0.5);
  const paid = await ccxt.fetchFundingHistory(ETH);
  assert.equal(paid.length, 1);
  const [rate] = (await ccxt.fetchFundingRateHistory(ETH)).slice(-1);
  near(paid[0]?.amount, 0.5 * Number(rate?.info.markPrice) * Number(rate?.fundingRate), 'a short is paid');
  const ledger = await ccxt.fetchLedger('USDT');
  const kinds = new Set(ledger.map(({ info }) => info.incomeType));
  assert.deepEqual([...kinds].sort(), ['COMMISSION', 'FUNDING_FEE', 'REALIZED_PNL']);
  const balance = await ccxt.fetchBalance();
  const change = ledger.reduce((sum, { info }) => sum + Number(info.income), 0);
  near(Number(balance.info.totalWalletBalance), 10_000 + change, 'wallet = deposits + income');
});

test('fees and forced orders', async () => {
  assert.partialDeepStrictEqual(await ccxt.fetchTradingFee(BTC), { maker: 0.0002, taker: TAKER });
  assert.equal((await ccxt.fetchTradingFees())[BTC]?.maker, 0.0002);
  assert.deepEqual(await ccxt.fetchMyLiquidations(BTC), []);
  await venue.admin('POST', '/adl', { symbol: 'ETHUSDT' });
  const [forced] = await ccxt.fetchMyLiquidations(ETH, undefined, undefined, { autoCloseType: 'ADL' });
  assert.partialDeepStrictEqual(forced, { symbol: ETH, contracts: 0.5 });
  assert.match(String(forced?.info.clientOrderId), /^adl_autoclose/);
});

test('the dead man’s switch', async () => {
  await limit('forgotten', 0.9);
  const set = await ccxt.fapiPrivatePostCountdownCancelAll({ symbol: 'BTCUSDT', countdownTime: 5_000 });
  assert.deepEqual(set, { symbol: 'BTCUSDT', countdownTime: '5000' });
  await venue.advance(4_000);
  assert.equal((await ccxt.fetchOpenOrders(BTC)).length, 1);
  await venue.advance(2_000);
  assert.deepEqual(await ccxt.fetchOpenOrders(BTC), []);
});

test('the venue’s books are sound, and it answered what docs/CONFORMANCE.md says', async () => {
  assert.deepEqual(await venue.admin('GET', '/violations'), { violations: [] });
  assertEvidence('ccxt', 'account', await venue.answered());
});
