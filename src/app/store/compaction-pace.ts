/**
 * How fast old rows may go beside a run that trades: what appends meet is one of its statements at a time, so each is
 * kept short, by its own time and not by a number of rows, since rows may be of any size and stores of any speed.
 *
 * Invariant: a batch has at least `least` rows, so it always comes to an end.
 */
import { sleep, type Time } from '../../core/clock.ts';

export interface PaceOptions {
  readonly rows: number;
  readonly least: number;
  readonly most: number;
  /** A batch that took longer is followed by smaller ones. */
  readonly aimMs: number;
  /** After each batch at least this, and as long as the batch took, so that the store is free half of the time. */
  readonly pauseMs: number;
}

export interface Pace {
  /** Of the next batch. */
  readonly rows: number;
  /** Does one batch, and gives the others their turn. */
  batch<T>(work: () => Promise<T>): Promise<T>;
}

/** So many rows at once, and no pauses. */
export const swiftly = (rows: number): Pace => ({ rows, batch: (work) => work() });

export class GentlePace implements Pace {
  readonly #options: PaceOptions;
  readonly #time: Time;
  #rows: number;

  constructor(options: PaceOptions, time: Time) {
    this.#options = options;
    this.#time = time;
    this.#rows = options.rows;
  }

  get rows(): number {
    return this.#rows;
  }

  async batch<T>(work: () => Promise<T>): Promise<T> {
    const { least, most, aimMs, pauseMs } = this.#options;
    const { monotonic, timers } = this.#time;
    const began = monotonic.now();
    const result = await work();
    const tookMs = monotonic.now() - began;
    const next = tookMs > aimMs ? this.#rows / 2 : this.#rows * 1.1;
    this.#rows = Math.round(Math.min(most, Math.max(least, next)));
    await sleep(timers, Math.max(pauseMs, tookMs));
    return result;
  }
}
