/**
 * The running side of the kill switch: looks at the file KILL, opens the breaker that closes everything, brings the
 * emergency log into the journal, and acts at the venue itself where the journal cannot.
 *
 * Invariants: a kill that stands at a start is told before anything else; the breaker closes on a recorded release
 * and on nothing else, and is opened again by whatever else closes it; each entry of the emergency log becomes one row of the breaker's.
 */
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { BreakerContext } from '../../../machines/breaker.ts';
import { breakerOf } from '../../../machines/messages.ts';
import type { ActorRuntime } from '../../../supervisors/actor-runtime.ts';
import type { Time, TimerHandle } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ActorEvent, Message } from '../../domain/events.ts';
import type { OpenBreaker } from '../../execution/entry-gate.ts';
import { openBreakerOf } from '../live/gate-word.ts';
import { emergencyFolder, type KillOrder, killPath, lastRelease, readKill } from './kill-file.ts';
import { readKillLog } from './kill-log.ts';
import type { KillEnd } from './kill-venue.ts';

export interface KillWatchOptions {
  readonly dataDir: string;
  readonly realTime: Time;
  readonly log: Logger;
  readonly runtime: () => Pick<ActorRuntime, 'tell' | 'actor' | 'knows'> | undefined;
  /** False: what is told is not done. */
  readonly isJournalOk: () => boolean;
  /** Acts at a remote venue, past the journal. Absent: the venue is in this process. */
  readonly carryOut?: (order: KillOrder) => Promise<KillEnd | 'busy'>;
}

const KILL = breakerOf('kill');
const LOOK_EVERY_MS = 250;
/** Nobody writes into the emergency log while none is engaged, but a command that is about to end. */
const MERGE_ONE_LOOK_IN = 4;
/** The actors close their own positions, and know best how; after this the venue is acted on directly. */
const GRACE_MS = 10_000;
const LOG_SUFFIX = '.log.jsonl';
const MERGED_SUFFIX = '.merged.jsonl';

export class KillWatch {
  readonly #options: KillWatchOptions;
  readonly #told = new Set<string>();
  readonly #mergedUpTo = new Map<string, number>();
  #timer: TimerHandle | undefined;
  #since: { readonly id: string; readonly at: number } | undefined;
  #acting = false;
  #flat: string | undefined;
  #stopped = false;
  #looks = 0;
  #seen: { readonly text: string | undefined; readonly open: OpenBreaker | undefined } | undefined;

  constructor(options: KillWatchOptions) {
    this.#options = options;
  }

  /** Looked up at the very moment: whoever asks is about to open something. */
  get isEngaged(): boolean {
    return existsSync(killPath(this.#options.dataDir));
  }

  start(): void {
    if (this.#stopped) return;
    this.look();
    this.#timer = this.#options.realTime.timers.set(LOOK_EVERY_MS, () => this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  look(): void {
    const order = readKill(this.#options.dataDir);
    if (order) this.#engage(order);
    else this.#release();
    if (order || this.#looks % MERGE_ONE_LOOK_IN === 0) this.#merge(order);
    this.#looks += 1;
  }

  #engage(order: KillOrder): void {
    const { realTime, log } = this.#options;
    if (this.#since?.id !== order.id) {
      this.#since = { id: order.id, at: realTime.monotonic.now() };
      log.error(`the kill switch is engaged: ${order.reason}`, { kill: order.id, by: order.by });
    }
    const isOpen = this.#open()?.state === 'halted';
    if (!isOpen || !this.#lastTrip().includes(order.id)) {
      const { by, reason, id } = order;
      // Whoever closed it since has been told nothing: each time it opens again is a word of its own.
      const again = this.#context()?.trips ?? 0;
      this.#say(`${id}:on:${again}`, {
        type: 'OPERATOR_TRIP',
        by,
        reason: `${reason} (${id})`,
        closing: 'all',
      });
    }
    this.#act(order);
  }

  #act(order: KillOrder): void {
    const { carryOut, isJournalOk, realTime, log } = this.#options;
    const waited = realTime.monotonic.now() - (this.#since?.at ?? 0);
    const isDue = order.accountWide || !isJournalOk() || waited >= GRACE_MS;
    const what = `${order.id} ${order.accountWide}`;
    if (!carryOut || this.#acting || !isDue || this.#flat === what) return;
    this.#acting = true;
    carryOut(order)
      .then((end) => {
        if (end === 'flat') this.#flat = what;
        if (end === 'flat') log.warn('the venue shows nothing that is ours any more', { kill: order.id });
      })
      .catch((error: unknown) => log.error('the kill could not be carried out', { reason: errorText(error) }))
      .finally(() => {
        this.#acting = false;
      });
  }

  /** Only a release on record closes it: a deleted file is an accident. */
  #release(): void {
    this.#since = undefined;
    if (!this.#open()) return;
    const release = lastRelease(this.#options.dataDir);
    if (!release || !this.#lastTrip().includes(release.id)) return;
    const { by, reason, id } = release;
    this.#say(`${id}:off`, { type: 'OPERATOR_RESET', by, reason });
  }

  #merge(engaged: KillOrder | undefined): void {
    const { dataDir, isJournalOk, runtime } = this.#options;
    if (!isJournalOk() || runtime()?.knows(KILL) !== true) return;
    for (const name of this.#logs()) {
      const kill = name.slice(0, -LOG_SUFFIX.length);
      const path = join(emergencyFolder(dataDir), name);
      const { entries } = readKillLog(path);
      const merged = this.#counters()?.merged;
      const inJournal = merged?.kill === kill ? merged.seq : 0;
      const upTo = Math.max(this.#mergedUpTo.get(kill) ?? 0, inJournal);
      for (const { seq, ...entry } of entries.filter((each) => each.seq > upTo)) {
        this.#say(`${kill}:${seq}`, { type: 'EMERGENCY', kill, seq, entry });
        this.#mergedUpTo.set(kill, seq);
      }
      const last = entries.at(-1)?.seq ?? 0;
      if (engaged?.id !== kill && inJournal >= last)
        renameSync(path, path.replace(LOG_SUFFIX, MERGED_SUFFIX));
    }
  }

  #logs(): string[] {
    const folder = emergencyFolder(this.#options.dataDir);
    if (!existsSync(folder)) return []; // There was never a kill here.
    try {
      return readdirSync(folder)
        .filter((name) => name.endsWith(LOG_SUFFIX))
        .sort();
    } catch {
      // There was never a kill here.
      return [];
    }
  }

  /** Told once in this process; a start looks at the breaker's own snapshot. */
  #say(what: string, event: ActorEvent): void {
    const { runtime, isJournalOk } = this.#options;
    const id = `kill:${what}`;
    const there = runtime();
    if (this.#told.has(id) || there?.knows(KILL) !== true || !isJournalOk()) return;
    this.#told.add(id);
    const message: Message = { to: KILL, event, cause: { kind: 'external', id } };
    there.tell(message);
  }

  /** The breaker, open: looked at four times a second, and another one once in a long while. */
  #open(): OpenBreaker | undefined {
    const text = this.#snapshot();
    if (this.#seen?.text !== text) this.#seen = { text, open: openBreakerOf(text) };
    return this.#seen?.open;
  }

  #snapshot = (): string | undefined => this.#options.runtime()?.actor(KILL)?.snapshotText;
  #context(): BreakerContext | undefined {
    const text = this.#snapshot();
    return text === undefined ? undefined : (JSON.parse(text) as { context: BreakerContext }).context;
  }
  /** The reason of whoever opened it last, which holds the kill's id. */
  #lastTrip(): string {
    const trips = this.#context()?.audit.filter(({ what }) => what === 'trip');
    return trips?.at(-1)?.reason ?? '';
  }
  #counters = () => this.#context()?.counters;
}
