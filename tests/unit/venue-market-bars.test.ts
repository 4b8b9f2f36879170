/** Bars played as a market: what the streams say, what the engine hears, and that both are the same market. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fromNumber } from '../../src/core/decimal.ts';
import { seededRandom } from '../../src/core/random.ts';
import { VenueEngine } from '../../src/exchange/engine/engine.ts';
import type { EngineInput } from '../../src/exchange/engine/engine-types.ts';
import type { MarketBar, MarketData, MarketStep } from '../../src/market/market-data.ts';
import { type DepthDiff, type DepthSnapshot, OrderBook } from '../../src/market/order-book.ts';
import { SYNTHETIC_START_AT, SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import type { MarketSide } from '../../src/venue-server/market/market-side.ts';
import { inMemory } from '../support/array-market.ts';
import { type MarketBench, marketBench } from '../support/venue-market.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SYMBOLS = ['BTCUSDT', 'DOGEUSDT', 'SOLUSDT'];
/** A quarter to eight: hours of history behind, a funding ahead. */
const START = SYNTHETIC_START_AT + 7 * HOUR + 45 * MINUTE;

let market: MarketData;
const bars = new Map<string, MarketBar>();
const stepAt = new Map<number, MarketStep>();

before(async () => {
  market = await inMemory(new SyntheticMarketData({ seed: 5, symbols: SYMBOLS, days: 2 }));
  for await (const steps of market.steps(undefined))
    for (const step of steps) {
      stepAt.set(step.at, step);
      for (const bar of step.bars) bars.set(`${bar.symbol}/${bar.openTime}`, bar);
    }
});

const barOf = (symbol: string, openTime: number): MarketBar => {
  const bar = bars.get(`${symbol}/${openTime}`);
  assert.ok(bar, `no bar of ${symbol} at ${openTime}`);
  return bar;
};

const bench = (
  streams: readonly string[] = [],
  more: { startAt?: number; onInput?: (input: EngineInput, side: MarketSide) => void } = {},
): MarketBench => marketBench({ source: { kind: 'bars', market }, startAt: START, streams, ...more });

interface KlineFrame {
  E: number;
  k: { t: number; T: number; o: string; h: string; l: string; c: string; v: string; x: boolean; n: number };
}
interface TradeFrame {
  E: number;
  T: number;
  a: number;
  p: string;
  q: string;
  m: boolean;
}
interface BookTickerFrame {
  u: number;
  b: string;
  B: string;
  a: string;
  A: string;
}

test('a closed kline is the source’s own bar, to the last digit, and comes once', async () => {
  const b = bench(['btcusdt@kline_1m', 'dogeusdt@kline_1m']);
  await b.side.start();
  await b.advance(START + 30 * MINUTE);
  for (const symbol of ['BTCUSDT', 'DOGEUSDT']) {
    const closed = b.of<KlineFrame>(`${symbol.toLowerCase()}@kline_1m`).filter(({ k }) => k.x);
    assert.equal(closed.length, 30);
    closed.forEach(({ k, E }, i) => {
      assert.equal(k.t, START + i * MINUTE);
      assert.equal(E, k.T + 1);
      const bar = barOf(symbol, k.t);
      const said = [k.o, k.h, k.l, k.c, k.v].map(Number);
      assert.deepEqual(said, [bar.open, bar.high, bar.low, bar.close, bar.volume]);
    });
  }
  await b.side.stop();
});

test('trades, forming klines and book tickers agree with each other on the way', async () => {
  const b = bench(['solusdt@kline_1m', 'solusdt@aggTrade', 'solusdt@bookTicker']);
  await b.side.start();
  await b.advance(START + 10 * MINUTE);
  const trades = b.of<TradeFrame>('solusdt@aggTrade');
  for (let openTime = START; openTime < START + 10 * MINUTE; openTime += MINUTE) {
    const bar = barOf('SOLUSDT', openTime);
    const own = trades.filter(({ T }) => T >= openTime && T < openTime + MINUTE);
    const prices = own.map(({ p }) => Number(p));
    // The very first second was silent: the venue had just come up.
    if (openTime > START) assert.equal(prices[0], bar.open);
    assert.equal(Math.max(...prices), bar.high);
    assert.equal(Math.min(...prices), bar.low);
    assert.equal(prices.at(-1), bar.close);
    const volume = own.reduce((sum, { q }) => sum + Number(q), 0);
    if (openTime > START) assert.ok(Math.abs(volume - bar.volume) <= 1, `${volume} traded of ${bar.volume}`);
  }
  let last = 0;
  for (const { a } of trades) {
    assert.ok(a > last);
    last = a;
  }
  // Pushes in their order: the last price is always at the touch.
  let price = 0;
  let closings = 0;
  for (const push of b.pushes) {
    if (push.socket === 'private') continue;
    const data = push.data as unknown as TradeFrame & BookTickerFrame & KlineFrame;
    if (push.stream === 'solusdt@aggTrade') price = Number(data.p);
    if (push.stream === 'solusdt@kline_1m') {
      if (price > 0) assert.equal(Number(data.k.c), price);
      if (data.k.x) closings++;
    }
    if (push.stream === 'solusdt@bookTicker' && price > 0) {
      assert.ok(Number(data.b) < Number(data.a));
      assert.ok(price === Number(data.b) || price === Number(data.a), `${price} in ${data.b}–${data.a}`);
    }
  }
  assert.equal(closings, 10);
  await b.side.stop();
});

test('longer klines are rolled up, forming and closed, and REST says the same', async () => {
  const b = bench(['btcusdt@kline_15m', 'btcusdt@kline_1h']);
  await b.side.start();
  const frames = (): KlineFrame[] => b.of<KlineFrame>('btcusdt@kline_15m');
  await b.advance(START + 7 * MINUTE + 30_000);
  const forming = frames().at(-1)?.k;
  const [rest] = b.call<(string | number)[][]>('/fapi/v1/klines', {
    symbol: 'BTCUSDT',
    interval: '15m',
    limit: 1,
  });
  assert.deepEqual(
    [forming?.t, forming?.o, forming?.h, forming?.l, forming?.c, forming?.v],
    rest?.slice(0, 6),
  );
  await b.advance(START + 15 * MINUTE);
  const closed = frames().filter(({ k }) => k.x);
  assert.equal(closed.length, 1);
  const minutes = Array.from({ length: 15 }, (_, i) => barOf('BTCUSDT', START + i * MINUTE));
  assert.equal(Number(closed[0]?.k.h), Math.max(...minutes.map(({ high }) => high)));
  assert.equal(Number(closed[0]?.k.o), minutes[0]?.open);
  assert.equal(Number(closed[0]?.k.c), minutes[14]?.close);
  const hour = b.of<KlineFrame>('btcusdt@kline_1h').filter(({ k }) => k.x);
  assert.equal(hour.length, 1, 'the hour closed at eight');
  assert.equal(Number(hour[0]?.k.o), barOf('BTCUSDT', START - 45 * MINUTE).open);
  await b.side.stop();
});

test('history is there from the start, pages forward and backward, and never shows the future', async () => {
  const b = bench();
  await b.side.start();
  const rows = (params: Record<string, string | number>): number[][] =>
    b.call<(string | number)[][]>('/fapi/v1/klines', params).map((row) => row.map(Number));
  const all = rows({ symbol: 'BTCUSDT', interval: '1m', limit: 1500 });
  assert.equal(all.length, 7 * 60 + 45 + 1);
  assert.deepEqual(
    all.slice(0, -1).map((row) => row.slice(0, 6)),
    Array.from({ length: 7 * 60 + 45 }, (_, i) => {
      const { openTime, open, high, low, close, volume } = barOf('BTCUSDT', SYNTHETIC_START_AT + i * MINUTE);
      return [openTime, open, high, low, close, volume];
    }),
  );
  const page = rows({
    symbol: 'BTCUSDT',
    interval: '1m',
    startTime: SYNTHETIC_START_AT + 100 * MINUTE,
    endTime: SYNTHETIC_START_AT + 102 * MINUTE,
  });
  assert.deepEqual(
    page.map(([openTime]) => openTime),
    [100, 101, 102].map((minute) => SYNTHETIC_START_AT + minute * MINUTE),
  );
  const marks = b.call<string[][]>('/fapi/v1/markPriceKlines', {
    symbol: 'BTCUSDT',
    interval: '1m',
    limit: 2,
  });
  assert.equal(Number(marks[0]?.[4]), barOf('BTCUSDT', START - MINUTE).markClose);
  const hours = rows({ symbol: 'BTCUSDT', interval: '4h', limit: 10 });
  assert.deepEqual(
    hours.map(([openTime]) => openTime),
    [0, 4].map((hour) => SYNTHETIC_START_AT + hour * HOUR),
  );
  await b.side.stop();
});

test('the engine hears each shown price once, in order, and funding between close and open', async () => {
  const b = bench(['btcusdt@aggTrade']);
  await b.side.start();
  await b.advance(START + 16 * MINUTE);
  assert.deepEqual([...new Set(b.inputs.map(({ type }) => type))].sort(), ['FUNDING', 'PRICE']);
  const prices = b.inputs.flatMap((input) =>
    input.type === 'PRICE' && input.symbol === 'BTCUSDT' ? [fromNumber(input.last)] : [],
  );
  assert.deepEqual(
    b.of<TradeFrame>('btcusdt@aggTrade').map(({ p }) => fromNumber(Number(p))),
    prices,
  );
  let at = 0;
  for (const input of b.inputs) {
    assert.ok(input.at >= at);
    at = input.at;
  }
  const eight = START + 15 * MINUTE;
  const around = b.inputs.filter((input) => input.at === eight).map(({ type }) => type);
  const funding = stepAt.get(eight)?.funding ?? [];
  assert.ok(funding.length > 0);
  const closes = SYMBOLS.map(() => 'PRICE');
  assert.deepEqual(around, [...closes, ...funding.map(() => 'FUNDING'), ...closes]);
  const [rate] = b.call<{ fundingRate: string; fundingTime: number }[]>('/fapi/v1/fundingRate', {
    symbol: 'BTCUSDT',
    limit: 1,
  });
  assert.equal(rate?.fundingTime, eight);
  assert.equal(Number(rate?.fundingRate), funding.find(({ symbol }) => symbol === 'BTCUSDT')?.rate);
  await b.side.stop();
});

test('the same market comes out however the clock is moved', async () => {
  const streams = ['btcusdt@bookTicker', 'dogeusdt@depth@100ms', 'solusdt@aggTrade', '!markPrice@arr@1s'];
  const whole = bench(streams);
  await whole.side.start();
  await whole.advance(START + 5 * MINUTE);
  const steps = bench(streams);
  await steps.side.start();
  for (let at = START; at <= START + 5 * MINUTE; at += 700) await steps.advance(at);
  await steps.advance(START + 5 * MINUTE);
  assert.equal(JSON.stringify(steps.pushes), JSON.stringify(whole.pushes));
  assert.deepEqual(steps.inputs, whole.inputs);
  await Promise.all([whole.side.stop(), steps.side.stop()]);
});

test('depth differences carry a snapshot taken at any time along with the book', async () => {
  const b = bench(['dogeusdt@depth@100ms', 'dogeusdt@bookTicker', 'dogeusdt@depth5@100ms']);
  await b.side.start();
  const random = seededRandom('snapshots');
  for (let round = 0; round < 20; round++) {
    const book = new OrderBook();
    const from = b.pushes.length;
    const depth = { symbol: 'DOGEUSDT', limit: 1000 };
    // Before the first difference, between two, or right after one.
    await b.advance(b.clock.now() + random.int(2500));
    const { lastUpdateId, bids, asks } = b.call<DepthSnapshot>('/fapi/v1/depth', depth);
    await b.advance(b.clock.now() + 3000 + random.int(4000));
    const diffs = b.pushes.slice(from).flatMap((push) => {
      if (push.socket === 'private' || push.stream !== 'dogeusdt@depth@100ms') return [];
      const {
        U,
        u,
        pu,
        b: bids,
        a: asks,
      } = push.data as unknown as Record<'U' | 'u' | 'pu', number> & Record<'a' | 'b', DepthDiff['bids']>;
      return [{ firstId: U, lastId: u, previousId: pu, bids, asks }];
    });
    for (const diff of diffs) assert.equal(book.applyDiff(diff), 'buffered');
    assert.ok(book.applySnapshot({ lastUpdateId, bids, asks }), `round ${round}: a gap`);
    assert.ok(book.synced);
    const now = b.call<{ bids: [string, string][]; asks: [string, string][] }>('/fapi/v1/depth', depth);
    const levels = (side: 'bids' | 'asks'): number[][] =>
      book.levels(side, 1000).map(({ price, quantity }) => [price, quantity]);
    assert.deepEqual(
      levels('bids'),
      now.bids.map((level) => level.map(Number)),
    );
    assert.deepEqual(
      levels('asks'),
      now.asks.map((level) => level.map(Number)),
    );
    const ticker = b.of<BookTickerFrame>('dogeusdt@bookTicker').at(-1);
    assert.deepEqual([ticker?.b, ticker?.B], now.bids[0]);
    assert.deepEqual([ticker?.a, ticker?.A], now.asks[0]);
    const partial = b.of<{ b: string[][]; a: string[][] }>('dogeusdt@depth5@100ms').at(-1);
    assert.deepEqual(partial?.b, now.bids.slice(0, 5));
  }
  await b.side.stop();
});

test('after an absence whole bars go to the engine as bars, the rest as prices, funding once', async () => {
  const resumeAt = START + 3 * MINUTE + 20_500;
  const startAt = START + 20 * MINUTE + 10_000;
  const b = bench([], { startAt });
  await b.side.start(resumeAt);
  const of = (type: string) =>
    b.inputs.filter((input) => input.type === type && (!('symbol' in input) || input.symbol === 'BTCUSDT'));
  const played = of('PRICE').map(({ at }) => at);
  assert.equal(played[0], START + 3 * MINUTE + 21_000);
  assert.equal(played[39], START + 4 * MINUTE, 'the broken bar is played to its end');
  assert.equal(played[40], START + 20 * MINUTE, 'the bar under way from its beginning');
  assert.equal(played.at(-1), startAt);
  const passed = b.inputs.flatMap((input) =>
    input.type === 'BAR' && input.bar.symbol === 'BTCUSDT' ? [input.bar] : [],
  );
  assert.deepEqual(
    passed,
    Array.from({ length: 16 }, (_, i) => barOf('BTCUSDT', START + (4 + i) * MINUTE)),
  );
  assert.equal(of('FUNDING').length, 1);
  await b.side.stop();

  // Killed at the very instant of the funding: only what is not in the books is settled.
  const eight = START + 15 * MINUTE;
  const again = bench([], { startAt: eight + MINUTE });
  await again.side.start(eight, (symbol, at) => at === eight && symbol === 'BTCUSDT');
  const funded = again.inputs.flatMap((input) => (input.type === 'FUNDING' ? [input.symbol] : []));
  assert.deepEqual(
    funded,
    (stepAt.get(eight)?.funding ?? []).map(({ symbol }) => symbol).filter((s) => s !== 'BTCUSDT'),
  );
  await again.side.stop();
});

test('nothing fills better than what is shown at that moment', async () => {
  const engine = new VenueEngine({ instruments: market.instruments(), initialBalance: '100000000' });
  const owner = 'tester';
  const random = seededRandom('takers');
  let count = 0;
  let compared = 0;
  const walk = (levels: readonly string[][], quantity: number): number => {
    let left = quantity;
    let cost = 0;
    for (const [price, size] of levels) {
      const taken = Math.min(left, Number(size));
      cost += taken * Number(price);
      left -= taken;
    }
    return left > 0 ? Number.NaN : cost / quantity;
  };
  const take = (b: MarketBench, symbol: string): void => {
    const at = b.clock.now();
    const shown = b.call<{ bids: string[][]; asks: string[][] }>('/fapi/v1/depth', { symbol, limit: 1000 });
    const quote = b.side.quote(symbol);
    assert.ok(quote?.bid && quote.ask && quote.bidQuantity && quote.askQuantity);
    assert.equal(quote.bid, Number(shown.bids[0]?.[0]));
    const buying = random.next() < 0.5;
    // From a part of the touch to many levels.
    const instrument = b.side.instrument(symbol);
    const step = Number(instrument?.stepSize);
    const wanted = (buying ? quote.askQuantity : quote.bidQuantity) * random.next() * 6;
    const quantity = Number((Math.max(1, Math.round(wanted / step)) * step).toFixed(8));
    const out = engine.apply({
      type: 'order.submit',
      at,
      quote,
      order: {
        owner,
        ref: `o-${++count}`,
        clientOrderId: `c-${count}`,
        symbol,
        side: buying ? 'BUY' : 'SELL',
        type: 'MARKET',
        quantity: fromNumber(quantity),
        reduceOnly: false,
        positionSide: 'BOTH',
      },
    });
    for (const { event } of out) {
      if (event.type !== 'ORDER_FILLED') continue;
      const best = walk(buying ? shown.asks : shown.bids, Number(event.quantity));
      if (Number.isNaN(best)) continue;
      compared++;
      const better = buying
        ? Number(event.price) < best * (1 - 1e-9)
        : Number(event.price) > best * (1 + 1e-9);
      assert.ok(!better, `${symbol} ${buying ? 'bought' : 'sold'} at ${event.price}, shown ${best}`);
    }
  };
  const b = bench([], { onInput: (input) => void engine.apply(input) });
  await b.side.start();
  for (let i = 0; i < 120; i++) {
    await b.advance(b.clock.now() + 500 + random.int(3000));
    for (const symbol of SYMBOLS) take(b, symbol);
  }
  assert.ok(compared > 200, `${compared} fills compared`);
  await b.side.stop();
});
