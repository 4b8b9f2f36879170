/** The algo service: conditional orders from NEW to their end, and what the stream says of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreBench, type Fields, short } from '../support/venue-account.ts';

const ALGO = '/fapi/v1/algoOrder';

/** Long 1 at 100, the stream open and read. */
function holding(options: ConstructorParameters<typeof CoreBench>[0] = {}): CoreBench {
  const bench = new CoreBench(options);
  bench.listen();
  bench.market('BUY', '1');
  bench.frames();
  return bench;
}

test('a stop from placing to finished: every state is told, and a new order fills', () => {
  const bench = holding();
  const placed = bench.stop('SELL', '95', { clientAlgoId: 'guard', reduceOnly: true });
  assert.deepEqual(
    [placed.algoStatus, placed.clientAlgoId, placed.orderType],
    ['NEW', 'guard', 'STOP_MARKET'],
  );
  assert.deepEqual(bench.frames().map(short), ['ALGO NEW']);
  assert.equal(bench.list('/fapi/v1/openAlgoOrders').length, 1);
  assert.equal(bench.list('/fapi/v1/openOrders').length, 0);
  bench.price(94.9);
  const frames = bench.frames();
  assert.deepEqual(frames.map(short), [
    'ALGO TRIGGERING',
    'ALGO TRIGGERED',
    'ORDER NEW NEW',
    'TRADE_LITE',
    'ACCOUNT ORDER',
    'ORDER TRADE FILLED',
    'ALGO FINISHED',
  ]);
  const finished = frames.at(-1)?.o as Fields;
  const order = bench.get('/fapi/v1/order', { symbol: 'BTCUSDT', orderId: Number(finished.ai) });
  assert.deepEqual([order.status, order.clientOrderId, order.type], ['FILLED', 'guard', 'MARKET']);
  assert.deepEqual([finished.aq, finished.ap], ['1', '94.9']);
  const row = bench.get(ALGO, { clientAlgoId: 'guard' });
  assert.deepEqual([row.algoStatus, row.actualOrderId, row.actualType], ['FINISHED', finished.ai, 'MARKET']);
  assert.notEqual(row.algoId, Number(finished.ai));
  assert.equal(bench.list('/fapi/v1/allAlgoOrders', { symbol: 'BTCUSDT' }).length, 1);
  assert.deepEqual(bench.core.violations(), []);
});

test('cancelled: the code is a string, and a second time it is not known', () => {
  const bench = holding();
  const { algoId } = bench.stop('SELL', '95');
  const answer = bench.delete(ALGO, { symbol: 'BTCUSDT', algoId: Number(algoId) });
  assert.deepEqual([answer.code, answer.msg], ['200', 'success']);
  assert.equal(bench.delete(ALGO, { algoId: Number(algoId) }).code, -2011);
  assert.equal(bench.get(ALGO, { algoId: Number(algoId) }).algoStatus, 'CANCELED');
  assert.equal(bench.get(ALGO, { algoId: 5 }).code, -2013);
  assert.deepEqual(bench.frames().map(short), ['ALGO NEW', 'ALGO CANCELED']);
});

test('refusals of conditional orders', () => {
  const bench = holding();
  const cases: readonly (readonly [Record<string, string>, number])[] = [
    [{ algoType: 'TWAP' }, -1130],
    [{ type: 'LIMIT' }, -1116],
    [{ triggerPrice: '101' }, -2021],
    [{ triggerPrice: '' }, -1102],
    [{ triggerPrice: '94.95' }, -4014],
    [{ type: 'TAKE_PROFIT_MARKET' }, -2021],
    [{ type: 'STOP' }, -1102],
    [{ closePosition: 'true', quantity: '1' }, -4137],
    [{ closePosition: 'true', quantity: '', reduceOnly: 'true' }, -4138],
    [{ closePosition: 'true', type: 'STOP', price: '94' }, -4136],
    [{ type: 'TRAILING_STOP_MARKET' }, -1102],
    [{ type: 'TRAILING_STOP_MARKET', callbackRate: '21', triggerPrice: '' }, -1130],
    [{ type: 'TRAILING_STOP_MARKET', callbackRate: '1' }, -1106],
    [{ workingType: 'INDEX' }, -1130],
  ];
  for (const [change, code] of cases)
    assert.equal(bench.stop('SELL', '95', change).code, code, JSON.stringify(change));
  bench.stop('SELL', '95', { clientAlgoId: 'one' });
  assert.equal(bench.stop('SELL', '94', { clientAlgoId: 'one' }).code, -4116);
  assert.equal(bench.stop('SELL', '95', { closePosition: 'true', quantity: '' }).algoStatus, 'NEW');
  assert.equal(bench.stop('SELL', '94', { closePosition: 'true', quantity: '' }).code, -4130);
});

test('the two hundred and first conditional order is one too many', () => {
  const bench = holding({ maxConditionalOrders: 3 });
  for (const price of ['95', '94', '93']) assert.equal(bench.stop('SELL', price).algoStatus, 'NEW');
  assert.equal(bench.stop('SELL', '92').code, -4045);
  assert.equal(bench.delete('/fapi/v1/algoOpenOrders', { symbol: 'BTCUSDT' }).code, 200);
  assert.equal(bench.list('/fapi/v1/openAlgoOrders', { symbol: 'BTCUSDT' }).length, 0);
});

test('a stop with nothing left to reduce is rejected at its trigger, and says why', () => {
  const bench = holding({ rules: { triggerRejectEvent: true } });
  bench.stop('SELL', '95', { reduceOnly: true, clientAlgoId: 'late' });
  bench.market('SELL', '1', { reduceOnly: true });
  bench.frames();
  bench.price(94);
  const frames = bench.frames();
  assert.deepEqual(frames.map(short), [
    'ALGO TRIGGERING',
    'ALGO REJECTED',
    'CONDITIONAL_ORDER_TRIGGER_REJECT',
  ]);
  assert.match(String((frames[1]?.o as Fields | undefined)?.rm), /^-2022: /);
  assert.equal(bench.get(ALGO, { clientAlgoId: 'late' }).actualOrderId, '');
  assert.deepEqual(bench.core.violations(), []);
});

test('closePosition takes all there is, and goes when the position is closed otherwise', () => {
  const bench = holding();
  bench.market('BUY', '1');
  bench.stop('SELL', '95', { closePosition: true, clientAlgoId: 'all' });
  bench.price(94);
  const order = bench.get('/fapi/v1/order', { symbol: 'BTCUSDT', origClientOrderId: 'all' });
  assert.deepEqual([order.status, order.executedQty, order.closePosition], ['FILLED', '2', true]);
  bench.market('BUY', '1');
  bench.stop('SELL', '90', { closePosition: true, clientAlgoId: 'other' });
  bench.market('SELL', '1');
  assert.equal(bench.get(ALGO, { clientAlgoId: 'other' }).algoStatus, 'EXPIRED');
  assert.deepEqual(bench.core.violations(), []);
});

test('a trailing stop: activatePrice is honoured and activationPrice ignored, ia tells', () => {
  const bench = holding();
  const trailing = { type: 'TRAILING_STOP_MARKET', callbackRate: '1', triggerPrice: '', reduceOnly: true };
  bench.stop('SELL', '', { ...trailing, activationPrice: '110', clientAlgoId: 'now' });
  bench.stop('SELL', '', { ...trailing, activatePrice: '102', clientAlgoId: 'later' });
  const ia = (): unknown[] => bench.frames().map((frame) => (frame.o as Fields).ia);
  assert.deepEqual(ia(), [true, false]);
  bench.price(102);
  assert.deepEqual(ia(), [true]);
  bench.price(103);
  bench.price(101.9);
  assert.equal(bench.get(ALGO, { clientAlgoId: 'now' }).algoStatus, 'FINISHED');
  assert.equal(bench.get(ALGO, { clientAlgoId: 'later' }).algoStatus, 'REJECTED');
});

test('mark-price triggers ignore the last price', () => {
  const bench = holding();
  bench.stop('SELL', '95', { workingType: 'MARK_PRICE', clientAlgoId: 'mark' });
  bench.price(94, 99);
  assert.equal(bench.get(ALGO, { clientAlgoId: 'mark' }).algoStatus, 'NEW');
  bench.price(94, 95);
  assert.equal(bench.get(ALGO, { clientAlgoId: 'mark' }).algoStatus, 'FINISHED');
});

test('a stop-limit becomes a limit order that can be cancelled by its own id', () => {
  const bench = holding();
  bench.stop('SELL', '95', { type: 'STOP', price: '95', timeInForce: 'GTC', clientAlgoId: 'limit' });
  bench.price(94);
  const algo = bench.get(ALGO, { clientAlgoId: 'limit' });
  assert.deepEqual([algo.algoStatus, algo.actualType], ['TRIGGERED', 'LIMIT']);
  assert.equal(bench.delete(ALGO, { clientAlgoId: 'limit' }).code, -2011);
  bench.frames();
  const order = bench.delete('/fapi/v1/order', { symbol: 'BTCUSDT', orderId: Number(algo.actualOrderId) });
  assert.equal(order.status, 'CANCELED');
  assert.deepEqual(bench.frames().map(short), ['ORDER CANCELED CANCELED', 'ALGO FINISHED']);
  assert.equal(bench.get(ALGO, { clientAlgoId: 'limit' }).actualQty, '0');
});
