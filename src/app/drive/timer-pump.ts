/**
 * Fires durable timers as real time passes: one timer of the platform, always at the earliest deadline.
 *
 * Invariants: a timer fires at or after its deadline, never before; a wall clock that was set is noticed within
 * half a minute, because deadlines are absolute and the platform's timers are not.
 */
import type { ActorRuntime } from '../../../supervisors/actor-runtime.ts';
import type { Time, TimerHandle } from '../../core/clock.ts';

const LONGEST_WAIT_MS = 30_000;

export class TimerPump {
  readonly #runtime: ActorRuntime;
  readonly #time: Time;
  #armed: { readonly due: number; readonly handle: TimerHandle } | undefined;
  #running = false;

  constructor(runtime: ActorRuntime, time: Time) {
    this.#runtime = runtime;
    this.#time = time;
    runtime.observe(() => this.#arm());
  }

  start(): void {
    this.#running = true;
    this.#arm();
  }

  stop(): void {
    this.#running = false;
    this.#disarm();
  }

  #disarm(): void {
    this.#armed?.handle.cancel();
    this.#armed = undefined;
  }

  #arm(): void {
    const due = this.#runtime.timers.nextDue();
    if (!this.#running || this.#armed?.due === due) return;
    this.#disarm();
    if (due === Number.POSITIVE_INFINITY) return;
    // The platform may fire a little early, and a deadline may have passed: at least a millisecond lies between.
    const delayMs = Math.min(Math.max(due - this.#time.clock.now(), 1), LONGEST_WAIT_MS);
    const handle = this.#time.timers.set(delayMs, () => {
      this.#armed = undefined;
      this.#runtime.fireDueTimers();
      this.#arm();
    });
    this.#armed = { due, handle };
  }
}
