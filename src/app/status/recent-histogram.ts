/**
 * How long things took lately: what was slow once and is well again is not held against anybody for ever.
 * Invariant: it forgets by the real clock, a minute at a time, so it is of the last ten minutes or a little less.
 */
import type { Monotonic } from '../../core/clock.ts';
import type { HistogramStatus } from '../../operator/venue-view.ts';
import { Histogram } from './histogram.ts';

const MINUTE_MS = 60_000;
export const RECENT_MS = 10 * MINUTE_MS;

export class RecentHistogram {
  readonly #monotonic: Monotonic;
  #minutes: { readonly minute: number; readonly histogram: Histogram }[] = [];

  constructor(monotonic: Monotonic) {
    this.#monotonic = monotonic;
  }

  add(valueMs: number): void {
    const minute = this.#forget();
    const last = this.#minutes.at(-1);
    const histogram = last?.minute === minute ? last.histogram : new Histogram();
    if (last?.histogram !== histogram) this.#minutes.push({ minute, histogram });
    histogram.add(valueMs);
  }

  status(): HistogramStatus {
    this.#forget();
    return Histogram.of(this.#minutes.map(({ histogram }) => histogram)).status();
  }

  /** The minute that it is. */
  #forget(): number {
    const minute = Math.floor(this.#monotonic.now() / MINUTE_MS);
    const oldest = minute - RECENT_MS / MINUTE_MS;
    if ((this.#minutes[0]?.minute ?? minute) <= oldest)
      this.#minutes = this.#minutes.filter((part) => part.minute > oldest);
    return minute;
  }
}
