/**
 * The venue engine: bars slept through and applied, order round trips, checkpoint size. JSON lines, medians.
 */
import { defined } from '../src/core/assert.ts';
import { seededRandom } from '../src/core/random.ts';
import type { Instrument } from '../src/domain/instrument.ts';
import type { IdentifiedOrder } from '../src/domain/order.ts';
import { VenueEngine } from '../src/exchange/engine/engine.ts';
import { median, report, timed } from './measure.ts';

const ROUNDS = 5;

function instrument(index: number): Instrument {
  return {
    symbol: `S${index}USDT`,
    base: `S${index}`,
    quote: 'USDT',
    status: 'TRADING',
    tickSize: '0.01',
    minPrice: '0.01',
    maxPrice: '1000000',
    stepSize: '0.001',
    minQuantity: '0.001',
    maxQuantity: '100000',
    marketMaxQuantity: '100000',
    minNotional: '5',
    multiplierUp: '1.15',
    multiplierDown: '0.85',
    triggerProtectRate: '0.05',
    liquidationFeeRate: '0.0125',
    marketTakeBoundRate: '0.05',
    makerFeeRate: '0.0002',
    takerFeeRate: '0.0005',
    fundingIntervalHours: 8,
    brackets: [
      {
        bracket: 1,
        initialLeverage: 50,
        notionalFloor: '0',
        notionalCap: '100000000',
        maintMarginRate: '0.005',
        cum: '0',
      },
    ],
  };
}

function order(symbol: string, ref: string, more: Partial<IdentifiedOrder>): IdentifiedOrder {
  return {
    ref,
    clientOrderId: `bh-${ref}`,
    owner: `position/${symbol}/BOTH/1`,
    symbol,
    side: 'BUY',
    positionSide: 'BOTH',
    type: 'MARKET',
    quantity: '1',
    reduceOnly: false,
    ...more,
  };
}

/** Nanoseconds for each of `count` calls. */
function each(count: number, run: (i: number) => void): number {
  const seconds = timed(() => {
    for (let i = 0; i < count; i++) run(i);
  });
  return (seconds * 1e9) / count;
}

function protectedVenue(symbols: number): VenueEngine {
  const instruments = Array.from({ length: symbols }, (_, i) => instrument(i));
  const engine = new VenueEngine({ instruments, initialBalance: '1000000' });
  const quote = { last: 100, mark: 100, volume: 1e6 };
  for (const { symbol } of instruments) {
    engine.apply({ type: 'order.submit', at: 1, order: order(symbol, 'e', {}), quote });
    const stop = order(symbol, 's', {
      side: 'SELL',
      type: 'STOP_MARKET',
      triggerPrice: '90',
      reduceOnly: true,
      workingType: 'MARK_PRICE',
    });
    engine.apply({ type: 'order.submit', at: 1, order: stop, quote });
  }
  return engine;
}

for (const symbols of [6, 35]) {
  const asleep: number[] = [];
  const applied: number[] = [];
  const trips: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const engine = protectedVenue(symbols);
    const random = seededRandom(round);
    const bars = Array.from({ length: 1000 }, (_, i) => {
      const close = 100 + random.next();
      const range = { open: 100, high: 101.5, low: 99, close, volume: 1e6 };
      return { symbol: `S${i % symbols}USDT`, timeframe: '1m' as const, openTime: 0, ...range };
    });
    const barAt = (i: number) => defined(bars[i % bars.length], 'bar');
    asleep.push(each(200_000, (i) => engine.apply({ type: 'BAR', at: i, bar: barAt(i) })));
    const quote = { last: 100, mark: 100, volume: 1e6 };
    trips.push(
      each(500, (i) => {
        const symbol = `S${i % symbols}USDT`;
        engine.apply({ type: 'order.submit', at: i, order: order(symbol, `b${i}`, {}), quote });
        const close = order(symbol, `c${i}`, { side: 'SELL', reduceOnly: true });
        engine.apply({ type: 'order.submit', at: i, order: close, quote });
      }),
    );
    const trailing = order('S0USDT', 't', { side: 'SELL', type: 'TRAILING_STOP_MARKET', callbackRate: '20' });
    engine.apply({ type: 'order.submit', at: 1, order: trailing, quote });
    applied.push(
      each(5000, (i) => {
        const high = 101.5 + i / 1e4;
        const bar = { ...barAt(0), high, close: 101 };
        engine.apply({ type: 'BAR', at: i, bar });
      }),
    );
  }
  report({
    bench: 'engine',
    symbols,
    barAsleepNs: median(asleep),
    barAppliedNs: median(applied),
    openAndCloseNs: median(trips),
    checkpointBytes: JSON.stringify(protectedVenue(symbols).checkpoint()).length,
  });
}
