/**
 * ccxt.pro on the streams of a real `bulkhead exchange`. What ccxt makes of frames is checked where it keeps them
 * whole; where it merges or drops them (account events do, several in one breath), the frames themselves are.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type CcxtClient, openCcxt } from '../support/conformance/ccxt-client.ts';
import { ccxtStreams } from '../support/conformance/conformance-table.ts';
import { ConformanceVenue } from '../support/conformance/conformance-venue.ts';

type Frame = Readonly<Record<string, unknown>>;

const BTC = 'BTC/USDT:USDT';
const ETH = 'ETH/USDT:USDT';

let venue: ConformanceVenue;
let ccxt: CcxtClient;

before(async () => {
  venue = await ConformanceVenue.open();
  ccxt = await openCcxt(venue);
  await ccxt.loadMarkets();
});

after(async () => {
  await ccxt?.close();
  await venue?.close();
});

const framesOf = (event: string): Frame[] =>
  ccxt.heard.map(({ frame }) => frame).filter(({ e }) => e === event);

test('tickers and marks', async () => {
  const mini = await venue.meanwhile(ccxt.watchTicker(BTC));
  assert.partialDeepStrictEqual(mini.info, { e: '24hrMiniTicker', s: 'BTCUSDT' });
  const tickers = await venue.meanwhile(ccxt.watchTickers());
  assert.ok(Object.keys(tickers).length > 0);
  const full = await venue.meanwhile(ccxt.watchTicker(ETH, { name: 'ticker' }));
  assert.partialDeepStrictEqual(full.info, { e: '24hrTicker', s: 'ETHUSDT' });
  assert.ok(Number(full.low) <= Number(full.last) && Number(full.last) <= Number(full.high));
  const quote = (await venue.meanwhile(ccxt.watchBidsAsks([BTC])))[BTC];
  assert.ok(Number(quote?.bid) < Number(quote?.ask));
  const mark = await venue.meanwhile(ccxt.watchMarkPrice(BTC));
  assert.ok(Number(mark.markPrice) > 0 && Number(mark.indexPrice) > 0);
  const marks = await venue.meanwhile(ccxt.watchMarkPrices());
  assert.equal(marks[ETH]?.symbol, ETH);
});

test('trades, plain and aggregated', async () => {
  const [trade] = await venue.meanwhile(ccxt.watchTrades(BTC));
  assert.partialDeepStrictEqual(trade?.info, { e: 'trade', s: 'BTCUSDT', X: 'MARKET' });
  const aggregated = await venue.meanwhile(ccxt.watchTrades(ETH, undefined, undefined, { name: 'aggTrade' }));
  const last = aggregated.at(-1);
  assert.partialDeepStrictEqual(last?.info, { e: 'aggTrade', s: 'ETHUSDT' });
  assert.equal(last?.side, last?.info.m ? 'sell' : 'buy');
});

test('candles close as they are in the history', async () => {
  await venue.meanwhile(ccxt.watchOHLCV(BTC, '1m'));
  await venue.advance(120_000);
  const closed = await venue.meanwhile(
    (async () => {
      for (;;) {
        const frame = framesOf('kline').find(({ k }) => (k as Frame).x === true);
        if (frame) return frame.k as Frame;
        await ccxt.watchOHLCV(BTC, '1m');
      }
    })(),
  );
  const [candle] = await ccxt.fetchOHLCV(BTC, '1m', Number(closed.t), 1);
  assert.deepEqual(candle, [closed.t, ...[closed.o, closed.h, closed.l, closed.c, closed.v].map(Number)]);
});

test('the book that ccxt keeps from differences is the book that the venue has', async () => {
  let book = await venue.meanwhile(ccxt.watchOrderBook(BTC));
  for (let i = 0; i < 20; i++) book = await venue.meanwhile(ccxt.watchOrderBook(BTC));
  const frames = framesOf('depthUpdate').filter(({ s }) => s === 'BTCUSDT');
  for (const [i, { pu }] of frames.entries()) if (i > 0) assert.equal(pu, frames[i - 1]?.u);
  const lastId = frames.at(-1)?.u;
  const rest = await ccxt.fapiPublicGetDepth({ symbol: 'BTCUSDT', limit: 50 });
  // A snapshot lies behind the last difference and within the next.
  assert.ok(Number(rest.lastUpdateId) >= Number(lastId));
  const top = (side: unknown): number[][] =>
    Array.from(side as number[][])
      .slice(0, 20)
      .map(([p, q]) => [Number(p), Number(q)]);
  assert.deepEqual(top(book.bids), top(rest.bids));
  assert.deepEqual(top(book.asks), top(rest.asks));
});

test('an order’s life on the private socket', async () => {
  const watched = [
    ccxt.watchOrders(),
    ccxt.watchMyTrades(),
    ccxt.watchPositions(),
    ccxt.watchBalance(),
  ] as const;
  await venue.meanwhile(connected());
  const price = Number((await ccxt.fetchTicker(BTC)).last);
  await ccxt.createOrder(BTC, 'market', 'buy', 0.5, undefined, { clientOrderId: 'life-1' });
  const [orders, trades, positions, balance] = await venue.meanwhile(Promise.all(watched));
  assert.equal(orders.at(-1)?.clientOrderId, 'life-1');
  assert.equal(trades[0]?.amount, 0.5);
  assert.partialDeepStrictEqual(positions[0], { symbol: BTC, contracts: 0.5, side: 'long' });
  const fee = Number(trades[0]?.fee?.cost);
  assert.equal(balance.USDT?.total, Number((10_000 - fee).toFixed(8)));
  const steps = framesOf('ORDER_TRADE_UPDATE').map(({ o }) => [(o as Frame).x, (o as Frame).X]);
  assert.deepEqual(steps, [
    ['NEW', 'NEW'],
    ['TRADE', 'FILLED'],
  ]);

  const resting = await ccxt.createOrder(BTC, 'limit', 'buy', 0.01, Math.floor(price * 0.9), {
    clientOrderId: 'life-2',
  });
  await ccxt.editOrder(resting.id ?? '', BTC, 'limit', 'buy', 0.01, Math.floor(price * 0.89));
  await ccxt.cancelOrder(resting.id ?? '', BTC);
  await heard('ORDER_TRADE_UPDATE', (o) => o.c === 'life-2' && o.X === 'CANCELED');
  const life = framesOf('ORDER_TRADE_UPDATE').filter(({ o }) => (o as Frame).c === 'life-2');
  assert.deepEqual(
    life.map(({ o }) => (o as Frame).x),
    ['NEW', 'AMENDMENT', 'CANCELED'],
  );
  assert.equal(framesOf('TRADE_LITE').length, 1);
});

test('a conditional order’s life: told on the algo channel, then as an order', async () => {
  const price = Number((await ccxt.fetchTicker(BTC)).last);
  await ccxt.createOrder(BTC, 'STOP_MARKET', 'sell', 0.1, undefined, {
    clientOrderId: 'guard',
    triggerPrice: Math.floor(price * 0.99),
    reduceOnly: true,
  });
  await venue.admin('POST', '/price', { symbol: 'BTCUSDT', fraction: -0.02 });
  await heard('ALGO_UPDATE', (o) => o.caid === 'guard' && o.X === 'FINISHED');
  const life = framesOf('ALGO_UPDATE').map(({ o }) => o as Frame);
  assert.deepEqual(
    life.map(({ X }) => X),
    ['NEW', 'TRIGGERING', 'TRIGGERED', 'FINISHED'],
  );
  const { ai } = life.at(-1) ?? {};
  const order = framesOf('ORDER_TRADE_UPDATE').find(
    ({ o }) => String((o as Frame).i) === String(ai) && (o as Frame).X === 'FILLED',
  );
  assert.partialDeepStrictEqual(order?.o, { S: 'SELL', z: '0.1', R: true });
});

test('a liquidation: warned of, told on both sockets, gone', async () => {
  const watched = ccxt.watchLiquidations(BTC);
  await venue.meanwhile(ccxt.watchMarkPrice(BTC));
  await venue.admin('POST', '/price', { symbol: 'BTCUSDT', fraction: -0.5 });
  const [liquidation] = await venue.meanwhile(watched);
  assert.partialDeepStrictEqual(liquidation, { symbol: BTC, contracts: 0.4, side: 'sell' });
  await heard('ORDER_TRADE_UPDATE', (o) => String(o.c).startsWith('autoclose-') && o.X === 'FILLED');
  const events = framesOf('ACCOUNT_UPDATE').map(({ a }) => (a as Frame).P as Frame[]);
  assert.equal(events.at(-1)?.[0]?.pa ?? '0', '0');
  assert.ok(framesOf('forceOrder').length > 0);
});

test('every market and public stream of docs/CONFORMANCE.md was heard on its own socket', () => {
  const socket = (url: string): string => new URL(url).pathname.split('/')[1] ?? '';
  const kinds = ccxt.heard.flatMap(({ url, frame }) => {
    const one = (Array.isArray(frame) ? frame[0] : frame) as Frame;
    return typeof one.e === 'string' ? [`${socket(url)} ${one.e}${Array.isArray(frame) ? '[]' : ''}`] : [];
  });
  assert.deepEqual([...new Set(kinds)].sort(), ccxtStreams().sort());
});

/** Until the private socket is open: what happens before that is not told. */
async function connected(): Promise<void> {
  const { clients } = ccxt as unknown as { clients: Record<string, { connected: Promise<unknown> }> };
  for (;;) {
    const found = Object.entries(clients).find(([url]) => url.includes('/private/'));
    if (found) return void (await found[1].connected);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function heard(event: string, wanted: (o: Frame) => boolean): Promise<void> {
  const find = () => framesOf(event).some(({ o }) => wanted(o as Frame));
  await venue.meanwhile(
    (async () => {
      while (!find()) await new Promise((resolve) => setImmediate(resolve));
    })(),
  );
}
