import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../src/core/json.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type Candle, closeTime, TIMEFRAME_MS } from '../../src/domain/candle.ts';
import type { ClosedCandles, ExitOpinion, Signal } from '../../src/domain/signal.ts';
import { CandleRollup } from '../../src/market/candle-rollup.ts';
import { strategyByName } from '../../src/strategy/strategy.ts';
import { recordedCandles } from '../support/recorded-candles.ts';

const QUARTER_MS = TIMEFRAME_MS['15m'];
const DAY_BARS = 96;

interface Leg {
  readonly bars: number;
  /** Change of the close per bar, and the spread of noise, as fractions. */
  readonly drift: number;
  readonly noise: number;
}

/** 15m candles that follow the legs; noise is seeded. */
function walk(legs: readonly Leg[], seed = 1): Candle[] {
  const random = seededRandom(seed);
  const candles: Candle[] = [];
  let price = 1000;
  for (const { bars, drift, noise } of legs) {
    for (let i = 0; i < bars; i++) {
      const open = price;
      price *= 1 + drift + noise * random.normal();
      const openTime = candles.length * QUARTER_MS;
      const spread = Math.abs(noise) * 0.3;
      const high = Math.max(open, price) * (1 + spread);
      const low = Math.min(open, price) * (1 - spread);
      candles.push({ symbol: 'T', timeframe: '15m', openTime, open, high, low, close: price, volume: 1 });
    }
  }
  return candles;
}

/** What closes together with each base bar. */
function* closings(base: readonly Candle[]): Generator<ClosedCandles> {
  const rollup = new CandleRollup(base[0]?.timeframe, ['15m', '1h', '4h']);
  for (const bar of base) {
    const { closed } = rollup.push(bar);
    const all = bar.timeframe === '15m' ? [bar, ...closed] : closed;
    if (all.length > 0) yield Object.fromEntries(all.map((candle) => [candle.timeframe, candle]));
  }
}

interface Given {
  readonly at: number;
  readonly signal: Signal;
}

interface Outlook {
  readonly at: number;
  readonly opinion: ExitOpinion | undefined;
  readonly regime: string | undefined;
}

function run(
  base: readonly Candle[],
  options = {},
): { signals: Given[]; states: Json[]; outlooks: Outlook[] } {
  const strategy = strategyByName('trend-breakout', options);
  let state = strategy.initial(base[0]?.symbol ?? 'T');
  const signals: Given[] = [];
  const states: Json[] = [];
  const outlooks: Outlook[] = [];
  for (const closed of closings(base)) {
    // The state goes through JSON at every step, as it does in a journal row.
    const result = strategy.step(JSON.parse(JSON.stringify(state)), closed);
    state = result.state;
    states.push(state);
    if (closed['15m'])
      outlooks.push({
        at: closeTime(closed['15m']),
        opinion: result.opinion,
        regime: result.regime?.name,
      });
    if (result.signal && closed['15m']) signals.push({ at: closeTime(closed['15m']), signal: result.signal });
  }
  return { signals, states, outlooks };
}

const QUIET: Leg = { bars: 5 * DAY_BARS, drift: 0, noise: 0.001 };
const UP: Leg = { bars: 3 * DAY_BARS, drift: 0.0012, noise: 0.002 };
const DOWN: Leg = { bars: 3 * DAY_BARS, drift: -0.0012, noise: 0.002 };

test('a rising market is bought, with stop and trail in multiples of the 1h ATR', () => {
  const { signals } = run(walk([QUIET, UP]));
  const entries = signals.map(({ signal }) => signal).filter((signal) => signal.kind === 'enter');
  const longs = entries.filter((entry) => entry.direction === 'long');
  assert.ok(longs.length >= 2, `only ${longs.length} long entries`);
  for (const { price, stopPrice, trailDistance, atrPercent } of longs) {
    const atr = (price * atrPercent) / 100;
    assert.ok(Math.abs(price - 2 * atr - stopPrice) < 1e-6 * price);
    assert.ok(Math.abs(trailDistance - 3 * atr) < 1e-6 * price);
  }
});

test('a falling market is sold, with the stop above', () => {
  const { signals } = run(walk([QUIET, DOWN]));
  const shorts = signals.filter(({ signal }) => signal.kind === 'enter' && signal.direction === 'short');
  assert.ok(shorts.length >= 2);
  for (const { signal } of shorts) if (signal.kind === 'enter') assert.ok(signal.stopPrice > signal.price);
});

test('the end of the trend ridden is an exit, once', () => {
  const { signals } = run(walk([QUIET, UP, DOWN]));
  const exits = signals.filter(({ signal }) => signal.kind === 'exit' && signal.direction === 'long');
  assert.equal(exits.length, 1);
  const turn = (QUIET.bars + UP.bars) * QUARTER_MS;
  assert.ok((exits[0]?.at ?? 0) > turn, 'after the turn');
});

test('nothing is signalled before every frame is warm, and the warm-up ends within four days', () => {
  const legs = [{ ...UP, bars: 8 * DAY_BARS }];
  const { signals } = run(walk(legs));
  const firstDay = (signals[0]?.at ?? Infinity) / 86_400_000;
  // 21 bars of 4h.
  assert.ok(firstDay >= 3.5 && firstDay <= 4.5, `first signal on day ${firstDay}`);
});

test('it says how much history it needs: so much, and more changes next to nothing', () => {
  const strategy = strategyByName('trend-breakout');
  const days = strategy.warmUpMs / TIMEFRAME_MS['15m'] / DAY_BARS;
  assert.ok(days > 3.5 && days < 10, `${days} days fit one page of history`);
  const slower = strategyByName('trend-breakout', { slowFrame: { slow: 60 } });
  assert.ok(slower.warmUpMs > 2 * strategy.warmUpMs);
  const legs = [
    { bars: 20 * DAY_BARS, drift: 0, noise: 0.003 },
    { bars: 4 * DAY_BARS, drift: 0.0008, noise: 0.002 },
  ];
  const candles = walk(legs, 5);
  const turn = 20 * DAY_BARS;
  const late = (from: number) =>
    run(candles.slice(from))
      .signals.filter(({ at }) => at > turn * QUARTER_MS)
      .map(({ at, signal }) => [at, signal.kind]);
  const from = turn - strategy.warmUpMs / QUARTER_MS;
  assert.ok(late(0).length > 1);
  assert.deepEqual(late(from - (from % 16)), late(0));
});

test('a direction rests after its entry', () => {
  const { signals } = run(walk([QUIET, UP]), { restBars: 40 });
  const entries = signals.filter(({ signal }) => signal.kind === 'enter');
  for (let i = 1; i < entries.length; i++)
    assert.ok((entries[i]?.at ?? 0) - (entries[i - 1]?.at ?? 0) > 40 * QUARTER_MS - 1);
  assert.ok(entries.length >= 2);
});

test('a hole of more than a day starts the warm-up anew', () => {
  const whole = walk([QUIET, UP]);
  const cut = QUIET.bars + DAY_BARS;
  const shifted = whole.map((bar, i) =>
    i < cut ? bar : { ...bar, openTime: bar.openTime + 2 * 86_400_000 },
  );
  const { signals } = run(shifted);
  const reopened = cut * QUARTER_MS + 2 * 86_400_000;
  assert.ok(
    signals.some(({ at }) => at < reopened),
    'there were signals before the hole',
  );
  assert.deepEqual(
    signals.filter(({ at }) => at > reopened && at < reopened + 3.5 * 86_400_000 - 1),
    [],
  );
});

test('the state stays small', () => {
  const { states } = run(walk([QUIET, UP, DOWN]));
  const largest = Math.max(...states.map((state) => JSON.stringify(state).length));
  assert.ok(largest < 3000, `${largest} characters`);
});

test('the same state and candles give the same result, and step leaves its arguments alone', () => {
  const strategy = strategyByName('trend-breakout');
  const base = walk([QUIET, UP]);
  let state = strategy.initial('T');
  for (const closed of closings(base)) {
    const before = JSON.stringify(state);
    const first = strategy.step(state, closed);
    assert.equal(JSON.stringify(state), before);
    assert.deepEqual(strategy.step(JSON.parse(before), closed), first);
    state = first.state;
  }
});

test('on two months of real markets it trades both ways, neither never nor all the time', (t) => {
  let long = 0;
  let short = 0;
  for (const symbol of ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'BNBUSDT', 'LINKUSDT']) {
    const candles = recordedCandles(symbol);
    if (!candles) return t.skip('no recorded market data');
    const { signals } = run(candles);
    const entries = signals.filter(({ signal }) => signal.kind === 'enter');
    assert.ok(entries.length >= 5, `${symbol} hardly trades`);
    long += entries.filter(({ signal }) => signal.direction === 'long').length;
    short += entries.filter(({ signal }) => signal.direction === 'short').length;
  }
  assert.ok(long >= 20 && short >= 20, `${long} long, ${short} short`);
  assert.ok(long + short >= 40 && long + short <= 200, `${long + short} entries`);
});

test('it thinks little of leaving while the trend holds, and much of it once that has turned, before its exit', () => {
  const { signals, outlooks } = run(walk([QUIET, UP, DOWN]));
  const top = (5 + 3) * DAY_BARS * QUARTER_MS;
  const entered = signals.find(({ signal }) => signal.kind === 'enter')?.at ?? Number.NaN;
  const left = signals.find(({ signal, at }) => signal.kind === 'exit' && at > top)?.at ?? Number.NaN;
  const opinions = outlooks.flatMap(({ at, opinion }) => (opinion ? [{ at, ...opinion }] : []));
  assert.ok(
    opinions.every(({ at }) => at % TIMEFRAME_MS['1h'] === 0),
    'hourly',
  );
  assert.ok(opinions.every(({ confidence }) => confidence >= 0 && confidence <= 1));
  const riding = opinions.filter(({ at }) => at > entered && at <= top);
  assert.ok(riding.filter(({ confidence }) => confidence >= 0.5).length < 7, 'of 72 hours');
  const doubts = opinions.filter(
    ({ confidence }, i) => confidence === 0 && opinions[i - 1]?.confidence === 0,
  );
  assert.deepEqual(doubts, [], 'that nothing stands against it is said once');
  const sure = opinions.find(({ at, confidence }) => at > top && confidence >= 0.8);
  assert.ok(sure && sure.at < left, `sure at ${sure?.at}, out at ${left}`);
  assert.match(sure.reason, /slow EMA.*directional movement/);
});

test('its regime goes with the trend, and changes only when another one is plain', () => {
  const { outlooks } = run(walk([QUIET, UP, DOWN]));
  const at = (day: number) => outlooks[day * DAY_BARS - 1]?.regime;
  assert.equal(at(7.5), 'trend-up');
  assert.equal(at(10.5), 'trend-down');
  const regimes = outlooks.map(({ regime }) => regime).filter((regime) => regime !== undefined);
  const changes = regimes.filter((regime, i) => i > 0 && regime !== regimes[i - 1]).length;
  assert.ok(changes < 40, `${changes} changes in eleven days`);
});
