/**
 * Judges what a live market says of one symbol: its bars by the gate that recordings pass, its last prices and its
 * marks by each other.
 *
 * Invariants: a bar that is withheld never reaches an indicator; a mark that the order book contradicts is not
 * believed while it does, and moves nobody's stop; after a fault the symbol is suspended until it was clean for as
 * long as the fault was grave. Nothing here knows a clock but the market's own.
 *
 * Bars come here in their order and each once, because whoever fills the holes sees to that.
 */
import type { Candle, Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { MarketBar, MarketFault } from '../market-data.ts';
import { QUALITY_LIMITS, QualityGate, type QualityLimits, type Verdict } from '../quality.ts';

/** In bars of a quarter of an hour: an hour after absurd ones and one bar after a hole, as for a minute's. */
export const LIVE_QUALITY_LIMITS: QualityLimits = {
  ...QUALITY_LIMITS,
  cleanAfterAbsurd: 4,
  cleanAfterOther: 1,
};

/** So far the last price and the mark are from each other only when one of them is wrong, or nobody can trade. */
export const MOST_APART = 0.1;
/** A quote older than this says nothing of the mark now. */
const QUOTE_LASTS_MS = 10_000;
/** So long they must contradict each other, without a mark in between that agrees, before it is a fault. */
const CONTRADICTS_AFTER_MS = 5_000;
/** So long they must agree before they are trusted again. */
const AGREES_AFTER_MS = 60_000;

export interface MarkVerdict {
  readonly believed: boolean;
  /** The contradiction has become a fault, or is over. */
  readonly change?: { readonly contradicts: true; readonly detail: string } | { readonly contradicts: false };
}

const BELIEVED: MarkVerdict = { believed: true };
const DOUBTED: MarkVerdict = { believed: false };

export class LiveQuality {
  readonly symbol: SymbolName;
  readonly #timeframe: Timeframe;
  #gate: QualityGate;
  #mid = 0;
  #quotedAt = Number.NEGATIVE_INFINITY;
  /** Since when without a break; undefined: the last mark agreed. */
  #contradictsSince: number | undefined;
  #agreesSince: number | undefined;
  #contradicts = false;

  constructor(symbol: SymbolName, timeframe: Timeframe) {
    this.symbol = symbol;
    this.#timeframe = timeframe;
    this.#gate = this.#freshGate();
  }

  /** No bar until enough clean ones have come. */
  get suspended(): boolean {
    return this.#gate.suspended;
  }

  /** Begins anew with the past; those of it that may be used, and the last fault if it is not over. */
  past<B extends Candle>(bars: readonly B[]): { readonly bars: readonly B[]; readonly fault?: MarketFault } {
    this.#gate = this.#freshGate();
    let last: MarketFault | undefined;
    const accepted = bars.filter((bar) => {
      const { accepted, faults } = this.#gate.push(bar);
      last = faults.at(-1) ?? last;
      return accepted;
    });
    return this.#gate.suspended && last ? { bars: accepted, fault: last } : { bars: accepted };
  }

  bar(bar: MarketBar): Verdict {
    const verdict = this.#gate.push(bar);
    const { markClose, close } = bar;
    if (!verdict.accepted || markClose === undefined || apart(close, markClose) <= MOST_APART) return verdict;
    const detail = `closed at ${close} while the mark stood at ${markClose}`;
    const fault = this.#gate.flag('absurd', detail);
    return { accepted: false, faults: [...verdict.faults.filter(({ kind }) => kind !== 'resumed'), fault] };
  }

  quote(at: number, bid: number, ask: number): void {
    if (!(bid > 0 && ask >= bid)) return;
    this.#mid = (bid + ask) / 2;
    this.#quotedAt = at;
  }

  mark(at: number, price: number): MarkVerdict {
    if (at - this.#quotedAt > QUOTE_LASTS_MS) return this.#unjudged();
    if (apart(this.#mid, price) <= MOST_APART) return this.#agrees(at);
    this.#agreesSince = undefined;
    this.#contradictsSince ??= at;
    if (this.#contradicts || at - this.#contradictsSince < CONTRADICTS_AFTER_MS) return DOUBTED;
    this.#contradicts = true;
    const detail = `the mark is ${price} while the book stands at ${this.#mid}`;
    return { believed: false, change: { contradicts: true, detail } };
  }

  /** Without a quote beside it there is nothing to hold against a mark, and nothing that proves it either. */
  #unjudged(): MarkVerdict {
    this.#contradictsSince = undefined;
    this.#agreesSince = undefined;
    return BELIEVED;
  }

  #agrees(at: number): MarkVerdict {
    this.#contradictsSince = undefined;
    if (!this.#contradicts) return BELIEVED;
    this.#agreesSince ??= at;
    if (at - this.#agreesSince < AGREES_AFTER_MS) return BELIEVED;
    this.#contradicts = false;
    return { believed: true, change: { contradicts: false } };
  }

  #freshGate(): QualityGate {
    return new QualityGate(this.symbol, this.#timeframe, LIVE_QUALITY_LIMITS);
  }
}

const apart = (a: number, b: number): number =>
  a > 0 && b > 0 ? Math.abs(a - b) / Math.min(a, b) : Infinity;
