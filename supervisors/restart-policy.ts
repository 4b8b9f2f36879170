/**
 * The decisions of a supervisor, pure: whether to restart, whom, how soon, and when to give up.
 */
import type { Random } from '../src/core/random.ts';
import {
  type Backoff,
  DEFAULT_INTENSITY,
  DEFAULT_PERIOD_MS,
  type Restart,
  type RestartLimits,
  type Strategy,
} from './child-spec.ts';
import { type ExitReason, isAbnormal } from './exit.ts';

export function shouldRestart(restart: Restart, reason: ExitReason): boolean {
  if (restart === 'permanent') return true;
  return restart === 'transient' && isAbnormal(reason);
}

/** Who is stopped and started together with the failed child, in start order; always includes it. */
export function affected<T>(strategy: Strategy, inStartOrder: readonly T[], failed: T): readonly T[] {
  switch (strategy) {
    case 'one_for_one':
      return [failed];
    case 'one_for_all':
      return [...inStartOrder];
    case 'rest_for_one':
      return inStartOrder.slice(inStartOrder.indexOf(failed));
  }
}

/** Counts restarts within a sliding window of monotonic time; what it remembers is bounded by the intensity. */
export class RestartWindow {
  readonly #intensity: number;
  readonly #periodMs: number;
  #times: number[] = [];
  /** Index of the oldest restart within the window; ascending from there. */
  #head = 0;

  constructor(limits: RestartLimits) {
    this.#intensity = limits.intensity ?? DEFAULT_INTENSITY;
    this.#periodMs = limits.periodMs ?? DEFAULT_PERIOD_MS;
  }

  /** Notes one restart; false when it is one too many. A restart exactly one period ago still counts. */
  tolerates(nowMs: number): boolean {
    while ((this.#times[this.#head] ?? nowMs) + this.#periodMs < nowMs) this.#head++;
    if (this.#head * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#head);
      this.#head = 0;
    }
    this.#times.push(nowMs);
    return this.#times.length - this.#head <= this.#intensity;
  }
}

/** The delay before the attempt-th restart in a row (from 0): exponential, capped, part of it left to the die. */
export function backoffDelayMs(backoff: Backoff, attempt: number, random: Random): number {
  const { initialMs, maxMs, factor = 2, jitter = 0.5 } = backoff;
  const fullMs = Math.min(maxMs, initialMs * factor ** attempt);
  return fullMs * (1 - jitter * random.next());
}
