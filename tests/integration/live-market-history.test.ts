/** The live market's REST side: closed bars page by page, and open interest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBulkheadError } from '../../src/core/errors.ts';
import { liveMarketBench as bench, MINUTE, T0 } from '../support/live-market-bench.ts';
import { Plain } from '../support/public-rest-server.ts';

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

test('history of the mark price: the same pages of another series', async (t) => {
  const b = await bench(t);
  const now = T0 + 4 * MINUTE + 30_000;
  b.venue.advanceTo(now);
  b.answer = ({ path: at }) => {
    assert.equal(at, '/fapi/v1/markPriceKlines');
    return [0, 1, 2, 3, 4].map((i) => [
      T0 + i * MINUTE,
      '100',
      '101.5',
      '99',
      '100',
      '0',
      0,
      '0',
      60,
      '0',
      '0',
      '0',
    ]);
  };
  const bars = await b.market.markHistory('BTCUSDT', '1m', T0, now);
  assert.deepEqual(
    bars.map(({ openTime, high }) => [(openTime - T0) / MINUTE, high]),
    [0, 1, 2, 3].map((i) => [i, 101.5]),
  );
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
