/** What volume says: OBV, and VWAP anchored to a session. */
import type { Bar, Indicator } from './indicator.ts';

export type ObvState = { readonly previous: number | null; readonly total: number };

/** Starts, as TA-Lib does, at the first bar's volume. */
export class Obv implements Indicator<Bar, ObvState> {
  readonly warmup = 1;
  value = NaN;
  #previous = NaN;
  #total = 0;
  #twin: Obv | undefined;

  update(bar: Bar): number {
    if (Number.isNaN(this.#previous) || bar.close > this.#previous) this.#total += bar.volume;
    else if (bar.close < this.#previous) this.#total -= bar.volume;
    this.#previous = bar.close;
    this.value = this.#total;
    return this.value;
  }

  peek(bar: Bar): this {
    this.#twin ??= new Obv();
    this.#twin.copy(this);
    this.#twin.update(bar);
    return this.#twin as this;
  }

  copy(from: Obv): void {
    this.#previous = from.#previous;
    this.#total = from.#total;
    this.value = from.value;
  }

  save(): ObvState {
    return { previous: Number.isNaN(this.#previous) ? null : this.#previous, total: this.#total };
  }

  load(state: ObvState): void {
    this.#previous = state.previous ?? NaN;
    this.#total = state.total;
    this.value = state.previous === null ? NaN : state.total;
  }
}

export type VwapState = {
  readonly session: number | null;
  readonly turnover: number;
  readonly volume: number;
};

const DAY_MS = 86_400_000;

/**
 * Volume-weighted average of the typical price since the session began: the UTC day by default. A session
 * without any volume yet has no value, rather than yesterday's.
 */
export class Vwap implements Indicator<Bar, VwapState> {
  readonly warmup = 1;
  value = NaN;
  readonly #sessionMs: number;
  #session = NaN;
  #turnover = 0;
  #volume = 0;
  #twin: Vwap | undefined;

  constructor(sessionMs: number = DAY_MS) {
    this.#sessionMs = sessionMs;
  }

  update(bar: Bar): number {
    const session = Math.floor(bar.openTime / this.#sessionMs);
    if (session !== this.#session) {
      this.#session = session;
      this.#turnover = 0;
      this.#volume = 0;
    }
    this.#turnover += ((bar.high + bar.low + bar.close) / 3) * bar.volume;
    this.#volume += bar.volume;
    this.#settle();
    return this.value;
  }

  #settle(): void {
    this.value = this.#volume > 0 ? this.#turnover / this.#volume : NaN;
  }

  peek(bar: Bar): this {
    this.#twin ??= new Vwap(this.#sessionMs);
    this.#twin.copy(this);
    this.#twin.update(bar);
    return this.#twin as this;
  }

  copy(from: Vwap): void {
    this.#session = from.#session;
    this.#turnover = from.#turnover;
    this.#volume = from.#volume;
    this.value = from.value;
  }

  save(): VwapState {
    const session = Number.isNaN(this.#session) ? null : this.#session;
    return { session, turnover: this.#turnover, volume: this.#volume };
  }

  load(state: VwapState): void {
    this.#session = state.session ?? NaN;
    this.#turnover = state.turnover;
    this.#volume = state.volume;
    this.#settle();
  }
}
