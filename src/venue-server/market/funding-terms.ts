/**
 * A symbol's funding: what was settled, what is known to come, and an estimate where nothing is.
 *
 * The source's own settlements are kept to, at the source's own times. A symbol without any is settled on the
 * interval's grid with Binance's rule: the average premium of the interval, drawn to the interest rate of
 * 0.01 % by up to 0.05 %, within cap and floor.
 */
import type { Instrument } from '../../domain/instrument.ts';
import type { FundingTerms } from '../core-types.ts';

export interface Settlement {
  readonly at: number;
  readonly rate: number;
  readonly mark: number;
}

const HOUR = 3_600_000;
const INTEREST = 0.0001;
const DRAW = 0.0005;
/** Of the first bracket's maintenance margin rate: how far a modelled rate may go. */
const CAP_SHARE = 0.75;
const KEPT = 1000;

const clamp = (value: number, bound: number): number => Math.min(Math.max(value, -bound), bound);

export class SymbolFunding {
  readonly #cap: number;
  #hours: number;
  #upcoming: { readonly at: number; readonly rate: number }[] = [];
  #settled: Settlement[] = [];
  #fromSource = false;
  #premiums = 0;
  #samples = 0;

  constructor({ fundingIntervalHours, brackets }: Instrument) {
    this.#hours = fundingIntervalHours;
    this.#cap = Math.max(0.003, CAP_SHARE * Number(brackets[0]?.maintMarginRate ?? '0.0267'));
  }

  get cap(): number {
    return this.#cap;
  }

  get hours(): number {
    return this.#hours;
  }

  /** The venue changes how often it settles. */
  every(hours: number): void {
    this.#hours = hours;
  }

  /** A settlement that the source has ahead. */
  announce(at: number, rate: number): void {
    this.#fromSource = true;
    const before = this.#upcoming.at(-1)?.at ?? this.#settled.at(-1)?.at;
    if (before !== undefined) {
      const hours = Math.round((at - before) / HOUR);
      if (hours >= 1 && hours <= 8) this.#hours = hours;
    }
    this.#upcoming.push({ at, rate });
  }

  /** What another venue says of its next settlement; it may change its mind until then. */
  expect(at: number, rate: number): void {
    this.#fromSource = true;
    this.#upcoming = [{ at, rate }];
  }

  observe(last: number, mark: number): void {
    this.#premiums += (last - mark) / mark;
    this.#samples++;
  }

  settle(at: number, rate: number, mark: number): void {
    this.#upcoming = this.#upcoming.filter((next) => next.at > at);
    this.#settled.push({ at, rate, mark });
    if (this.#settled.length >= 2 * KEPT) this.#settled = this.#settled.slice(-KEPT);
    this.#premiums = 0;
    this.#samples = 0;
  }

  /** When the grid says that it is time, for symbols whose source has no rates; undefined for the others. */
  modelledAt(at: number): number | undefined {
    if (this.#fromSource || at % (this.#hours * HOUR) !== 0) return undefined;
    return this.#modelled();
  }

  terms(at: number): FundingTerms {
    const next = this.#upcoming[0];
    const grid = (Math.floor(at / (this.#hours * HOUR)) + 1) * this.#hours * HOUR;
    const rate =
      next?.rate ?? (this.#fromSource ? this.#settled.at(-1)?.rate : undefined) ?? this.#modelled();
    // A rate that is far away in the source says nothing about the grid before it.
    const known = next !== undefined && next.at <= grid + HOUR;
    return { rate, nextAt: known ? Math.max(next.at, at) : grid, intervalHours: this.#hours };
  }

  history(from: number | undefined, until: number, limit: number): readonly Settlement[] {
    const found = this.#settled.filter(({ at }) => at >= (from ?? 0) && at <= until);
    return from === undefined ? found.slice(-limit) : found.slice(0, limit);
  }

  #modelled(): number {
    const premium = this.#samples > 0 ? this.#premiums / this.#samples : 0;
    const rate = premium + clamp(INTEREST - premium, DRAW);
    return Math.round(clamp(rate, this.#cap) * 1e8) / 1e8;
  }
}
