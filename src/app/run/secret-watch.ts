/**
 * The secrets of a run that lasts: looked at again by the clock and at a hang-up, and taken up by whoever uses them.
 *
 * Invariants: a secret is in force only once its taker has accepted it; what is refused, missing or unreadable leaves
 * the old one in force, is said (status, metrics, log) and tried again; nothing said holds a value; with nothing that
 * could change there is no timer.
 */
import type { Secrets } from '../../config/secrets.ts';
import type { Time, TimerHandle } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { SecretsStatus } from '../../operator/status-document.ts';
import type { SecretSource } from '../compose/open-secrets.ts';

type Name = keyof Secrets;

export interface Taker {
  /** In words: "the API key". */
  readonly what: string;
  readonly names: readonly Name[];
  /** Rejects where they cannot be taken up; then the old ones stay. */
  readonly take: (next: Secrets) => Promise<void> | void;
  /** They are in force now. */
  readonly taken?: () => void;
}

export interface SecretWatchOptions {
  readonly initial: Secrets;
  /** Absent: they cannot change. */
  readonly source: SecretSource | undefined;
  /** 0: only when asked. */
  readonly checkEveryMs: number;
  /** Real time. */
  readonly time: Time;
  readonly log: () => Logger;
  /** Gets every value before anything is done with it: it must be in no text. */
  readonly unspeakable: Set<string | undefined>;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** However short a token lives. */
const SHORTEST_PAUSE_MS = 1_000;

export class SecretWatch {
  /** Always those in force. */
  readonly secrets: Secrets;
  readonly #options: SecretWatchOptions;
  readonly #takers = new Map<string, Taker>();
  readonly #refused = new Map<string, string>();
  #current: Secrets;
  #version: number | null;
  #readAt: number;
  #changedAt: number | null = null;
  #trouble: string | null = null;
  #failures = 0;
  #timer: TimerHandle | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(options: SecretWatchOptions) {
    const { initial, source, time } = options;
    this.#options = options;
    this.#current = initial;
    this.#version = source?.version ?? null;
    this.#readAt = time.clock.now();
    this.secrets = liveView(initial, () => this.#current);
  }

  /** All there are and were, live. */
  get unspeakable(): Iterable<string | undefined> {
    return this.#options.unspeakable;
  }

  /** Whoever must do something to use a new one, in the place of who did so far; those of nobody are in force at once. */
  add(taker: Taker): void {
    this.#takers.set(taker.what, taker);
  }

  /** Whoever uses this one keeps what it began with. */
  needRestart(what: string, name: Name): void {
    this.add({
      ...{ what, names: [name] },
      take: () => {
        throw new Error('only a restart takes it up');
      },
    });
  }

  start(): void {
    if (this.#options.source) this.#later();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Now. One look at a time: who asks meanwhile gets another one after it. */
  look(): Promise<void> {
    const before = this.#looking ?? Promise.resolve();
    const own = before.then(() => this.#look());
    this.#looking = own;
    return own;
  }

  /** Undefined: they cannot change. */
  status(): SecretsStatus | undefined {
    const { source } = this.#options;
    if (!source) return undefined;
    const warning = source.warning();
    return {
      from: source.where,
      version: this.#version,
      readAt: this.#readAt,
      changedAt: this.#changedAt,
      trouble: [
        ...(this.#trouble === null ? [] : [this.#trouble]),
        ...[...this.#refused].map(([what, why]) => `${what}: ${why}`),
        ...(warning === null ? [] : [warning]),
      ],
    };
  }

  #later(): void {
    this.#timer?.cancel();
    const { source, checkEveryMs, time } = this.#options;
    if (!source || this.#stopped) return;
    const waits = [
      ...(checkEveryMs > 0 ? [checkEveryMs] : []),
      ...(source.dueInMs() === undefined ? [] : [Math.max(SHORTEST_PAUSE_MS, source.dueInMs() ?? 0)]),
      ...(this.#failures > 0
        ? [Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10))]
        : []),
    ];
    // What failed is tried again by its own pace, not by that of a token that has run out.
    const waitMs = this.#failures > 0 ? waits.at(-1) : Math.min(...waits);
    if (waitMs === undefined || waitMs === Number.POSITIVE_INFINITY) return;
    this.#timer = time.timers.set(waitMs, () => void this.look());
  }

  async #look(): Promise<void> {
    const { source, time } = this.#options;
    if (!source || this.#stopped) return;
    try {
      const { secrets, version } = await source.read();
      for (const value of Object.values(secrets)) this.#options.unspeakable.add(value);
      this.#readAt = time.clock.now();
      if (this.#trouble !== null) this.#options.log().info('secrets are read again', { from: source.where });
      this.#trouble = null;
      this.#failures = 0;
      await this.#takeUp(secrets);
      this.#version = version;
    } catch (error) {
      this.#failures += 1;
      const reason = errorText(error);
      if (reason !== this.#trouble)
        this.#options.log().warn('secrets cannot be read; those in force stay', { reason });
      this.#trouble = reason;
    }
    this.#later();
  }

  async #takeUp(next: Secrets): Promise<void> {
    const changed = (Object.keys(next) as Name[]).filter((name) => next[name] !== this.#current[name]);
    const takers = [...this.#takers.values()];
    const owned = new Set(takers.flatMap(({ names }) => names));
    const free = (Object.keys(next) as Name[]).filter((name) => !owned.has(name));
    for (const taker of [...takers, ...free.map(takenAtOnce)]) {
      if (taker.names.some((name) => changed.includes(name))) await this.#takeOne(taker, next);
      else this.#refused.delete(taker.what);
    }
  }

  async #takeOne({ what, names, take, taken }: Taker, next: Secrets): Promise<void> {
    const { log, time } = this.#options;
    try {
      const gone = names.find((name) => next[name] === undefined && this.#current[name] !== undefined);
      if (gone !== undefined) throw new Error(`${gone} is not there any more`);
      const wanted = { ...this.#current, ...Object.fromEntries(names.map((name) => [name, next[name]])) };
      await take(wanted);
      this.#current = wanted;
      this.#changedAt = time.clock.now();
      this.#refused.delete(what);
      log().info(`secrets: ${what} was changed and is in force`);
      taken?.();
    } catch (error) {
      const reason = errorText(error);
      if (this.#refused.get(what) !== reason)
        log().error(`secrets: ${what} was changed and cannot be taken up; the old one stays`, { reason });
      this.#refused.set(what, reason);
    }
  }
}

const takenAtOnce = (name: Name): Taker => ({ what: name, names: [name], take: () => {} });

/** An object that stays the same and always shows those in force, whoever keeps it. */
function liveView(initial: Secrets, now: () => Secrets): Secrets {
  const view = {};
  for (const name of Object.keys(initial) as Name[])
    Object.defineProperty(view, name, { enumerable: true, get: () => now()[name] });
  return view as Secrets;
}
