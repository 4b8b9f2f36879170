/** ADX with its directional indicators: how strongly a market trends, and which way. */
import { type Bar, type Indicator, isZero } from './indicator.ts';
import { trueRange } from './volatility.ts';

export type AdxState = {
  /** Bars seen, counted up to the warm-up. */
  readonly count: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly range: number;
  readonly plus: number;
  readonly minus: number;
  /** Σ DX while seeding, then the ADX itself. */
  readonly strength: number;
};

/**
 * As TA-Lib: directional movement and range are summed over the first period − 1 changes, then Wilder-smoothed;
 * +DI and −DI appear after `period` changes; ADX is the mean of the first `period` DX, then smoothed.
 */
export class Adx implements Indicator<Bar, AdxState> {
  readonly warmup: number;
  value = NaN;
  plusDi = NaN;
  minusDi = NaN;
  readonly #period: number;
  #count = 0;
  #high = 0;
  #low = 0;
  #close = 0;
  #range = 0;
  #plus = 0;
  #minus = 0;
  #strength = 0;
  #twin: Adx | undefined;

  constructor(period = 14) {
    this.warmup = 2 * period;
    this.#period = period;
  }

  update(bar: Bar): number {
    if (this.#count > 0) this.#move(bar);
    this.#high = bar.high;
    this.#low = bar.low;
    this.#close = bar.close;
    if (this.#count < this.warmup) this.#count++;
    this.#settle();
    return this.value;
  }

  #move(bar: Bar): void {
    const up = bar.high - this.#high;
    const down = this.#low - bar.low;
    if (this.#count >= this.#period) {
      this.#plus -= this.#plus / this.#period;
      this.#minus -= this.#minus / this.#period;
      this.#range -= this.#range / this.#period;
    }
    if (down > 0 && up < down) this.#minus += down;
    else if (up > 0 && up > down) this.#plus += up;
    this.#range += trueRange(bar, this.#close);
    if (this.#count >= this.#period) this.#strengthen();
  }

  #strengthen(): void {
    if (this.#count < this.warmup) {
      this.#strength += this.#directional(0);
      if (this.#count === this.warmup - 1) this.#strength /= this.#period;
      return;
    }
    const directional = this.#directional(NaN);
    // Without any movement TA-Lib keeps the last ADX.
    if (!Number.isNaN(directional))
      this.#strength = (this.#strength * (this.#period - 1) + directional) / this.#period;
  }

  /** DX, or `none` where nothing moved. */
  #directional(none: number): number {
    if (isZero(this.#range)) return none;
    const minus = 100 * (this.#minus / this.#range);
    const plus = 100 * (this.#plus / this.#range);
    const sum = minus + plus;
    return isZero(sum) ? none : 100 * (Math.abs(minus - plus) / sum);
  }

  #settle(): void {
    const directed = this.#count > this.#period;
    const moved = !isZero(this.#range);
    this.plusDi = directed ? (moved ? 100 * (this.#plus / this.#range) : 0) : NaN;
    this.minusDi = directed ? (moved ? 100 * (this.#minus / this.#range) : 0) : NaN;
    this.value = this.#count === this.warmup ? this.#strength : NaN;
  }

  peek(bar: Bar): this {
    this.#twin ??= new Adx(this.#period);
    this.#twin.copy(this);
    this.#twin.update(bar);
    return this.#twin as this;
  }

  copy(from: Adx): void {
    this.#count = from.#count;
    this.#high = from.#high;
    this.#low = from.#low;
    this.#close = from.#close;
    this.#range = from.#range;
    this.#plus = from.#plus;
    this.#minus = from.#minus;
    this.#strength = from.#strength;
  }

  save(): AdxState {
    return {
      count: this.#count,
      high: this.#high,
      low: this.#low,
      close: this.#close,
      range: this.#range,
      plus: this.#plus,
      minus: this.#minus,
      strength: this.#strength,
    };
  }

  load(state: AdxState): void {
    this.#count = state.count;
    this.#high = state.high;
    this.#low = state.low;
    this.#close = state.close;
    this.#range = state.range;
    this.#plus = state.plus;
    this.#minus = state.minus;
    this.#strength = state.strength;
    this.#settle();
  }
}
