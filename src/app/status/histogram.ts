/**
 * How long things take, in a few numbers for however many of them.
 *
 * Invariant: the aims of the service levels (metrics/slo.ts) are bounds of buckets, so that what is said of a quantile
 * is on the same side of the aim as the truth; within a bucket it is interpolated.
 */
import type { HistogramStatus } from '../../operator/venue-view.ts';

/** Upper bounds in ms; what is slower is in the last bucket. */
const BOUNDS_MS = [
  ...[5, 10, 25, 50, 75, 100, 125, 150, 175, 200, 225, 250, 300, 400, 500, 600, 700, 800, 900, 1_000],
  ...[1_250, 1_500, 2_500, 5_000, 10_000, 30_000],
] as const;

export class Histogram {
  readonly #counts = new Array<number>(BOUNDS_MS.length + 1).fill(0);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** All of what several have counted. */
  static of(parts: readonly Histogram[]): Histogram {
    const whole = new Histogram();
    for (const part of parts) {
      for (const [i, count] of part.#counts.entries()) whole.#counts[i] = (whole.#counts[i] ?? 0) + count;
      whole.#count += part.#count;
      whole.#sum += part.#sum;
      whole.#min = Math.min(whole.#min, part.#min);
      whole.#max = Math.max(whole.#max, part.#max);
    }
    return whole;
  }

  add(valueMs: number): void {
    const at = BOUNDS_MS.findIndex((bound) => valueMs <= bound);
    const bucket = at < 0 ? BOUNDS_MS.length : at;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sum += valueMs;
    this.#min = Math.min(this.#min, valueMs);
    this.#max = Math.max(this.#max, valueMs);
  }

  status(): HistogramStatus {
    const some = this.#count > 0;
    return {
      count: this.#count,
      meanMs: some ? Math.round(this.#sum / this.#count) : null,
      maxMs: some ? Math.round(this.#max) : null,
      p50Ms: some ? this.#quantile(0.5) : null,
      p95Ms: some ? this.#quantile(0.95) : null,
      p99Ms: some ? this.#quantile(0.99) : null,
      buckets: this.#counts
        .map((count, i) => ({ toMs: BOUNDS_MS[i] ?? null, count }))
        .filter(({ count }) => count > 0),
    };
  }

  #quantile(share: number): number {
    const rank = share * this.#count;
    let below = 0;
    for (const [i, count] of this.#counts.entries()) {
      if (count > 0 && below + count >= rank) {
        const from = Math.max(BOUNDS_MS[i - 1] ?? 0, this.#min);
        const to = Math.min(BOUNDS_MS[i] ?? this.#max, this.#max);
        // The middle of the one that is meant: never the bound itself, which belongs to one side of it.
        const part = Math.max(0, rank - below - 0.5) / count;
        return tenths(from + (to - from) * part);
      }
      below += count;
    }
    return this.#max;
  }
}

/** Down, so that nothing is rounded up to an aim that it kept. */
const tenths = (ms: number): number => Math.floor(ms * 10) / 10;
