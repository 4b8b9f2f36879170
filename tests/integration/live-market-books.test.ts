/** The live market's order books, and a recorded session of Binance. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { FrameDecoder, type Tick } from '../../src/market/feeds/frame-decoder.ts';
import { OrderBook } from '../../src/market/order-book.ts';
import { liveMarketBench as bench, T0 } from '../support/live-market-bench.ts';
import { Plain } from '../support/public-rest-server.ts';
import { sharedData } from '../support/shared-data.ts';

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
