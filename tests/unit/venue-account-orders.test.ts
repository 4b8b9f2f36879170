/** The plain order endpoints: what they answer, refuse and push. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreBench, short } from '../support/venue-account.ts';

const ORDER = '/fapi/v1/order';

test('a market order is answered filled, its trade and its money are listed', () => {
  const bench = new CoreBench();
  const answer = bench.market('BUY', '1', { newClientOrderId: 'mine' });
  assert.equal(answer.status, 'FILLED');
  assert.equal(answer.avgPrice, '100.00000');
  assert.equal(answer.clientOrderId, 'mine');
  const [trade] = bench.list('/fapi/v1/userTrades', { symbol: 'BTCUSDT' });
  assert.equal(trade?.orderId, answer.orderId);
  assert.equal(trade?.commission, '0.05000000');
  assert.equal(trade?.maker, false);
  const [fee] = bench.list('/fapi/v1/income');
  assert.deepEqual([fee?.incomeType, fee?.income], ['COMMISSION', '-0.05000000']);
  assert.equal(bench.wallet(), '9999.95');
  assert.deepEqual(bench.core.violations(), []);
});

test('ACK says placed and nothing of what came of it', () => {
  const bench = new CoreBench();
  const answer = bench.market('BUY', '1', { newOrderRespType: 'ACK' });
  assert.deepEqual([answer.status, answer.executedQty], ['NEW', '0']);
  const row = bench.get(ORDER, { symbol: 'BTCUSDT', orderId: Number(answer.orderId) });
  assert.deepEqual([row.status, row.executedQty], ['FILLED', '1']);
});

test('a limit order rests, fills as maker and is found by either id', () => {
  const bench = new CoreBench();
  const placed = bench.limit('BUY', '2', '99', { newClientOrderId: 'rest' });
  assert.equal(placed.status, 'NEW');
  assert.equal(bench.list('/fapi/v1/openOrders', { symbol: 'BTCUSDT' }).length, 1);
  bench.price(98.9);
  const row = bench.get(ORDER, { symbol: 'BTCUSDT', origClientOrderId: 'rest' });
  assert.deepEqual([row.status, row.avgPrice, row.cumQuote], ['FILLED', '99.00000', '198']);
  assert.equal(bench.list('/fapi/v1/openOrders').length, 0);
  assert.equal(bench.get('/fapi/v1/openOrder', { symbol: 'BTCUSDT', origClientOrderId: 'rest' }).code, -2013);
  assert.equal(bench.list('/fapi/v1/userTrades', { symbol: 'BTCUSDT' })[0]?.maker, true);
});

test('refusals have the codes and texts of the venue', () => {
  const bench = new CoreBench({ account: { initialBalance: '100' } });
  bench.post('/fapi/v1/leverage', { symbol: 'BTCUSDT', leverage: 125 });
  const order = {
    symbol: 'BTCUSDT',
    side: 'BUY',
    type: 'LIMIT',
    timeInForce: 'GTC',
    quantity: '1',
    price: '99',
  };
  const cases: readonly (readonly [Record<string, string>, number])[] = [
    [{ symbol: '' }, -1102],
    [{ symbol: 'NOPE' }, -1121],
    [{ side: '' }, -1102],
    [{ side: 'UP' }, -1117],
    [{ type: 'MAGIC' }, -1116],
    [{ type: 'STOP_MARKET' }, -4120],
    [{ type: 'MARKET' }, -1106],
    [{ timeInForce: 'SOON' }, -1115],
    [{ timeInForce: '' }, -1102],
    [{ price: '' }, -1102],
    [{ price: 'much' }, -1100],
    [{ price: '99.05' }, -4014],
    [{ price: '99.0000000001' }, -1111],
    [{ price: '106' }, -4016],
    [{ quantity: '0.0005' }, -4004],
    [{ quantity: '1.0005' }, -4023],
    [{ quantity: '0.001' }, -4164],
    [{ quantity: '2000' }, -4005],
    [{ quantity: '1000' }, -2027],
    [{ positionSide: 'LONG' }, -4061],
    [{ positionSide: 'UP' }, -4060],
    [{ reduceOnly: 'perhaps' }, -1130],
    [{ reduceOnly: 'true' }, -2022],
    [{ newOrderRespType: 'FULL' }, -1136],
    [{ selfTradePreventionMode: 'HOPE' }, -5039],
    [{ newClientOrderId: 'x'.repeat(37) }, -4015],
    [{ newClientOrderId: 'blank space' }, -1100],
    [{ timeInForce: 'GTD' }, -1102],
    [{ timeInForce: 'GTD', goodTillDate: String(bench.at + 1000) }, -5040],
    [{ timeInForce: 'GTX', price: '101' }, -5022],
    [{ timeInForce: 'FOK' }, -5021],
    [{ priceMatch: 'OPPONENT' }, -1106],
    [{ priceMatch: 'BEST', price: '' }, -5037],
    [{ priceMatch: 'OPPONENT', price: '' }, -5041],
    [{ closePosition: 'true' }, -4136],
  ];
  for (const [change, code] of cases)
    assert.equal(bench.post(ORDER, { ...order, ...change }).code, code, JSON.stringify(change));
  assert.equal(
    bench.post(ORDER, { ...order, symbol: '' }).msg,
    "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
  );
  assert.equal(bench.post(ORDER, { ...order, quantity: '300' }).code, -2019);
  assert.equal(bench.list('/fapi/v1/openOrders').length, 0);
  assert.deepEqual(bench.core.violations(), []);
});

test('a client id is unique among open orders only', () => {
  const bench = new CoreBench();
  bench.limit('BUY', '1', '99', { newClientOrderId: 'twice' });
  assert.equal(bench.limit('BUY', '1', '98', { newClientOrderId: 'twice' }).code, -4116);
  const first = bench.delete(ORDER, { symbol: 'BTCUSDT', origClientOrderId: 'twice' });
  assert.equal(first.status, 'CANCELED');
  const second = bench.limit('BUY', '1', '98', { newClientOrderId: 'twice' });
  assert.equal(second.status, 'NEW');
  const found = bench.get(ORDER, { symbol: 'BTCUSDT', origClientOrderId: 'twice' });
  assert.equal(found.orderId, second.orderId);
});

test('cancelling what is over is refused, what never was is not known', () => {
  const bench = new CoreBench();
  const { orderId } = bench.market('BUY', '1');
  assert.equal(bench.delete(ORDER, { symbol: 'BTCUSDT', orderId: Number(orderId) }).code, -2011);
  assert.equal(bench.delete(ORDER, { symbol: 'BTCUSDT', orderId: 7 }).code, -2011);
  assert.equal(bench.get(ORDER, { symbol: 'BTCUSDT', orderId: 7 }).code, -2013);
  assert.equal(bench.get(ORDER, { symbol: 'BTCUSDT' }).code, -1102);
  assert.equal(bench.get(ORDER, { symbol: 'ETHUSDT', orderId: Number(orderId) }).code, -2013);
});

test('orders that ended without a fill are forgotten after three days, unless that is switched off', () => {
  for (const threeDayRule of [true, false]) {
    const bench = new CoreBench({ rules: { threeDayRule } });
    bench.limit('BUY', '1', '99', { newClientOrderId: 'gone' });
    bench.delete(ORDER, { symbol: 'BTCUSDT', origClientOrderId: 'gone' });
    bench.at += 3 * 86_400_000 + 1000;
    const row = bench.get(ORDER, { symbol: 'BTCUSDT', origClientOrderId: 'gone' });
    assert.equal(threeDayRule ? row.code : row.status, threeDayRule ? -2013 : 'CANCELED');
  }
});

test('a change takes effect, loses its place, is told and listed', () => {
  const bench = new CoreBench({ account: { initialBalance: '1000' } });
  bench.listen();
  const { orderId } = bench.limit('BUY', '2', '99');
  bench.frames();
  const about = { symbol: 'BTCUSDT', side: 'BUY', orderId: Number(orderId) };
  const changed = bench.put(ORDER, { ...about, quantity: '1.5', price: '98' });
  assert.deepEqual([changed.price, changed.origQty, changed.status], ['98', '1.5', 'NEW']);
  assert.deepEqual(bench.frames().map(short), ['ORDER AMENDMENT NEW']);
  assert.equal(bench.put(ORDER, { ...about, quantity: '1.5', price: '98' }).code, -5027);
  assert.equal(bench.put(ORDER, { ...about, quantity: '1.5', price: '98.05' }).code, -4014);
  assert.equal(bench.put(ORDER, { ...about, quantity: '900', price: '98' }).code, -2019);
  assert.equal(bench.get(ORDER, { symbol: 'BTCUSDT', orderId: Number(orderId) }).origQty, '1.5');
  const [row] = bench.list('/fapi/v1/orderAmendment', { symbol: 'BTCUSDT' });
  assert.deepEqual(row?.amendment, {
    price: { before: '99', after: '98' },
    origQty: { before: '2', after: '1.5' },
    count: 1,
  });
  const taken = bench.put(ORDER, { ...about, quantity: '1', price: '101' });
  assert.equal(taken.status, 'FILLED');
  assert.equal(bench.put(ORDER, { ...about, quantity: '1', price: '97' }).code, -2013);
  assert.deepEqual(bench.core.violations(), []);
});

test('changed to no more than what was filled, an order is cancelled', () => {
  const bench = new CoreBench({ slippage: { halfSpreadRate: 0, impactRate: 0, makerVolumeShare: 1 } });
  const { orderId } = bench.limit('BUY', '2', '99');
  bench.feed({
    type: 'BAR',
    at: ++bench.at,
    bar: {
      symbol: 'BTCUSDT',
      timeframe: '1m',
      openTime: 0,
      open: 100,
      high: 100,
      low: 98,
      close: 100,
      volume: 1,
    },
  });
  const about = { symbol: 'BTCUSDT', side: 'BUY', orderId: Number(orderId) };
  assert.equal(bench.get(ORDER, about).status, 'PARTIALLY_FILLED');
  const answer = bench.put(ORDER, { ...about, quantity: '1', price: '98' });
  assert.deepEqual([answer.status, answer.executedQty], ['CANCELED', '1']);
  assert.deepEqual(bench.core.violations(), []);
});

test('a post-only order changed to a price that would take is cancelled', () => {
  const bench = new CoreBench();
  const { orderId } = bench.limit('BUY', '1', '99', { timeInForce: 'GTX' });
  const about = { symbol: 'BTCUSDT', side: 'BUY', orderId: Number(orderId) };
  assert.equal(bench.put(ORDER, { ...about, quantity: '1', price: '101' }).status, 'CANCELED');
  assert.deepEqual(bench.core.violations(), []);
});

test('a change does not overtake what was due before it', () => {
  const bench = new CoreBench();
  bench.limit('BUY', '1', '99');
  bench.post('/fapi/v1/countdownCancelAll', { symbol: 'BTCUSDT', countdownTime: 100 });
  bench.at += 200;
  bench.post('/fapi/v1/countdownCancelAll', { symbol: 'BTCUSDT', countdownTime: 100 });
  assert.equal(bench.list('/fapi/v1/openOrders').length, 0);
  assert.deepEqual(
    bench.entries.map(({ type }) => type),
    ['request', 'request', 'tick', 'request'],
  );
});

test('batches answer each element for itself in one answer', () => {
  const bench = new CoreBench();
  const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '1' };
  const batch = [
    { ...order, price: '99', newClientOrderId: 'a' },
    { ...order, price: '99.05' },
    { ...order, type: 'STOP_MARKET', triggerPrice: '90' },
    { ...order, price: '98', newClientOrderId: 'b' },
  ];
  const answers = bench.post('/fapi/v1/batchOrders', {
    batchOrders: JSON.stringify(batch),
  }) as unknown as Record<string, unknown>[];
  assert.deepEqual(
    answers.map((answer) => answer.code ?? answer.status),
    ['NEW', -4014, -4120, 'NEW'],
  );
  assert.equal(
    bench.post('/fapi/v1/batchOrders', { batchOrders: JSON.stringify(Array(6).fill(order)) }).code,
    -4082,
  );
  const cancelled = bench.delete('/fapi/v1/batchOrders', {
    symbol: 'BTCUSDT',
    origclientorderidlist: JSON.stringify(['a', 'x', 'b']),
  }) as unknown as Record<string, unknown>[];
  assert.deepEqual(
    cancelled.map((answer) => answer.code ?? answer.status),
    ['CANCELED', -2011, 'CANCELED'],
  );
  const again = bench.limit('BUY', '1', '99');
  const byId = bench.delete('/fapi/v1/batchOrders', {
    symbol: 'BTCUSDT',
    orderidlist: `[${again.orderId}]`,
  }) as unknown as Record<string, unknown>[];
  assert.equal(byId[0]?.status, 'CANCELED');
});

test('all orders of a symbol are cancelled at once, others stay', () => {
  const bench = new CoreBench();
  bench.limit('BUY', '1', '99');
  bench.limit('BUY', '1', '98');
  bench.limit('BUY', '1', '9.9', { symbol: 'ETHUSDT' });
  assert.equal(bench.delete('/fapi/v1/allOpenOrders', { symbol: 'BTCUSDT' }).code, 200);
  assert.deepEqual(
    bench.list('/fapi/v1/openOrders').map((row) => row.symbol),
    ['ETHUSDT'],
  );
  assert.equal(bench.list('/fapi/v1/allOrders', { symbol: 'BTCUSDT' }).length, 2);
});

test('a test order is checked like any and changes nothing', () => {
  const bench = new CoreBench();
  const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '1' };
  assert.equal(bench.post('/fapi/v1/order/test', order).symbol, 'BTCUSDT');
  assert.equal(bench.post('/fapi/v1/order/test', { ...order, quantity: '0.0001' }).code, -4004);
  assert.equal(bench.entries.length, 0);
  assert.equal(bench.position(), undefined);
});

test('good till a date: then it expires', () => {
  const bench = new CoreBench();
  bench.listen();
  const goodTillDate = Math.floor(bench.at / 1000) * 1000 + 700_000;
  const { orderId, timeInForce } = bench.limit('BUY', '1', '99', { timeInForce: 'GTD', goodTillDate });
  assert.equal(timeInForce, 'GTD');
  assert.equal(bench.core.nextDeadline(), goodTillDate);
  bench.core.tick(goodTillDate - 1);
  assert.equal(bench.list('/fapi/v1/openOrders').length, 1);
  bench.frames();
  bench.core.tick(goodTillDate);
  bench.at = goodTillDate;
  assert.deepEqual(bench.frames().map(short), ['ORDER EXPIRED EXPIRED']);
  assert.equal(bench.get(ORDER, { symbol: 'BTCUSDT', orderId: Number(orderId) }).status, 'EXPIRED');
});

test('own orders that would meet: the mode of the taker decides', () => {
  const cases = [
    ['EXPIRE_MAKER', 'FILLED', 'EXPIRED_IN_MATCH'],
    ['EXPIRE_TAKER', 'EXPIRED_IN_MATCH', 'NEW'],
    ['EXPIRE_BOTH', 'EXPIRED_IN_MATCH', 'EXPIRED_IN_MATCH'],
    ['NONE', 'FILLED', 'NEW'],
  ] as const;
  for (const [selfTradePreventionMode, taker, maker] of cases) {
    const bench = new CoreBench();
    const own = bench.limit('SELL', '1', '100.1');
    // The market is beyond the own order before the engine was told.
    bench.quote('BTCUSDT', 100.2);
    const answer = bench.market('BUY', '1', { selfTradePreventionMode });
    assert.equal(answer.status, taker, selfTradePreventionMode);
    const row = bench.get(ORDER, { symbol: 'BTCUSDT', orderId: Number(own.orderId) });
    assert.equal(row.status, maker, selfTradePreventionMode);
    assert.deepEqual(bench.core.violations(), []);
  }
});

test('prices taken from the book by their place in it', () => {
  const bench = new CoreBench();
  bench.quote('BTCUSDT', 100, { bid: 99.9, ask: 100.1 });
  const price = (side: 'BUY' | 'SELL', priceMatch: string): unknown =>
    bench.post(ORDER, {
      symbol: 'BTCUSDT',
      side,
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '1',
      priceMatch,
    }).price;
  assert.equal(price('BUY', 'QUEUE'), '99.9');
  assert.equal(price('BUY', 'QUEUE_5'), '99.5');
  assert.equal(price('SELL', 'QUEUE'), '100.1');
  assert.equal(price('BUY', 'OPPONENT'), '100.1');
});

test('a market order that finds too little within the bound expires with what it got', () => {
  const bench = new CoreBench({ slippage: { halfSpreadRate: 0, impactRate: 1, makerVolumeShare: 1 } });
  bench.listen();
  bench.quote('BTCUSDT', 100, { volume: 10 });
  bench.frames();
  const answer = bench.market('BUY', '2');
  assert.equal(answer.status, 'EXPIRED');
  assert.equal(answer.executedQty, '0.5');
  const last = bench.frames().at(-1)?.o as Record<string, unknown>;
  assert.deepEqual([last.x, last.X, last.er], ['EXPIRED', 'EXPIRED', '9']);
});

test('the dead man’s switch cancels a symbol’s orders unless it is set again', () => {
  const bench = new CoreBench();
  bench.limit('BUY', '1', '99');
  assert.deepEqual(bench.post('/fapi/v1/countdownCancelAll', { symbol: 'BTCUSDT', countdownTime: 5000 }), {
    symbol: 'BTCUSDT',
    countdownTime: '5000',
  });
  const due = bench.at + 5000;
  assert.equal(bench.core.nextDeadline(), due);
  bench.core.tick(due);
  assert.equal(bench.list('/fapi/v1/openOrders').length, 0);
  bench.limit('BUY', '1', '99');
  bench.post('/fapi/v1/countdownCancelAll', { symbol: 'BTCUSDT', countdownTime: 5000 });
  bench.post('/fapi/v1/countdownCancelAll', { symbol: 'BTCUSDT', countdownTime: 0 });
  assert.equal(bench.core.nextDeadline(), undefined);
});

test('queries lag behind what was placed when told to', () => {
  const bench = new CoreBench({ readLagMs: 100 });
  const { orderId } = bench.limit('BUY', '1', '99');
  const about = { symbol: 'BTCUSDT', orderId: Number(orderId) };
  assert.equal(bench.get(ORDER, about).code, -2013);
  assert.equal(bench.list('/fapi/v1/openOrders').length, 0);
  bench.at += 100;
  assert.equal(bench.get(ORDER, about).status, 'NEW');
});

test('in book mode a taker meets the newest book, though nobody needed it before', () => {
  const bench = new CoreBench();
  const bids: [string, string][] = [['99', '5']];
  bench.feed({ type: 'BOOK', at: ++bench.at, symbol: 'BTCUSDT', bids, asks: [['101', '0.4']] });
  bench.feed({
    type: 'BOOK',
    at: ++bench.at,
    symbol: 'BTCUSDT',
    bids,
    asks: [
      ['100', '0.4'],
      ['100.5', '5'],
    ],
  });
  assert.equal(bench.entries.length, 0);
  const answer = bench.market('BUY', '1');
  assert.equal(answer.avgPrice, '100.30000');
  assert.deepEqual(
    bench.entries.map(({ type }) => type),
    ['feed', 'request'],
  );
});
