/** Listen keys, the frames of the user stream, and their agreement with the official client's types. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreBench, type Fields, KEY, START, short } from '../support/venue-account.ts';

const HOUR = 3_600_000;
const PATH = '/fapi/v1/listenKey';

test('a listen key is returned again while it lives, extended, closed, and different afterwards', () => {
  const bench = new CoreBench();
  assert.equal(bench.put(PATH).code, -1125);
  const key = bench.listen();
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.equal(bench.core.listenKeyAccount(key), 'main');
  bench.at += HOUR - 1000;
  assert.equal(bench.listen(), key);
  bench.at += HOUR - 1000;
  assert.equal(bench.put(PATH).listenKey, key);
  assert.equal(bench.core.nextDeadline(), bench.at + HOUR);
  assert.deepEqual(bench.delete(PATH), {});
  assert.equal(bench.core.listenKeyAccount(key), undefined);
  assert.notEqual(bench.listen(), key);
});

test('an hour without extension: the stream says so and goes mute', () => {
  const bench = new CoreBench();
  const key = bench.listen();
  bench.core.tick(bench.at + HOUR - 1);
  assert.deepEqual(bench.frames(), []);
  const at = bench.at + HOUR;
  bench.core.tick(at);
  assert.deepEqual(bench.frames(), [{ e: 'listenKeyExpired', E: at, listenKey: key }]);
  bench.at = at;
  bench.market('BUY', '1');
  assert.deepEqual(bench.frames(), []);
  assert.equal(bench.core.nextDeadline(), undefined);
});

test('a key can be made to expire without a word', () => {
  const bench = new CoreBench();
  bench.listen();
  bench.core.expireListenKey('main', bench.at, false);
  bench.core.expireListenKey('main', bench.at, true);
  assert.deepEqual(bench.frames(), []);
  assert.equal(bench.put(PATH).code, -1125);
});

test('a fill is told in short, then the money, then the order; each with the clock of the venue', () => {
  const bench = new CoreBench();
  bench.listen();
  bench.market('BUY', '1', { newClientOrderId: 'c-1' });
  const frames = bench.frames();
  assert.deepEqual(frames.map(short), ['ORDER NEW NEW', 'TRADE_LITE', 'ACCOUNT ORDER', 'ORDER TRADE FILLED']);
  for (const frame of frames) assert.equal(frame.E, bench.at);
  const { o: order } = frames[3] as { o: Fields };
  assert.deepEqual(
    [order.c, order.l, order.z, order.L, order.ap, order.n, order.N, order.m, order.rp],
    ['c-1', '1', '1', '100', '100', '0.05', 'USDT', false, '0'],
  );
  assert.ok(bench.at > START);
});

test('an order’s frame tells what the symbol’s open orders come to', () => {
  const bench = new CoreBench();
  bench.listen();
  bench.limit('BUY', '2', '99');
  bench.limit('SELL', '1', '101');
  const order = bench.frames().at(-1)?.o as Fields;
  assert.deepEqual([order.b, order.a], ['198', '101']);
});

/** The fields that the official client declares for each event, in its own order. */
const DECLARED: Record<string, string> = {
  ORDER_TRADE_UPDATE: 's c S o f q p ap sp x X i l z L N n T t b a m R wt ot ps cp rp pP si ss V pm gtd er',
  ALGO_UPDATE: 'caid aid at o s S ps f q X ai tp p V wt pm cp pP R tt gtd ia',
};

test('frames carry every field that the official client declares', () => {
  const bench = new CoreBench();
  bench.listen();
  bench.market('BUY', '1');
  bench.stop('SELL', '95');
  const seen = new Set<string>();
  for (const frame of bench.frames()) {
    const declared = DECLARED[String(frame.e)];
    if (declared === undefined) continue;
    seen.add(String(frame.e));
    const keys = Object.keys(frame.o as Fields);
    assert.deepEqual(
      declared.split(' ').filter((field) => !keys.includes(field)),
      [],
      String(frame.e),
    );
  }
  assert.deepEqual([...seen].sort(), ['ALGO_UPDATE', 'ORDER_TRADE_UPDATE']);
});

test('no entry of the journal holds the key or the listen key', () => {
  const bench = new CoreBench();
  const key = bench.listen();
  bench.market('BUY', '1');
  bench.put(PATH);
  const text = JSON.stringify(bench.entries);
  assert.ok(!text.includes(KEY));
  assert.ok(!text.includes(key));
  assert.ok(!JSON.stringify(bench.core.checkpoint()).includes(key));
});

test('an entry is in the journal before anything is pushed', () => {
  const order: string[] = [];
  const bench = new CoreBench({
    push: () => order.push('push'),
    journal: { append: ({ type }) => order.push(type) },
  });
  bench.listen();
  bench.market('BUY', '1');
  assert.deepEqual(order, ['request', 'request', 'push', 'push', 'push', 'push']);
  order.length = 0;
  bench.limit('BUY', '1', '99');
  bench.price(98);
  assert.deepEqual(order, ['request', 'push', 'feed', 'push', 'push', 'push']);
});

test('prices that concern nobody are not journaled', () => {
  const bench = new CoreBench();
  bench.price(101);
  bench.limit('BUY', '1', '99');
  bench.price(100);
  bench.price(99.5);
  assert.deepEqual(
    bench.entries.map(({ type }) => type),
    ['request'],
  );
  bench.feed({
    type: 'TRADE',
    at: ++bench.at,
    symbol: 'BTCUSDT',
    price: '99.4',
    quantity: '1',
    buyerMaker: true,
  });
  bench.feed({ type: 'FUNDING', at: ++bench.at, symbol: 'BTCUSDT', rate: 0.001 });
  assert.equal(bench.entries.length, 1);
});
