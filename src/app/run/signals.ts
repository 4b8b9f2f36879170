/**
 * How a run is asked to stop: SIGTERM, SIGINT or a failure drain it; a second signal or the deadline ends it at once.
 * What is committed stays; what is not was never shown to anybody, so an abrupt end loses nothing either.
 *
 * Invariant: here alone it is decided what a hang-up means. Where the terminal is gone it is the end; else it is a
 * word to those who listen, for whoever keeps through hang-ups.
 */

import { crashOwner } from '../../../supervisors/attribution.ts';
import type { Time, TimerHandle } from '../../core/clock.ts';
import { errorText, isBulkheadError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';

/** The process as its signals are concerned. */
export interface SignalSource {
  on(name: string, listener: (value: unknown) => void): unknown;
  off(name: string, listener: (value: unknown) => void): unknown;
  exit(code: number): void;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** A terminal signals the whole group, and npm and the launcher pass it on: so soon after the first it is its echo. */
const ECHO_MS = 1_000;

type StopSignal = keyof typeof EXIT_CODES;

export class Signals {
  #deadlineMs: number;
  readonly #time: Time;
  readonly #log: Logger;
  readonly #survivesStrays: boolean;
  readonly #source: SignalSource;
  readonly #listeners: [string, (value: unknown) => void][] = [];
  readonly #stops: (() => void)[] = [];
  readonly #hangUps: (() => void)[] = [];
  #isGone: (() => boolean) | undefined;
  #deadline: TimerHandle | undefined;
  #askedAt = 0;
  #exitCode: number | undefined;
  #failure: unknown;
  #strays = 0;

  /** `survivesStrays`: a rejection that nobody awaited alarms and ends nothing; positions need the process. */
  constructor(
    deadlineMs: number,
    time: Time,
    log: Logger,
    survivesStrays = false,
    source: SignalSource = process,
  ) {
    this.#source = source;
    this.#deadlineMs = deadlineMs;
    this.#time = time;
    this.#log = log;
    this.#survivesStrays = survivesStrays;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) this.#on(signal, () => this.#take(signal));
    this.#on('unhandledRejection', (reason) => this.#strayRejection(reason));
    this.#on('uncaughtException', (error) => this.#stray(error));
  }

  /** Set once a signal asked for the end. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** Called when the run shall stop; at once if it shall already. */
  onStop(stop: () => void): void {
    this.#stops.push(stop);
    if (this.#exitCode !== undefined || this.#failure !== undefined) stop();
  }

  /** Of the drains to come. */
  setDeadline(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
  }

  /** From here on a hang-up ends the run only if its terminal is gone. */
  keepThroughHangUps(isTerminalGone: () => boolean): void {
    this.#isGone = isTerminalGone;
  }

  /** Hears of the hang-ups that are not the end. */
  hearHangUps(act: () => void): void {
    this.#hangUps.push(act);
  }

  /** Resolves when the run shall stop. */
  stopped(): Promise<void> {
    return new Promise((resolve) => this.onStop(resolve));
  }

  /** Something broke that nobody is waiting for: the run ends with this error. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#armDeadline(isBulkheadError(error) ? error.exitCode : 70);
    for (const stop of this.#stops) stop();
  }

  /** The run shall stop in good order, and that is a success. */
  finish(): void {
    if (this.#exitCode !== undefined) return;
    this.#exitCode = 0;
    this.#askedAt = this.#time.monotonic.now();
    this.#armDeadline(0);
    for (const stop of this.#stops) stop();
  }

  release(): void {
    this.#deadline?.cancel();
    for (const [name, listener] of this.#listeners) this.#source.off(name, listener);
  }

  #on(name: string, listener: (value: unknown) => void): void {
    this.#source.on(name, listener);
    this.#listeners.push([name, listener]);
  }

  #take(signal: StopSignal): void {
    const isWord = signal === 'SIGHUP' && this.#isGone?.() === false;
    if (!isWord) {
      this.#stop(signal);
      return;
    }
    this.#log.debug('SIGHUP');
    for (const act of this.#hangUps) act();
  }

  #stop(signal: StopSignal): void {
    const now = this.#time.monotonic.now();
    if (this.#exitCode !== undefined) {
      if (now - this.#askedAt > ECHO_MS) this.#source.exit(this.#exitCode);
      return;
    }
    this.#askedAt = now;
    this.#exitCode = EXIT_CODES[signal];
    this.#log.info(`${signal}: draining`, { deadlineMs: this.#deadlineMs });
    this.#armDeadline(EXIT_CODES[signal]);
    for (const stop of this.#stops) stop();
  }

  /** What waits for a store that does not answer must not keep the process for ever. */
  #armDeadline(exitCode: number): void {
    this.#deadline ??= this.#time.timers.set(this.#deadlineMs, () => {
      this.#log.warn('the shutdown deadline is over; ending at once');
      this.#source.exit(exitCode);
    });
  }

  /** How many rejections nobody awaited. */
  get strays(): number {
    return this.#strays;
  }

  /** Of a library's promise, most likely, which nothing here waits for; a child's own crashes that child. */
  #strayRejection(reason: unknown): void {
    if (!this.#survivesStrays) {
      this.#stray(reason);
      return;
    }
    if (crashOwner(reason)) return;
    this.#strays += 1;
    this.#log.error('a rejection that nobody awaited', { reason: errorText(reason), count: this.#strays });
  }

  /** A stray error belongs to the child in whose name it ran, or it ends the process. */
  #stray(error: unknown): void {
    if (crashOwner(error)) return;
    this.#log.error('stray error', { reason: errorText(error) });
    this.fail(error);
  }
}
