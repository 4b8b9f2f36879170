/** How late the event loop is, now: a stall of this morning says nothing of this minute, nor hides one in it. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Monotonic } from '../../core/clock.ts';

const WINDOW_MS = 60_000;

export class LoopDelay {
  readonly #monotonic: Monotonic;
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>;
  #since: number;
  /** Of the window before the one under way. */
  #beforeMs = 0;

  constructor(monotonic: Monotonic, histogram = monitorEventLoopDelay({ resolution: 20 })) {
    this.#monotonic = monotonic;
    this.#histogram = histogram;
    this.#since = monotonic.now();
    histogram.enable();
  }

  /** Of every hundred turns of the last minute or two all but one were no later. */
  look(): number {
    const now = this.#monotonic.now();
    const p99Ms = this.#histogram.percentile(99) / 1e6;
    const worse = Math.max(this.#beforeMs, p99Ms);
    if (now - this.#since < WINDOW_MS) return worse;
    this.#beforeMs = now - this.#since < 2 * WINDOW_MS ? p99Ms : 0;
    this.#histogram.reset();
    this.#since = now;
    return worse;
  }

  stop(): void {
    this.#histogram.disable();
  }
}
