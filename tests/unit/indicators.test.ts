/**
 * The kernels against TA-Lib itself (fixtures from its C core) and against trading-signals.
 * TA-Lib fixes the first index as well as the values, so both are compared.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as signals from 'trading-signals';
import { Ema, Sma } from '../../src/indicators/averages.ts';
import type { Bar } from '../../src/indicators/indicator.ts';
import { LONG_TAIL_NAMES, LongTailIndicator } from '../../src/indicators/long-tail.ts';
import { Macd, Rsi, Stochastic } from '../../src/indicators/momentum.ts';
import { Adx } from '../../src/indicators/trend.ts';
import { Atr, Bollinger, Donchian } from '../../src/indicators/volatility.ts';
import { Obv, Vwap } from '../../src/indicators/volume.ts';
import fixture from '../fixtures/talib.json' with { type: 'json' };

const { bars: columns, outputs } = fixture;
const bars: Bar[] = columns.close.map((close, i) => ({
  openTime: i * 900_000,
  high: columns.high[i] ?? NaN,
  low: columns.low[i] ?? NaN,
  close,
  volume: columns.volume[i] ?? NaN,
}));

type Output = keyof typeof outputs;

const near = (actual: number, expected: number, tolerance: number, what: string) =>
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${what}: ${actual} instead of ${expected}`,
  );

/** Every line of one indicator, from the first bar on: NaN before TA-Lib's first index, its values after. */
function equalsTalib(feed: (bar: Bar) => void, lines: Partial<Record<Output, () => number>>): void {
  bars.forEach((bar, i) => {
    feed(bar);
    for (const [name, read] of Object.entries(lines)) {
      const { begin, values } = outputs[name as Output];
      if (i < begin) assert.ok(Number.isNaN(read()), `${name} has a value at ${i}, before ${begin}`);
      else near(read(), values[i - begin] ?? NaN, 1e-10, `${name} at ${i}`);
    }
  });
}

test('SMA equals TA-Lib from its first value', () => {
  const sma = new Sma(20);
  equalsTalib((bar) => sma.update(bar.close), { sma20: () => sma.value });
});

test('EMA equals TA-Lib from its first value', () => {
  const ema = new Ema(20);
  equalsTalib((bar) => ema.update(bar.close), { ema20: () => ema.value });
});

test('RSI equals TA-Lib from its first value', () => {
  const rsi = new Rsi(14);
  equalsTalib((bar) => rsi.update(bar.close), { rsi14: () => rsi.value });
});

test('ATR equals TA-Lib from its first value', () => {
  const atr = new Atr(14);
  equalsTalib((bar) => atr.update(bar), { atr14: () => atr.value });
});

test('MACD equals TA-Lib in all three lines', () => {
  const macd = new Macd(12, 26, 9);
  equalsTalib((bar) => macd.update(bar.close), {
    macd: () => macd.value,
    macdSignal: () => macd.signal,
    macdHistogram: () => macd.histogram,
  });
});

test('Bollinger Bands equal TA-Lib in all three lines', () => {
  const bands = new Bollinger(20, 2);
  // TA-Lib's own deviation loses digits on the flat stretch, hence a tolerance of its size there.
  bars.forEach((bar, i) => {
    bands.update(bar.close);
    const { begin } = outputs.bollingerUpper;
    if (i < begin) assert.ok(Number.isNaN(bands.upper) && Number.isNaN(bands.value));
    if (i < begin) return;
    near(bands.value, outputs.bollingerMiddle.values[i - begin] ?? NaN, 1e-10, `middle at ${i}`);
    near(bands.upper, outputs.bollingerUpper.values[i - begin] ?? NaN, 1e-7, `upper at ${i}`);
    near(bands.lower, outputs.bollingerLower.values[i - begin] ?? NaN, 1e-7, `lower at ${i}`);
  });
});

test('ADX and both directional indicators equal TA-Lib', () => {
  const adx = new Adx(14);
  equalsTalib((bar) => adx.update(bar), {
    adx14: () => adx.value,
    plusDi14: () => adx.plusDi,
    minusDi14: () => adx.minusDi,
  });
});

test('the slow stochastic equals TA-Lib in both lines', () => {
  const stochastic = new Stochastic(14, 3, 3);
  equalsTalib((bar) => stochastic.update(bar), {
    stochasticK: () => stochastic.value,
    stochasticD: () => stochastic.d,
  });
});

test('OBV equals TA-Lib', () => {
  const obv = new Obv();
  equalsTalib((bar) => obv.update(bar), { obv: () => obv.value });
});

test('the Donchian channel equals TA-Lib MAX of highs and MIN of lows', () => {
  const donchian = new Donchian(20);
  equalsTalib((bar) => donchian.update(bar), { max20: () => donchian.upper, min20: () => donchian.lower });
});

test('trading-signals agrees with the kernels once its own seeding has faded, by bar 213', () => {
  const own = [new Ema(20), new Rsi(14), new Macd()] as const;
  const [ema, rsi, macd] = own;
  const [atr, adx, stochastic, bands] = [new Atr(14), new Adx(14), new Stochastic(), new Bollinger()];
  const theirs = {
    ema: new signals.EMA(20),
    rsi: new signals.RSI(14),
    macd: new signals.MACD(new signals.EMA(12), new signals.EMA(26), new signals.EMA(9)),
    atr: new signals.ATR(14),
    adx: new signals.ADX(14),
    bands: new signals.BollingerBands(20, 2),
    stochastic: new signals.StochasticOscillator({ kPeriod: 14, kSlowingPeriod: 3, dPeriod: 3 }),
  };
  let compared = 0;
  bars.forEach((bar, i) => {
    for (const indicator of own) indicator.update(bar.close);
    bands.update(bar.close);
    for (const indicator of [atr, adx, stochastic]) indicator.update(bar);
    const results = {
      ema: theirs.ema.add(bar.close),
      rsi: theirs.rsi.add(bar.close),
      macd: theirs.macd.add(bar.close),
      atr: theirs.atr.add(bar),
      adx: theirs.adx.add(bar),
      bands: theirs.bands.add(bar.close),
      stochastic: theirs.stochastic.add(bar),
    };
    if (i < 213) return;
    near(ema.value, results.ema ?? NaN, 1e-6, `EMA at ${i}`);
    near(rsi.value, results.rsi ?? NaN, 1e-6, `RSI at ${i}`);
    near(macd.value, results.macd?.macd ?? NaN, 1e-6, `MACD at ${i}`);
    near(macd.signal, results.macd?.signal ?? NaN, 1e-6, `MACD signal at ${i}`);
    near(atr.value, results.atr ?? NaN, 1e-6, `ATR at ${i}`);
    near(adx.value, results.adx ?? NaN, 1e-5, `ADX at ${i}`);
    near(bands.upper, results.bands?.upper ?? NaN, 1e-6, `Bollinger at ${i}`);
    near(stochastic.value, results.stochastic?.stochK ?? NaN, 1e-6, `stochastic at ${i}`);
    compared++;
  });
  assert.equal(compared, 87);
});

test('VWAP weighs by volume and starts anew with each session', () => {
  const hourMs = 3_600_000;
  const vwap = new Vwap(2 * hourMs);
  const bar = (hour: number, price: number, volume: number): Bar => ({
    openTime: hour * hourMs,
    high: price,
    low: price,
    close: price,
    volume,
  });
  assert.equal(vwap.update(bar(0, 100, 1)), 100);
  assert.equal(vwap.update(bar(1, 200, 3)), 175);
  assert.equal(vwap.update(bar(2, 50, 2)), 50);
  assert.ok(Number.isNaN(vwap.update(bar(4, 70, 0))), 'a session without volume has no value yet');
  // A forming candle first seen without volume, then with it: the closed bars must not be lost.
  vwap.update(bar(4, 100, 1));
  assert.equal(vwap.peek(bar(5, 200, 0)).value, 100);
  assert.equal(vwap.peek(bar(5, 200, 1)).value, 150);
  assert.equal(vwap.value, 100);
});

test('the long tail agrees with TA-Lib where TA-Lib has the indicator', () => {
  const pairs = [
    ['cci', 20, 'cci20'],
    ['williams-r', 14, 'williamsR14'],
    ['money-flow-index', 14, 'mfi14'],
  ] as const;
  for (const [name, period, output] of pairs) {
    const indicator = new LongTailIndicator(name, period);
    const { begin, values } = outputs[output];
    bars.forEach((bar, i) => {
      indicator.update(bar);
      // On a flat stretch the libraries differ by convention: 0 ÷ 0 is 0, 50 or nothing.
      const flat = bars.slice(Math.max(0, i - period), i + 1).some((b) => b.volume === 0);
      if (i >= begin && !flat) near(indicator.value, values[i - begin] ?? NaN, 1e-6, `${name} at ${i}`);
    });
  }
});

test('a long-tail peek does not change what the closed bars give', () => {
  for (const name of LONG_TAIL_NAMES) {
    const plain = new LongTailIndicator(name);
    const peeked = new LongTailIndicator(name);
    for (const bar of bars.slice(0, 120)) {
      peeked.peek({ ...bar, close: bar.low, volume: bar.volume / 3 });
      const forming = peeked.peek(bar);
      assert.equal(peeked.update(bar), plain.update(bar), name);
      assert.equal(forming, plain.value, name);
    }
    assert.ok(Number.isFinite(plain.value), `${name} never became stable`);
  }
});
