/**
 * The venue's clock, known from asking it, and kept by our monotonic clock in between: a wall clock that jumps moves
 * nothing here, it is only noticed.
 *
 * Invariants: `venueNow` never decreases by more than a new measurement corrects; a measurement is the median of
 * several round trips, each halved; one failed measurement leaves the last one standing.
 */
import type { Time, TimerHandle } from '../../core/clock.ts';

export interface ClockReading {
  /** What the venue's clock is ahead of our wall clock. */
  readonly offsetMs: number;
  readonly roundTripMs: number;
}

export interface ClockOffsetOptions {
  /** The runtime's time: real, or scaled like the venue's. */
  readonly time: Time;
  /** Asks the venue for its time, epoch ms. */
  readonly ask: () => Promise<number>;
  readonly onReading: (reading: ClockReading) => void;
  readonly everyMs?: number;
  readonly probes?: number;
}

const DEFAULT_EVERY_MS = 60_000;
const DEFAULT_PROBES = 3;
/** A wall clock that went so much further, or less far, than the monotonic one has jumped. */
const JUMP_MS = 500;

interface Sample {
  /** venue − monotonic. */
  readonly base: number;
  readonly roundTripMs: number;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
};

export class ClockOffset {
  readonly #options: ClockOffsetOptions;
  /** venue − monotonic; undefined until the venue was asked once. */
  #base: number | undefined;
  #wallBase: number;
  #jumps = 0;
  #timer: TimerHandle | undefined;
  #measuring: Promise<boolean> | undefined;

  constructor(options: ClockOffsetOptions) {
    this.#options = options;
    this.#wallBase = this.#wallMinusMonotonic();
  }

  /** The venue's clock now; our own wall clock until it was measured. */
  venueNow(): number {
    const { clock, monotonic } = this.#options.time;
    return Math.floor(this.#base === undefined ? clock.now() : this.#base + monotonic.now());
  }

  /** What the venue is ahead of our wall clock now; undefined until it was measured. */
  get offsetMs(): number | undefined {
    return this.#base === undefined ? undefined : Math.round(this.#base - this.#wallMinusMonotonic());
  }

  /** How often the wall clock was seen to jump. */
  get wallJumps(): number {
    return this.#jumps;
  }

  /** Measures now and then every `everyMs`. Throws when the venue does not answer. */
  async start(): Promise<void> {
    const samples = await this.#sample(this.#options.probes ?? DEFAULT_PROBES);
    this.#accept(samples);
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Measures anew, e.g. after the venue refused our timestamp; false when it did not answer. */
  measure(): Promise<boolean> {
    this.#measuring ??= this.#sample(this.#options.probes ?? DEFAULT_PROBES)
      .then((samples) => {
        this.#accept(samples);
        return true;
      })
      .catch(() => false)
      .finally(() => {
        this.#measuring = undefined;
      });
    return this.#measuring;
  }

  /** True when the wall clock has jumped since it was last looked at; such a jump is counted once. */
  noticeJump(): boolean {
    const base = this.#wallMinusMonotonic();
    const jumped = Math.abs(base - this.#wallBase) > JUMP_MS;
    this.#wallBase = base;
    if (jumped) this.#jumps++;
    return jumped;
  }

  #arm(): void {
    this.#timer = this.#options.time.timers.set(this.#options.everyMs ?? DEFAULT_EVERY_MS, () => {
      this.noticeJump();
      void this.measure().then(() => {
        // Stopped meanwhile: there is no timer to follow.
        if (this.#timer !== undefined) this.#arm();
      });
    });
  }

  async #sample(probes: number): Promise<readonly Sample[]> {
    const { monotonic } = this.#options.time;
    const samples: Sample[] = [];
    for (let i = 0; i < probes; i++) {
      const before = monotonic.now();
      const venue = await this.#options.ask();
      const after = monotonic.now();
      // The venue says whole milliseconds: half of one is lost on average.
      samples.push({ base: venue + 0.5 - (before + after) / 2, roundTripMs: after - before });
    }
    return samples;
  }

  #accept(samples: readonly Sample[]): void {
    this.#base = median(samples.map(({ base }) => base));
    this.#options.onReading({
      offsetMs: Math.round(this.#base - this.#wallMinusMonotonic()),
      roundTripMs: Math.round(median(samples.map(({ roundTripMs }) => roundTripMs))),
    });
  }

  #wallMinusMonotonic(): number {
    const { clock, monotonic } = this.#options.time;
    return clock.now() - monotonic.now();
  }
}
