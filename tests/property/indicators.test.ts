/** Every kernel, on random bars: streaming equals batch, and saving, restoring or peeking anywhere changes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../src/core/json.ts';
import { Ema, Sma, Wilder } from '../../src/indicators/averages.ts';
import type { Bar, Indicator } from '../../src/indicators/indicator.ts';
import { Macd, Rsi, Stochastic } from '../../src/indicators/momentum.ts';
import { Adx } from '../../src/indicators/trend.ts';
import { Atr, Bollinger, Donchian } from '../../src/indicators/volatility.ts';
import { Obv, Vwap } from '../../src/indicators/volume.ts';
import { RollingExtreme } from '../../src/indicators/window.ts';

/** A kernel whose input is picked from a bar, so that all of them fit one table. */
interface Kernel {
  readonly warmup: number;
  update(bar: Bar): void;
  peek(bar: Bar): unknown[];
  read(): unknown[];
  save(): string;
  load(json: string): void;
}

function kernel<Input, State extends Json>(
  make: () => Indicator<Input, State>,
  input: (bar: Bar) => Input,
  lines: readonly string[],
): () => Kernel {
  const read = (indicator: Indicator<Input, State>): unknown[] => [
    indicator.value,
    ...lines.map((line) => Reflect.get(indicator, line)),
  ];
  return () => {
    const indicator = make();
    return {
      warmup: indicator.warmup,
      update: (bar) => indicator.update(input(bar)),
      peek: (bar) => read(indicator.peek(input(bar))),
      read: () => read(indicator),
      save: () => JSON.stringify(indicator.save()),
      load: (json) => indicator.load(JSON.parse(json)),
    };
  };
}

const onPrice = <S extends Json>(make: () => Indicator<number, S>, ...lines: string[]) =>
  kernel(make, (bar) => bar.close, lines);
const onBar = <S extends Json>(make: () => Indicator<Bar, S>, ...lines: string[]) =>
  kernel(make, (bar) => bar, lines);

const KERNELS: Readonly<Record<string, () => Kernel>> = {
  sma: onPrice(() => new Sma(5)),
  ema: onPrice(() => new Ema(5)),
  wilder: onPrice(() => new Wilder(5)),
  rsi: onPrice(() => new Rsi(5)),
  macd: onPrice(() => new Macd(3, 6, 4), 'signal', 'histogram'),
  bollinger: onPrice(() => new Bollinger(5, 2), 'upper', 'lower'),
  atr: onBar(() => new Atr(5)),
  adx: onBar(() => new Adx(5), 'plusDi', 'minusDi'),
  stochastic: onBar(() => new Stochastic(5, 3, 3), 'd'),
  donchian: onBar(() => new Donchian(5), 'upper', 'lower'),
  obv: onBar(() => new Obv()),
  vwap: onBar(() => new Vwap(7 * 60_000)),
};

/** Prices on a coarse grid, so that ties, flat bars and zero ranges come up often. */
const someBars = fc
  .array(
    fc.record({ close: fc.integer({ min: 1, max: 40 }), up: fc.nat(3), down: fc.nat(3), volume: fc.nat(5) }),
    {
      minLength: 2,
      maxLength: 60,
    },
  )
  .map((steps) =>
    steps.map(
      (step, i): Bar => ({
        openTime: i * 60_000,
        high: (step.close + step.up) / 8 + 100,
        low: (step.close - step.down) / 8 + 100,
        close: step.close / 8 + 100,
        volume: step.volume / 3,
      }),
    ),
  );

const RUNS = { seed: 20250504, numRuns: 150 };

for (const [name, make] of Object.entries(KERNELS)) {
  test(`${name}: saved, through JSON and restored at any bar, it goes on bit for bit`, () => {
    fc.assert(
      fc.property(someBars, fc.nat(), (bars, at) => {
        const whole = make();
        let broken = make();
        bars.forEach((bar, i) => {
          whole.update(bar);
          broken.update(bar);
          if (i === at % bars.length) {
            const saved = broken.save();
            broken = make();
            broken.load(saved);
            assert.equal(broken.save(), saved, 'saving again gives the same state');
          }
          assert.deepEqual(broken.read(), whole.read());
        });
      }),
      RUNS,
    );
  });

  test(`${name}: peek tells what update will say and changes nothing`, () => {
    fc.assert(
      fc.property(someBars, (bars) => {
        const peeked = make();
        const undisturbed = make();
        for (const bar of bars) {
          peeked.peek({ ...bar, high: bar.high + 9, close: bar.high + 8, volume: 77 });
          const foreseen = peeked.peek(bar);
          undisturbed.update(bar);
          peeked.update(bar);
          assert.deepEqual(peeked.read(), foreseen);
          assert.deepEqual(peeked.read(), undisturbed.read());
        }
      }),
      RUNS,
    );
  });

  test(`${name}: it has its first value exactly when its warm-up is over`, () => {
    const indicator = make();
    for (let i = 1; i <= 40; i++) {
      const close = 100 + Math.sin(i) * 5;
      indicator.update({ openTime: i * 60_000, high: close + 1, low: close - 1, close, volume: 10 });
      const [value] = indicator.read();
      assert.equal(Number.isFinite(value), i >= indicator.warmup, `bar ${i} of ${indicator.warmup}`);
    }
  });
}

/** The textbook definition over the whole history, written without any running state. */
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const BATCH: Record<string, (bars: readonly Bar[]) => number> = {
  sma: (bars) => mean(bars.slice(-5).map((bar) => bar.close)),
  ema: (bars) => {
    const closes = bars.map((bar) => bar.close);
    return closes.slice(5).reduce((average, x) => average + (x - average) / 3, mean(closes.slice(0, 5)));
  },
  bollinger: (bars) => mean(bars.slice(-5).map((bar) => bar.close)),
  atr: (bars) => {
    const ranges = bars.slice(1).map((bar, i) => {
      const before = bars[i]?.close ?? NaN;
      return Math.max(bar.high, before) - Math.min(bar.low, before);
    });
    return ranges.slice(5).reduce((average, x) => (average * 4 + x) / 5, mean(ranges.slice(0, 5)));
  },
  rsi: (bars) => {
    const changes = bars.slice(1).map((bar, i) => bar.close - (bars[i]?.close ?? NaN));
    const smooth = (values: number[]): number =>
      values.slice(5).reduce((average, x) => (average * 4 + x) / 5, mean(values.slice(0, 5)));
    const gain = smooth(changes.map((x) => Math.max(x, 0)));
    const loss = smooth(changes.map((x) => Math.max(-x, 0)));
    return gain + loss < 1e-14 ? 0 : (100 * gain) / (gain + loss);
  },
  obv: (bars) =>
    bars.reduce((total, bar, i) => {
      const before = bars[i - 1]?.close;
      return total + bar.volume * (before === undefined ? 1 : Math.sign(bar.close - before));
    }, 0),
  donchian: (bars) => {
    const last = bars.slice(-5);
    return (Math.max(...last.map((bar) => bar.high)) + Math.min(...last.map((bar) => bar.low))) / 2;
  },
  vwap: (bars) => {
    const session = Math.floor((bars.at(-1)?.openTime ?? 0) / (7 * 60_000));
    const today = bars.filter((bar) => Math.floor(bar.openTime / (7 * 60_000)) === session);
    const volume = today.reduce((sum, bar) => sum + bar.volume, 0);
    return today.reduce((sum, bar) => sum + ((bar.high + bar.low + bar.close) / 3) * bar.volume, 0) / volume;
  },
};

for (const [name, batch] of Object.entries(BATCH)) {
  test(`${name}: streaming equals its definition over the whole history`, () => {
    const make = KERNELS[name] ?? assert.fail(`no kernel ${name}`);
    fc.assert(
      fc.property(someBars, (bars) => {
        const indicator = make();
        bars.forEach((bar, i) => {
          indicator.update(bar);
          const value = Number(indicator.read()[0]);
          if (i + 1 < indicator.warmup || Number.isNaN(value)) return;
          const expected = batch(bars.slice(0, i + 1));
          assert.ok(Math.abs(value - expected) < 1e-9 * Math.max(1, Math.abs(expected)));
        });
      }),
      RUNS,
    );
  });
}

test('a rolling extreme equals the extreme of its last numbers, ties included', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: 80 }),
      fc.integer({ min: 1, max: 7 }),
      (values, size) => {
        const highest = new RollingExtreme(size, 'highest');
        const lowest = new RollingExtreme(size, 'lowest');
        values.forEach((value, i) => {
          highest.push(value);
          lowest.push(value);
          const window = values.slice(Math.max(0, i + 1 - size), i + 1);
          assert.equal(highest.value + 0, Math.max(...window) + 0);
          assert.equal(lowest.value + 0, Math.min(...window) + 0);
        });
      },
    ),
    RUNS,
  );
});
