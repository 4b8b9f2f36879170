/** Simple and exponential moving averages, and Wilder's smoothing: the building blocks of all the others. */
import type { Indicator } from './indicator.ts';
import { Window } from './window.ts';

export type SmaState = { readonly total: number; readonly values: readonly number[] };

export class Sma implements Indicator<number, SmaState> {
  readonly warmup: number;
  value = NaN;
  readonly #window: Window;
  #total = 0;
  #twin: Sma | undefined;

  constructor(period: number) {
    this.warmup = period;
    this.#window = new Window(period);
  }

  update(price: number): number {
    // The order of operations is TA-Lib's: add the new one, drop the one that leaves.
    if (this.#window.full) this.#total -= this.#window.oldest;
    this.#total += price;
    this.#window.push(price);
    this.value = this.#window.full ? this.#total / this.warmup : NaN;
    return this.value;
  }

  /** Σ(x − mean)² of the window: what Bollinger Bands need beside the mean. */
  squaredDeviations(): number {
    return this.#window.squaredDeviations(this.value);
  }

  peek(price: number): this {
    this.#twin ??= new Sma(this.warmup);
    this.#twin.copy(this);
    this.#twin.update(price);
    return this.#twin as this;
  }

  copy(from: Sma): void {
    this.#window.copy(from.#window);
    this.#total = from.#total;
    this.value = from.value;
  }

  save(): SmaState {
    return { total: this.#total, values: this.#window.save() };
  }

  load(state: SmaState): void {
    this.#total = state.total;
    this.#window.load(state.values);
    this.value = this.#window.full ? this.#total / this.warmup : NaN;
  }
}

/** `total` is the running sum while seeding, then the average itself. */
export type EmaState = { readonly count: number; readonly total: number };

/** Seeded, as TA-Lib does, with the simple average of the first `period` prices. */
export class Ema implements Indicator<number, EmaState> {
  readonly warmup: number;
  value = NaN;
  readonly #factor: number;
  #count = 0;
  #total = 0;
  #twin: Ema | undefined;

  constructor(period: number) {
    this.warmup = period;
    this.#factor = 2 / (period + 1);
  }

  update(price: number): number {
    if (this.#count >= this.warmup) {
      this.value = (price - this.value) * this.#factor + this.value;
    } else {
      this.#count++;
      this.#total += price;
      if (this.#count === this.warmup) this.value = this.#total / this.warmup;
    }
    return this.value;
  }

  peek(price: number): this {
    this.#twin ??= new Ema(this.warmup);
    this.#twin.copy(this);
    this.#twin.update(price);
    return this.#twin as this;
  }

  copy(from: Ema): void {
    this.#count = from.#count;
    this.#total = from.#total;
    this.value = from.value;
  }

  save(): EmaState {
    const seeded = this.#count === this.warmup;
    return { count: this.#count, total: seeded ? this.value : this.#total };
  }

  load(state: EmaState): void {
    this.#count = state.count;
    this.#total = state.total;
    this.value = state.count === this.warmup ? state.total : NaN;
  }
}

/** Wilder's average: the mean of the first `period` inputs, then (previous × (n − 1) + input) ÷ n. */
export class Wilder implements Indicator<number, EmaState> {
  readonly warmup: number;
  value = NaN;
  #count = 0;
  #total = 0;
  #twin: Wilder | undefined;

  constructor(period: number) {
    this.warmup = period;
  }

  update(input: number): number {
    if (this.#count >= this.warmup) {
      this.value = (this.value * (this.warmup - 1) + input) / this.warmup;
    } else {
      this.#count++;
      this.#total += input;
      if (this.#count === this.warmup) this.value = this.#total / this.warmup;
    }
    return this.value;
  }

  peek(input: number): this {
    this.#twin ??= new Wilder(this.warmup);
    this.#twin.copy(this);
    this.#twin.update(input);
    return this.#twin as this;
  }

  copy(from: Wilder): void {
    this.#count = from.#count;
    this.#total = from.#total;
    this.value = from.value;
  }

  save(): EmaState {
    const seeded = this.#count === this.warmup;
    return { count: this.#count, total: seeded ? this.value : this.#total };
  }

  load(state: EmaState): void {
    this.#count = state.count;
    this.#total = state.total;
    this.value = state.count === this.warmup ? state.total : NaN;
  }
}
