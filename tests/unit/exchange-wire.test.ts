/** What the engine does for a venue with a wire: details, both margin modes at once, own orders that meet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { VenueEngine } from '../../src/exchange/engine/engine.ts';
import { DETAIL, type EngineInput } from '../../src/exchange/engine/engine-types.ts';
import { BTC, bar, ETH, order, VenueBench, venueOptions } from '../support/venue.ts';

/** A session in which most things happen: orders of all kinds, bars, funding. */
function session(seed: number): EngineInput[] {
  const random = seededRandom(seed);
  const whole = (below: number): number => Math.floor(random.next() * below);
  let price = 100;
  return Array.from({ length: 80 }, (_, i): EngineInput => {
    const at = i + 1;
    const quote = { last: price, mark: price };
    const side = whole(2) ? 'BUY' : 'SELL';
    const quantity = String(1 + whole(40));
    const near = String(Math.round((price + whole(9) - 4) * 10) / 10);
    const kind = whole(8);
    if (kind === 0) return { type: 'FUNDING', at, symbol: 'BTCUSDT', rate: 0.001, mark: price };
    if (kind === 1)
      return {
        type: 'order.submit',
        at,
        quote,
        order: order({ ref: `m${i}`, side, quantity, reduceOnly: whole(2) > 0 }),
      };
    if (kind === 2) {
      const request = {
        ref: `l${i}`,
        side,
        quantity,
        type: 'LIMIT',
        price: near,
        timeInForce: 'GTC',
      } as const;
      return { type: 'order.submit', at, quote, order: order(request) };
    }
    if (kind === 3) {
      const request = { ref: `s${i}`, side, quantity, type: 'STOP_MARKET', triggerPrice: near } as const;
      return { type: 'order.submit', at, quote, order: order(request) };
    }
    if (kind === 4) {
      const request = {
        ref: `t${i}`,
        side,
        quantity,
        type: 'TRAILING_STOP_MARKET',
        callbackRate: '0.5',
      } as const;
      return { type: 'order.submit', at, quote, order: order(request) };
    }
    const open = price;
    price = Math.max(20, price + whole(15) - 7);
    return { type: 'BAR', at, bar: bar(open, Math.max(open, price) + 1, Math.min(open, price) - 1, price) };
  });
}

test('details add and change nothing', () => {
  let told = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const plain = new VenueEngine(venueOptions({ initialBalance: '300' }));
    const detailed = new VenueEngine(venueOptions({ initialBalance: '300', details: true }));
    for (const input of session(seed)) {
      const outputs = detailed.apply(input);
      told += outputs.filter(({ to }) => to === DETAIL).length;
      assert.deepEqual(
        outputs.filter(({ to }) => to !== DETAIL),
        plain.apply(input),
      );
    }
    assert.deepEqual(detailed.checkpoint(), plain.checkpoint());
  }
  assert.ok(told > 200, `only ${told} details`);
});

test('cross and isolated at once: neither answers for the other', () => {
  const bench = new VenueBench({ initialBalance: '1000', details: true });
  bench.apply({ type: 'margin.mode', at: 1, symbol: 'ETHUSDT', mode: 'isolated' });
  bench.submit({ ref: 'e', symbol: 'ETHUSDT', quantity: '20' });
  bench.submit({ ref: 'b', quantity: '100' });
  assert.deepEqual(bench.engine.wallets(), { wallet: '994', crossWallet: '894' });
  // The cross side loses all it has and more; the isolated position keeps its margin.
  bench.price(85);
  assert.equal(bench.position('BTCUSDT'), undefined);
  assert.equal(bench.position('ETHUSDT')?.quantity, '20');
  assert.deepEqual(bench.engine.wallets(), { wallet: '100', crossWallet: '0' });
  bench.price(90, 90, 'ETHUSDT');
  assert.equal(bench.position('ETHUSDT'), undefined);
  assert.deepEqual(bench.engine.checkInvariants(), []);
});

test('modes do not change under orders or positions', () => {
  const bench = new VenueBench({ details: true });
  const refusal = (input: EngineInput): number | undefined => {
    const [event] = bench.apply(input);
    return event?.type === 'COMMAND_REFUSED' ? event.code : undefined;
  };
  bench.submit({ ref: 'l', type: 'LIMIT', price: '90', timeInForce: 'GTC' });
  assert.equal(refusal({ type: 'position.mode', at: 9, mode: 'hedge' }), -4067);
  assert.equal(refusal({ type: 'margin.mode', at: 9, symbol: 'BTCUSDT', mode: 'isolated' }), -4047);
  bench.cancel('l');
  assert.equal(refusal({ type: 'margin.mode', at: 9, symbol: 'BTCUSDT', mode: 'isolated' }), undefined);
  bench.submit({ ref: 'p' });
  assert.equal(refusal({ type: 'margin.mode', at: 9, symbol: 'BTCUSDT', mode: 'cross' }), -4048);
  assert.equal(refusal({ type: 'position.mode', at: 9, mode: 'hedge' }), -4068);
  const restored = VenueEngine.restore(bench.engine.checkpoint(), venueOptions({ details: true }));
  assert.equal(restored.marginMode('BTCUSDT'), 'isolated');
});

test('book: a taker takes what is better than its own order, and no more', () => {
  const bench = new VenueBench({ details: true });
  bench.apply({ type: 'BOOK', at: 1, symbol: 'BTCUSDT', bids: [['99', '5']], asks: [['101', '5']] });
  const own = { ref: 'own', side: 'SELL', type: 'LIMIT', price: '100.5', timeInForce: 'GTC' } as const;
  bench.submit(own);
  bench.apply({
    type: 'BOOK',
    at: 2,
    symbol: 'BTCUSDT',
    bids: [['99', '5']],
    asks: [
      ['100', '1'],
      ['101', '5'],
    ],
  });
  const submit = (stp: 'EXPIRE_TAKER' | 'EXPIRE_MAKER', ref: string) =>
    bench.apply({
      type: 'order.submit',
      at: 3,
      stp,
      order: order({ ref, quantity: '3' }),
      quote: { last: 100, mark: 100 },
    });
  const taken = submit('EXPIRE_TAKER', 'a').flatMap((event) =>
    event.type === 'ORDER_FILLED' || event.type === 'ORDER_CLOSED'
      ? [`${event.ref} ${event.type} ${event.cumulative}`]
      : [],
  );
  assert.deepEqual(taken, ['a ORDER_FILLED 1', 'a ORDER_CLOSED 1']);
  const through = submit('EXPIRE_MAKER', 'b').flatMap((event) =>
    event.type === 'ORDER_FILLED' || event.type === 'ORDER_CLOSED'
      ? [`${event.ref} ${event.type} ${event.cumulative}`]
      : [],
  );
  assert.deepEqual(through, ['own ORDER_CLOSED 0', 'b ORDER_FILLED 3']);
});

test('instruments that changed are known by their new terms', () => {
  const engine = new VenueEngine(venueOptions());
  engine.apply({ type: 'INSTRUMENT', at: 1, instrument: { ...ETH, tickSize: '0.5' } });
  assert.equal(engine.instrument('ETHUSDT')?.tickSize, '0.5');
  assert.equal(engine.instrument('BTCUSDT')?.tickSize, BTC.tickSize);
});
