/**
 * Order-book mode under random books, trades and orders: the books close, a taker never gets more than is
 * visible, a maker never more than was traded, and a restored venue goes on the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OrderRequest } from '../../src/domain/order.ts';
import {
  type BookLevel,
  type EngineInput,
  type EngineOutput,
  VenueEngine,
} from '../../src/exchange/engine/engine.ts';
import { order, venueOptions } from '../support/venue.ts';

const step = fc.record({
  kind: fc.constantFrom('book', 'book', 'trade', 'trade', 'order', 'order', 'cancel', 'price'),
  mid: fc.integer({ min: 990, max: 1010 }),
  ticks: fc.integer({ min: -5, max: 5 }),
  size: fc.integer({ min: 1, max: 40 }),
  buying: fc.boolean(),
  type: fc.constantFrom('MARKET', 'LIMIT', 'LIMIT', 'LIMIT', 'STOP_MARKET'),
  timeInForce: fc.constantFrom('GTC', 'GTC', 'GTX', 'IOC', 'FOK'),
  reduceOnly: fc.boolean(),
});
type Step = ReturnType<typeof step.generate>['value'];
const steps = fc.array(step, { minLength: 20, maxLength: 60, size: 'max' });

const price = (tenths: number): string => (tenths / 10).toFixed(1).replace(/\.0$/, '');
const amount = (size: number): string => String(size / 10);

function levels(mid: number, size: number, direction: 1 | -1): BookLevel[] {
  return [1, 2, 4].map((away, i) => [price(mid + direction * away), amount(size * (i + 1))] as const);
}

function inputOf(of: Step, i: number): EngineInput {
  const at = i + 1;
  const symbol = 'BTCUSDT';
  const tenths = of.mid + of.ticks;
  const quantity = amount(of.size);
  switch (of.kind) {
    case 'book':
      return {
        type: 'BOOK',
        at,
        symbol,
        bids: levels(of.mid, of.size, -1),
        asks: levels(of.mid, of.size, 1),
      };
    case 'trade':
      return { type: 'TRADE', at, symbol, price: price(tenths), quantity, buyerMaker: of.buying };
    case 'price':
      return { type: 'PRICE', at, symbol, last: tenths / 10 };
    case 'cancel':
      return { type: 'order.cancel', at, owner: 'position/BTCUSDT/BOTH/1', ref: `o${of.size}`, symbol };
    default:
      return {
        type: 'order.submit',
        at,
        order: order(requestOf(of, i)),
        quote: { last: of.mid / 10, mark: 100 },
      };
  }
}

function requestOf(of: Step, i: number): Partial<OrderRequest> & { ref: string } {
  const { type, timeInForce, reduceOnly } = of;
  const side = of.buying ? 'BUY' : 'SELL';
  const base = { ref: `o${i}`, side, type, reduceOnly, quantity: amount(of.size) } as const;
  if (type === 'LIMIT') return { ...base, price: price(of.mid + of.ticks), timeInForce };
  return type === 'STOP_MARKET' ? { ...base, triggerPrice: price(of.mid + of.ticks) } : base;
}

const fillsOf = (outputs: readonly EngineOutput[]) =>
  outputs.map(({ event }) => event).filter((event) => event.type === 'ORDER_FILLED');

const runs = { numRuns: 200, seed: 20261123 };

test('order-book mode: the books close and no fill exceeds what was to be had', () => {
  let makers = 0;
  let takers = 0;
  fc.assert(
    fc.property(steps, (all) => {
      const engine = new VenueEngine(venueOptions({ initialBalance: '100000' }));
      for (const [i, of] of all.entries()) {
        const input = inputOf(of, i);
        const fills = fillsOf(engine.apply(input));
        assert.deepEqual(engine.checkInvariants(), []);
        const made = fills.filter((fill) => fill.maker).map((fill) => Number(fill.quantity));
        makers += made.length;
        takers += fills.length - made.length;
        if (input.type !== 'TRADE') continue;
        const total = made.reduce((sum, quantity) => sum + quantity, 0);
        assert.ok(total <= Number(input.quantity) + 1e-9, `${total} made of a trade of ${input.quantity}`);
      }
    }),
    runs,
  );
  assert.ok(makers > 200 && takers > 200, `${makers} maker and ${takers} taker fills: too few to prove`);
});

test('order-book mode: what takers take between two books is never more than the first one showed', () => {
  let taken = 0;
  fc.assert(
    fc.property(steps, (all) => {
      const engine = new VenueEngine(venueOptions({ initialBalance: '100000' }));
      let left = new Map<string, number>();
      for (const [i, of] of all.entries()) {
        const input = inputOf(of, i);
        if (input.type === 'BOOK') {
          left = new Map([...input.bids, ...input.asks].map(([at, visible]) => [at, Number(visible)]));
        }
        for (const fill of fillsOf(engine.apply(input))) {
          if (fill.maker || left.size === 0) continue;
          const rest = (left.get(fill.price) ?? 0) - Number(fill.quantity);
          assert.ok(rest > -1e-9, `${fill.quantity} at ${fill.price} was not there`);
          left.set(fill.price, rest);
          taken++;
        }
      }
    }),
    runs,
  );
  assert.ok(taken > 200, `${taken} takes: too few to prove`);
});

test('order-book mode: a restored venue goes on the same', () => {
  fc.assert(
    fc.property(steps, fc.nat(60), (all, cut) => {
      const inputs = all.map(inputOf);
      const original = new VenueEngine(venueOptions());
      for (const input of inputs.slice(0, cut)) original.apply(input);
      const copy = VenueEngine.restore(JSON.parse(JSON.stringify(original.checkpoint())), venueOptions());
      for (const input of inputs.slice(cut)) assert.deepEqual(copy.apply(input), original.apply(input));
      assert.equal(JSON.stringify(copy.checkpoint()), JSON.stringify(original.checkpoint()));
    }),
    runs,
  );
});
