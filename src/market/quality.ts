/**
 * The quality gate: judges one symbol's bars as they come and withholds what must never be traded on.
 *
 * Invariants: pure and incremental (the same bars give the same verdicts, nothing looks ahead); a withheld bar
 * never reaches an indicator or a trigger; after a fault the symbol stays suspended until enough clean bars in a
 * row have come, then says `resumed`; time order is strict, whatever arrives late is withheld.
 *
 * What counts as absurd: prices that are not positive numbers, a bar that contradicts itself, and a movement far
 * outside the symbol's own recent ranges that came on too little volume to be real. Volume is what tells bad data
 * from a crash: a real crash, however violent, trades many times the usual amount.
 */
import { type Candle, TIMEFRAME_MS, type Timeframe } from '../domain/candle.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { MarketFault } from './market-data.ts';

export interface QualityLimits {
  /** A range is suspicious beyond so many times the symbol's usual one. */
  readonly rangeMultiple: number;
  /**
   * … and is absurd when it exceeds so many times the range that its volume explains (ranges grow with the square
   * root of volume). Over seven years of real bars, crash days and the wick of ETHUSDT on 2020-03-13 included, none
   * does; bad data do it all the time.
   */
  readonly volumeMultiple: Readonly<Record<Timeframe, number>>;
  /** Below this log range nothing is suspicious: it happens to every symbol, on every day. */
  readonly smallestRange: Readonly<Record<Timeframe, number>>;
  /** No judgement on movement before so many bars. */
  readonly warmUpBars: number;
  /** Clean bars in a row before a symbol is traded again: after absurd bars, and after any other fault. */
  readonly cleanAfterAbsurd: number;
  readonly cleanAfterOther: number;
  /**
   * So many bars in a row must span together at least `leastTravel` times their average range. Real prices wander:
   * over seven years of bars of every timeframe the least travel was 3.3. Prices that bounce between stale quotes,
   * as on a test network or with two feeds mixed up, do not get anywhere.
   */
  readonly travelBars: number;
  readonly leastTravel: number;
}

export const QUALITY_LIMITS: QualityLimits = {
  rangeMultiple: 10,
  volumeMultiple: { '1m': 5, '5m': 18, '15m': 18, '1h': 18, '4h': 18 },
  smallestRange: { '1m': 0.01, '5m': 0.03, '15m': 0.05, '1h': 0.1, '4h': 0.2 },
  warmUpBars: 30,
  cleanAfterAbsurd: 60,
  cleanAfterOther: 15,
  travelBars: 60,
  leastTravel: 2.5,
};

export interface Verdict {
  readonly accepted: boolean;
  readonly faults: readonly MarketFault[];
}

const MOST_DISTRUST = 16;
const QUIET_BARS = 1000;

const CLEAN: Verdict = { accepted: true, faults: [] };
export type FaultKind = MarketFault['kind'];

/** Some 140 bars to double: slow enough that an hour of bad data does not become the usual. */
const SLOWEST_STRIDE = 0.005;

/** Follows the median of a positive quantity without keeping its history: up a little, down a little. */
class MedianTracker {
  #value = 0;
  #count = 0;

  get value(): number {
    return this.#value;
  }

  add(sample: number): void {
    if (!(sample > 0)) return;
    this.#count++;
    if (this.#count === 1) {
      this.#value = sample;
      return;
    }
    const stride = Math.max(SLOWEST_STRIDE, 0.5 / this.#count);
    this.#value *= sample > this.#value ? 1 + stride : 1 / (1 + stride);
  }
}

/** How far the last bars got, compared with how much each of them moved. */
class Travel {
  readonly #highs: Float64Array;
  readonly #lows: Float64Array;
  #count = 0;

  constructor(bars: number) {
    this.#highs = new Float64Array(bars);
    this.#lows = new Float64Array(bars);
  }

  restart(): void {
    this.#count = 0;
  }

  /** Their joint range ÷ their average range, a few times per window; undefined in between. */
  add(bar: Candle): number | undefined {
    const size = this.#highs.length;
    this.#highs[this.#count % size] = bar.high;
    this.#lows[this.#count % size] = bar.low;
    this.#count++;
    return this.#count >= size && this.#count % (size / 4) === 0 ? this.#measure() : undefined;
  }

  #measure(): number {
    let top = 0;
    let bottom = Infinity;
    let total = 0;
    for (let i = 0; i < this.#highs.length; i++) {
      const high = this.#highs[i] as number;
      const low = this.#lows[i] as number;
      top = Math.max(top, high);
      bottom = Math.min(bottom, low);
      total += Math.log(high / low);
    }
    return total > 0 ? (Math.log(top / bottom) * this.#highs.length) / total : Infinity;
  }
}

/** Why a bar contradicts itself, or undefined. */
export function barContradiction(bar: Candle): string | undefined {
  const { open, high, low, close, volume } = bar;
  if (!(open > 0 && high > 0 && low > 0 && close > 0 && volume >= 0))
    return 'a price or volume is not a positive number';
  if (!(open + high + low + close + volume < Infinity)) return 'a price or volume is infinite';
  if (high < low) return `the high ${high} is below the low ${low}`;
  if (open > high || open < low) return `the open ${open} lies outside ${low}..${high}`;
  if (close > high || close < low) return `the close ${close} lies outside ${low}..${high}`;
  return undefined;
}

export class QualityGate {
  readonly symbol: SymbolName;
  readonly #stepMs: number;
  readonly #timeframe: Timeframe;
  readonly #limits: QualityLimits;
  readonly #usualRange = new MedianTracker();
  readonly #usualVolume = new MedianTracker();
  readonly #travel: Travel;
  #bouncing = false;
  #bars = 0;
  /** Open time of the newest bar seen, withheld ones included. */
  #lastOpenTime = -1;
  #lastClose = 0;
  /** Close of the bar before, when that was withheld for its movement; else 0. */
  #withheldClose = 0;
  /** Clean bars still wanted before the symbol is traded again; 0: it is. */
  #wanted = 0;
  /** Doubles with each new suspension for absurd bars, halves with each quiet stretch: relapses cost more. */
  #distrust = 1;
  #quiet = 0;
  /** How long the row of clean bars must be, for the worst fault of this suspension. */
  #streak = 0;

  constructor(symbol: SymbolName, timeframe: Timeframe, limits: QualityLimits = QUALITY_LIMITS) {
    this.symbol = symbol;
    this.#timeframe = timeframe;
    this.#stepMs = TIMEFRAME_MS[timeframe];
    this.#limits = limits;
    this.#travel = new Travel(limits.travelBars);
  }

  get suspended(): boolean {
    return this.#wanted > 0;
  }

  /** A fault known from elsewhere (a silent feed, two files that disagree): suspends the symbol as well. */
  flag(kind: Exclude<FaultKind, 'resumed'>, detail: string): MarketFault {
    const clean = kind === 'absurd' ? this.#limits.cleanAfterAbsurd : this.#limits.cleanAfterOther;
    return this.#suspend(kind, detail, clean);
  }

  #suspend(kind: FaultKind, detail: string, clean: number): MarketFault {
    // The first time costs one streak, each relapse twice the one before.
    const factor = this.#distrust;
    if (kind === 'absurd' && this.#wanted === 0) this.#distrust = Math.min(factor * 2, MOST_DISTRUST);
    this.#wanted = this.#streak = Math.max(this.#streak, clean * factor);
    return { symbol: this.symbol, kind, detail };
  }

  push(bar: Candle): Verdict {
    const { openTime } = bar;
    if (openTime <= this.#lastOpenTime) return this.#misplaced(openTime);
    const missing = this.#lastOpenTime < 0 ? 0 : (openTime - this.#lastOpenTime) / this.#stepMs - 1;
    this.#lastOpenTime = openTime;
    const gap = missing > 0 ? this.#gap(missing) : undefined;
    const wild = missing === 0 && this.#isWild(bar);
    const bad = this.#badness(bar, wild);
    if (bad) return { accepted: false, faults: gap ? [gap, bad] : [bad] };
    this.#learn(bar);
    if (this.#bouncing) return { accepted: false, faults: gap ? [gap] : [] };
    if (gap) return { accepted: true, faults: [gap] };
    return this.#wanted > 0 ? this.#convalesce(wild) : this.#relax();
  }

  #relax(): Verdict {
    this.#quiet++;
    if (this.#quiet % QUIET_BARS === 0 && this.#distrust > 1) this.#distrust /= 2;
    return CLEAN;
  }

  /** A wild bar that its volume explains may be real, but it does not count as a sign of recovery. */
  #convalesce(wild: boolean): Verdict {
    this.#wanted = wild ? this.#streak : this.#wanted - 1;
    if (this.#wanted > 0) return CLEAN;
    const detail = `${this.#streak} clean bars in a row`;
    this.#streak = 0;
    this.#quiet = 0;
    return { accepted: true, faults: [{ symbol: this.symbol, kind: 'resumed', detail }] };
  }

  #misplaced(openTime: number): Verdict {
    const when = new Date(openTime).toISOString();
    const fault =
      openTime === this.#lastOpenTime
        ? this.flag('duplicate', `a second bar for ${when}`)
        : this.flag('out-of-order', `the bar of ${when} came after a later one`);
    return { accepted: false, faults: [fault] };
  }

  #badness(bar: Candle, wild: boolean): MarketFault | undefined {
    const contradiction = barContradiction(bar);
    if (contradiction) return this.flag('absurd', contradiction);
    // Minutes without a trade are ordinary; a whole flat 5m or more is how recorders fill an outage.
    if (bar.volume === 0 && this.#timeframe !== '1m' && bar.high === bar.low)
      return this.flag('outage-fill', `flat at ${bar.close} without volume`);
    return (wild ? this.#unexplained(bar) : undefined) ?? this.#bounce(bar);
  }

  /** Once prices bounce, every bar is withheld until they travel again. */
  #bounce(bar: Candle): MarketFault | undefined {
    const travel = this.#travel.add(bar);
    if (travel === undefined) return undefined;
    this.#bouncing = travel < this.#limits.leastTravel;
    if (!this.#bouncing) return undefined;
    const window = `${this.#limits.travelBars} bars span only ${travel.toFixed(1)} times the range of one`;
    return this.flag('absurd', `${window}: prices bounce instead of moving`);
  }

  /** The longer the silence, the longer the proof; `#travel` must be whole again after a long one. */
  #gap(missing: number): MarketFault {
    this.#travel.restart();
    const { cleanAfterOther, cleanAfterAbsurd } = this.#limits;
    const clean = Math.min(cleanAfterAbsurd, Math.max(cleanAfterOther, missing));
    return this.#suspend('gap', gapDetail(missing, this.#timeframe), clean);
  }

  /** Far outside the symbol's own ranges. After a gap anything may have happened, so nothing is wild then. */
  #isWild(bar: Candle): boolean {
    // Without a usual range and a usual volume (a source that has none, say) there is nothing to compare with.
    if (this.#bars < this.#limits.warmUpBars || !(this.#usualRange.value > 0 && this.#usualVolume.value > 0))
      return false;
    const range = this.#rangeOf(bar);
    return (
      range >= this.#limits.smallestRange[this.#timeframe] &&
      range >= this.#limits.rangeMultiple * this.#usualRange.value
    );
  }

  #unexplained(bar: Candle): MarketFault | undefined {
    const range = this.#rangeOf(bar);
    const multiple = range / this.#usualRange.value;
    const volumeRatio = bar.volume / this.#usualVolume.value;
    if (multiple < this.#limits.volumeMultiple[this.#timeframe] * Math.sqrt(volumeRatio)) return undefined;
    this.#withheldClose = bar.close;
    const moved = `moved ${(range * 100).toFixed(1)} %, ${multiple.toFixed(0)} times the usual`;
    return this.flag('absurd', `${moved}, on ${volumeRatio.toFixed(1)} times the usual volume`);
  }

  /** The bar's log range, the way from the price before it included. */
  #rangeOf(bar: Candle): number {
    const fromAccepted = reach(bar, this.#lastClose > 0 ? this.#lastClose : bar.open);
    // After a withheld bar its close is the other candidate for the truth: a lasting shift is not absurd for ever.
    return this.#withheldClose > 0 ? Math.min(fromAccepted, reach(bar, this.#withheldClose)) : fromAccepted;
  }

  #learn(bar: Candle): void {
    this.#usualRange.add(this.#rangeOf(bar));
    this.#usualVolume.add(bar.volume);
    this.#lastClose = bar.close;
    this.#withheldClose = 0;
    this.#bars++;
  }
}

const reach = (bar: Candle, from: number): number =>
  Math.log(Math.max(bar.high, from) / Math.min(bar.low, from));

const gapDetail = (missing: number, timeframe: Timeframe): string =>
  `${missing} ${timeframe} ${missing === 1 ? 'bar is' : 'bars are'} missing`;
