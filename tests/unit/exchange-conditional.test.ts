import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderRequest } from '../../src/domain/order.ts';
import { VenueEngine } from '../../src/exchange/engine/engine.ts';
import { briefs, VenueBench, venueOptions } from '../support/venue.ts';

type Request = Partial<OrderRequest>;

const STOP: Request = { ref: 's', type: 'STOP_MARKET' };
const PROFIT: Request = { ref: 's', type: 'TAKE_PROFIT_MARKET' };

const directions: readonly (readonly [Request, 'BUY' | 'SELL', string, number, number])[] = [
  [STOP, 'SELL', '95', 95.1, 95],
  [STOP, 'BUY', '105', 104.9, 105],
  [PROFIT, 'SELL', '105', 104.9, 105],
  [PROFIT, 'BUY', '95', 95.1, 95],
];

for (const [request, side, triggerPrice, before, at] of directions)
  test(`${request.type} ${side} triggers at ${at} and not at ${before}`, () => {
    const venue = new VenueBench();
    venue.submit({ ...request, side, triggerPrice });
    assert.deepEqual(briefs(venue.price(before)), []);
    assert.deepEqual(briefs(venue.price(at)), ['TRIGGERED s', `FILLED s ${side} 1@${at}`]);
  });

test('workingType decides which price triggers; the fill is at last', () => {
  const venue = new VenueBench();
  venue.submit({});
  const stop = { ...STOP, side: 'SELL', triggerPrice: '95', reduceOnly: true } as const;
  venue.submit({ ...stop, ref: 'mark', workingType: 'MARK_PRICE' });
  assert.deepEqual(briefs(venue.price(94, 95.1)), []);
  assert.deepEqual(briefs(venue.price(97, 95)), ['TRIGGERED mark', 'FILLED mark SELL 1@97']);
  venue.submit({ ref: 'again' });
  venue.submit({ ...stop, ref: 'last', workingType: 'CONTRACT_PRICE' });
  assert.deepEqual(briefs(venue.price(95.1, 94)), []);
  assert.deepEqual(briefs(venue.price(95, 99)), ['TRIGGERED last', 'FILLED last SELL 1@95']);
});

test('a last-price wick does not touch a mark-price stop', () => {
  const venue = new VenueBench();
  venue.submit({});
  venue.submit({ ...STOP, side: 'SELL', triggerPrice: '95', reduceOnly: true, workingType: 'MARK_PRICE' });
  const marks = { markHigh: 101, markLow: 96, markClose: 100 };
  assert.deepEqual(briefs(venue.bar(100, 101, 60, 100, marks)), []);
  const fills = briefs(venue.bar(100, 101, 84, 100, { ...marks, markLow: 90 }));
  // Mark falls 100 → 90 while last falls 100 → 84: at mark 95 last is 92.
  assert.deepEqual(fills, ['TRIGGERED s', 'FILLED s SELL 1@92']);
});

test('a stop finds no liquidity beyond the take bound from mark, and expires unfilled', () => {
  const venue = new VenueBench();
  venue.submit({});
  venue.submit({ ...STOP, side: 'SELL', triggerPrice: '95', reduceOnly: true, workingType: 'MARK_PRICE' });
  assert.deepEqual(briefs(venue.price(90, 95)), ['TRIGGERED s', 'CLOSED s expired']);
  assert.equal(venue.engine.hasPosition('BTCUSDT'), true);
});

test('priceProtect holds a trigger back while last and mark are too far apart', () => {
  const venue = new VenueBench();
  venue.submit({});
  venue.submit({ ...STOP, side: 'SELL', triggerPrice: '95', reduceOnly: true, priceProtect: true });
  assert.deepEqual(briefs(venue.price(90, 100)), []);
  assert.deepEqual(briefs(venue.price(94, 98)), ['TRIGGERED s', 'FILLED s SELL 1@94']);
});

test('STOP and TAKE_PROFIT become limit orders at their price', () => {
  const venue = new VenueBench();
  venue.submit({});
  const stop = { ref: 's', side: 'SELL', type: 'STOP', triggerPrice: '95', reduceOnly: true } as const;
  venue.submit({ ...stop, price: '94.5', timeInForce: 'GTC' });
  // The market gapped below the limit: it rests there, and fills as maker when the price is above it.
  assert.deepEqual(briefs(venue.price(94)), ['TRIGGERED s']);
  assert.equal(venue.engine.findOrder('position/BTCUSDT/BOTH/1', 's')?.orderId, '2');
  assert.deepEqual(briefs(venue.price(94.6)), ['FILLED s SELL 1@94.5']);
});

test('a triggered limit may be refused there: post-only that would take, reduce-only with nothing left', () => {
  const venue = new VenueBench();
  const stop = { type: 'STOP', triggerPrice: '105', price: '106' } as const;
  venue.submit({ ...stop, ref: 'p', timeInForce: 'GTX' });
  venue.submit({ ...stop, ref: 'r', timeInForce: 'GTC', reduceOnly: true });
  const events = venue.price(105);
  assert.deepEqual(briefs(events), [
    'TRIGGERED p',
    'CLOSED p rejected-at-trigger',
    'TRIGGERED r',
    'CLOSED r rejected-at-trigger',
  ]);
  const reasons = events.map((event) => (event.type === 'ORDER_CLOSED' ? event.reason : ''));
  assert.match(reasons[1] ?? '', /-5022/);
  assert.match(reasons[3] ?? '', /-2022/);
});

test('a trailing stop follows the best price and triggers on the way back', () => {
  const venue = new VenueBench();
  venue.submit({});
  venue.submit({ ref: 't', side: 'SELL', type: 'TRAILING_STOP_MARKET', callbackRate: '2', reduceOnly: true });
  assert.deepEqual(briefs(venue.bar(100, 110, 99, 109)), []);
  assert.deepEqual(venue.engine.wakeBand('BTCUSDT').lastHigh, 110);
  assert.deepEqual(briefs(venue.bar(109, 109.5, 108, 108)), []);
  assert.deepEqual(briefs(venue.bar(108, 108, 107, 107)), ['TRIGGERED t', 'FILLED t SELL 1@107.8']);
});

test('a trailing stop that is overtaken by a gap fills at the open', () => {
  const venue = new VenueBench();
  venue.submit({ side: 'SELL' });
  venue.submit({ ref: 't', type: 'TRAILING_STOP_MARKET', callbackRate: '2', reduceOnly: true });
  venue.bar(100, 100, 90, 91);
  assert.deepEqual(briefs(venue.bar(95, 96, 94, 95)), ['TRIGGERED t', 'FILLED t BUY 1@95']);
});

test('a trailing stop with an activation price arms there and not before', () => {
  const venue = new VenueBench();
  venue.submit({});
  const trailing = { ref: 't', side: 'SELL', type: 'TRAILING_STOP_MARKET', callbackRate: '1' } as const;
  venue.submit({ ...trailing, activatePrice: '105', reduceOnly: true });
  assert.deepEqual(briefs(venue.bar(100, 104, 90, 95)), []);
  // Falling bar: up to 106 first (armed at 105, best 106), then down through 106 × 0.99 = 104.94.
  assert.deepEqual(briefs(venue.bar(104, 106, 100, 101)), ['TRIGGERED t', 'FILLED t SELL 1@104.9']);
});

test('a trailing stop placed before any price is known takes the first as its best', () => {
  for (const [side, second] of [
    ['SELL', 98],
    ['BUY', 102],
  ] as const) {
    const venue = new VenueBench();
    const request = { ref: 't', side, type: 'TRAILING_STOP_MARKET', callbackRate: '2' } as const;
    assert.deepEqual(briefs(venue.submit(request, { last: 0, mark: 0 })), ['ACK t 1']);
    assert.deepEqual(briefs(venue.price(100)), []);
    assert.deepEqual(briefs(venue.price(second)), ['TRIGGERED t', `FILLED t ${side} 1@${second}`]);
  }
});

test('closePosition closes what is open when it triggers, and expires when there is nothing', () => {
  const venue = new VenueBench();
  venue.submit({});
  venue.submit({ ...STOP, side: 'SELL', triggerPrice: '95', closePosition: true });
  venue.submit({ ref: 'more', quantity: '0.5' });
  assert.deepEqual(briefs(venue.price(95)), ['TRIGGERED s', 'FILLED s SELL 1.5@95']);
  venue.submit({ ref: 'b' });
  venue.submit({ ...STOP, ref: 's2', side: 'SELL', triggerPrice: '90', closePosition: true });
  assert.deepEqual(
    briefs(venue.submit({ ref: 'c', side: 'SELL', reduceOnly: true })).at(-1),
    'CLOSED s2 expired',
  );
});

test('closePosition may be placed before the entry that rests, and stays with it', () => {
  const venue = new VenueBench();
  venue.submit({ type: 'LIMIT', price: '98', timeInForce: 'GTC' });
  const close = { ...STOP, side: 'SELL', triggerPrice: '95', closePosition: true } as const;
  assert.deepEqual(briefs(venue.submit(close)), ['ACK s 1']);
  assert.deepEqual(briefs(venue.bar(100, 100, 94, 94)), [
    'FILLED o1 BUY 1@98',
    'TRIGGERED s',
    'FILLED s SELL 1@95',
  ]);
  venue.submit({ ref: 'o2', type: 'LIMIT', price: '90', timeInForce: 'GTC' }, 94);
  venue.submit({ ...close, ref: 's2', triggerPrice: '85' }, 94);
  assert.deepEqual(briefs(venue.cancel('o2')), ['CLOSED o2 canceled', 'CLOSED s2 expired']);
});

test('two triggers at one price fire in the order they were placed', () => {
  const venue = new VenueBench();
  venue.submit({ quantity: '2' });
  for (const ref of ['first', 'second'])
    venue.submit({ ...STOP, ref, side: 'SELL', triggerPrice: '95', reduceOnly: true });
  assert.deepEqual(
    briefs(venue.bar(100, 100, 94, 96)).filter((text) => text.startsWith('FILLED')),
    ['FILLED first SELL 1@95', 'FILLED second SELL 1@95'],
  );
});

test('a refused trigger: the order that is meant, or the next one there, once, and over a restart', () => {
  const venue = new VenueBench();
  venue.submit({});
  const stop = { ...STOP, side: 'SELL', triggerPrice: '95', quantity: '0.1', reduceOnly: true } as const;
  venue.submit({ ...stop, ref: 'meant' });
  venue.submit({ ...stop, ref: 'other' });
  const word = { type: 'REFUSE_TRIGGER', at: 1, code: -4131, reason: 'no price' } as const;
  venue.apply({ ...word, clientOrderId: 'bh-meant' });
  assert.deepEqual(briefs(venue.price(95)), [
    'TRIGGERED meant',
    'CLOSED meant rejected-at-trigger',
    'TRIGGERED other',
    'FILLED other SELL 0.1@95',
  ]);
  venue.price(100);
  venue.apply({ ...word, symbol: 'ETHUSDT' });
  venue.apply(word);
  venue.apply(word);
  venue.submit({ ...stop, ref: 'next' });
  venue.submit({ ...stop, ref: 'after' });
  venue.engine = VenueEngine.restore(venue.engine.checkpoint(), venueOptions());
  assert.deepEqual(briefs(venue.price(95)), [
    'TRIGGERED next',
    'CLOSED next rejected-at-trigger',
    'TRIGGERED after',
    'FILLED after SELL 0.1@95',
  ]);
});
