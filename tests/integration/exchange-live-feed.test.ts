/** A local exchange over another venue's live market: of Binance's own protocol, of Bybit's and of OKX's. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { bybitServer } from '../support/bybit-server.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { type OkxFrame, okxServer } from '../support/okx-server.ts';
import { CONTRACTS } from '../support/other-market-bench.ts';
import { type RestRequest, restServer } from '../support/public-rest-server.ts';

const BUY = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.01' };
const MINUTE = 60_000;

/** REST and sockets behind one address, as a venue may be given by one. */
async function oneDoor(t: TestContext, restUrl: string, socketUrl: string): Promise<string> {
  const server = createServer((request, response) => {
    void fetch(`${restUrl}${request.url}`).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket) => {
    const peer = connect(Number(new URL(socketUrl).port), '127.0.0.1');
    const heads = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    peer.write(`GET ${request.url} HTTP/1.1\r\n${heads.join('')}\r\n`);
    socket.pipe(peer).pipe(socket);
    for (const end of [socket, peer]) end.on('error', () => [socket.destroy(), peer.destroy()]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  return `http://127.0.0.1:${address.port}`;
}

/** Bars up to now at this price, as a venue's REST tells them: the newest first. */
function bars(from: number, to: number, row: (openTime: number) => readonly string[]): (readonly string[])[] {
  const rows: (readonly string[])[] = [];
  for (let at = Math.ceil(from / MINUTE) * MINUTE; at < Math.min(to, Date.now()); at += MINUTE)
    rows.push(row(at));
  return rows.reverse();
}

async function fillPrice(venue: ExchangeProcess): Promise<number> {
  const placed = await venue.signed('POST', '/fapi/v1/order', { ...BUY, newOrderRespType: 'RESULT' });
  assert.equal(placed.status, 200, JSON.stringify(placed.json));
  assert.equal(placed.json.status, 'FILLED');
  return Number(placed.json.avgPrice);
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The touch, once the exchange has heard its market. */
const quoted = (venue: ExchangeProcess) =>
  until(async () => {
    const book = (await venue.get('/fapi/v1/ticker/bookTicker?symbol=BTCUSDT')) as Record<string, string>;
    const [bid, ask] = [Number(book.bidPrice), Number(book.askPrice)];
    return bid > 0 && ask > 0 ? { bid, ask } : undefined;
  });

test('of Binance’s protocol: a second exchange trades what the first one shows', {
  timeout: 60_000,
}, async (t) => {
  const first = await ExchangeProcess.start(t, ['--symbols', 'BTCUSDT', '--synthetic']);
  const venue = await ExchangeProcess.start(t, ['--symbols', 'BTCUSDT', '--live-feed', first.url]);
  const { ask } = await quoted(venue);
  const paid = await fillPrice(venue);
  assert.ok(Math.abs(paid / ask - 1) < 0.01, `${paid}, ${ask}`);
});

test('of Bybit’s: its quotes are ours, and an order fills from its book', { timeout: 60_000 }, async (t) => {
  const sockets = await bybitServer(t);
  const asked: string[] = [];
  const rest = await restServer(t, ({ path, params }: RestRequest) => {
    asked.push(path);
    const row = (at: number) => [String(at), '50000', '50010', '49990', '50000', '1', '50000'];
    return { retCode: 0, result: { list: bars(Number(params.start), Number(params.end), row) } };
  });
  const url = await oneDoor(t, rest.url, sockets.url);
  const starting = ExchangeProcess.start(t, ['--symbols', 'BTCUSDT', '--live-feed', `bybit@${url}`]);
  await sockets.until(
    () => sockets.topics.has('tickers.BTCUSDT') && sockets.topics.has('orderbook.50.BTCUSDT'),
  );
  const ts = Date.now();
  const prices = { lastPrice: '50000.00', markPrice: '50000.10', indexPrice: '50000.00' };
  const touch = { bid1Price: '49999.90', bid1Size: '3', ask1Price: '50000.10', ask1Size: '3' };
  const funding = { fundingRate: '0.0001', nextFundingTime: String(ts + 3_600_000) };
  const data = { symbol: 'BTCUSDT', ...prices, ...touch, ...funding };
  sockets.push({ topic: 'tickers.BTCUSDT', type: 'snapshot', data, cs: 1, ts } as { topic: string });
  const book = { s: 'BTCUSDT', b: [['49999.90', '3']], a: [['50000.10', '3']], u: 1, seq: 1 };
  sockets.push({ topic: 'orderbook.50.BTCUSDT', type: 'snapshot', data: book, ts, cts: ts } as {
    topic: string;
  });
  const venue = await starting;
  assert.ok(asked.includes('/v5/market/kline'));
  assert.deepEqual(await quoted(venue), { bid: 49999.9, ask: 50000.1 });
  assert.equal(await fillPrice(venue), 50000.1);
});

test('of OKX’s: its contracts are counted in the base asset', { timeout: 60_000 }, async (t) => {
  const sockets = await okxServer(t);
  const rest = await restServer(t, ({ path, params }: RestRequest) => {
    if (path.includes('instruments')) return { code: '0', msg: '', data: CONTRACTS };
    const row = (at: number) => [String(at), '50000', '50010', '49990', '50000', '100', '1', '50000', '1'];
    return { code: '0', data: bars(Number(params.before) + 1, Number(params.after) - 1, row) };
  });
  const url = await oneDoor(t, rest.url, sockets.url);
  const starting = ExchangeProcess.start(t, ['--symbols', 'BTCUSDT', '--live-feed', `okx@${url}`]);
  await sockets.until(() => sockets.requests.includes('subscribe books BTC-USDT-SWAP'));
  const ts = String(Date.now());
  const level = (price: string) => [price, '300', '0', '1'];
  sockets.push(
    {
      arg: { channel: 'mark-price', instId: 'BTC-USDT-SWAP' },
      data: [{ instId: 'BTC-USDT-SWAP', instType: 'SWAP', markPx: '50000.1', ts }],
    } as OkxFrame,
    {
      arg: { channel: 'books', instId: 'BTC-USDT-SWAP' },
      action: 'snapshot',
      data: [{ asks: [level('50000.1')], bids: [level('49999.9')], ts, seqId: 1, prevSeqId: -1 }],
    } as OkxFrame,
  );
  const venue = await starting;
  const depth = await until(async () => {
    const found = (await venue.get('/fapi/v1/depth?symbol=BTCUSDT&limit=5')) as { asks: string[][] };
    return found.asks?.length > 0 ? found : undefined;
  });
  // 300 contracts of 0.01 BTC.
  assert.deepEqual([Number(depth.asks[0]?.[0]), Number(depth.asks[0]?.[1])], [50000.1, 3]);
  assert.equal(await fillPrice(venue), 50000.1);
});
