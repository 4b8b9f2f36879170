/**
 * What an indicator is: a streaming kernel that costs a handful of flops a bar.
 *
 * Invariants: `update` allocates nothing; values and their first index are TA-Lib's; a value is NaN until that
 * index (NaN compares false, so nobody can act on it by accident); `save` gives plain JSON from which `load`
 * continues bit for bit, because doubles survive JSON exactly; `peek` never changes the indicator.
 */
import type { Json } from '../core/json.ts';

/** The part of a candle that indicators read. */
export interface Bar {
  readonly openTime: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

export interface Indicator<Input, State extends Json> {
  /** How many inputs it takes until `value` is a number. */
  readonly warmup: number;
  /** The main line after the last update; indicators with more lines have them as further properties. */
  readonly value: number;
  /** Commits one input and returns the new value. */
  update(input: Input): number;
  /**
   * What `update(input)` would lead to, without committing it: for a bar that is still forming. The returned
   * twin is reused by the next peek, so read it at once.
   */
  peek(input: Input): this;
  save(): State;
  /** Takes over a saved state of an indicator with the same parameters. */
  load(state: State): void;
}

/** TA-Lib's idea of zero: below it, a divisor counts as none. */
export const isZero = (value: number): boolean => value > -1e-14 && value < 1e-14;
