/**
 * A bar as it happens: where last and mark stand at any moment between its open and its close.
 *
 * Invariants: the path is that of src/exchange/engine/candle-path.ts (open, the extremes, close) and touches each of
 * these four prices exactly at its corner; in between it is straight, on the tick, and never leaves the bar.
 */
import { candlePath, markRange } from '../../exchange/engine/candle-path.ts';
import type { MarketBar } from '../../market/market-data.ts';
import { spot } from './dice.ts';
import type { NumberText } from './number-text.ts';

export interface PathPoint {
  readonly last: number;
  readonly mark: number;
}

const SECOND = 1000;

const MARK_DIGITS = 12;
const TENS: readonly number[] = Array.from({ length: 20 }, (_, i) => Number(`1e${i}`));
/** So near to the middle between two numbers a product's own rounding may decide. */
const MIDDLE = 0.499;

/**
 * Marks have up to eight decimals, which are also as many as a float of this size holds: `toPrecision`, without its
 * text where a whole number of the last digit gives the same.
 */
export function tidyMark(mark: number): number {
  let places = MARK_DIGITS - 1;
  for (let top = 10; top <= mark && places >= 0; top *= 10) places -= 1;
  for (let top = 1; top > mark && places < TENS.length; top /= 10) places += 1;
  const scale = TENS[places];
  if (scale !== undefined) {
    const units = mark * scale;
    const whole = Math.round(units);
    if (Math.abs(units - whole) < MIDDLE) return whole / scale;
  }
  return Number(mark.toPrecision(MARK_DIGITS));
}

export class BarPath {
  readonly bar: MarketBar;
  /** From the open, in ms: the open itself, the two extremes, the close. */
  readonly corners: readonly [number, number, number, number];
  readonly #points: readonly PathPoint[];
  readonly #text: NumberText;
  readonly #markLow: number;
  readonly #markHigh: number;

  /** `seed` decides when the extremes come. */
  constructor(bar: MarketBar, durationMs: number, text: NumberText, seed: number) {
    this.bar = bar;
    this.#text = text;
    const { low, high } = markRange(bar);
    this.#markLow = low;
    this.#markHigh = high;
    this.#points = candlePath(bar).map(({ last, mark }) => ({ last: last[1], mark: mark[1] }));
    const minute = bar.openTime / 60_000;
    const whole = (part: number): number => Math.round((part * durationMs) / SECOND) * SECOND;
    const first = whole(0.1 + 0.35 * spot(seed, minute, 1));
    const second = whole(0.55 + 0.35 * spot(seed, minute, 2));
    this.corners = [0, first, second, durationMs];
  }

  at(offsetMs: number): PathPoint {
    const { corners } = this;
    const points = this.#points;
    for (let i = 0; i < 4; i++) {
      const corner = corners[i] as number;
      if (offsetMs === corner || (i === 0 && offsetMs < corner)) return points[i] as PathPoint;
      if (offsetMs > corner) continue;
      const before = corners[i - 1] as number;
      return this.#between(i, (offsetMs - before) / (corner - before));
    }
    return points[3] as PathPoint;
  }

  #between(to: number, part: number): PathPoint {
    const [a, b] = [this.#points[to - 1] as PathPoint, this.#points[to] as PathPoint];
    const { low, high } = this.bar;
    const text = this.#text;
    const last = text.atTick(text.ticksOf(a.last + (b.last - a.last) * part));
    const mark = tidyMark(a.mark + (b.mark - a.mark) * part);
    return {
      last: Math.min(Math.max(last, low), high),
      mark: Math.min(Math.max(mark, this.#markLow), this.#markHigh),
    };
  }
}
