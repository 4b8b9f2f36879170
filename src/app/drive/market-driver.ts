/**
 * Drives market time: takes steps from the market, wakes only whom they concern, and waits until everything
 * has settled before time moves on. With virtual time this alone makes a run deterministic and resumable.
 *
 * One instant T goes: the venue sees the bars (stops fill, funding settles), then actors look at the market,
 * then timers due at T fire. Invariants: rows with cause venue@T precede rows with cause market@T; a step that
 * concerns nobody writes nothing; after a restart the step at the cursor is finished and none is done twice; what
 * people ask for between two steps is done before time moves on, so that no deadline passes in the midst of it.
 */

import type { ActorRuntime } from '../../../supervisors/actor-runtime.ts';
import type { InputCursor } from '../../../supervisors/recovery.ts';
import type { Time } from '../../core/clock.ts';
import { sleep, type VirtualTime } from '../../core/clock.ts';
import type { ActorId } from '../../core/ids.ts';
import type { ActorEvent, InputPhase } from '../../domain/events.ts';
import type { MarketData, MarketStep } from '../../market/market-data.ts';

/** Who is concerned by a step, as messages; the driver knows nothing of positions, scanners or venues. */
export interface StepAudience {
  /** Prices and forming candles: called for every step, also for those replayed after a restart. */
  absorb(step: MarketStep): void;
  /** Steps from this instant on rebuild what `absorb` keeps, as it stood after the step at `at`. */
  absorbFrom(at: number): number;
  venue(step: MarketStep, tell: Tell): void;
  market(step: MarketStep, tell: Tell): void;
}

export type Tell = (to: ActorId, event: ActorEvent) => void;

export interface DriverOptions {
  readonly market: MarketData;
  readonly runtime: ActorRuntime;
  readonly audience: StepAudience;
  readonly time: VirtualTime;
  /** Real time, for pacing and for letting signals in. */
  readonly realTime: Time;
  /** Market time ÷ real time, or 'max', at this instant of market time. */
  readonly speed: (at: number) => number | 'max';
  readonly onStep?: (step: MarketStep) => void;
}

export type DriveEnd = 'end' | 'stopped';

/** A timer of 0 ms takes more than one: every 20 ms it cost a twentieth of the run. */
const BREATHE_EVERY_MS = 50;

export class MarketDriver {
  readonly #options: DriverOptions;
  #stopping = false;
  #wakeUp: (() => void) | undefined;
  #lastBreath = 0;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  /** Ends the drive after the step under way. */
  stop(): void {
    this.#stopping = true;
    this.#wakeUp?.();
  }

  /**
   * Rebuilds what `absorb` keeps as it stood at the cursor. Before the runtime opens: what is pending there
   * must meet the market as it was.
   */
  async rewind(cursor: InputCursor): Promise<void> {
    const { market, audience } = this.#options;
    for await (const steps of market.steps(audience.absorbFrom(cursor.at) - 1)) {
      for (const step of steps) {
        if (step.at > cursor.at) return;
        audience.absorb(step);
      }
    }
  }

  /** From the cursor (after `rewind`) or from the market's beginning, to its end or until `stop`. */
  async run(cursor: InputCursor | undefined): Promise<DriveEnd> {
    const { market, runtime, time } = this.#options;
    await runtime.quiescent();
    for await (const steps of market.steps(cursor && cursor.at - 1)) {
      for (const step of steps) {
        if (this.#stopping) return 'stopped';
        await this.#step(step, cursor);
        this.#options.onStep?.(step);
      }
    }
    if (!this.#stopping) await this.#timersUntil(time.now());
    return this.#stopping ? 'stopped' : 'end';
  }

  /** One instant, or what a restart finds left of it. */
  async #step(step: MarketStep, cursor: InputCursor | undefined): Promise<void> {
    const { audience, runtime, time } = this.#options;
    const resumed = cursor?.at === step.at ? cursor.phase : undefined;
    if (!resumed) {
      await this.#timersUntil(step.at - 1);
      await this.#pace(step);
      await runtime.quiescent();
      time.advanceTo(step.at);
      audience.absorb(step);
    }
    if (!resumed) await this.#phase('venue', step);
    if (!resumed || resumed === 'venue') await this.#phase('market', step);
    await this.#timersUntil(step.at);
    await this.#breathe();
  }

  async #phase(phase: InputPhase, step: MarketStep): Promise<void> {
    const { audience, runtime } = this.#options;
    let told = false;
    const tell: Tell = (to, event) => {
      told = true;
      runtime.tell({ to, event, cause: { kind: 'input', phase, at: step.at } });
    };
    audience[phase](step, tell);
    if (told) await runtime.quiescent();
  }

  /** Fires durable timers, and the supervisors' own, each at its deadline. */
  async #timersUntil(at: number): Promise<void> {
    const { runtime, time } = this.#options;
    await runtime.quiescent();
    for (;;) {
      const due = Math.min(runtime.timers.nextDue(), time.nextDeadline() ?? Number.POSITIVE_INFINITY);
      if (due > at) return;
      time.advanceTo(Math.max(due, time.now()));
      runtime.fireDueTimers();
      await runtime.quiescent();
    }
  }

  async #pace(step: MarketStep): Promise<void> {
    const { time, realTime } = this.#options;
    const speed = this.#options.speed(step.at);
    if (speed === 'max') return;
    const delayMs = Math.max(0, step.at - time.now()) / speed;
    await new Promise<void>((resolve) => {
      const timer = realTime.timers.set(delayMs, resolve);
      this.#wakeUp = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#wakeUp = undefined;
  }

  /** Lets signals, sockets and the status in now and then. */
  async #breathe(): Promise<void> {
    const now = this.#options.realTime.monotonic.now();
    if (now - this.#lastBreath < BREATHE_EVERY_MS) return;
    this.#lastBreath = now;
    await sleep(this.#options.realTime.timers, 0);
  }
}
