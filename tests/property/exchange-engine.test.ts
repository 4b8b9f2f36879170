/**
 * The venue engine under random commands and markets: its books always close, a checkpoint is the whole
 * memory, the wake band hides nothing, and nothing fills better than the market allowed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OrderRequest, OrderType } from '../../src/domain/order.ts';
import { candlePath, markRange } from '../../src/exchange/engine/candle-path.ts';
import {
  type EngineInput,
  type EngineOptions,
  type EngineOutput,
  VenueEngine,
} from '../../src/exchange/engine/engine.ts';
import { type EngineState, engineConfig, type Venue } from '../../src/exchange/engine/engine-state.ts';
import { walk } from '../../src/exchange/engine/walk.ts';
import { BTC, bar, ETH, order, venueOptions } from '../support/venue.ts';

const TYPES: readonly OrderType[] = [
  'MARKET',
  'LIMIT',
  'STOP_MARKET',
  'TAKE_PROFIT_MARKET',
  'STOP',
  'TAKE_PROFIT',
  'TRAILING_STOP_MARKET',
];

/** One step of a random session; numbers are turned into an input at the price of the moment. */
const step = fc.record({
  kind: fc.constantFrom('bar', 'bar', 'bar', 'order', 'order', 'order', 'cancel', 'funding', 'rest'),
  symbol: fc.constantFrom('BTCUSDT', 'ETHUSDT'),
  a: fc.integer({ min: -100, max: 100 }),
  b: fc.integer({ min: 0, max: 100 }),
  c: fc.integer({ min: 0, max: 100 }),
  d: fc.integer({ min: 1, max: 60 }),
  type: fc.constantFrom(...TYPES),
  flags: fc.integer({ min: 0, max: 63 }),
});
type Step = ReturnType<typeof step.generate>['value'];

const session = fc.record({
  steps: fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
  hedge: fc.boolean(),
  isolated: fc.boolean(),
  slippage: fc.boolean(),
  leverage: fc.constantFrom(5, 20, 100),
});
type Session = ReturnType<typeof session.generate>['value'];

function optionsOf(of: Session): EngineOptions {
  return venueOptions({
    initialBalance: '1000',
    positionMode: of.hedge ? 'hedge' : 'one-way',
    marginMode: of.isolated ? 'isolated' : 'cross',
    defaultLeverage: of.leverage,
    slippage: of.slippage ? { halfSpreadRate: 0.0001, impactRate: 0.5, makerVolumeShare: 0.01 } : {},
  });
}

const round1 = (price: number): number => Math.max(1, Math.round(price * 10) / 10);

/** The session as inputs; prices walk, orders are placed around them. */
function inputsOf({ steps, hedge }: Session): EngineInput[] {
  const price: Record<string, number> = { BTCUSDT: 100, ETHUSDT: 100 };
  return steps.map((of, i): EngineInput => {
    const at = i + 1;
    const { symbol } = of;
    const last = price[symbol] ?? 100;
    if (of.kind === 'bar') {
      const close = round1(last * (1 + of.a / 2000));
      price[symbol] = close;
      const open = of.flags & 1 ? last : round1(last + (close - last) / 2);
      const high = round1(Math.max(open, close) * (1 + of.b / 5000));
      const low = round1(Math.min(open, close) * (1 - of.c / 5000));
      const marks = of.flags & 2 ? { markHigh: high * 1.002, markLow: low * 0.998, markClose: close } : {};
      return { type: 'BAR', at, bar: bar(open, high, low, close, { symbol, ...marks }) };
    }
    if (of.kind === 'cancel')
      return { type: 'order.cancel', at, owner: 'position/BTCUSDT/BOTH/1', ref: `o${of.b}`, symbol };
    if (of.kind === 'funding') return { type: 'FUNDING', at, symbol, rate: of.a / 1e5, mark: last };
    if (of.kind === 'rest') return restOf(of, at, last);
    return { type: 'order.submit', at, order: order(requestOf(of, i, last, hedge)), quote: quoteOf(last) };
  });
}

const quoteOf = (last: number) => ({ last, mark: last, volume: 500 });

function restOf(of: Step, at: number, mark: number): EngineInput {
  if (of.flags < 20) return { type: 'DEPOSIT', at, amount: String(of.a) };
  if (of.flags < 30) return { type: 'ADL', at, symbol: of.symbol, quantity: String(of.d / 1000), mark };
  if (of.flags < 34) return { type: 'PRICE', at, symbol: of.symbol, last: mark };
  if (of.flags < 36)
    return { type: 'PRICE', at, symbol: of.symbol, last: round1(mark * (1 + of.a / 500)), marginFirst: true };
  if (of.flags < 40) {
    const depth = { levels: of.b % 4, quantity: String(of.d / 1000) };
    return { type: 'DEPTH', at, symbol: of.symbol, ...(of.flags < 39 ? { depth } : {}) };
  }
  if (of.flags < 50)
    return { type: 'leverage.set', at, owner: 'x', symbol: of.symbol, leverage: of.d, quote: quoteOf(mark) };
  const base = of.symbol === 'BTCUSDT' ? BTC : ETH;
  const status = of.flags === 50 ? 'SETTLING' : of.flags < 53 ? 'TRADING_HALT' : 'TRADING';
  return { type: 'INSTRUMENT', at, instrument: { ...base, status }, mark };
}

function requestOf(
  of: Step,
  i: number,
  last: number,
  hedge: boolean,
): Partial<OrderRequest> & { ref: string } {
  const { type } = of;
  const limit = type === 'LIMIT' || type === 'STOP' || type === 'TAKE_PROFIT';
  const trailing = type === 'TRAILING_STOP_MARKET';
  const trigger = type !== 'MARKET' && type !== 'LIMIT' && !trailing;
  const side = of.flags & 1 ? 'BUY' : 'SELL';
  const tifs = ['GTC', 'IOC', 'FOK', 'GTX'] as const;
  const timeInForce = tifs[of.c % 4] ?? 'GTC';
  return {
    ref: `o${i}`,
    symbol: of.symbol,
    side,
    type,
    quantity: String((of.d * (of.flags & 8 ? 1 : 20)) / 100),
    positionSide: hedge ? (of.flags & 2 ? 'LONG' : 'SHORT') : 'BOTH',
    reduceOnly: !hedge && (of.flags & 6) === 6,
    workingType: of.flags & 16 ? 'MARK_PRICE' : 'CONTRACT_PRICE',
    ...(limit ? { price: String(round1(last * (1 + of.a / 4000))), timeInForce } : {}),
    ...(trigger ? { triggerPrice: String(round1(last * (1 + (of.b - 50) / 3000))) } : {}),
    ...(trailing ? { callbackRate: String((of.b % 20) / 10 + 0.1) } : {}),
    ...(trailing && of.flags & 32 ? { activatePrice: String(round1(last * (1 + of.a / 4000))) } : {}),
  };
}

const runs = { numRuns: 150, seed: 20261122 };

test('the books close after every input, whatever happens', () => {
  let fills = 0;
  let liquidations = 0;
  fc.assert(
    fc.property(session, (of) => {
      const engine = new VenueEngine(optionsOf(of));
      for (const input of inputsOf(of)) {
        for (const { event } of engine.apply(input)) {
          if (event.type !== 'ORDER_FILLED') continue;
          fills++;
          if (event.cause === 'liquidation') liquidations++;
        }
        assert.deepEqual(engine.checkInvariants(), []);
      }
    }),
    runs,
  );
  assert.ok(
    fills > 500 && liquidations > 5,
    `${fills} fills, ${liquidations} liquidations: too quiet to prove`,
  );
});

test('the wallet events sum to the balance, and each carries the balance after it', () => {
  fc.assert(
    fc.property(session, (of) => {
      const engine = new VenueEngine(optionsOf(of));
      let balance = 1000n * 10n ** 20n;
      for (const input of inputsOf(of))
        for (const { event } of engine.apply(input)) {
          if (event.type !== 'WALLET_CHANGED') continue;
          balance += units(event.delta);
          assert.equal(units(event.balance), balance);
        }
      assert.equal(units(engine.report(0).walletBalance), balance);
    }),
    runs,
  );
});

/** Exact, in units of 1e−20. */
function units(value: string): bigint {
  const [whole = '0', fraction = ''] = value.replace('-', '').split('.');
  const magnitude = BigInt(whole) * 10n ** 20n + BigInt(fraction.padEnd(20, '0'));
  return value.startsWith('-') ? -magnitude : magnitude;
}

test('a restored checkpoint goes on exactly as the original, wherever it was taken', () => {
  fc.assert(
    fc.property(session, fc.nat(60), (of, cut) => {
      const inputs = inputsOf(of);
      const original = new VenueEngine(optionsOf(of));
      for (const input of inputs.slice(0, cut)) original.apply(input);
      const text = JSON.stringify(original.checkpoint());
      const copy = VenueEngine.restore(JSON.parse(text), optionsOf(of));
      for (const input of inputs.slice(cut)) assert.deepEqual(copy.apply(input), original.apply(input));
      assert.equal(JSON.stringify(copy.checkpoint()), JSON.stringify(original.checkpoint()));
    }),
    runs,
  );
});

test('bars inside the wake bands would have done nothing, even all of them one after another', () => {
  let asleep = 0;
  let atRisk = 0;
  fc.assert(
    fc.property(session, (of) => {
      const engine = new VenueEngine(optionsOf(of));
      let shadow = shadowOf(engine, of);
      for (const input of inputsOf(of)) {
        const before = JSON.stringify(engine.checkpoint());
        const inside = input.type === 'BAR' && isInside(engine, input);
        const outputs = engine.apply(input);
        if (!inside || input.type !== 'BAR') {
          shadow = shadowOf(engine, of);
          continue;
        }
        asleep++;
        if (engine.hasPosition(input.bar.symbol)) atRisk++;
        assert.deepEqual(outputs, []);
        assert.equal(JSON.stringify(engine.checkpoint()), before);
        const market = shadow.state.markets[input.bar.symbol];
        const instrument = shadow.state.instruments[input.bar.symbol] ?? shadow.base.get(input.bar.symbol);
        if (!market || instrument?.status !== 'TRADING') continue;
        walk(shadow, market, instrument, {
          legs: candlePath(input.bar),
          volume: input.bar.volume,
          scope: 'all',
          makerVolume: input.bar.volume,
        });
        assert.deepEqual(shadow.out, []);
      }
    }),
    { ...runs, numRuns: 300 },
  );
  assert.ok(
    asleep > 300 && atRisk > 100,
    `${asleep} bars asleep, ${atRisk} with a position: too few to prove`,
  );
});

function isInside(engine: VenueEngine, { bar }: Extract<EngineInput, { type: 'BAR' }>): boolean {
  const band = engine.wakeBand(bar.symbol);
  const mark = markRange(bar);
  const last = bar.low > band.lastLow && bar.high < band.lastHigh;
  return last && mark.low > band.markLow && mark.high < band.markHigh;
}

/** The engine's state under the bare matching code, without the early return. */
function shadowOf(engine: VenueEngine, of: Session): Venue {
  return {
    config: engineConfig(optionsOf(of)),
    base: new Map([BTC, ETH].map((instrument) => [instrument.symbol, instrument])),
    state: engine.checkpoint() as unknown as EngineState,
    out: [],
    at: 0,
  };
}

test('no fill is better than its limit or than its bar allows, and reduce-only never opens', () => {
  let reductions = 0;
  fc.assert(
    fc.property(session, (of) => {
      const engine = new VenueEngine(optionsOf(of));
      const requests = new Map<string, OrderRequest>();
      const held = new Map<string, number>();
      for (const input of inputsOf(of)) {
        if (input.type === 'order.submit') requests.set(input.order.ref, input.order);
        for (const { event } of engine.apply(input)) {
          if (event.type !== 'ORDER_FILLED') continue;
          const request = requests.get(event.ref);
          if (request) checkPrice(event, request, input);
          if (of.hedge) continue;
          const before = held.get(event.symbol) ?? 0;
          const signed = Number(event.quantity) * (event.side === 'BUY' ? 1 : -1);
          const after = Number((before + signed).toFixed(6));
          held.set(event.symbol, after);
          if (!request?.reduceOnly && !event.cause) continue;
          reductions++;
          assert.ok(Math.abs(after) < Math.abs(before) && after * before >= 0, `${before} became ${after}`);
        }
      }
    }),
    runs,
  );
  assert.ok(reductions > 50, `${reductions} reductions: too few to prove`);
});

function checkPrice(
  event: Extract<EngineOutput['event'], { type: 'ORDER_FILLED' }>,
  request: OrderRequest,
  input: EngineInput,
): void {
  const price = Number(event.price);
  const buying = event.side === 'BUY';
  if (request.price !== undefined) {
    if (event.maker) assert.equal(price, Number(request.price));
    else assert.ok(buying ? price <= Number(request.price) : price >= Number(request.price));
  }
  if (input.type !== 'BAR' || event.maker) return;
  // A taker may slip out of the bar to its loss, never to its gain.
  const { low, high } = input.bar;
  assert.ok(buying ? price >= low - 1e-9 : price <= high + 1e-9, `${price} outside ${low}..${high}`);
}
