/** Oscillators: RSI, MACD and the slow stochastic. */
import { Ema, type EmaState, Sma, type SmaState, Wilder } from './averages.ts';
import { type Bar, type Indicator, isZero } from './indicator.ts';
import { RollingExtreme } from './window.ts';

export type RsiState = { readonly previous: number | null; readonly gain: EmaState; readonly loss: EmaState };

export class Rsi implements Indicator<number, RsiState> {
  readonly warmup: number;
  value = NaN;
  readonly #gain: Wilder;
  readonly #loss: Wilder;
  #previous = NaN;
  #twin: Rsi | undefined;

  constructor(period = 14) {
    this.warmup = period + 1;
    this.#gain = new Wilder(period);
    this.#loss = new Wilder(period);
  }

  update(price: number): number {
    const change = price - this.#previous;
    this.#previous = price;
    // The first price has no change.
    if (!Number.isNaN(change)) {
      this.#gain.update(Math.max(change, 0));
      this.#loss.update(Math.max(-change, 0));
      this.#settle();
    }
    return this.value;
  }

  #settle(): void {
    const sum = this.#gain.value + this.#loss.value;
    this.value = isZero(sum) ? 0 : 100 * (this.#gain.value / sum);
  }

  peek(price: number): this {
    this.#twin ??= new Rsi(this.warmup - 1);
    this.#twin.copy(this);
    this.#twin.update(price);
    return this.#twin as this;
  }

  copy(from: Rsi): void {
    this.#gain.copy(from.#gain);
    this.#loss.copy(from.#loss);
    this.#previous = from.#previous;
    this.value = from.value;
  }

  save(): RsiState {
    const previous = Number.isNaN(this.#previous) ? null : this.#previous;
    return { previous, gain: this.#gain.save(), loss: this.#loss.save() };
  }

  load(state: RsiState): void {
    this.#previous = state.previous ?? NaN;
    this.#gain.load(state.gain);
    this.#loss.load(state.loss);
    this.#settle();
  }
}

export type MacdState = {
  readonly skip: number;
  readonly fast: EmaState;
  readonly slow: EmaState;
  readonly signal: EmaState;
};

/**
 * TA-Lib starts both averages so that they give their first value on the same bar: the fast one ignores the
 * first (slow − fast) prices. All three lines appear together, when the signal line does.
 */
export class Macd implements Indicator<number, MacdState> {
  readonly warmup: number;
  value = NaN;
  signal = NaN;
  histogram = NaN;
  readonly #fast: Ema;
  readonly #slow: Ema;
  readonly #signal: Ema;
  #skip: number;
  #twin: Macd | undefined;

  constructor(fast = 12, slow = 26, signal = 9) {
    this.warmup = slow + signal - 1;
    this.#fast = new Ema(fast);
    this.#slow = new Ema(slow);
    this.#signal = new Ema(signal);
    this.#skip = slow - fast;
  }

  update(price: number): number {
    this.#slow.update(price);
    if (this.#skip > 0) this.#skip--;
    else this.#fast.update(price);
    const line = this.#fast.value - this.#slow.value;
    if (!Number.isNaN(line)) this.#signal.update(line);
    this.#settle();
    return this.value;
  }

  #settle(): void {
    this.signal = this.#signal.value;
    this.value = Number.isNaN(this.signal) ? NaN : this.#fast.value - this.#slow.value;
    this.histogram = this.value - this.signal;
  }

  peek(price: number): this {
    this.#twin ??= new Macd(this.#fast.warmup, this.#slow.warmup, this.#signal.warmup);
    this.#twin.copy(this);
    this.#twin.update(price);
    return this.#twin as this;
  }

  copy(from: Macd): void {
    this.#fast.copy(from.#fast);
    this.#slow.copy(from.#slow);
    this.#signal.copy(from.#signal);
    this.#skip = from.#skip;
    this.#settle();
  }

  save(): MacdState {
    return {
      skip: this.#skip,
      fast: this.#fast.save(),
      slow: this.#slow.save(),
      signal: this.#signal.save(),
    };
  }

  load(state: MacdState): void {
    this.#skip = state.skip;
    this.#fast.load(state.fast);
    this.#slow.load(state.slow);
    this.#signal.load(state.signal);
    this.#settle();
  }
}

export type StochasticState = {
  readonly highs: readonly number[];
  readonly lows: readonly number[];
  readonly k: SmaState;
  readonly d: SmaState;
};

/** The slow stochastic; `value` is %K, and like TA-Lib both lines appear with the first %D. */
export class Stochastic implements Indicator<Bar, StochasticState> {
  readonly warmup: number;
  value = NaN;
  d = NaN;
  readonly #periods: readonly [number, number, number];
  readonly #highs: RollingExtreme;
  readonly #lows: RollingExtreme;
  readonly #k: Sma;
  readonly #d: Sma;
  #twin: Stochastic | undefined;

  constructor(period = 14, slowing = 3, smoothing = 3) {
    this.warmup = period + slowing + smoothing - 2;
    this.#periods = [period, slowing, smoothing];
    this.#highs = new RollingExtreme(period, 'highest');
    this.#lows = new RollingExtreme(period, 'lowest');
    this.#k = new Sma(slowing);
    this.#d = new Sma(smoothing);
  }

  update(bar: Bar): number {
    this.#highs.push(bar.high);
    this.#lows.push(bar.low);
    if (this.#highs.full) {
      const lowest = this.#lows.value;
      const hundredth = (this.#highs.value - lowest) / 100;
      this.#k.update(hundredth !== 0 ? (bar.close - lowest) / hundredth : 0);
      if (!Number.isNaN(this.#k.value)) this.#d.update(this.#k.value);
      this.#settle();
    }
    return this.value;
  }

  #settle(): void {
    this.d = this.#d.value;
    this.value = Number.isNaN(this.d) ? NaN : this.#k.value;
  }

  peek(bar: Bar): this {
    this.#twin ??= new Stochastic(...this.#periods);
    this.#twin.copy(this);
    this.#twin.update(bar);
    return this.#twin as this;
  }

  copy(from: Stochastic): void {
    this.#highs.copy(from.#highs);
    this.#lows.copy(from.#lows);
    this.#k.copy(from.#k);
    this.#d.copy(from.#d);
    this.#settle();
  }

  save(): StochasticState {
    return {
      highs: this.#highs.save(),
      lows: this.#lows.save(),
      k: this.#k.save(),
      d: this.#d.save(),
    };
  }

  load(state: StochasticState): void {
    this.#highs.load(state.highs);
    this.#lows.load(state.lows);
    this.#k.load(state.k);
    this.#d.load(state.d);
    this.#settle();
  }
}
