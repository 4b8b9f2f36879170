/** How far prices move: ATR, Bollinger Bands and the Donchian channel. */
import { type EmaState, Sma, type SmaState, Wilder } from './averages.ts';
import { type Bar, type Indicator, isZero } from './indicator.ts';
import { RollingExtreme } from './window.ts';

/** The bar's range, stretched to the previous close. */
export function trueRange(bar: Bar, previousClose: number): number {
  return Math.max(bar.high - bar.low, Math.abs(previousClose - bar.high), Math.abs(previousClose - bar.low));
}

export type AtrState = { readonly previous: number | null; readonly average: EmaState };

export class Atr implements Indicator<Bar, AtrState> {
  readonly warmup: number;
  value = NaN;
  readonly #average: Wilder;
  #previous = NaN;
  #twin: Atr | undefined;

  constructor(period = 14) {
    this.warmup = period + 1;
    this.#average = new Wilder(period);
  }

  update(bar: Bar): number {
    const previous = this.#previous;
    this.#previous = bar.close;
    // The first bar has no true range.
    if (!Number.isNaN(previous)) this.value = this.#average.update(trueRange(bar, previous));
    return this.value;
  }

  peek(bar: Bar): this {
    this.#twin ??= new Atr(this.warmup - 1);
    this.#twin.copy(this);
    this.#twin.update(bar);
    return this.#twin as this;
  }

  copy(from: Atr): void {
    this.#average.copy(from.#average);
    this.#previous = from.#previous;
    this.value = from.value;
  }

  save(): AtrState {
    const previous = Number.isNaN(this.#previous) ? null : this.#previous;
    return { previous, average: this.#average.save() };
  }

  load(state: AtrState): void {
    this.#previous = state.previous ?? NaN;
    this.#average.load(state.average);
    this.value = this.#average.value;
  }
}

/**
 * `value` is the middle band. The deviation is the population's, taken in two passes over the window: TA-Lib's
 * E[x²] − E[x]² loses digits at Bitcoin's prices, and a running one drifts over a year.
 */
export class Bollinger implements Indicator<number, SmaState> {
  readonly warmup: number;
  value = NaN;
  upper = NaN;
  lower = NaN;
  readonly #middle: Sma;
  readonly #deviations: number;
  #twin: Bollinger | undefined;

  constructor(period = 20, deviations = 2) {
    this.warmup = period;
    this.#middle = new Sma(period);
    this.#deviations = deviations;
  }

  update(price: number): number {
    this.#middle.update(price);
    this.#settle();
    return this.value;
  }

  #settle(): void {
    this.value = this.#middle.value;
    if (Number.isNaN(this.value)) return;
    const variance = this.#middle.squaredDeviations() / this.warmup;
    const width = isZero(variance) ? 0 : this.#deviations * Math.sqrt(variance);
    this.upper = this.value + width;
    this.lower = this.value - width;
  }

  peek(price: number): this {
    this.#twin ??= new Bollinger(this.warmup, this.#deviations);
    this.#twin.#middle.copy(this.#middle);
    this.#twin.update(price);
    return this.#twin as this;
  }

  save(): SmaState {
    return this.#middle.save();
  }

  load(state: SmaState): void {
    this.#middle.load(state);
    this.#settle();
  }
}

export type DonchianState = { readonly highs: readonly number[]; readonly lows: readonly number[] };

/** The highest high and lowest low of the last `period` bars; `value` is the channel's middle. */
export class Donchian implements Indicator<Bar, DonchianState> {
  readonly warmup: number;
  value = NaN;
  upper = NaN;
  lower = NaN;
  readonly #highs: RollingExtreme;
  readonly #lows: RollingExtreme;
  #twin: Donchian | undefined;

  constructor(period = 20) {
    this.warmup = period;
    this.#highs = new RollingExtreme(period, 'highest');
    this.#lows = new RollingExtreme(period, 'lowest');
  }

  update(bar: Bar): number {
    this.#highs.push(bar.high);
    this.#lows.push(bar.low);
    this.#settle();
    return this.value;
  }

  #settle(): void {
    this.upper = this.#highs.full ? this.#highs.value : NaN;
    this.lower = this.#lows.full ? this.#lows.value : NaN;
    this.value = (this.upper + this.lower) / 2;
  }

  peek(bar: Bar): this {
    this.#twin ??= new Donchian(this.warmup);
    this.#twin.#highs.copy(this.#highs);
    this.#twin.#lows.copy(this.#lows);
    this.#twin.update(bar);
    return this.#twin as this;
  }

  save(): DonchianState {
    return { highs: this.#highs.save(), lows: this.#lows.save() };
  }

  load(state: DonchianState): void {
    this.#highs.load(state.highs);
    this.#lows.load(state.lows);
    this.#settle();
  }
}
