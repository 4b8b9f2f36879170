import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VenueEngine } from '../../src/exchange/engine/engine.ts';
import { brief, briefs, VenueBench, venueOptions } from '../support/venue.ts';

test('a market order is acknowledged, filled and booked to the last digit', () => {
  const venue = new VenueBench();
  assert.deepEqual(venue.submit({}, 100).map(brief), [
    'ACK o1 1',
    'FILLED o1 BUY 1@100',
    'WALLET COMMISSION -0.05',
  ]);
  assert.deepEqual(venue.submit({ ref: 'o2', side: 'SELL', reduceOnly: true }, 110).map(brief), [
    'ACK o2 2',
    'FILLED o2 SELL 1@110',
    'WALLET REALIZED_PNL 10',
    'WALLET COMMISSION -0.055',
  ]);
  assert.equal(venue.engine.report(0).walletBalance, '10009.895');
  assert.deepEqual(venue.engine.checkInvariants(), []);
});

test('a stop triggers inside a bar at its price, and at the open when the bar opens beyond it', () => {
  for (const [bar, price] of [
    [[100, 101, 94, 96] as const, 95],
    [[93, 94, 92, 93] as const, 93],
  ] as const) {
    const venue = new VenueBench();
    venue.submit({}, 100);
    venue.submit({ ref: 's', side: 'SELL', type: 'STOP_MARKET', triggerPrice: '95', reduceOnly: true }, 100);
    assert.deepEqual(venue.engine.wakeBand('BTCUSDT').lastLow, 95);
    assert.deepEqual(briefs(venue.bar(100, 101, 95.1, 99)), []);
    assert.deepEqual(briefs(venue.bar(bar[0], bar[1], bar[2], bar[3])), [
      'TRIGGERED s',
      `FILLED s SELL 1@${price}`,
    ]);
    assert.equal(venue.engine.hasPosition('BTCUSDT'), false);
  }
});

test('a resting limit fills at its own price when the price goes strictly beyond it', () => {
  const venue = new VenueBench();
  assert.deepEqual(briefs(venue.submit({ type: 'LIMIT', price: '98', timeInForce: 'GTC' }, 100)), [
    'ACK o1 1',
  ]);
  assert.deepEqual(briefs(venue.bar(100, 101, 98, 99)), []);
  assert.deepEqual(briefs(venue.bar(99, 100, 97, 98)), ['FILLED o1 BUY 1@98']);
});

test('funding: longs pay position × mark × rate', () => {
  const venue = new VenueBench();
  venue.submit({}, 100);
  const events = venue.apply({ type: 'FUNDING', at: 5, symbol: 'BTCUSDT', rate: 0.0001, mark: 101 });
  assert.deepEqual(events.map(brief), ['FUNDING -0.0101', 'WALLET FUNDING_FEE -0.0101']);
});

test('liquidation: orders expire, the position is closed, a bankrupt wallet is insured', () => {
  const venue = new VenueBench({ initialBalance: '100', defaultLeverage: 50 });
  venue.submit({ quantity: '40' }, 100);
  venue.submit({ ref: 's', side: 'SELL', type: 'STOP_MARKET', triggerPrice: '90', reduceOnly: true }, 100);
  const events = briefs(venue.bar(100, 100, 97, 97.5));
  assert.deepEqual(
    events.map((text) => text.replace(/autoclose-\d+/, 'auto')),
    ['MARGIN_CALLED', 'CLOSED s expired', 'FILLED auto SELL 40@97.9'],
  );
  assert.equal(venue.engine.hasPosition('BTCUSDT'), false);
  assert.ok(Number(venue.engine.report(0).walletBalance) >= 0);
  assert.deepEqual(venue.engine.checkInvariants(), []);
});

test('a restored engine goes on exactly as the one it was taken from', () => {
  const venue = new VenueBench();
  venue.submit({}, 100);
  venue.submit(
    { ref: 't', side: 'SELL', type: 'TRAILING_STOP_MARKET', callbackRate: '1', reduceOnly: true },
    100,
  );
  venue.bar(100, 103, 99.5, 102.5);
  const copy = VenueEngine.restore(venue.engine.checkpoint(), venueOptions());
  const input = { type: 'PRICE', at: 9, symbol: 'BTCUSDT', last: 101 } as const;
  assert.deepEqual(copy.apply(input), venue.engine.apply(input));
  assert.equal(JSON.stringify(copy.checkpoint()), JSON.stringify(venue.engine.checkpoint()));
});
