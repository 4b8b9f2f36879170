/** The live market against real sockets and a real HTTP server on loopback, with the clocks in the test's hand. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { VirtualTime } from '../../src/core/clock.ts';
import { isBulkheadError } from '../../src/core/errors.ts';
import { seededRandom } from '../../src/core/random.ts';
import { CcxtMarketData, type CcxtMarketDataOptions } from '../../src/market/ccxt-market-data.ts';
import { FrameDecoder, type Tick } from '../../src/market/frame-decoder.ts';
import type { LiveChannel, LiveMarketEvent } from '../../src/market/live-market.ts';
import { OrderBook } from '../../src/market/order-book.ts';
import { Plain, type RestRequest, type RestServer, restServer } from '../support/public-rest-server.ts';
import { sharedData } from '../support/shared-data.ts';
import { type ServerConnection, type SocketServer, socketServer } from '../support/socket-server.ts';

const T0 = 1_700_000_100_000 - (1_700_000_100_000 % 900_000);
const MINUTE = 60_000;

interface Bench {
  readonly sockets: SocketServer;
  readonly rest: RestServer;
  readonly venue: VirtualTime;
  readonly real: VirtualTime;
  readonly market: CcxtMarketData;
  readonly events: LiveMarketEvent[];
  answer: (request: RestRequest) => unknown;
  start(channels: readonly LiveChannel[], symbols?: readonly string[], timeframe?: '1m'): Promise<void>;
  of<T extends LiveMarketEvent['type']>(type: T): Extract<LiveMarketEvent, { type: T }>[];
  /** The connection that carries a stream. */
  carrying(stream: string): Promise<ServerConnection>;
  subscribe: boolean;
}

async function bench(t: TestContext, options: Partial<CcxtMarketDataOptions> = {}): Promise<Bench> {
  const sockets = await socketServer(t, {
    onText: (connection, text) => {
      const { id } = JSON.parse(text) as { id: number };
      if (b.subscribe) connection.send({ result: null, id });
    },
  });
  const rest = await restServer(t, (request) => b.answer(request));
  const venue = new VirtualTime(T0 + 30_000);
  const real = new VirtualTime();
  const events: LiveMarketEvent[] = [];
  const market = new CcxtMarketData({
    restUrl: rest.url,
    streamUrl: sockets.url,
    time: venue,
    realTime: real,
    random: seededRandom(9),
    ...options,
  });
  t.after(() => market.stop());
  const b: Bench = {
    sockets,
    rest,
    venue,
    real,
    market,
    events,
    answer: () => undefined,
    subscribe: true,
    start: (channels, symbols = ['BTCUSDT', 'ETHUSDT'], timeframe = '1m') =>
      market.start({ symbols, timeframe, channels }, (event) => {
        events.push(event);
        sockets.changed();
      }),
    of: (type) => events.filter((event) => event.type === type) as never,
    carrying: async (stream) => {
      const find = () => sockets.open().find(({ said }) => said.some((text) => text.includes(`"${stream}"`)));
      await sockets.until(find);
      return find() as ServerConnection;
    },
  };
  return b;
}

const kline = (symbol: string, openTime: number, closed: boolean, close = '101') => ({
  e: 'kline',
  E: openTime + MINUTE,
  s: symbol,
  k: {
    t: openTime,
    T: openTime + MINUTE - 1,
    s: symbol,
    i: '1m',
    f: 1,
    L: 2,
    o: '100',
    c: close,
    h: '102',
    l: '99',
    v: '5',
    n: 3,
    x: closed,
    q: '500',
    V: '2',
    Q: '200',
    B: '0',
  },
});
const mark = (symbol: string, at: number, price: number) => ({
  e: 'markPriceUpdate',
  E: at,
  s: symbol,
  p: String(price),
  ap: '1',
  i: '1',
  P: '1',
  r: '0.00010000',
  T: T0 + 8 * 3_600_000,
  st: 1,
});
const bookTicker = (symbol: string, u: number, bid: string) => ({
  e: 'bookTicker',
  u,
  s: symbol,
  b: bid,
  B: '2',
  a: '200',
  A: '3',
  T: T0 + u,
  E: T0 + u,
  st: 1,
  ps: symbol,
});

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

test('history: pages, numbers, and never the bar that is still forming', async (t) => {
  const b = await bench(t);
  const now = T0 + 2500 * MINUTE + 30_000;
  b.venue.advanceTo(now);
  const row = (openTime: number) => [
    openTime,
    '100.10',
    '102.5',
    '99',
    '101',
    '5.5',
    openTime + MINUTE - 1,
    '1',
    2,
    '1',
    '1',
    '0',
  ];
  b.answer = ({ path: at, params }) => {
    assert.equal(at, '/fapi/v1/klines');
    const { startTime, endTime, limit } = params;
    const rows = [];
    for (
      let open = Math.ceil(Number(startTime) / MINUTE) * MINUTE;
      open <= Math.min(Number(endTime), now);
      open += MINUTE
    )
      rows.push(row(open));
    return rows.slice(0, Number(limit));
  };
  const bars = await b.market.history('BTCUSDT', '1m', T0, now);
  assert.equal(bars.length, 2500);
  assert.deepEqual(bars[0], {
    symbol: 'BTCUSDT',
    timeframe: '1m',
    openTime: T0,
    open: 100.1,
    high: 102.5,
    low: 99,
    close: 101,
    volume: 5.5,
  });
  assert.deepEqual(
    bars.map(({ openTime }) => openTime),
    Array.from({ length: 2500 }, (_, i) => T0 + i * MINUTE),
  );
  assert.equal(b.rest.requests.length, 3);
  // From the middle of a bar on: the first one whose close lies after it.
  const some = await b.market.history('BTCUSDT', '1m', T0 + 90_000, T0 + 4 * MINUTE);
  assert.deepEqual(
    some.map(({ openTime }) => (openTime - T0) / MINUTE),
    [1, 2, 3],
  );
  assert.deepEqual(await b.market.history('BTCUSDT', '1m', now, now), []);
});

test('history: a bar that closed this very moment counts only when a later one proves it', async (t) => {
  const b = await bench(t);
  const until = T0 + 2 * MINUTE;
  b.venue.advanceTo(until + 200);
  let rows = [T0, T0 + MINUTE];
  b.answer = () => rows.map((open) => [open, '1', '1', '1', '1', '0', open + MINUTE - 1]);
  const opens = async () =>
    (await b.market.history('BTCUSDT', '1m', T0, until)).map(({ openTime }) => openTime);
  assert.deepEqual(await opens(), [T0]);
  rows = [T0, T0 + MINUTE, until];
  assert.deepEqual(await opens(), [T0, T0 + MINUTE]);
  rows = [T0, T0 + MINUTE];
  b.venue.advanceTo(until + 5000);
  assert.deepEqual(await opens(), [T0, T0 + MINUTE], 'a quiet minute has no trade to prove it');
});

test('history: a failing venue is asked again, a refusing one is not, a ban closes the budget', async (t) => {
  const b = await bench(t);
  let asked = 0;
  const only = () => b.market.history('BTCUSDT', '1m', T0, T0 + MINUTE);
  b.answer = () => {
    asked++;
    return asked < 3
      ? new Plain(502, '<html>bad gateway</html>')
      : [
          [T0, '1', '1', '1', '1', '0', 0],
          [T0 + MINUTE, '1', '1', '1', '1', '0', 0],
        ];
  };
  assert.equal((await only()).length, 1);
  assert.equal(asked, 3);
  asked = 0;
  b.answer = () => {
    asked++;
    return new Plain(400, '{"code":-1121,"msg":"Invalid symbol."}');
  };
  await assert.rejects(only(), (error) => isBulkheadError(error, 'VENUE_UNREACHABLE'));
  assert.equal(asked, 1);
  b.answer = () => {
    asked++;
    return [[T0, '1', '0.5', '1', '1', '0', 0]];
  };
  await assert.rejects(only(), /cannot be read/);
  asked = 0;
  b.answer = () => {
    asked++;
    return new Plain(
      418,
      `{"code":-1003,"msg":"Way too many requests; IP(1.2.3.4) banned until ${b.venue.now() + 120_000}."}`,
    );
  };
  await assert.rejects(only());
  const waiting = only();
  b.answer = () => [
    [T0, '1', '1', '1', '1', '0', 0],
    [T0 + MINUTE, '1', '1', '1', '1', '0', 0],
  ];
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked, 1, 'nothing leaves during a ban');
  b.venue.advanceTo(b.venue.now() + 121_000);
  assert.equal((await waiting).length, 1);
});

/** Frames that Binance sent on 2021-07-22, with the snapshots that were fetched beside them. */
function recordedSession(): { frames: string[]; snapshots: Map<string, unknown> } | undefined {
  const root = sharedData();
  if (root === undefined) return undefined;
  const lines = (file: string) =>
    gunzipSync(readFileSync(path.join(root, 'micro/binance-um', file)))
      .toString()
      .split('\n');
  const frames = lines('cryptofeed_BINANCE_FUTURES_ws.txt.gz').flatMap((line) => {
    const json = /^\d+\.\d+: (\{.*\})$/.exec(line)?.[1];
    return json === undefined ? [] : [JSON.stringify((JSON.parse(json) as { data: unknown }).data)];
  });
  const snapshots = new Map<string, unknown>();
  for (const line of lines('cryptofeed_BINANCE_FUTURES_depth_snapshots.txt.gz')) {
    const found = /symbol=(\w+)&limit=1000 -> [\d.]+: (\{.*\})$/.exec(line);
    if (found) snapshots.set(found[1] as string, JSON.parse(found[2] as string));
  }
  return { frames, snapshots };
}

test('a recorded session of Binance comes through: books in step, quotes and trades as sent', async (t) => {
  const session = recordedSession();
  if (!session) return t.skip('no market data beside the checkout');
  const b = await bench(t);
  b.venue.advanceTo(1_626_992_741_000);
  const symbols = [...session.snapshots.keys()];
  b.answer = ({ params }) => session.snapshots.get(params.symbol as string);
  await b.start(['books', 'quotes', 'trades', 'bars'], symbols);
  const ticks: Tick[] = [];
  const decoder = new FrameDecoder((tick) => ticks.push(tick));
  const expected = new Map(symbols.map((symbol) => [symbol, new OrderBook()]));
  for (const [symbol, book] of expected) book.applySnapshot(session.snapshots.get(symbol) as never);
  const kinds = {
    depthUpdate: 'depth@100ms',
    bookTicker: 'bookTicker',
    aggTrade: 'aggTrade',
    kline: 'kline_1m',
  };
  for (const frame of session.frames) {
    const { e, s } = JSON.parse(frame) as { e: keyof typeof kinds; s: string };
    if (!(e in kinds)) continue;
    decoder.decode(Buffer.from(frame));
    const connection = await b.carrying(`${s.toLowerCase()}@${kinds[e]}`);
    connection.send(frame);
  }
  for (const tick of ticks) if (tick.kind === 'depth') expected.get(tick.symbol)?.applyDiff(tick);
  const trades = ticks.filter(({ kind }) => kind === 'trade');
  const lastDepth = (symbol: string) =>
    ticks.findLast((tick) => tick.kind === 'depth' && tick.symbol === symbol)?.at;
  await b.sockets.until(() => b.of('trade').length === trades.length);
  await b.sockets.until(() => symbols.every((symbol) => b.market.book(symbol)?.at === lastDepth(symbol)));
  assert.ok(trades.length > 20);
  assert.deepEqual(
    b
      .of('trade')
      .map(({ symbol, at, price, quantity }) => ({ symbol, at, price, quantity }))
      .sort(byText),
    trades
      .map(
        (tick) =>
          tick.kind === 'trade' && {
            symbol: tick.symbol,
            at: tick.at,
            price: tick.price,
            quantity: tick.quantity,
          },
      )
      .sort(byText),
  );
  for (const [symbol, book] of expected) {
    const found = b.market.book(symbol);
    for (const side of ['bids', 'asks'] as const)
      assert.deepEqual(
        found?.[side],
        book.levels(side, 50).map(({ price, quantity }) => [price, quantity]),
      );
  }
});

const byText = (x: unknown, y: unknown): number => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1);

test('a book with a missing diff answers nothing until a new snapshot has come', async (t) => {
  const b = await bench(t);
  let lastUpdateId = 100;
  b.answer = () => {
    b.sockets.changed();
    return { lastUpdateId, E: 1, T: 1, bids: [['9', '1']], asks: [['11', '1']] };
  };
  await b.start(['books'], ['BTCUSDT']);
  const books = await b.carrying('btcusdt@depth@100ms');
  const diff = (U: number, u: number, pu: number) => ({
    e: 'depthUpdate',
    E: T0 + u,
    T: T0 + u,
    s: 'BTCUSDT',
    U,
    u,
    pu,
    b: [['10', String(u)]],
    a: [],
  });
  books.send(diff(95, 101, 94));
  await b.sockets.until(() => b.market.book('BTCUSDT') !== undefined);
  assert.deepEqual(b.market.book('BTCUSDT'), {
    at: T0 + 101,
    bids: [
      [10, 101],
      [9, 1],
    ],
    asks: [[11, 1]],
  });
  books.send(diff(102, 105, 101));
  await b.sockets.until(() => b.market.book('BTCUSDT')?.at === T0 + 105);
  lastUpdateId = 122;
  books.send(diff(110, 121, 109));
  await b.sockets.until(() => b.rest.requests.length > 1);
  assert.equal(b.market.book('BTCUSDT'), undefined);
  books.send(diff(122, 123, 121), diff(124, 125, 123));
  await b.sockets.until(() => b.market.book('BTCUSDT')?.at === T0 + 125);
  assert.deepEqual(b.market.book('BTCUSDT')?.bids, [
    [10, 125],
    [9, 1],
  ]);
});

test('snapshots that fail are asked for again, with growing pauses', async (t) => {
  const b = await bench(t);
  b.answer = () => {
    b.sockets.changed();
    return new Plain(400, '{"code":-1121,"msg":"Invalid symbol."}');
  };
  await b.start(['books'], ['BTCUSDT']);
  const books = await b.carrying('btcusdt@depth@100ms');
  const pauses: number[] = [];
  books.send({ e: 'depthUpdate', E: T0, T: T0, s: 'BTCUSDT', U: 1, u: 1, pu: 0, b: [], a: [] });
  for (let asked = 1, u = 2; asked <= 4; asked++) {
    await b.sockets.until(() => b.rest.requests.length === asked);
    const asleep = b.real.now();
    // The next diff after the failure asks again, when its pause is over.
    while (b.rest.requests.length === asked) {
      books.send({ e: 'depthUpdate', E: T0 + u, T: T0, s: 'BTCUSDT', U: u, u: u++, pu: u - 2, b: [], a: [] });
      await new Promise((resolve) => setImmediate(resolve));
      b.real.advanceTo(b.real.now() + 20);
    }
    pauses.push(b.real.now() - asleep);
  }
  assert.ok((pauses[3] as number) >= 4000, `pauses ${pauses.join(', ')}`);
});

test('open interest is asked symbol by symbol', async (t) => {
  const b = await bench(t);
  b.answer = ({ path: at, params }) => {
    assert.equal(at, '/fapi/v1/openInterest');
    b.sockets.changed();
    return { symbol: params.symbol, openInterest: '10659.509', time: b.venue.now() };
  };
  await b.start(['open-interest']);
  await b.sockets.until(() => b.of('open-interest').length === 1);
  await new Promise((resolve) => setImmediate(resolve));
  b.venue.advanceTo(b.venue.now() + 150_000);
  await b.sockets.until(() => b.of('open-interest').length === 2);
  assert.deepEqual(
    b.of('open-interest').map(({ symbol, amount }) => [symbol, amount]),
    [
      ['BTCUSDT', 10659.509],
      ['ETHUSDT', 10659.509],
    ],
  );
});
