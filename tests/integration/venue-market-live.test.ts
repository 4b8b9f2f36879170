/**
 * A venue over another venue's public sockets: ours over ours. The upper one plays a generated market behind its
 * real door; the lower one hears it through the live adapter and shows it again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scaledTime, systemTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { EngineInput } from '../../src/exchange/engine/engine-types.ts';
import { CcxtMarketData } from '../../src/market/feeds/ccxt-market-data.ts';
import type { MarketBar } from '../../src/market/market-data.ts';
import { SYNTHETIC_START_AT, SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { DEMO_ACCOUNT, DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import { parseFaults } from '../../src/venue-server/faults-parse.ts';
import { MarketSide } from '../../src/venue-server/market/market-side.ts';
import type { Push } from '../../src/venue-server/protocol.ts';
import { runningClock } from '../../src/venue-server/venue-clock.ts';
import { VenueServer } from '../../src/venue-server/venue-server.ts';
import { noteCore } from '../support/venue-front.ts';

const SPEED = 20;
const SYMBOLS = ['BTCUSDT', 'SOLUSDT'];
const START = SYNTHETIC_START_AT + 5 * 3_600_000 + 20_000;

interface KlineFrame {
  readonly s: string;
  readonly k: { readonly t: number; readonly x: boolean } & Record<'o' | 'h' | 'l' | 'c' | 'v', string>;
}

test('a live feed is shown again as it was, bar by bar, with its book and its trades', async (t) => {
  const real = systemTime();
  const venueClock = () => runningClock(anchor, real);
  const anchor = { venueAt: START, realAt: real.clock.now(), speed: SPEED };
  const source = new SyntheticMarketData({ seed: 9, symbols: SYMBOLS, days: 2 });
  const clock = venueClock();
  const upper: MarketSide = new MarketSide({
    source: { kind: 'bars', market: source },
    clock,
    push: (push) => server.push(push),
    onInput: () => {},
    random: seededRandom(1),
  });
  const core = () =>
    noteCore(
      () => {},
      () => {},
    );
  const server: VenueServer = new VenueServer({
    clock,
    real,
    random: seededRandom(1),
    host: '127.0.0.1',
    port: 0,
    accounts: [{ id: DEMO_ACCOUNT, apiKey: DEMO_API_KEY, apiSecret: DEMO_API_SECRET }],
    core: core(),
    market: upper,
    copyCore: core,
    faults: parseFaults([]),
    fail: (error) => {
      throw error;
    },
  });
  await server.open();
  t.after(() => server.close());
  await upper.start();
  t.after(() => upper.stop());

  const lowerClock = venueClock();
  const live = new CcxtMarketData({
    restUrl: server.url,
    streamUrl: server.url.replace('http', 'ws'),
    time: scaledTime(real, lowerClock.now(), SPEED),
    realTime: real,
    timeFactor: SPEED,
    random: seededRandom(2),
  });
  const inputs: EngineInput[] = [];
  const pushes: Push[] = [];
  const lower = new MarketSide({
    source: { kind: 'live', market: live, instruments: source.instruments(), timeframe: '1m' },
    clock: lowerClock,
    push: (push) => pushes.push(push),
    onInput: (input) => inputs.push(input),
    random: seededRandom(3),
  });
  lower.subscribed('btcusdt@kline_1m');
  lower.subscribed('btcusdt@depth@100ms');
  lower.subscribed('!markPrice@arr@1s');
  await lower.start();
  t.after(() => lower.stop());

  const frames = <T>(stream: string): T[] =>
    pushes.flatMap((push) =>
      push.socket !== 'private' && push.stream === stream ? [push.data as unknown as T] : [],
    );
  const closedBars = (): KlineFrame[] => frames<KlineFrame>('btcusdt@kline_1m').filter(({ k }) => k.x);
  const books = (): number => inputs.filter(({ type }) => type === 'BOOK').length;
  await until(real, () => closedBars().length >= 3 && books() > 10, 30_000);

  const bars = new Map<number, MarketBar>();
  for await (const steps of source.steps(START - 3_600_000)) {
    for (const step of steps)
      for (const bar of step.bars) if (bar.symbol === 'BTCUSDT') bars.set(bar.openTime, bar);
    break;
  }
  const openTimes = closedBars().map(({ k }) => k.t);
  assert.equal(new Set(openTimes).size, openTimes.length, 'each bar closes once');
  for (const { k } of closedBars().slice(1)) {
    const bar = bars.get(k.t);
    assert.deepEqual([k.o, k.h, k.l, k.c, k.v].map(Number), [
      bar?.open,
      bar?.high,
      bar?.low,
      bar?.close,
      bar?.volume,
    ]);
  }
  assert.ok(frames('btcusdt@depth@100ms').length > 3);
  assert.ok(frames('!markPrice@arr@1s').length > 3);
  for (const symbol of SYMBOLS) {
    const [above, below] = [upper.quote(symbol), lower.quote(symbol)];
    assert.ok(above && below?.bid && below.ask && below.bid < below.ask);
    // Not the same instant, hence not the same price.
    assert.ok(Math.abs(below.last / above.last - 1) < 0.01);
    assert.ok(Math.abs(below.mark / above.mark - 1) < 0.01);
    assert.equal(lower.funding(symbol)?.nextAt, upper.funding(symbol)?.nextAt);
  }
  // Bars only where the line was lost for a moment.
  const heard = new Set(inputs.map(({ type }) => type).filter((type) => type !== 'BAR'));
  assert.deepEqual([...heard].sort(), ['BOOK', 'PRICE', 'TRADE']);
  const past = lower.endpoints().find(({ path }) => path === '/fapi/v1/klines');
  const rows = past?.handle({
    method: 'GET',
    path: '/fapi/v1/klines',
    params: new Map([
      ['symbol', 'SOLUSDT'],
      ['interval', '1h'],
      ['limit', '3'],
    ]),
    at: lowerClock.now(),
  });
  assert.ok(Array.isArray(rows) && rows.length === 3, 'history of before it came up');
});

async function until(
  real: ReturnType<typeof systemTime>,
  holds: () => boolean,
  withinMs: number,
): Promise<void> {
  const start = real.monotonic.now();
  while (!holds()) {
    assert.ok(real.monotonic.now() - start < withinMs, 'nothing came in time');
    await new Promise<void>((resolve) => void real.timers.set(50, resolve));
  }
}
