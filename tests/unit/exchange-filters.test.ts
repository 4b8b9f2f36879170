import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { OrderRequest } from '../../src/domain/order.ts';
import { VENUE_ERRORS, venueError } from '../../src/exchange/venue-errors.ts';
import { BTC, ETH, VenueBench } from '../support/venue.ts';

type Request = Partial<OrderRequest> & { clientOrderId?: string };

/** Optional keys are left out by giving them as undefined here. */
const without = (request: Request, ...keys: (keyof OrderRequest)[]): Request => {
  const copy: Record<string, unknown> = { ...request };
  for (const key of keys) copy[key] = undefined;
  return copy as Request;
};

const LIMIT: Request = { type: 'LIMIT', price: '100', timeInForce: 'GTC' };
const STOP: Request = { type: 'STOP_MARKET', side: 'SELL', triggerPrice: '95' };
const TRAILING: Request = { type: 'TRAILING_STOP_MARKET', side: 'SELL', callbackRate: '1' };

const refused: readonly (readonly [string, Request, number, RegExp?])[] = [
  ['unknown symbol', { symbol: 'NOPEUSDT' }, -1121, /Invalid symbol/],
  ['no quantity', without({}, 'quantity'), -1102, /'quantity'/],
  ['a quantity that is no number', { quantity: '1e3' }, -1102, /'quantity'/],
  ['a limit without price', without(LIMIT, 'price'), -1102, /'price'/],
  ['a limit without time in force', without(LIMIT, 'timeInForce'), -1102, /'timeInForce'/],
  ['a market order with a price', { price: '100' }, -1106, /'price'/],
  ['a market order with time in force', { timeInForce: 'GTC' }, -1106, /'timeInForce'/],
  ['a market order with a trigger', { triggerPrice: '100' }, -1106, /'triggerPrice'/],
  ['a stop without its trigger', without(STOP, 'triggerPrice'), -1102, /'triggerPrice'/],
  ['a stop with a callback', { ...STOP, callbackRate: '1' }, -1106, /'callbackRate'/],
  ['a stop with an activation', { ...STOP, activatePrice: '99' }, -1106, /'activatePrice'/],
  ['a trailing stop without callback', without(TRAILING, 'callbackRate'), -1102, /'callbackRate'/],
  ['a callback below 0.1 %', { ...TRAILING, callbackRate: '0.05' }, -1130, /'callbackRate'/],
  ['a callback above 20 %', { ...TRAILING, callbackRate: '20.1' }, -1130, /'callbackRate'/],
  ['a callback between steps', { ...TRAILING, callbackRate: '1.05' }, -1130],
  ['closePosition with a quantity', { ...STOP, closePosition: true, quantity: '1' }, -4137],
  ['closePosition on a market order', { closePosition: true }, -4136],
  ['closePosition without a position', { ...STOP, closePosition: true }, -4509],
  ['an empty client id', { clientOrderId: '' }, -1102, /newClientOrderId/],
  ['a long client id', { clientOrderId: 'x'.repeat(37) }, -4015, /36/],
  ['an illegal client id', { clientOrderId: 'a b' }, -1100, /newClientOrderId/],
  ['an illegal algo id', { ...STOP, clientOrderId: 'a b' }, -1100, /clientAlgoId/],
  ['a hedge side in one-way mode', { positionSide: 'LONG' }, -4061],
  ['a price off the tick', { ...LIMIT, price: '100.05' }, -4014],
  ['a trigger off the tick', { ...STOP, triggerPrice: '95.01' }, -4014],
  ['too many decimals in a price', { ...LIMIT, price: '100.123456789' }, -1111],
  ['too many decimals in a quantity', { quantity: '1.123456789' }, -1111],
  ['a price of zero', { ...LIMIT, price: '0' }, -4001],
  ['a price above the maximum', { ...LIMIT, price: '1000000.1' }, -4002],
  ['a trigger of zero', { ...STOP, triggerPrice: '0' }, -4006],
  ['a trigger above the maximum', { ...STOP, side: 'BUY', triggerPrice: '1000000.1' }, -4007],
  ['a quantity of zero', { quantity: '0' }, -4003],
  ['a quantity below the minimum', { quantity: '0.0005' }, -4004],
  ['a quantity above the maximum', { ...LIMIT, quantity: '1000.001' }, -4005],
  ['a market lot above its maximum', { quantity: '120.001' }, -4005],
  ['a quantity off the step', { quantity: '1.0005' }, -4023],
  ['too small a notional', { quantity: '0.04' }, -4164, /smaller than 5 /],
  ['a buy above the mark band', { ...LIMIT, price: '105.1' }, -4016, /higher than 105\./],
  ['a sell below the mark band', { ...LIMIT, side: 'SELL', price: '94.9' }, -4024, /lower than 95\./],
  ['reduce-only with nothing to reduce', { reduceOnly: true }, -2022],
  ['a stop that would trigger', { ...STOP, triggerPrice: '100' }, -2021],
  ['a take-profit that would trigger', { ...STOP, type: 'TAKE_PROFIT_MARKET', triggerPrice: '100' }, -2021],
  ['a buy stop that would trigger', { ...STOP, side: 'BUY', triggerPrice: '99' }, -2021],
  ['a sell activation below the market', { ...TRAILING, activatePrice: '100' }, -2021],
  ['more than the margin', { quantity: '120', price: '105', type: 'LIMIT', timeInForce: 'GTC' }, -2019],
  ['post-only that would take', { ...LIMIT, timeInForce: 'GTX' }, -5022],
];

for (const [what, request, code, text] of refused)
  test(`refused: ${what} (${code})`, () => {
    const venue = new VenueBench({ initialBalance: '500' });
    const before = JSON.stringify(venue.engine.report(0));
    const [event, ...more] = venue.submit(request);
    assert.equal(event?.type, 'ORDER_REJECTED');
    assert.equal(event.code, code);
    assert.deepEqual(more, []);
    if (text) assert.match(event.reason, text);
    assert.equal(JSON.stringify(venue.engine.report(0)), before);
  });

test('minPrice is a floor of its own', () => {
  const venue = new VenueBench({ instruments: [{ ...BTC, minPrice: '50' }] });
  const [event] = venue.submit({ ...LIMIT, price: '49.9' });
  assert.equal(event?.type === 'ORDER_REJECTED' && event.code, -4013);
});

test('a precision that the instrument names is finer or coarser than tick and step', () => {
  const venue = new VenueBench({ instruments: [{ ...BTC, pricePrecision: 2, quantityPrecision: 3 }] });
  const codes = [
    { ...LIMIT, price: '99.05' },
    { ...LIMIT, price: '99.055' },
    { ...LIMIT, quantity: '1.0001' },
  ].map((request) => venue.submit(request)[0]);
  assert.deepEqual(
    codes.map((event) => event?.type === 'ORDER_REJECTED' && event.code),
    [-4014, -1111, -1111],
  );
});

test('reduce-only is exempt from the minimum notional', () => {
  const venue = new VenueBench();
  venue.submit({});
  const events = venue.submit({ ref: 'r', side: 'SELL', quantity: '0.001', reduceOnly: true });
  assert.equal(events[0]?.type, 'ORDER_ACKNOWLEDGED');
});

const statuses: readonly (readonly [Instrument['status'], Request, number | 'ok'])[] = [
  ['TRADING', {}, 'ok'],
  ['TRADING_HALT', {}, -4140],
  ['TRADING_HALT', { ...STOP, reduceOnly: true }, 'ok'],
  ['TRADING_HALT', STOP, -4140],
  ['SETTLING', {}, -4140],
  ['CLOSE', {}, -4141],
];

for (const [status, request, expected] of statuses)
  test(`a ${request.type ?? 'MARKET'} order while ${status}: ${expected}`, () => {
    const venue = new VenueBench();
    venue.apply({ type: 'INSTRUMENT', at: 1, instrument: { ...BTC, status } });
    const [event] = venue.submit(request);
    assert.equal(event?.type === 'ORDER_REJECTED' ? event.code : 'ok', expected);
  });

test('a market order whose counterparty is beyond the mark band is refused (−4131)', () => {
  const venue = new VenueBench();
  const [high] = venue.submit({}, { last: 100, mark: 100, ask: 105.2, bid: 99 });
  assert.equal(high?.type === 'ORDER_REJECTED' && high.code, -4131);
  const [none] = new VenueBench().submit({}, { last: 0, mark: 0 });
  assert.equal(none?.type === 'ORDER_REJECTED' && none.code, -4131);
});

test('a client order id is unique among open orders only, plain and conditional apart (−4116)', () => {
  const venue = new VenueBench();
  const resting = { ...LIMIT, price: '98', clientOrderId: 'same' };
  assert.equal(venue.submit(resting)[0]?.type, 'ORDER_ACKNOWLEDGED');
  const [twice] = venue.submit({ ...resting, ref: 'again' });
  assert.equal(twice?.type === 'ORDER_REJECTED' && twice.code, -4116);
  assert.equal(venue.submit({ ...STOP, ref: 's', clientOrderId: 'same' })[0]?.type, 'ORDER_ACKNOWLEDGED');
  venue.cancel('o1');
  assert.equal(venue.submit({ ...resting, ref: 'o3' })[0]?.type, 'ORDER_ACKNOWLEDGED');
});

test('limits on the number of orders (−2025, −4045), the conditional one over all symbols', () => {
  const venue = new VenueBench({ maxOpenOrders: 2, maxConditionalOrders: 2 });
  const codes = ['a', 'b', 'c'].map((ref) => venue.submit({ ...LIMIT, ref, price: '97' })[0]);
  assert.equal(codes[2]?.type === 'ORDER_REJECTED' && codes[2].code, -2025);
  venue.submit({ ...STOP, ref: 's1' });
  venue.submit({ ...STOP, ref: 's2', symbol: ETH.symbol });
  const [third] = venue.submit({ ...STOP, ref: 's3' });
  assert.equal(third?.type === 'ORDER_REJECTED' && third.code, -4045);
});

test('one closePosition order of a kind and direction (−4130); it may not be doubled, a reduce-only stop may', () => {
  const venue = new VenueBench();
  venue.submit({});
  const close = { ...STOP, closePosition: true };
  assert.equal(venue.submit({ ...close, ref: 'a' })[0]?.type, 'ORDER_ACKNOWLEDGED');
  const [again] = venue.submit({ ...close, ref: 'b', triggerPrice: '96' });
  assert.equal(again?.type === 'ORDER_REJECTED' && again.code, -4130);
  for (const ref of ['c', 'd'])
    assert.equal(venue.submit({ ...STOP, ref, reduceOnly: true })[0]?.type, 'ORDER_ACKNOWLEDGED');
});

test('hedge mode: a side is needed, reduceOnly is forbidden, the closing side reduces by itself', () => {
  const venue = new VenueBench({ positionMode: 'hedge' });
  const code = (request: Request) => {
    const [event] = venue.submit(request);
    return event?.type === 'ORDER_REJECTED' ? event.code : 'ok';
  };
  assert.equal(code({}), -4061);
  assert.equal(code({ positionSide: 'LONG', reduceOnly: true }), -4062);
  assert.equal(code({ ...STOP, side: 'BUY', positionSide: 'LONG', closePosition: true }), -4062);
  assert.equal(code({ positionSide: 'LONG', side: 'SELL' }), -2022);
  assert.equal(code({ positionSide: 'LONG', ref: 'l' }), 'ok');
  assert.equal(code({ positionSide: 'SHORT', side: 'SELL', ref: 's' }), 'ok');
  assert.equal(code({ positionSide: 'LONG', side: 'SELL', quantity: '1.5' }), -2022);
  assert.equal(venue.engine.report(0).positions.length, 2);
  assert.deepEqual(venue.engine.checkInvariants(), []);
});

test('leverage: out of range (−4028), over the tier (−2027), isolated reduction (−4161), short of margin (−2028)', () => {
  const code = (venue: VenueBench, leverage: number) => {
    const [event] = venue.leverage(leverage);
    return event?.type === 'LEVERAGE_REJECTED' ? event.code : event?.type;
  };
  const cross = new VenueBench({ initialBalance: '1000', defaultLeverage: 100 });
  for (const wrong of [0, 126, 1.5]) assert.equal(code(cross, wrong), -4028);
  cross.submit({ quantity: '100' });
  assert.equal(code(cross, 125), 'LEVERAGE_SET');
  assert.equal(code(cross, 5), -2028);
  const big = new VenueBench({ initialBalance: '100000', defaultLeverage: 50 });
  big.submit({ quantity: '600', type: 'LIMIT', price: '100', timeInForce: 'GTC' });
  assert.equal(code(big, 125), -2027);
  const isolated = new VenueBench({ marginMode: 'isolated' });
  isolated.submit({});
  assert.equal(code(isolated, 10), -4161);
  assert.equal(code(isolated, 30), 'LEVERAGE_SET');
});

test('a position above the tier of its leverage is refused (−2027)', () => {
  const venue = new VenueBench({ initialBalance: '100000', defaultLeverage: 125 });
  const [event] = venue.submit({ ...LIMIT, quantity: '501' });
  assert.equal(event?.type === 'ORDER_REJECTED' && event.code, -2027);
});

test('cancelling what is not open (−2011)', () => {
  const venue = new VenueBench();
  const [event] = venue.cancel('nothing');
  assert.equal(event?.type === 'CANCEL_REJECTED' && event.code, -2011);
});

test('every refusal has a negative code of its own and takes its arguments', () => {
  const codes = Object.values(VENUE_ERRORS).map(([code]) => code);
  assert.equal(new Set(codes).size, codes.length);
  assert.ok(codes.every((code) => code < 0));
  assert.equal(venueError('INVALID_CLOSE_POSITION', 'MARKET', true).reason.includes('%s'), false);
});
