/**
 * Brings one sink what it has to hear, one report after the other.
 *
 * Invariants: nobody waits for it; what is to be told follows from the incidents, so nothing queues up but errors of
 * the log, and those are bounded; an asked-for pause is kept; what was refused is not offered again in this process;
 * `stop` ends within its bound, and what is left is told by the next process.
 */
import pRetry, { AbortError } from 'p-retry';
import type { Time, TimerHandle } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/waiting.ts';
import { SEVERITIES } from './alert-rules.ts';
import type { AlertSink, ErrorReport, Report } from './alert-sink.ts';
import type { Incident } from './incident.ts';
import { type Incidents, owes } from './incidents.ts';

export interface SinkRunnerOptions {
  readonly sink: AlertSink;
  readonly incidents: Incidents;
  /** Real time. */
  readonly time: Time;
  readonly log: Logger;
  /** The least pause between two attempts; they grow to sixty times as much. */
  readonly firstRetryMs: () => number;
  /** Hears of each report's end. */
  readonly onEnd: (outcome: 'taken' | 'refused' | 'dropped') => void;
}

export interface SinkStatus {
  readonly name: string;
  readonly state: 'up' | 'down';
  /** Epoch ms: since when it is down. */
  readonly since: number | null;
  readonly reason: string | null;
  /** Reports that wait. */
  readonly waiting: number;
  readonly taken: number;
  readonly refused: number;
  readonly dropped: number;
}

const RETRIES = 4;
const FACTOR = 3;
const LONGEST = 60;
const MOST_ERRORS = 50;
/** The same words again within this time say nothing new. */
const SAME_ERROR_MS = 60_000;
/** No server may silence alerts for longer by asking for a pause. */
const LONGEST_PAUSE_MS = 300_000;

class Later extends Error {}
class Refused extends Error {}

export class SinkRunner {
  readonly #options: SinkRunnerOptions;
  readonly #abort = new AbortController();
  readonly #refused = new Set<string>();
  readonly #errors: ErrorReport[] = [];
  readonly #saidAt = new Map<string, number>();
  #isBusy = false;
  #again: TimerHandle | undefined;
  #downSince: number | null = null;
  #reason: string | null = null;
  #ends = { taken: 0, refused: 0, dropped: 0 };
  /** Whoever stops it waits until nothing is to tell, or nobody takes it. */
  #onIdle: () => void = () => {};

  constructor(options: SinkRunnerOptions) {
    this.#options = options;
  }

  get status(): SinkStatus {
    const { sink } = this.#options;
    return {
      name: sink.name,
      state: this.#reason === null ? 'up' : 'down',
      since: this.#downSince,
      reason: this.#reason,
      waiting: this.#incidents().length + this.#errors.length,
      ...this.#ends,
    };
  }

  /** Something may be to tell. */
  wake(): void {
    if (this.#isBusy || this.#again !== undefined || this.#abort.signal.aborted) return;
    const report = this.#next();
    if (!report) {
      this.#onIdle();
      return;
    }
    this.#isBusy = true;
    void this.#tell(report).finally(() => {
      this.#isBusy = false;
      this.wake();
    });
  }

  error(report: ErrorReport): void {
    if (!this.#options.sink.takesErrors || this.#abort.signal.aborted) return;
    const now = this.#options.time.monotonic.now();
    const saidAt = this.#saidAt.get(report.message);
    if (saidAt !== undefined && now - saidAt < SAME_ERROR_MS) return;
    for (const [message, at] of this.#saidAt) if (now - at >= SAME_ERROR_MS) this.#saidAt.delete(message);
    this.#saidAt.set(report.message, now);
    this.#errors.push(report);
    if (this.#errors.length > MOST_ERRORS) {
      this.#errors.shift();
      this.#end('dropped');
    }
    this.wake();
  }

  /** Lets what is to be told leave, up to the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    this.wake();
    const isWorking = this.#isBusy && this.#reason === null;
    let timer: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#options.time.timers.set(isWorking ? deadlineMs : 0, resolve);
    });
    await Promise.race([idle, late]);
    timer?.cancel();
    this.#again?.cancel();
    this.#abort.abort();
  }

  /** The gravest first, then the oldest; errors when nothing else is to tell. */
  #next(): Report | undefined {
    const { sink } = this.#options;
    const [incident] = this.#incidents().sort((one, other) => rank(one) - rank(other));
    const kind = incident && owes(incident, sink);
    if (incident && kind) return { kind, incident };
    const [error] = this.#errors;
    return error && { kind: 'error', error };
  }

  #incidents(): Incident[] {
    const { incidents, sink } = this.#options;
    return incidents.all.filter((one) => {
      const kind = owes(one, sink);
      return kind !== undefined && !this.#refused.has(refusedKey(kind, one));
    });
  }

  async #tell(report: Report): Promise<void> {
    const { sink, incidents, time } = this.#options;
    const firstRetryMs = this.#options.firstRetryMs();
    if (report.kind === 'opened') await incidents.told(report.incident.key, sink.name, 'trying');
    try {
      await pRetry(() => this.#attempt(report), {
        retries: RETRIES,
        factor: FACTOR,
        minTimeout: firstRetryMs,
        maxTimeout: LONGEST * firstRetryMs,
        randomize: true,
        unref: true,
        signal: this.#abort.signal,
      });
      this.#isUp();
      this.#end('taken');
      await this.#over(report);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (error instanceof Refused) this.#isRefused(report, error.message);
      else {
        this.#again = time.timers.set(LONGEST * firstRetryMs, () => {
          this.#again = undefined;
          this.wake();
        });
      }
    }
  }

  async #attempt(report: Report): Promise<void> {
    const { sink, time } = this.#options;
    const delivered = await sink.deliver(report, this.#abort.signal);
    if (delivered.kind === 'taken') return;
    if (delivered.kind === 'refused') throw new AbortError(new Refused(delivered.reason));
    this.#isDown(delivered.reason);
    const { waitMs } = delivered;
    if (waitMs !== undefined)
      await pause(time.timers, Math.min(waitMs, LONGEST_PAUSE_MS), this.#abort.signal);
    throw new Later(delivered.reason);
  }

  async #over(report: Report): Promise<void> {
    const { incidents, sink } = this.#options;
    if (report.kind === 'error') this.#errors.splice(this.#errors.indexOf(report.error), 1);
    else await incidents.told(report.incident.key, sink.name, report.kind);
  }

  #isRefused(report: Report, reason: string): void {
    this.#end('refused');
    if (report.kind === 'error') this.#errors.splice(this.#errors.indexOf(report.error), 1);
    else this.#refused.add(refusedKey(report.kind, report.incident));
    this.#isDown(reason);
  }

  #isDown(reason: string): void {
    const { sink, time, log } = this.#options;
    if (this.#reason === null) {
      this.#downSince = time.clock.now();
      log.warn(`alerts: ${sink.name} takes none; they wait`, { reason });
    }
    this.#reason = reason;
    this.#onIdle();
  }

  #isUp(): void {
    const { sink, log } = this.#options;
    if (this.#reason !== null) log.info(`alerts: ${sink.name} takes them again`);
    this.#reason = null;
    this.#downSince = null;
  }

  #end(outcome: 'taken' | 'refused' | 'dropped'): void {
    this.#ends = { ...this.#ends, [outcome]: this.#ends[outcome] + 1 };
    this.#options.onEnd(outcome);
  }
}

const rank = ({ severity, healedAt }: Incident): number =>
  SEVERITIES.indexOf(severity) + (healedAt === null ? 0 : SEVERITIES.length);

/** An incident that opens once more is another. */
const refusedKey = (kind: string, { key, openedAt }: Incident): string => `${kind} ${key} ${openedAt}`;
