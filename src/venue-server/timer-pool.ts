/** Timers that can all be cancelled at once, so that nothing of a closed venue keeps its process waiting. */
import type { TimerHandle, Timers } from '../core/clock.ts';

export class TimerPool implements Timers {
  readonly #timers: Timers;
  readonly #armed = new Set<TimerHandle>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  set(delayMs: number, fire: () => void): TimerHandle {
    const inner = this.#timers.set(delayMs, () => {
      this.#armed.delete(inner);
      fire();
    });
    this.#armed.add(inner);
    return {
      cancel: () => {
        this.#armed.delete(inner);
        inner.cancel();
      },
    };
  }

  cancelAll(): void {
    for (const handle of this.#armed) handle.cancel();
    this.#armed.clear();
  }
}
