/**
 * Time is injected. This file is the only home of the ambient clock and of timers (checked by the suite).
 *
 * Invariants: wall time is UTC epoch milliseconds; monotonic time never runs backwards; a virtual clock moves
 * only when it is told to and fires what is due in deadline order, ties in the order of setting.
 */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
}

export interface Monotonic {
  /** Milliseconds since an arbitrary start; never decreases. */
  now(): number;
}

export interface TimerHandle {
  cancel(): void;
}

export interface Timers {
  /** Calls `fire` once, `delayMs` from now. Delays beyond the platform's 24.8 days are chunked. */
  set(delayMs: number, fire: () => void): TimerHandle;
}

/** What every component gets instead of Date, setTimeout and performance. */
export interface Time {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
}

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

class SystemTimers implements Timers {
  set(delayMs: number, fire: () => void): TimerHandle {
    let handle: NodeJS.Timeout | undefined;
    const arm = (leftMs: number): void => {
      const chunkMs = Math.min(Math.max(leftMs, 0), LONGEST_TIMEOUT_MS);
      handle = setTimeout(() => (leftMs > chunkMs ? arm(leftMs - chunkMs) : fire()), chunkMs);
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  }
}

export function systemTime(): Time {
  return {
    clock: { now: () => Date.now() },
    monotonic: { now: () => performance.now() },
    timers: new SystemTimers(),
  };
}

/**
 * Real time run `factor` times faster, its wall clock set to `startAt`: the time of a venue that replays a
 * recording faster than it happened. Timers keep their meaning: a second of this time.
 */
export function scaledTime(real: Time, startAt: number, factor: number): Time {
  const begun = real.monotonic.now();
  const elapsed = (): number => (real.monotonic.now() - begun) * factor;
  return {
    clock: { now: () => Math.floor(startAt + elapsed()) },
    monotonic: { now: elapsed },
    timers: { set: (delayMs, fire) => real.timers.set(delayMs / factor, fire) },
  };
}

/**
 * Real time whose clock is never set back: when the machine's is, it goes on at half its pace until that one has
 * caught up. Deadlines are absolute: a clock set back by an hour would put off all of them by an hour.
 */
export function steadyTime(real: Time): Time {
  const { clock, monotonic, timers } = real;
  let last = clock.now();
  let at = monotonic.now();
  const now = (): number => {
    const elapsed = monotonic.now() - at;
    at += elapsed;
    last = Math.max(clock.now(), last + elapsed / 2);
    return Math.floor(last);
  };
  return { clock: { now }, monotonic, timers };
}

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Time that stands still until `advanceTo`; its clock, monotonic clock and timers agree with each other. */
export class VirtualTime implements Time, Clock, Monotonic, Timers {
  readonly clock: Clock = this;
  readonly monotonic: Monotonic = this;
  readonly timers: Timers = this;
  #now: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  set(delayMs: number, fire: () => void): TimerHandle {
    const entry: Pending = { due: this.#now + Math.max(0, delayMs), order: this.#order++, fire };
    this.#pending.add(entry);
    return { cancel: () => this.#pending.delete(entry) };
  }

  /** The earliest deadline, or undefined when nothing is armed. */
  nextDeadline(): number | undefined {
    return this.#earliest()?.due;
  }

  /** Moves to `toMs`, firing everything due on the way at its own deadline. */
  advanceTo(toMs: number): void {
    for (let next = this.#earliest(); next && next.due <= toMs; next = this.#earliest()) {
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.fire();
    }
    this.#now = Math.max(this.#now, toMs);
  }

  #earliest(): Pending | undefined {
    let best: Pending | undefined;
    for (const entry of this.#pending) {
      if (!best || entry.due < best.due || (entry.due === best.due && entry.order < best.order)) best = entry;
    }
    return best;
  }
}

/** Resolves once everything that waits for nothing has happened: all microtasks, and what they led to. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const TURNS_AT_ONCE = 64;

/**
 * `turn` for whoever waits for it again and again while nothing waits for sockets or files: turns are asked for by the
 * dozen, because the loop looks at those once for all that stand ready, which costs ten times as much as the turn.
 */
export class Turns {
  #waiting: (() => void) | undefined;
  #ready = 0;

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      if (this.#ready > 0) return;
      this.#ready = TURNS_AT_ONCE;
      for (let i = 0; i < TURNS_AT_ONCE; i++) setImmediate(this.#turn);
    });
  }

  // Before each all microtasks have run, and what they led to.
  readonly #turn = (): void => {
    this.#ready -= 1;
    const resolve = this.#waiting;
    this.#waiting = undefined;
    resolve?.();
  };
}

/** Resolves after `delayMs` on the given timers. */
export function sleep(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => timers.set(delayMs, resolve));
}
