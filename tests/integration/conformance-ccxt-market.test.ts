/** ccxt's unified calls on the market, over a real socket: each against the others and against the venue's rules. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type CcxtClient, openCcxt } from '../support/conformance/ccxt-client.ts';
import { assertEvidence } from '../support/conformance/conformance-table.ts';
import { ConformanceVenue } from '../support/conformance/conformance-venue.ts';

const BTC = 'BTC/USDT:USDT';
const ALL = [BTC, 'ETH/USDT:USDT', 'XRP/USDT:USDT'];
const MINUTE = 60_000;

let venue: ConformanceVenue;
let ccxt: CcxtClient;

before(async () => {
  venue = await ConformanceVenue.open();
  ccxt = await openCcxt(venue);
  // Something of a minute must be there to look at.
  await venue.advance(90_000);
  await ccxt.loadMarkets();
});

after(async () => {
  await ccxt?.close();
  await venue?.close();
});

test('the markets and their rules', async () => {
  assert.deepEqual(Object.keys(ccxt.markets ?? {}).sort(), ALL);
  const market = ccxt.market(BTC);
  assert.partialDeepStrictEqual(market, {
    id: 'BTCUSDT',
    type: 'swap',
    linear: true,
    active: true,
    contractSize: 1,
    precision: { amount: 0.001, price: 0.1 },
    limits: { amount: { min: 0.001, max: 1000 }, cost: { min: 50 }, market: { max: 120 } },
  });
  assert.equal(await ccxt.fetchTime(), venue.at);
  assert.equal((await ccxt.fetchStatus()).status, 'ok');
  await venue.admin('POST', '/instrument', { symbol: 'XRPUSDT', status: 'TRADING_HALT' });
  const halted = (await ccxt.fetchMarkets()).find((one) => one?.id === 'XRPUSDT');
  assert.equal(halted?.active, false);
  await venue.admin('POST', '/instrument', { symbol: 'XRPUSDT', status: 'TRADING' });
});

test('tickers, books, prices and trades tell of one market', async () => {
  const ticker = await ccxt.fetchTicker(BTC);
  const book = await ccxt.fetchOrderBook(BTC, 20);
  const [bid, ask] = [Number(book.bids[0]?.[0]), Number(book.asks[0]?.[0])];
  assert.ok(bid < ask);
  assert.equal(book.bids.length, 20);
  assert.deepEqual(
    book.bids.map(([price]) => Number(price)),
    book.bids.map(([price]) => Number(price)).sort((a, b) => b - a),
  );
  const quote = (await ccxt.fetchBidsAsks([BTC]))[BTC];
  assert.deepEqual([quote?.bid, quote?.ask], [bid, ask]);
  const last = (await ccxt.fetchLastPrices([BTC]))[BTC];
  assert.equal(last?.price, ticker.last);
  const [trade] = await ccxt.fetchTrades(BTC, undefined, 1);
  assert.equal(trade?.price, ticker.last);
  assert.deepEqual(Object.keys(await ccxt.fetchTickers()).sort(), ALL);
  const [low, high] = [Number(ticker.low), Number(ticker.high)];
  assert.ok(low <= Number(ticker.last) && Number(ticker.last) <= high);
  const mark = await ccxt.fetchMarkPrice(BTC);
  assert.equal((await ccxt.fetchMarkPrices())[BTC]?.markPrice, mark.markPrice);
  assert.ok(Math.abs(Number(mark.markPrice) / Number(ticker.last) - 1) < 0.01);
});

test('candles: aligned, the last one open, of three prices', async () => {
  const open = venue.at - (venue.at % MINUTE);
  for (const price of [undefined, 'mark', 'index']) {
    const candles = await ccxt.fetchOHLCV(BTC, '1m', undefined, 3, price === undefined ? {} : { price });
    assert.deepEqual(
      candles.map(([at]) => at),
      [open - 2 * MINUTE, open - MINUTE, open],
    );
    for (const [, o, h, l, c] of candles as number[][])
      assert.ok(l !== undefined && l <= Math.min(o ?? 0, c ?? 0) && Math.max(o ?? 0, c ?? 0) <= (h ?? 0));
  }
  const whole = open - 600 * MINUTE - ((open - 600 * MINUTE) % (5 * MINUTE));
  const older = await ccxt.fetchOHLCV(BTC, '5m', whole + MINUTE, 10);
  assert.deepEqual([older.length, older[0]?.[0]], [10, whole + 5 * MINUTE]);
});

test('funding: the coming rate, the past ones, the intervals', async () => {
  const rate = await ccxt.fetchFundingRate(BTC);
  assert.equal(Number(rate.fundingTimestamp) % (8 * 60 * MINUTE), 0);
  assert.ok(Number(rate.fundingTimestamp) > venue.at);
  assert.deepEqual(Object.keys(await ccxt.fetchFundingRates()).sort(), ALL);
  const past = await ccxt.fetchFundingRateHistory(BTC, undefined, 3);
  assert.equal(past.length, 3);
  assert.ok(past.every(({ timestamp }) => Number(timestamp) % (8 * 60 * MINUTE) === 0));
  assert.deepEqual(await ccxt.fetchFundingIntervals(), {});
  await venue.admin('POST', '/instrument', { symbol: 'XRPUSDT', fundingIntervalHours: 4 });
  const intervals = await ccxt.fetchFundingIntervals();
  assert.equal(intervals['XRP/USDT:USDT']?.interval, '4h');
  const next = await ccxt.fetchFundingRate('XRP/USDT:USDT');
  assert.ok(Number(next.fundingTimestamp) - venue.at <= 4 * 60 * MINUTE);
});

test('statistics', async () => {
  const interest = await ccxt.fetchOpenInterest(BTC);
  assert.ok(Number(interest.openInterestAmount) > 0);
  const history = await ccxt.fetchOpenInterestHistory(BTC, '5m', undefined, 3);
  assert.equal(history.length, 3);
  const ratios = await ccxt.fetchLongShortRatioHistory(BTC, '5m', undefined, 3);
  for (const { info } of ratios)
    assert.ok(Math.abs(Number(info.longAccount) + Number(info.shortAccount) - 1) < 1e-9);
});

test('an unknown symbol and an unknown interval are refused in the venue’s words', async () => {
  const ask = (params: object) => ccxt.fapiPublicGetKlines(params);
  await assert.rejects(ask({ symbol: 'NOSUCH', interval: '1m' }), { name: 'BadSymbol', message: /-1121/ });
  await assert.rejects(ask({ symbol: 'BTCUSDT', interval: '7m' }), { message: /-1120/ });
});

test('the venue answered what docs/CONFORMANCE.md says', async () => {
  assertEvidence('ccxt', 'market', await venue.answered());
});
