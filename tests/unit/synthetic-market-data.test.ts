import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMultipleOf } from '../../src/core/decimal.ts';
import { isBulkheadError } from '../../src/core/errors.ts';
import type { MarketStep } from '../../src/market/market-data.ts';
import { QualityGate } from '../../src/market/quality.ts';
import {
  SYNTHETIC_START_AT,
  SyntheticMarketData,
  type SyntheticOptions,
} from '../../src/market/synthetic/synthetic-market-data.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

async function read(market: SyntheticMarketData, after?: number, count = Infinity): Promise<MarketStep[]> {
  const steps: MarketStep[] = [];
  for await (const chunk of market.steps(after)) {
    for (const step of chunk) {
      if (steps.length === count) return steps;
      steps.push(step);
    }
  }
  return steps;
}

const market = (options: Partial<SyntheticOptions> = {}) => new SyntheticMarketData({ seed: 7, ...options });
const SOME = ['BTCUSDT', 'ETHUSDT', 'DOGEUSDT'];

test('steps are one a minute over the whole range, each with every symbol in order', async () => {
  const synthetic = market({ days: 2, symbols: SOME });
  const steps = await read(synthetic);
  const { from, to, steps: expected } = synthetic.range();
  assert.equal(steps.length, expected);
  assert.equal(steps.length, 2880);
  steps.forEach(({ at, bars, faults }, i) => {
    assert.equal(at, from + (i + 1) * MINUTE_MS);
    assert.deepEqual(
      bars.map(({ symbol }) => symbol),
      SOME,
    );
    assert.ok(bars.every(({ openTime }) => openTime + MINUTE_MS === at));
    assert.equal(faults.length, 0);
  });
  assert.equal(steps.at(-1)?.at, to);
  assert.deepEqual(
    synthetic.instruments().map(({ symbol }) => symbol),
    SOME,
  );
});

test('bars are sound: extremes hold the prices, prices on ticks, volumes on steps, no jump between bars', async () => {
  const synthetic = market({ days: 2, stress: 10 });
  const instruments = new Map(synthetic.instruments().map((instrument) => [instrument.symbol, instrument]));
  const lastClose = new Map<string, number>();
  for (const { bars } of await read(synthetic)) {
    for (const bar of bars) {
      const { symbol, open, high, low, close, volume, markHigh = 0, markLow = 0, markClose = 0 } = bar;
      assert.ok(low > 0 && low <= Math.min(open, close) && high >= Math.max(open, close), symbol);
      assert.ok(markLow > 0 && markLow <= markClose && markHigh >= markClose, symbol);
      const tick = Number(instruments.get(symbol)?.tickSize);
      assert.ok(Math.abs(open - (lastClose.get(symbol) ?? open)) < 1.5 * tick, `${symbol} opens far away`);
      lastClose.set(symbol, close);
      assert.ok(volume > 0);
    }
  }
  const sample = await read(synthetic, undefined, 30);
  for (const bar of sample.flatMap(({ bars }) => bars)) {
    const { tickSize, stepSize } = instruments.get(bar.symbol) ?? assert.fail(bar.symbol);
    for (const price of [bar.open, bar.high, bar.low, bar.close])
      assert.ok(isMultipleOf(String(price), tickSize), `${bar.symbol} ${price} is not on a tick`);
    assert.ok(isMultipleOf(String(bar.volume), stepSize), `${bar.symbol} volume ${bar.volume}`);
  }
});

test('the same seed gives the same market, another seed another one', async () => {
  const first = await read(market({ days: 2, symbols: SOME }));
  assert.deepEqual(await read(market({ days: 2, symbols: SOME })), first);
  assert.notDeepEqual(await read(market({ days: 2, symbols: SOME, seed: 8 })), first);
});

test('reading may start anywhere and gives the same steps', async () => {
  const whole = await read(market({ days: 3, symbols: SOME }));
  for (const skipped of [0, 1, 239, 240, 1439, 1440, 1441, 3000, 4319]) {
    const after = whole[skipped]?.at;
    const rest = await read(market({ days: 3, symbols: SOME }), after, 50);
    assert.deepEqual(rest, whole.slice(skipped + 1, skipped + 51), `after step ${skipped}`);
  }
  assert.deepEqual(await read(market({ days: 3, symbols: SOME }), whole.at(-1)?.at), []);
  // Between two steps, before the first, and two readers at once.
  const synthetic = market({ days: 3, symbols: SOME });
  assert.deepEqual((await read(synthetic, SYNTHETIC_START_AT + 90_000, 1))[0], whole[1]);
  assert.deepEqual((await read(synthetic, SYNTHETIC_START_AT - DAY_MS, 1))[0], whole[0]);
  const [late, early] = [synthetic.steps(whole[2879]?.at), synthetic.steps(undefined)];
  assert.deepEqual((await late.next()).value?.[0], whole[2880]);
  assert.deepEqual((await early.next()).value?.[0], whole[0]);
  assert.deepEqual((await late.next()).value?.[0], whole[3120]);
});

test('a symbol moves the same whatever else is traded', async () => {
  const all = await read(market({ days: 1 }));
  const one = await read(market({ days: 1, symbols: ['SOLUSDT'] }));
  assert.deepEqual(
    one.map(({ bars }) => bars[0]),
    all.map(({ bars }) => bars.find(({ symbol }) => symbol === 'SOLUSDT')),
  );
});

test('an endless market says so, and a far day is near', async () => {
  const synthetic = market({ symbols: ['BTCUSDT'] });
  assert.equal(synthetic.range().steps, undefined);
  const after = SYNTHETIC_START_AT + 400 * DAY_MS;
  const [step] = await read(synthetic, after, 1);
  assert.equal(step?.at, after + MINUTE_MS);
  const close = step?.bars[0]?.close ?? 0;
  assert.ok(close > 20_000 && close < 500_000, `Bitcoin at ${close}`);
});

test('funding settles at 00:00, 08:00 and 16:00 UTC, mostly small', async () => {
  const steps = await read(market({ days: 10, symbols: SOME }));
  const settled = steps.filter(({ funding }) => funding.length > 0);
  assert.equal(settled.length, 30);
  for (const { at, funding } of settled) {
    assert.equal(at % (8 * 3_600_000), 0);
    assert.deepEqual(
      funding.map(({ symbol }) => symbol),
      SOME,
    );
    for (const { rate } of funding) assert.ok(Math.abs(rate) < 0.005 && Number.isFinite(rate));
  }
});

test('flash crashes come, the mark price sees less of them, and they do not trip the quality gate', async () => {
  const synthetic = market({ days: 25, symbols: ['ETHUSDT'], stress: 6 });
  const gate = new QualityGate('ETHUSDT', '1m');
  let deepest = 0;
  let furthest = 0;
  let peak = 0;
  for (const { bars } of await read(synthetic)) {
    const bar = bars[0] ?? assert.fail('no bar');
    for (const fault of gate.push(bar).faults) assert.fail(`${fault.kind}: ${fault.detail}`);
    peak = Math.max(peak * 0.999, bar.high);
    deepest = Math.max(deepest, 1 - bar.low / peak);
    furthest = Math.max(furthest, (bar.markLow ?? 0) / bar.low - 1);
  }
  assert.ok(deepest > 0.03, `the deepest fall within minutes is ${deepest}`);
  assert.ok(furthest > 0.008, `last price fell only ${furthest} below mark`);
});

test('without stress there are no flash crashes', async () => {
  const steps = await read(market({ days: 25, symbols: ['ETHUSDT'], stress: 0 }));
  const furthest = Math.max(...steps.map(({ bars }) => (bars[0]?.markLow ?? 0) / (bars[0]?.low ?? 1) - 1));
  assert.ok(furthest < 0.008, `${furthest}`);
});

test('the book is sorted, uncrossed, on ticks, around the last close, and its best are the quote', async () => {
  const synthetic = market({ days: 2 });
  const steps = await read(synthetic);
  for (const { at, bars } of steps.filter((_, i) => i % 97 === 0)) {
    for (const { symbol, close } of bars) {
      const { bids, asks } = synthetic.bookAt(symbol, at, 15);
      const { bid, ask, bidQuantity } = synthetic.quoteAt(symbol, at);
      assert.ok(bid < ask && bid <= close && ask >= close, `${symbol}: ${bid} ${close} ${ask}`);
      assert.deepEqual(bids[0], { price: bid, quantity: bidQuantity });
      assert.equal(asks[0]?.price, ask);
      assert.equal(bids.length, 15);
      for (let i = 1; i < 15; i++) {
        assert.ok((bids[i]?.price ?? 0) < (bids[i - 1]?.price ?? 0));
        assert.ok((asks[i]?.price ?? 0) > (asks[i - 1]?.price ?? 0));
      }
      assert.ok([...bids, ...asks].every(({ quantity }) => quantity > 0));
    }
  }
  assert.deepEqual(
    market({ days: 2 }).bookAt('ETHUSDT', steps[500]?.at ?? 0),
    synthetic.bookAt('ETHUSDT', steps[500]?.at ?? 0),
  );
});

test('spreads widen with volatility', async () => {
  const synthetic = market({ days: 4, symbols: ['SUIUSDT'] });
  const steps = await read(synthetic);
  const ranges = steps.map(({ at, bars }) => {
    const bar = bars[0] ?? assert.fail('no bar');
    const { bid, ask } = synthetic.quoteAt('SUIUSDT', at);
    return { range: bar.high / bar.low - 1, spread: ask / bid - 1 };
  });
  ranges.sort((a, b) => a.range - b.range);
  const mean = (part: typeof ranges) => part.reduce((sum, { spread }) => sum + spread, 0) / part.length;
  assert.ok(mean(ranges.slice(-500)) > 1.2 * mean(ranges.slice(0, 500)));
});

test('any name is a symbol, fixed by its name', async () => {
  const [step] = await read(market({ symbols: ['MADEUPUSDT'], days: 1 }), undefined, 1);
  const [again] = await read(market({ symbols: ['BTCUSDT', 'MADEUPUSDT'], days: 1 }), undefined, 1);
  assert.deepEqual(again?.bars[1], step?.bars[0]);
});

test('impossible options and times are errors that say what is allowed', () => {
  const refused = (options: Partial<SyntheticOptions>, hint: RegExp) =>
    assert.throws(
      () => market(options),
      (error: unknown) => isBulkheadError(error, 'CONFIG_INVALID') && hint.test(error.hint ?? ''),
    );
  refused({ symbols: [] }, /distinct names/);
  refused({ symbols: ['BTCUSDT', 'BTCUSDT'] }, /distinct names/);
  refused({ startAt: 5 }, /midnight/);
  refused({ days: 0.5 }, /whole number/);
  refused({ stress: -1 }, /0 to 30/);
  const synthetic = market({ days: 1 });
  for (const [symbol, at] of [
    ['NOSUCH', SYNTHETIC_START_AT + MINUTE_MS],
    ['BTCUSDT', SYNTHETIC_START_AT],
    ['BTCUSDT', SYNTHETIC_START_AT + 2 * DAY_MS],
  ] as const)
    assert.throws(
      () => synthetic.quoteAt(symbol, at),
      (error: unknown) => isBulkheadError(error, 'NOT_FOUND'),
    );
});
