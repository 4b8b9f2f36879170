/**
 * One life of a process: what it takes for its time, and what still reaches it.
 *
 * Invariants: a dead process does nothing and hears nothing, whatever it had under way; a paused one hears
 * everything in order once it goes on, and its monotonic clock has run meanwhile; its wall clock is its host's.
 */
import { EventEmitter } from 'node:events';
import type { Time, TimerHandle } from '../../core/clock.ts';
import type { SignalSource } from '../run/signals.ts';
import type { Scheduler } from './scheduler.ts';

/** A machine: what outlives its processes. */
export interface Host {
  readonly name: string;
  /** How far its wall clock is off. */
  wallOffsetMs: number;
  /** Its timers fire so much late, at most. */
  lateMs: number;
}

export class SimProcess {
  readonly host: Host;
  /** Unlike any other's of this world. */
  readonly life: number;
  readonly time: Time;
  readonly #scheduler: Scheduler;
  readonly #signals = new EventEmitter();
  readonly #onDeath: (() => void)[] = [];
  #state: 'running' | 'paused' | 'dead' = 'running';
  #waiting: (() => void)[] = [];

  constructor(scheduler: Scheduler, host: Host, life: number, lateness: () => number) {
    this.#scheduler = scheduler;
    this.host = host;
    this.life = life;
    this.#signals.setMaxListeners(0);
    const bootAt = scheduler.now();
    this.time = {
      clock: { now: () => Math.floor(scheduler.now() + host.wallOffsetMs) },
      monotonic: { now: () => scheduler.now() - bootAt },
      timers: {
        set: (delayMs, fire) =>
          this.later(host.lateMs > 0 ? delayMs + host.lateMs * lateness() : delayMs, fire),
      },
    };
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  /** Something arrives: at once, after the pause, or never. */
  hear(fire: () => void): void {
    if (this.#state === 'running') fire();
    else if (this.#state === 'paused') this.#waiting.push(fire);
  }

  /** Arrives after that time; `tie` as of the scheduler. */
  later(delayMs: number, fire: () => void, tie?: number): TimerHandle {
    let isCancelled = false;
    const handle = this.#scheduler.at(
      this.#scheduler.now() + Math.max(0, delayMs),
      () => this.hear(() => (isCancelled ? undefined : fire())),
      tie,
    );
    return {
      cancel: () => {
        isCancelled = true;
        handle.cancel();
      },
    };
  }

  /** Resolves after that time, and never in a process that died meanwhile. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.later(delayMs, resolve));
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    // Each as an event of its own: what one leads to happens before the next.
    const waiting = this.#waiting.splice(0);
    for (const fire of waiting) this.later(0, fire, 0);
  }

  /** SIGKILL. */
  die(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#waiting = [];
    this.#signals.removeAllListeners();
    for (const hear of this.#onDeath.splice(0)) hear();
  }

  onDeath(hear: () => void): void {
    this.#onDeath.push(hear);
  }

  signal(name: 'SIGTERM' | 'SIGINT'): void {
    this.hear(() => this.#signals.emit(name));
  }

  /** Whose signals end the run in it. */
  get signals(): SignalSource {
    return {
      on: (name, listener) => this.#signals.on(name, listener),
      off: (name, listener) => this.#signals.off(name, listener),
      exit: () => this.die(),
    };
  }
}

/** What never comes. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});
