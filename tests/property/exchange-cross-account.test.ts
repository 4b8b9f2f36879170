/** What stands beside a symbol in the cross account: the same for one symbol alone and for all in one pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromNumber, mul } from '../../src/core/decimal.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import {
  type EngineState,
  engineConfig,
  initialState,
  marketOf,
  type Venue,
} from '../../src/exchange/engine/engine-state.ts';
import { CrossAccount, exposedOf } from '../../src/exchange/engine/liquidation-price.ts';
import { BTC, OWNER, venueOptions } from '../support/venue.ts';

const held = fc.record({
  quantity: fc.integer({ min: -500, max: 500 }),
  price: fc.integer({ min: 1, max: 50_000 }),
  mark: fc.integer({ min: 1, max: 50_000 }),
  isolated: fc.boolean(),
});
type Held = ReturnType<typeof held.generate>['value'];

const named = (index: number): Instrument => ({ ...BTC, symbol: `S${index}USDT` });

function venueOf(all: readonly Held[]): Venue {
  const instruments = all.map((_, index) => named(index));
  const options = venueOptions({ instruments, initialBalance: '100000' });
  const state: EngineState = initialState('100000');
  const base = new Map(instruments.map((one) => [one.symbol, one]));
  const venue: Venue = { config: engineConfig(options), base, state, out: [], at: 0 };
  for (const [index, { quantity, price, mark, isolated }] of all.entries()) {
    const market = marketOf(venue, named(index));
    market.mark = mark;
    market.marginMode = isolated ? 'isolated' : 'cross';
    if (quantity === 0) continue;
    const size = fromNumber(quantity / 1000);
    const entryNotional = mul(size, fromNumber(price));
    market.positions.push({
      side: 'BOTH',
      quantity: size,
      entryNotional,
      isolated: isolated ? '10' : '0',
      marginCalled: false,
      owner: OWNER,
    });
  }
  return venue;
}

const near = (a: number, b: number): boolean =>
  Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b));

test('the account without one symbol is the account in which that symbol holds nothing', () => {
  fc.assert(
    fc.property(fc.array(held, { minLength: 1, maxLength: 12 }), fc.nat(), (all, pick) => {
      const venue = venueOf(all);
      const index = pick % all.length;
      const market = marketOf(venue, named(index));
      if (market.marginMode === 'isolated') return;
      const outside = new CrossAccount(venue).outside(market);
      const emptied = venueOf(all.map((one, at) => (at === index ? { ...one, quantity: 0 } : one)));
      const beside = new CrossAccount(emptied).outside(marketOf(emptied, named(index)));
      assert.ok(near(outside.balance, beside.balance), `${outside.balance} and ${beside.balance}`);
      assert.ok(near(outside.maintenance, beside.maintenance));
      assert.equal(outside.sharers, beside.sharers);
    }),
  );
});

test('asked for all symbols at once, it says what it says to each alone', () => {
  fc.assert(
    fc.property(fc.array(held, { minLength: 1, maxLength: 12 }), (all) => {
      const venue = venueOf(all);
      const account = new CrossAccount(venue);
      for (const index of all.keys()) {
        const instrument = named(index);
        const market = marketOf(venue, instrument);
        assert.deepEqual(exposedOf(venue, market, instrument, account), exposedOf(venue, market, instrument));
      }
    }),
  );
});
