/** Bybit's market, fed with a recorded book; and what is the same for OKX's. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readRecordingFile } from '../../src/market/recorded/archive.ts';
import { type BybitBook, bybit, MINUTE, okx, replayed, T0 } from '../support/other-market-bench.ts';
import { sharedData } from '../support/shared-data.ts';

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
