/** Bybit's and OKX's markets against loopback servers that speak their protocols, fed with recorded frames. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { readRecordingFile } from '../../src/market/archive.ts';
import type { LiveChannel, LiveMarketData, LiveMarketEvent } from '../../src/market/live-market.ts';
import { BybitMarketData } from '../../src/market/socket-bybit-market-data.ts';
import { OkxMarketData } from '../../src/market/socket-okx-market-data.ts';
import { bybitServer } from '../support/bybit-server.ts';
import { type OkxFrame, okxServer } from '../support/okx-server.ts';
import { type RestRequest, restServer } from '../support/public-rest-server.ts';
import { sharedData } from '../support/shared-data.ts';
import type { SocketServer } from '../support/socket-server.ts';

const T0 = 1_700_000_100_000 - (1_700_000_100_000 % 900_000);
const MINUTE = 60_000;

interface Bench<S extends SocketServer, M extends LiveMarketData> {
  readonly server: S;
  readonly market: M;
  readonly venue: VirtualTime;
  readonly real: VirtualTime;
  readonly events: LiveMarketEvent[];
  readonly asked: RestRequest[];
  answer: (request: RestRequest) => unknown;
  start(channels: readonly LiveChannel[], symbols?: readonly string[]): Promise<void>;
  of<T extends LiveMarketEvent['type']>(type: T): Extract<LiveMarketEvent, { type: T }>[];
}

interface Parts {
  readonly streamUrl: string;
  readonly restUrl: string;
  readonly time: VirtualTime;
  readonly realTime: VirtualTime;
  readonly random: ReturnType<typeof seededRandom>;
}

async function bench<S extends SocketServer, M extends LiveMarketData>(
  t: TestContext,
  server: S,
  make: (parts: Parts) => M,
): Promise<Bench<S, M>> {
  const rest = await restServer(t, (request) => b.answer(request));
  const venue = new VirtualTime(T0 + 30_000);
  const real = new VirtualTime();
  const market = make({
    streamUrl: server.url,
    restUrl: rest.url,
    time: venue,
    realTime: real,
    random: seededRandom(4),
  });
  t.after(() => market.stop());
  const events: LiveMarketEvent[] = [];
  const b: Bench<S, M> = {
    server,
    market,
    venue,
    real,
    events,
    asked: rest.requests as RestRequest[],
    answer: () => undefined,
    start: (channels, symbols = ['BTCUSDT']) =>
      market.start({ symbols, timeframe: '1m', channels }, (event) => {
        events.push(event);
        server.changed();
      }),
    of: (type) => events.filter((event) => event.type === type) as never,
  };
  return b;
}

const bybit = async (t: TestContext) => bench(t, await bybitServer(t), (parts) => new BybitMarketData(parts));

const okx = async (t: TestContext, instrumentOf?: (symbol: string) => string) => {
  const b = await bench(
    t,
    await okxServer(t),
    (parts) => new OkxMarketData({ ...parts, ...(instrumentOf && { instrumentOf }) }),
  );
  b.answer = () => ({ code: '0', msg: '', data: CONTRACTS });
  return b;
};
const CONTRACTS = [
  { instId: 'BTC-USDT-SWAP', instType: 'SWAP', ctType: 'linear', ctVal: '0.01', ctMult: '1' },
  { instId: 'UNI-USD-SWAP', instType: 'SWAP', ctType: 'inverse', ctVal: '10', ctMult: '1' },
];

test('bybit: subscribes on the linear path; a refused topic is an error that says so', async (t) => {
  const b = await bybit(t);
  await b.start(['bars', 'marks', 'quotes', 'trades', 'books', 'open-interest']);
  assert.equal(b.server.connections[0]?.path, '/v5/public/linear');
  assert.deepEqual([...b.server.topics].sort(), [
    'kline.1.BTCUSDT',
    'orderbook.50.BTCUSDT',
    'publicTrade.BTCUSDT',
    'tickers.BTCUSDT',
  ]);
  await assert.rejects(b.start(['marks'], ['NOSUCHUSDT']), /NOSUCHUSDT/);
  assert.equal(b.real.nextDeadline(), undefined);
});

test('bybit: a ticker is merged from its snapshot and its changes', async (t) => {
  const b = await bybit(t);
  await b.start(['marks', 'quotes', 'open-interest']);
  const topic = 'tickers.BTCUSDT';
  const data = {
    ...{ symbol: 'BTCUSDT', lastPrice: '17216.00', markPrice: '17217.33', indexPrice: '17227.36' },
    ...{ openInterest: '68744.761', openInterestValue: '1183601235.91', nextFundingTime: '1673280000000' },
    ...{
      fundingRate: '-0.000212',
      bid1Price: '17215.50',
      bid1Size: '84.489',
      ask1Price: '17216.00',
      ask1Size: '83.020',
    },
  };
  b.server.push({ topic, type: 'snapshot', data, cs: 1, ts: T0 } as { topic: string });
  await b.server.until(() => b.events.length === 3);
  const change = { symbol: 'BTCUSDT', bid1Price: '17215.60', bid1Size: '1', fundingRate: '-0.000300' };
  b.server.push({ topic, type: 'delta', data: change, cs: 2, ts: T0 + 100 } as { topic: string });
  await b.server.until(() => b.events.length === 5);
  const funding = { nextFundingAt: 1_673_280_000_000 };
  assert.deepEqual(b.of('mark'), [
    { type: 'mark', symbol: 'BTCUSDT', at: T0, mark: 17217.33, fundingRate: -0.000212, ...funding },
    { type: 'mark', symbol: 'BTCUSDT', at: T0 + 100, mark: 17217.33, fundingRate: -0.0003, ...funding },
  ]);
  const quote = { type: 'quote', symbol: 'BTCUSDT', ask: 17216, askQuantity: 83.02 };
  assert.deepEqual(b.of('quote'), [
    { ...quote, at: T0, bid: 17215.5, bidQuantity: 84.489 },
    { ...quote, at: T0 + 100, bid: 17215.6, bidQuantity: 1 },
  ]);
  assert.deepEqual(b.of('open-interest'), [
    { type: 'open-interest', symbol: 'BTCUSDT', at: T0, amount: 68744.761 },
  ]);
});

test('bybit: trades by the taker, closed candles only', async (t) => {
  const b = await bybit(t);
  await b.start(['trades', 'bars']);
  const trade = {
    T: T0 + 5,
    s: 'BTCUSDT',
    S: 'Buy',
    v: '0.001',
    p: '16578.50',
    L: 'PlusTick',
    i: '20f43950',
    BT: false,
  };
  const kline = {
    ...{ start: T0, end: T0 + MINUTE - 1, interval: '1', open: '16649.5', close: '16677', high: '16677' },
    ...{ low: '16608', volume: '2.081', turnover: '34666.4', confirm: false, timestamp: T0 + 5 },
  };
  b.server.push(
    {
      topic: 'publicTrade.BTCUSDT',
      type: 'snapshot',
      ts: T0 + 6,
      data: [trade, { ...trade, S: 'Sell' }],
    } as never,
    { topic: 'kline.1.BTCUSDT', data: [kline], ts: T0 + 6, type: 'snapshot' } as never,
    {
      topic: 'kline.1.BTCUSDT',
      data: [{ ...kline, confirm: true }],
      ts: T0 + MINUTE,
      type: 'snapshot',
    } as never,
  );
  await b.server.until(() => b.of('bar').length === 1);
  assert.deepEqual(
    b.of('trade').map(({ buyerMaker, price, quantity, at }) => [buyerMaker, price, quantity, at]),
    [
      [false, 16578.5, 0.001, T0 + 5],
      [true, 16578.5, 0.001, T0 + 5],
    ],
  );
  assert.deepEqual(b.of('bar')[0]?.bar, {
    ...{ symbol: 'BTCUSDT', timeframe: '1m', openTime: T0, open: 16649.5, high: 16677, low: 16608 },
    ...{ close: 16677, volume: 2.081 },
  });
});

interface BybitBook {
  topic: string;
  type: string;
  ts: number;
  data: { b: [string, string][]; a: [string, string][]; u: number };
}

/** The book as it must be: by sorting, not by the code under test. */
function replayed(frames: readonly BybitBook[]): { bids: number[][]; asks: number[][] } {
  const sides = { b: new Map<string, string>(), a: new Map<string, string>() };
  for (const { type, data } of frames) {
    for (const side of ['b', 'a'] as const) {
      if (type === 'snapshot') sides[side].clear();
      for (const [price, quantity] of data[side]) {
        if (Number(quantity) === 0) sides[side].delete(price);
        else sides[side].set(price, quantity);
      }
    }
  }
  const sorted = (side: 'b' | 'a', order: number) =>
    [...sides[side]]
      .map((level) => level.map(Number))
      .sort((x, y) => ((x[0] as number) - (y[0] as number)) * order)
      .slice(0, 50);
  return { bids: sorted('b', -1), asks: sorted('a', 1) };
}

test('bybit: a recorded book comes out level for level; a missing change asks for a new snapshot', async (t) => {
  const root = sharedData();
  if (root === undefined) return t.skip('no market data beside the checkout');
  const text = readRecordingFile(path.join(root, 'micro/bybit/nautilus_xrpusdt-ob500.data.zip')).toString();
  const topic = 'orderbook.50.XRPUSDT';
  const frames = text
    .trim()
    .split('\n')
    .map((line) => ({ ...(JSON.parse(line) as BybitBook), topic }));
  assert.ok(frames.length >= 40);
  const b = await bybit(t);
  await b.start(['books'], ['XRPUSDT']);
  b.server.push(...frames);
  await b.server.until(() => b.market.book('XRPUSDT')?.at === frames.at(-1)?.ts);
  const { at: _at, ...book } = b.market.book('XRPUSDT') ?? { at: 0 };
  assert.deepEqual(book, replayed(frames));

  const last = frames.at(-1) as BybitBook;
  const skipping: BybitBook = { ...last, data: { ...last.data, u: last.data.u + 2 } };
  b.server.push(skipping);
  await b.server.until(() => b.server.requests.length === 3);
  assert.deepEqual(b.server.requests.slice(1), [`unsubscribe ${topic}`, `subscribe ${topic}`]);
  assert.equal(b.market.book('XRPUSDT'), undefined);
  b.server.push(frames[1] as BybitBook, frames[0] as BybitBook);
  await b.server.until(() => b.market.book('XRPUSDT') !== undefined);
  assert.equal(b.server.requests.length, 3, 'asked once');
});

test('both: pinged in their own words, given up when silent, and back with a gap', async (t) => {
  for (const b of [await bybit(t), await okx(t)]) {
    await b.start(['bars', 'marks']);
    const connections = b.server.connections.length;
    b.real.advanceTo(10_000);
    await b.server.until(() => b.server.pings() === connections);
    for (const connection of b.server.open()) connection.socket.terminate();
    while (b.of('gap').length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      b.real.advanceTo(b.real.now() + 10);
    }
    assert.deepEqual(b.of('gap')[0]?.symbols, ['BTCUSDT']);
    await b.market.stop();
    assert.equal(b.real.nextDeadline(), undefined);
    assert.equal(b.venue.nextDeadline(), undefined);
  }
});

interface OkxBook extends OkxFrame {
  action?: string;
  data: { bids: string[][]; asks: string[][]; ts: string; checksum: number }[];
}

test('okx: a recorded session comes through, every checksum right', async (t) => {
  const root = sharedData();
  if (root === undefined) return t.skip('no market data beside the checkout');
  const frames = readRecordingFile(path.join(root, 'micro/okx/cryptofeed_OKX_ws.txt.gz'))
    .toString()
    .split('\n')
    .flatMap((line) => {
      const json = /^\d+\.\d+: (\{"arg".*\})$/.exec(line)?.[1];
      return json === undefined ? [] : [JSON.parse(json) as OkxBook];
    });
  const instruments = ['BTC-USD-220527', 'UNI-USD-SWAP', 'BTC-USDT'];
  const b = await okx(t, (symbol) => symbol);
  await b.start(['quotes', 'trades', 'books'], instruments);
  const subscribed = b.server.requests.length;
  assert.equal(subscribed, 9);
  b.server.push(...frames);
  const books = frames.filter(({ arg }) => arg.channel === 'books');
  const trades = frames
    .filter(({ arg }) => arg.channel === 'trades')
    .flatMap(({ data }) => data as unknown as Record<string, string>[]);
  const newest = (instId: string): number =>
    Number(books.findLast(({ arg }) => arg.instId === instId)?.data[0]?.ts);
  await b.server.until(() => instruments.every((id) => b.market.book(id)?.at === newest(id)));
  assert.equal(b.server.requests.length, subscribed, 'no book was lost');
  assert.ok(books.length > 280 && trades.length > 70);
  for (const instId of instruments) {
    const own = books.filter(({ arg }) => arg.instId === instId);
    const { at: _at, ...book } = b.market.book(instId) ?? { at: 0 };
    const asBybit = own.map(({ action, data }) => ({
      topic: '',
      ts: 0,
      type: action as string,
      data: { u: 0, b: pairs(data[0]?.bids), a: pairs(data[0]?.asks) },
    }));
    assert.deepEqual(book, replayed(asBybit));
  }
  assert.deepEqual(
    b
      .of('trade')
      .map(({ symbol, at, price, quantity, buyerMaker }) => [symbol, at, price, quantity, buyerMaker]),
    trades.map(({ instId, ts, px, sz, side }) => [
      instId,
      Number(ts),
      Number(px),
      Number(sz),
      side === 'sell',
    ]),
  );
  const quote = b.of('quote').find(({ symbol }) => symbol === 'BTC-USDT');
  assert.ok(quote && quote.bid < quote.ask);
});

const pairs = (levels: readonly string[][] = []) => levels.map(([p, q]) => [p, q] as [string, string]);

test('okx: a wrong checksum or a missing change asks for a new snapshot', async (t) => {
  const b = await okx(t);
  await b.start(['books']);
  const arg = { channel: 'books', instId: 'BTC-USDT-SWAP' };
  const frame = (action: string, prevSeqId: number, seqId: number, checksum: number, bid: string) => ({
    arg,
    action,
    data: [
      {
        asks: [['11', '4', '0', '1']],
        bids: [[bid, '200', '0', '1']],
        ts: String(T0 + seqId),
        checksum,
        prevSeqId,
        seqId,
      },
    ],
  });
  b.server.push(
    frame('snapshot', -1, 10, 0, '10'),
    frame('update', 10, 10, 0, '10'),
    frame('update', 10, 15, 0, '9'),
  );
  await b.server.until(() => b.market.book('BTCUSDT')?.at === T0 + 15);
  // Contracts of a hundredth of a bitcoin.
  assert.deepEqual(b.market.book('BTCUSDT')?.bids, [
    [10, 2],
    [9, 2],
  ]);
  b.server.push(frame('update', 16, 17, 0, '8'));
  await b.server.until(() => b.server.requests.length === 3);
  assert.equal(b.market.book('BTCUSDT'), undefined);
  b.server.push(frame('snapshot', -1, 20, 0, '10'), frame('update', 20, 21, 12345, '9'));
  await b.server.until(() => b.server.requests.length === 5);
  assert.equal(b.market.book('BTCUSDT'), undefined);
});

test('okx: marks with their funding, open interest in the base asset, closed candles', async (t) => {
  const b = await okx(t);
  await b.start(['marks', 'open-interest', 'bars', 'trades']);
  assert.deepEqual(b.server.connections.map((connection) => connection.path).sort(), [
    '/ws/v5/business',
    '/ws/v5/public',
  ]);
  const instId = 'BTC-USDT-SWAP';
  const push = (channel: string, data: unknown): void =>
    b.server.push({ arg: { channel, instId }, data } as OkxFrame);
  push('funding-rate', [
    {
      instId,
      instType: 'SWAP',
      fundingRate: '0.0001875',
      fundingTime: String(T0 + 9),
      nextFundingTime: String(T0 + 99),
      ts: '1',
    },
  ]);
  push('mark-price', [{ instId, instType: 'SWAP', markPx: '42310.6', ts: String(T0) }]);
  push('open-interest', [{ instId, instType: 'SWAP', oi: '2216113', oiCcy: '22161.13', ts: String(T0) }]);
  push('trades', [
    { instId, tradeId: '1', px: '42219.9', sz: '12', side: 'buy', ts: String(T0), count: '3' },
  ]);
  const row = (confirm: string) => [
    String(T0),
    '8533',
    '8553.7',
    '8527',
    '8548',
    '45247',
    '452.47',
    '3.9e6',
    confirm,
  ];
  push('candle1m', [row('0')]);
  push('candle1m', [row('1')]);
  await b.server.until(
    () => b.of('bar').length === 1 && b.of('trade').length === 1 && b.of('mark').length === 1,
  );
  assert.deepEqual(b.of('mark')[0], {
    ...{ type: 'mark', symbol: 'BTCUSDT', at: T0, mark: 42310.6 },
    ...{ fundingRate: 0.0001875, nextFundingAt: T0 + 9 },
  });
  assert.equal(b.of('open-interest')[0]?.amount, 22161.13);
  assert.deepEqual([b.of('trade')[0]?.quantity, b.of('trade')[0]?.buyerMaker], [0.12, false]);
  assert.deepEqual([b.of('bar')[0]?.bar.volume, b.of('bar')[0]?.bar.close], [452.47, 8548]);
  await assert.rejects(b.start(['marks'], ['NOSUCHUSDT']), /NOSUCH-USDT-SWAP does not exist/);
});

test('history of both: pages, oldest first, closed bars only', async (t) => {
  const now = T0 + 250 * MINUTE + 30_000;
  const opens = (from: number, to: number, most: number): number[] => {
    const found = [];
    for (let open = Math.ceil(from / MINUTE) * MINUTE; open <= Math.min(to, now); open += MINUTE)
      found.push(open);
    // The newest are given where there are too many, newest first.
    return found.reverse().slice(0, most);
  };
  const all = Array.from({ length: 250 }, (_, i) => T0 + i * MINUTE);
  const first = await bybit(t);
  first.venue.advanceTo(now);
  first.answer = ({ path: at, params }) => {
    assert.equal(at, '/v5/market/kline');
    assert.deepEqual([params.category, params.symbol, params.interval], ['linear', 'BTCUSDT', '1']);
    const list = opens(Number(params.start), Number(params.end), Number(params.limit)).map((open) => [
      String(open),
      '2',
      '3',
      '1',
      '2.5',
      '7',
      '1',
    ]);
    return { retCode: 0, retMsg: 'OK', result: { category: 'linear', symbol: 'BTCUSDT', list }, time: now };
  };
  const bars = await first.market.history('BTCUSDT', '1m', T0, now);
  assert.deepEqual(
    bars.map(({ openTime }) => openTime),
    all,
  );
  assert.deepEqual(bars[0], {
    symbol: 'BTCUSDT',
    timeframe: '1m',
    openTime: T0,
    open: 2,
    high: 3,
    low: 1,
    close: 2.5,
    volume: 7,
  });

  const second = await okx(t);
  second.venue.advanceTo(now);
  second.answer = ({ path: at, params }) => {
    assert.equal(at, '/api/v5/market/candles');
    assert.deepEqual([params.instId, params.bar], ['BTC-USDT-SWAP', '1m']);
    const data = opens(Number(params.before) + 1, Number(params.after) - 1, Number(params.limit)).map(
      (open) => [...[String(open), '2', '3', '1', '2.5', '700', '7', '1'], open + MINUTE <= now ? '1' : '0'],
    );
    return { code: '0', msg: '', data };
  };
  const others = await second.market.history('BTCUSDT', '1m', T0, now);
  assert.deepEqual(others, bars);
  assert.equal(second.asked.length, 3);
});
