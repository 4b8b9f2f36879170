/**
 * Alerts of one run: looks at the metrics every few seconds, remembers what is on, has the sinks told.
 *
 * Invariants: it looks at what everybody may look at, and nothing that trades ever waits for it; whatever is wrong with
 * a sink, the run goes on; `stop` ends within its bound.
 */
import type { Time, TimerHandle } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { SEVERITIES, type Severity } from './alert-rules.ts';
import type { AlertSink, ErrorReport } from './alert-sink.ts';
import { AlertWatch, type Firing } from './alert-watch.ts';
import type { Sample } from './expression.ts';
import type { Incident, SinkName } from './incident.ts';
import { Incidents } from './incidents.ts';
import { SinkRunner, type SinkStatus } from './sink-runner.ts';

/** What is to be seen at one moment. */
export interface Sight {
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  /** The run is up and could trade. */
  readonly isReady: boolean;
}

/** What may change while it looks. */
export interface AlertLimits {
  /** What is less severe is not told. */
  readonly least: Severity;
  readonly everyMs: number;
  readonly healAfterMs: number;
  readonly firstRetryMs: number;
}

export interface AlertsOptions {
  readonly path: string;
  readonly sinks: readonly AlertSink[];
  readonly look: () => Promise<Sight>;
  /** What a person who is woken by it should know at once. */
  readonly detailsOf: (firing: Firing) => Incident['details'];
  /** Those in force; asked anew at each use. */
  readonly limits: () => AlertLimits;
  /** Another process owns the account by now, and reports for itself. */
  readonly isFenced: () => boolean;
  /** Another process traded before: what that one reported stands in no file here. */
  readonly tookOver: boolean;
  /** Real time. */
  readonly time: Time;
  readonly log: Logger;
  readonly onEnd: (sink: SinkName, outcome: 'taken' | 'refused' | 'dropped') => void;
}

const STOP_MS = 3_000;
/** About a process rather than the account: over with it. */
const OF_THE_PROCESS: readonly string[] = ['LeaseLost', 'JournalUnwell', 'EventLoopSlow', 'AlertSinkDown'];

export class Alerts {
  readonly #options: AlertsOptions;
  readonly #incidents: Incidents;
  readonly #watch: AlertWatch;
  readonly #runners: readonly SinkRunner[];
  #timer: TimerHandle | undefined;
  #looking: Promise<void> = Promise.resolve();
  #owesSweep: boolean;
  #isStopped = false;

  private constructor(options: AlertsOptions, incidents: Incidents) {
    const { sinks, limits, time, log, onEnd, tookOver } = options;
    this.#options = options;
    this.#incidents = incidents;
    this.#owesSweep = tookOver;
    this.#watch = new AlertWatch({
      healAfterMs: () => limits().healAfterMs,
      inherited: incidents.openKeys,
    });
    this.#runners = sinks.map(
      (sink) =>
        new SinkRunner({
          ...{ sink, incidents, time, log, firstRetryMs: () => limits().firstRetryMs },
          onEnd: (outcome) => {
            onEnd(sink.name, outcome);
            incidents.settle(sinks, time.clock.now());
          },
        }),
    );
  }

  static async start(options: AlertsOptions): Promise<Alerts> {
    const alerts = new Alerts(options, await Incidents.open(options.path, options.log));
    alerts.#next(0);
    return alerts;
  }

  get status(): readonly SinkStatus[] {
    const { dropped } = this.#incidents;
    return this.#runners.map(({ status }) => ({ ...status, dropped: status.dropped + dropped }));
  }

  get open(): readonly Incident[] {
    return this.#incidents.all.filter(({ healedAt }) => healedAt === null);
  }

  error(report: ErrorReport): void {
    for (const runner of this.#runners) runner.error(report);
  }

  /** The limits are other than before: the next look is due by them. A look under way arms the next one itself. */
  configure(): void {
    if (!this.#timer) return;
    this.#timer.cancel();
    this.#next(this.#options.limits().everyMs);
  }

  /** A last look, so that a run that fails says so; then what waits may leave. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#looking;
    if (this.#options.isFenced()) this.#leave();
    else await this.#look(true);
    await Promise.all(this.#runners.map((runner) => runner.stop(STOP_MS)));
    await this.#incidents.flush();
  }

  #next(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.time.timers.set(delayMs, () => {
      this.#timer = undefined;
      this.#looking = this.#look(false).finally(() => this.#next(this.#options.limits().everyMs));
    });
  }

  async #look(isFinal: boolean): Promise<void> {
    const { look, time, log } = this.#options;
    try {
      const { samples, isReady } = await look();
      const turn = this.#watch.look({ at: time.monotonic.now(), samples }, isReady, isFinal);
      const now = time.clock.now();
      for (const firing of turn.opened) this.#opened(firing, now);
      for (const key of turn.healed) void this.#incidents.healed(key, now);
      if (isReady) this.#sweep(now);
      this.#incidents.settle(this.#options.sinks, now);
      for (const runner of this.#runners) runner.wake();
    } catch (error) {
      log.warn('alerts: the metrics could not be looked at', { reason: errorText(error) });
    }
  }

  /** What only this process was told of nobody else would ever call healed. */
  #leave(): void {
    const now = this.#options.time.clock.now();
    for (const { key, alert } of this.open)
      if (OF_THE_PROCESS.includes(alert)) void this.#incidents.healed(key, now);
    for (const runner of this.#runners) runner.wake();
  }

  #opened(firing: Firing, now: number): void {
    if (!this.#isTold(firing)) return;
    void this.#incidents.opened(firing, now, this.#options.detailsOf(firing));
  }

  /** After a takeover, once: what the process before may have left open, and is well. */
  #sweep(now: number): void {
    if (!this.#owesSweep) return;
    this.#owesSweep = false;
    const told = this.#watch.off().filter((firing) => this.#isTold(firing));
    void this.#incidents.well(told, this.#options.sinks, now);
  }

  #isTold({ severity }: Firing): boolean {
    return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(this.#options.limits().least);
  }
}
