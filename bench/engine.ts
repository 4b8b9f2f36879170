/**
 * The venue engine: bars slept through and applied, order round trips, checkpoint size. JSON lines, medians.
 */
import { seededRandom } from '../src/core/random.ts';
import type { Instrument } from '../src/domain/instrument.ts';
import type { IdentifiedOrder } from '../src/domain/order.ts';
import { VenueEngine } from '../src/exchange/engine.ts';

const ROUNDS = 5;

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

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
function timed(count: number, run: (i: number) => void): number {
  const from = process.hrtime.bigint();
  for (let i = 0; i < count; i++) run(i);
  return Number(process.hrtime.bigint() - from) / count;
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
    const at = (i: number) => bars[i % bars.length] ?? bars[0];
    asleep.push(
      timed(200_000, (i) => {
        const bar = at(i);
        if (bar) engine.apply({ type: 'BAR', at: i, bar });
      }),
    );
    const quote = { last: 100, mark: 100, volume: 1e6 };
    trips.push(
      timed(500, (i) => {
        const symbol = `S${i % symbols}USDT`;
        engine.apply({ type: 'order.submit', at: i, order: order(symbol, `b${i}`, {}), quote });
        const close = order(symbol, `c${i}`, { side: 'SELL', reduceOnly: true });
        engine.apply({ type: 'order.submit', at: i, order: close, quote });
      }),
    );
    const trailing = order('S0USDT', 't', { side: 'SELL', type: 'TRAILING_STOP_MARKET', callbackRate: '20' });
    engine.apply({ type: 'order.submit', at: 1, order: trailing, quote });
    applied.push(
      timed(5000, (i) => {
        const high = 101.5 + i / 1e4;
        const bar = { ...(at(0) ?? raise()), high, close: 101 };
        engine.apply({ type: 'BAR', at: i, bar });
      }),
    );
  }
  const checkpoint = JSON.stringify(protectedVenue(symbols).checkpoint()).length;
  const line = {
    bench: 'engine',
    symbols,
    barAsleepNs: Math.round(median(asleep)),
    barAppliedNs: Math.round(median(applied)),
    openAndCloseNs: Math.round(median(trips)),
    checkpointBytes: checkpoint,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function raise(): never {
  throw new Error('no bars');
}
