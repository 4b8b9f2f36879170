/** OKX's market, fed with a recorded session. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readRecordingFile } from '../../src/market/recorded/archive.ts';
import type { OkxFrame } from '../support/okx-server.ts';
import { type OkxBook, okx, pairs, replayed, T0 } from '../support/other-market-bench.ts';
import { sharedData } from '../support/shared-data.ts';

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
  const listed = { ctType: 'linear', ctVal: '1', ctMult: '1' };
  b.answer = () => ({ code: '0', data: instruments.map((instId) => ({ instId, ...listed })) });
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

test('okx: nothing is counted in contracts of a size that nobody told', async (t) => {
  const b = await okx(t);
  for (const channel of ['quotes', 'trades', 'books'] as const)
    await assert.rejects(b.start([channel], ['BTCUSDT', 'UNIUSDT']), /no contract size of UNI-USDT-SWAP/);
  assert.deepEqual(b.server.requests, [], 'nothing was subscribed to');
  await b.start(['marks', 'open-interest'], ['UNIUSDT']);
  b.answer = () => ({
    code: '0',
    msg: '',
    data: [{ instId: 'UNI-USDT-SWAP', instType: 'SWAP', ctType: 'linear', ctVal: '10', ctMult: '1' }],
  });
  await b.start(['trades'], ['UNIUSDT']);
  const instId = 'UNI-USDT-SWAP';
  const data = [{ instId, tradeId: '1', px: '5', sz: '3', side: 'buy', ts: String(T0), count: '1' }];
  b.server.push({ arg: { channel: 'trades', instId }, data } as OkxFrame);
  await b.server.until(() => b.of('trade').length === 1);
  assert.equal(b.of('trade')[0]?.quantity, 30);
});
