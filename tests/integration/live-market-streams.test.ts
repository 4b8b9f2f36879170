/** The live market's streams: bars, marks, quotes and trades; silence, losses and moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBulkheadError } from '../../src/core/errors.ts';
import {
  liveMarketBench as bench,
  bookTicker,
  kline,
  MINUTE,
  mark,
  T0,
} from '../support/live-market-bench.ts';

test('asks for each stream on the right path, and starts once all are confirmed', async (t) => {
  const b = await bench(t);
  b.subscribe = false;
  const started = b.start(['bars', 'marks', 'quotes', 'trades', 'books']);
  await b.sockets.until(() => b.sockets.connections.filter(({ said }) => said.length > 0).length === 5);
  const asked = b.sockets.connections.map(({ path: at, said }) => [
    at.replace(/\d+$/, 'n'),
    ...(JSON.parse(said[0] as string) as { params: string[] }).params,
  ]);
  assert.deepEqual(asked.sort(), [
    ['/market/ws/n', 'btcusdt@aggTrade', 'ethusdt@aggTrade'],
    ['/market/ws/n', 'btcusdt@kline_1m', 'ethusdt@kline_1m'],
    ['/market/ws/n', 'btcusdt@markPrice@1s', 'ethusdt@markPrice@1s'],
    ['/public/ws/n', 'btcusdt@bookTicker', 'ethusdt@bookTicker'],
    ['/public/ws/n', 'btcusdt@depth@100ms', 'ethusdt@depth@100ms'],
  ]);
  let isStarted = false;
  void started.then(() => {
    isStarted = true;
  });
  for (const connection of b.sockets.connections.slice(1)) connection.send({ result: null, id: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isStarted, false);
  b.sockets.connections[0]?.send({ result: null, id: 1 });
  await started;
});

test('five hundred symbols: at most 200 streams a socket, marks as one array', async (t) => {
  const b = await bench(t);
  const symbols = Array.from({ length: 500 }, (_, i) => `C${i}USDT`);
  await b.start(['bars', 'marks', 'quotes'], symbols);
  const asked = b.sockets.connections.map(({ said }) =>
    said.flatMap((text) => (JSON.parse(text) as { params: string[] }).params),
  );
  assert.deepEqual(
    asked.map(({ length }) => length).sort((x, y) => x - y),
    [1, 100, 100, 200, 200, 200, 200],
  );
  const marks = await b.carrying('!markPrice@arr@1s');
  marks.send([...symbols, 'NOTOURS'].map((symbol, i) => mark(symbol, T0, 100 + i)));
  await b.sockets.until(() => b.of('mark').length === 500);
  assert.deepEqual(b.of('mark')[1], {
    type: 'mark',
    symbol: 'C1USDT',
    at: T0,
    mark: 101,
    fundingRate: 0.0001,
    nextFundingAt: T0 + 8 * 3_600_000,
  });
});

test('closed bars only, each once, in order, with the marks that were heard all through them', async (t) => {
  const b = await bench(t);
  await b.start(['bars', 'marks']);
  const bars = await b.carrying('btcusdt@kline_1m');
  const marks = await b.carrying('btcusdt@markPrice@1s');
  for (let s = 0; s < 60; s++) marks.send(mark('BTCUSDT', T0 + MINUTE + s * 1000, 100 + (s % 7)));
  for (let s = 0; s < 60; s += 20) marks.send(mark('ETHUSDT', T0 + MINUTE + s * 1000, 50));
  marks.send(mark('BTCUSDT', T0 + 2 * MINUTE, 500));
  await b.sockets.until(() => b.of('mark').at(-1)?.mark === 500);
  bars.send(
    kline('BTCUSDT', T0 + MINUTE, false),
    kline('BTCUSDT', T0, true),
    kline('BTCUSDT', T0 + MINUTE, true),
    kline('BTCUSDT', T0, true),
    kline('ETHUSDT', T0 + MINUTE, true),
    kline('BTCUSDT', T0 + MINUTE, true),
  );
  await b.sockets.until(() => b.of('bar').length >= 3);
  const plain = { timeframe: '1m', open: 100, high: 102, low: 99, close: 101, volume: 5 };
  assert.deepEqual(
    b.of('bar').map(({ bar }) => bar),
    [
      { ...plain, symbol: 'BTCUSDT', openTime: T0 },
      { ...plain, symbol: 'BTCUSDT', openTime: T0 + MINUTE, markHigh: 106, markLow: 100, markClose: 103 },
      { ...plain, symbol: 'ETHUSDT', openTime: T0 + MINUTE },
    ],
  );
});

test('quotes in one chunk are conflated to the newest, and an old one is dropped', async (t) => {
  const b = await bench(t);
  await b.start(['quotes', 'trades']);
  const quotes = await b.carrying('btcusdt@bookTicker');
  // One write, and so one chunk: corked.
  const raw = (quotes.socket as unknown as { _socket: { cork(): void; uncork(): void } })._socket;
  raw.cork();
  for (let u = 1; u <= 100; u++)
    quotes.send(bookTicker('BTCUSDT', u, String(u)), bookTicker('ETHUSDT', u, '7'));
  raw.uncork();
  await b.sockets.until(() => b.of('quote').some(({ symbol, bid }) => symbol === 'BTCUSDT' && bid === 100));
  assert.ok(b.of('quote').length < 100, `${b.of('quote').length} of 200 handed on`);
  const before = b.of('quote').length;
  quotes.send(bookTicker('BTCUSDT', 99, '1'), bookTicker('BTCUSDT', 101, '8'));
  await b.sockets.until(() => b.of('quote').length > before);
  assert.deepEqual(b.of('quote').at(-1), {
    type: 'quote',
    symbol: 'BTCUSDT',
    at: T0 + 101,
    bid: 8,
    bidQuantity: 2,
    ask: 200,
    askQuantity: 3,
  });
  const trades = await b.carrying('ethusdt@aggTrade');
  const trade = {
    e: 'aggTrade',
    E: T0 + 2,
    s: 'ETHUSDT',
    a: 1,
    p: '10.5',
    q: '2',
    nq: '2',
    f: 1,
    l: 1,
    T: T0 + 1,
    m: true,
    st: 1,
  };
  trades.send(trade, trade);
  await b.sockets.until(() => b.of('trade').length === 2);
  assert.deepEqual(b.of('trade')[0], {
    type: 'trade',
    symbol: 'ETHUSDT',
    at: T0 + 1,
    price: 10.5,
    quantity: 2,
    buyerMaker: true,
  });
});

test('one symbol whose marks stop is stale while the others go on, and fresh with its next', async (t) => {
  const b = await bench(t);
  await b.start(['marks']);
  const marks = await b.carrying('btcusdt@markPrice@1s');
  for (let s = 1; s <= 14; s++) {
    marks.send(mark('BTCUSDT', T0 + s * 1000, s));
    if (s <= 2) marks.send(mark('ETHUSDT', T0 + s * 1000, s));
    await b.sockets.until(() => b.of('mark').at(-1)?.at === T0 + s * 1000);
    b.real.advanceTo(s * 1000);
  }
  assert.deepEqual(b.of('stale'), [{ type: 'stale', symbols: ['ETHUSDT'], silentMs: 10_000 }]);
  assert.equal(b.of('fresh').length, 0);
  marks.send(mark('ETHUSDT', T0 + 20_000, 5));
  await b.sockets.until(() => b.of('fresh').length === 1);
  assert.deepEqual(b.of('fresh'), [{ type: 'fresh', symbols: ['ETHUSDT'] }]);
});

test('after a lost connection the streams are asked for again, and a gap says since when', async (t) => {
  const b = await bench(t);
  await b.start(['bars', 'marks']);
  const first = await b.carrying('btcusdt@kline_1m');
  first.send(kline('BTCUSDT', T0, true), kline('ETHUSDT', T0, true), kline('BTCUSDT', T0 + MINUTE, true));
  await b.sockets.until(() => b.of('bar').length === 3);
  first.socket.close(1001);
  // The dial waits for the network's time to go on.
  const dials = b.sockets.connections.length;
  while (b.sockets.connections.length === dials) {
    await new Promise((resolve) => setImmediate(resolve));
    b.real.advanceTo(b.real.now() + 10);
  }
  await b.sockets.until(() => b.of('gap').length === 1);
  assert.deepEqual(b.of('gap'), [{ type: 'gap', symbols: ['BTCUSDT', 'ETHUSDT'], since: T0 + MINUTE }]);
  const second = await b.carrying('ethusdt@kline_1m');
  second.send(kline('ETHUSDT', T0 + MINUTE, true), kline('BTCUSDT', T0 + MINUTE, true));
  await b.sockets.until(() => b.of('bar').length === 4);
  assert.equal(b.of('bar')[3]?.bar.symbol, 'ETHUSDT', 'what was had already is not had again');
});

test('before 24 hours a new connection takes over: no gap, nothing twice', async (t) => {
  const b = await bench(t);
  await b.start(['trades'], ['BTCUSDT']);
  const old = await b.carrying('btcusdt@aggTrade');
  b.venue.advanceTo(b.venue.now() + 23 * 3_600_000);
  const young = await b.sockets.connection(1);
  await b.sockets.until(() => young.said.length === 1);
  const trade = (a: number) => ({
    e: 'aggTrade',
    E: T0 + a,
    s: 'BTCUSDT',
    a,
    p: '10',
    q: '1',
    T: T0 + a,
    m: true,
  });
  let answered = false;
  young.socket.on('pong', () => {
    answered = true;
    b.sockets.changed();
  });
  young.socket.ping();
  await b.sockets.until(() => answered);
  for (const a of [1, 2, 3]) {
    old.send(trade(a));
    young.send(trade(a));
  }
  young.send(trade(4));
  await b.sockets.until(() => b.of('trade').length === 3);
  b.real.advanceTo(b.real.now() + 1000);
  await b.sockets.until(() => b.of('trade').length === 4);
  assert.deepEqual(
    b.of('trade').map(({ at }) => at - T0),
    [1, 2, 3, 4],
  );
  await b.sockets.until(() => b.sockets.open().length === 1);
  assert.equal(b.of('gap').length, 0);
});

test('bars that do not come in time are a gap; a connection that brings none is dialled anew', async (t) => {
  const b = await bench(t);
  await b.start(['bars']);
  const first = await b.carrying('btcusdt@kline_1m');
  first.send(kline('BTCUSDT', T0, true), kline('ETHUSDT', T0, true), kline('BTCUSDT', T0 + MINUTE, true));
  await b.sockets.until(() => b.of('bar').length === 3);
  b.venue.advanceTo(T0 + 2 * MINUTE + 21_000);
  b.real.advanceTo(3000);
  assert.deepEqual(b.of('gap'), [{ type: 'gap', symbols: ['ETHUSDT'], since: T0 + MINUTE }]);
  b.real.advanceTo(6000);
  assert.equal(b.of('gap').length, 1, 'told once');
  b.venue.advanceTo(T0 + 3 * MINUTE + 21_000);
  b.real.advanceTo(9000);
  assert.equal(b.of('gap').length, 2);
  b.real.advanceTo(10_000);
  await b.sockets.connection(1);
  await b.sockets.until(() => b.of('gap').length === 3);
});

test('a market that cannot be reached is an error with a hint, leaves nothing, and may be tried again', async (t) => {
  const b = await bench(t, { streamUrl: 'ws://127.0.0.1:9' });
  await assert.rejects(b.start(['marks']), (error) => isBulkheadError(error, 'VENUE_UNREACHABLE'));
  assert.equal(b.real.nextDeadline(), undefined);
  await assert.rejects(b.start(['marks']), (error) => isBulkheadError(error, 'VENUE_UNREACHABLE'));
});

test('stop ends a start that is under way, and nothing is armed after it', async (t) => {
  const b = await bench(t);
  b.subscribe = false;
  const started = b.start(['bars', 'marks', 'books']);
  await b.sockets.connection(2);
  await Promise.all([assert.rejects(started, /stopped/), b.market.stop()]);
  assert.equal(b.real.nextDeadline(), undefined);
  assert.equal(b.venue.nextDeadline(), undefined);
});
