/**
 * Every incident that somebody must still hear of, and what each sink was told of it; in one file of the data folder,
 * so that the next process resolves what this one reported, under the same key.
 *
 * Invariants: it is on the disk that a sink may have heard of an incident before the attempt is made; what is over and
 * told is forgotten; there are at most MOST of them, and which did not fit is counted; a file that cannot be read is
 * put aside, one that cannot be written is said once, and neither stops anything.
 */
import { readFile, rename } from 'node:fs/promises';
import { errorText } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { replaceFile } from '../core/replace-file.ts';
import type { AlertSink } from './alert-sink.ts';
import type { Firing } from './alert-watch.ts';
import type { Incident, SinkName, Told } from './incident.ts';

export const MOST_INCIDENTS = 200;
/** Over for so long, and still not told: nobody wants to hear it any more. */
const FORGET_AFTER_MS = 7 * 86_400_000;

export class Incidents {
  readonly #path: string;
  readonly #log: Logger;
  #all: readonly Incident[] = [];
  #dropped = 0;
  #isDirty = false;
  #isUnwritable = false;
  #writing: Promise<void> | undefined;

  private constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  static async open(path: string, log: Logger): Promise<Incidents> {
    const incidents = new Incidents(path, log);
    await incidents.#read();
    return incidents;
  }

  /** The oldest first. */
  get all(): readonly Incident[] {
    return this.#all;
  }

  get openKeys(): readonly string[] {
    return this.#all.filter(({ healedAt }) => healedAt === null).map(({ key }) => key);
  }

  /** How many found no room. */
  get dropped(): number {
    return this.#dropped;
  }

  opened(firing: Firing, at: number, details: Incident['details']): Promise<void> {
    // What healed and is not told yet goes on as the same incident.
    const again = this.#all.find(({ key }) => key === firing.key);
    if (again) return this.#set(again.key, { healedAt: null, value: firing.value });
    if (this.#all.length >= MOST_INCIDENTS) {
      this.#dropped += 1;
      return Promise.resolve();
    }
    this.#all = [...this.#all, { ...firing, openedAt: at, healedAt: null, details, told: {} }];
    return this.#save();
  }

  /** Another process may have reported it, and it is well now: whoever may have heard of it hears that. */
  well(firings: readonly Firing[], sinks: readonly AlertSink[], at: number): Promise<void> {
    const told = Object.fromEntries(
      sinks.filter(({ resolves }) => resolves).map(({ name }) => [name, 'trying' as const]),
    );
    const known = new Set(this.#all.map(({ key }) => key));
    const unknown = firings.filter(({ key }) => !known.has(key)).slice(0, MOST_INCIDENTS - this.#all.length);
    const healed = unknown.map((firing) => ({ ...firing, openedAt: at, healedAt: at, details: {}, told }));
    this.#all = [...this.#all, ...healed];
    return this.#save();
  }

  healed(key: string, at: number): Promise<void> {
    return this.#set(key, { healedAt: at });
  }

  told(key: string, sink: SinkName, what: Told): Promise<void> {
    const incident = this.#all.find((one) => one.key === key);
    return this.#set(key, { told: { ...incident?.told, [sink]: what } });
  }

  /** Forgets what nobody waits for any more. */
  settle(sinks: readonly AlertSink[], now: number): void {
    const kept = this.#all.filter((incident) => {
      if (incident.healedAt === null) return true;
      const isOld = now - incident.healedAt > FORGET_AFTER_MS;
      return !isOld && sinks.some((sink) => owes(incident, sink) !== undefined);
    });
    if (kept.length === this.#all.length) return;
    this.#all = kept;
    void this.#save();
  }

  /** Until nothing more is to be written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  #set(key: string, change: Partial<Incident>): Promise<void> {
    this.#all = this.#all.map((one) => (one.key === key ? { ...one, ...change } : one));
    return this.#save();
  }

  #save(): Promise<void> {
    this.#isDirty = true;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      try {
        await replaceFile(this.#path, `${JSON.stringify(this.#all)}\n`);
        this.#isUnwritable = false;
      } catch (error) {
        if (!this.#isUnwritable)
          this.#log.warn('alerts: what was reported cannot be remembered', { reason: errorText(error) });
        this.#isUnwritable = true;
      }
    }
  }

  async #read(): Promise<void> {
    try {
      const content = JSON.parse(await readFile(this.#path, 'utf8')) as unknown;
      if (!Array.isArray(content) || !content.every(isIncident)) throw new Error('it is none of ours');
      this.#all = content.slice(0, MOST_INCIDENTS);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.#log.warn('alerts: what was reported cannot be read and is begun anew', {
        path: this.#path,
        reason: errorText(error),
      });
      await rename(this.#path, `${this.#path}.damaged`).catch(() => {});
    }
  }
}

function isIncident(value: unknown): value is Incident {
  const { key, alert, openedAt, told } = (value ?? {}) as Partial<Incident>;
  return (
    typeof key === 'string' &&
    typeof alert === 'string' &&
    typeof openedAt === 'number' &&
    typeof told === 'object' &&
    told !== null
  );
}

/** What the sink has still to hear of it. */
export function owes(
  { healedAt, told }: Pick<Incident, 'healedAt' | 'told'>,
  { name, resolves }: Pick<AlertSink, 'name' | 'resolves'>,
): 'opened' | 'healed' | undefined {
  const known = told[name];
  // Told that it healed while it opened again: it has to hear of that.
  if (healedAt === null || !resolves) return known === 'opened' ? undefined : 'opened';
  // Over before anybody may have heard of it: nobody is woken for that.
  return known === 'trying' || known === 'opened' ? 'healed' : undefined;
}
