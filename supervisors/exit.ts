/**
 * How a child ended, with OTP's meaning: 'normal' (its work is done), 'shutdown' (it was asked to end, or its
 * supervisor gave up) and { error } (anything else). Only { error } is abnormal.
 *
 * Invariant of Termination: it is concluded once, and every watcher hears of it exactly once.
 */
import type { TimerHandle, Timers } from '../src/core/clock.ts';
import { errorText } from '../src/core/errors.ts';
import { ownerOf, runAs } from './attribution.ts';

export type ExitReason = 'normal' | 'shutdown' | { readonly error: unknown };

/** The reason of a child that was killed rather than stopped. */
export class KilledError extends Error {
  override readonly name = 'KilledError';
}

export const killed = (why: string): ExitReason => ({ error: new KilledError(why) });

export function isAbnormal(reason: ExitReason): reason is { readonly error: unknown } {
  return typeof reason === 'object';
}

/** One line for a log, a status page or a journal row. */
export function exitText(reason: ExitReason): string {
  return isAbnormal(reason) ? errorText(reason.error) : reason;
}

/** What a watcher is told. 'noproc': there was nobody of that name to watch. */
export interface ExitNotice {
  readonly id: string;
  readonly path: string;
  /** 0 with 'noproc'. */
  readonly incarnation: number;
  readonly reason: ExitReason | 'noproc';
}

export type Watcher = (notice: ExitNotice) => void;

export interface Watch {
  /** No notice after this; harmless when the notice was given already. */
  cancel(): void;
}

/** One incarnation of a child, as others may see it. A restart is a new one. */
export interface ChildRef {
  readonly id: string;
  /** Ids from the root down, joined by " / "; for people and logs. */
  readonly path: string;
  /** Unique in the tree, ascending. */
  readonly incarnation: number;
  isAlive(): boolean;
  /** Told at once when it ends; told by message (a zero timer) when it already has. */
  watch(watcher: Watcher): Watch;
}

/** The end of one incarnation and those who want to hear of it. */
export class Termination {
  readonly #timers: Timers;
  #notice: ExitNotice | undefined;
  // Created on the first watch: thousands of children have no watcher.
  #watchers: Set<{ readonly tell: Watcher }> | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  watch(watcher: Watcher): Watch {
    const notice = this.#notice;
    if (notice !== undefined) return tellLater(this.#timers, watcher, notice);
    this.#watchers ??= new Set();
    const entry = { tell: asOwner(watcher) };
    this.#watchers.add(entry);
    return { cancel: () => this.#watchers?.delete(entry) };
  }

  /** Tells everyone, in the order of watching; `onFailure` gets what a watcher threw. */
  conclude(notice: ExitNotice, onFailure: (error: unknown) => void): void {
    if (this.#notice !== undefined) return;
    this.#notice = notice;
    const watchers = this.#watchers;
    if (watchers === undefined) return;
    // The set is walked as it is: a watcher may cancel a later one.
    for (const entry of watchers) {
      try {
        entry.tell(notice);
      } catch (error) {
        onFailure(error);
      }
    }
    this.#watchers = undefined;
  }
}

/** A notice by message, so that nobody is called back from within their own call to watch. */
export function tellLater(timers: Timers, watcher: Watcher, notice: ExitNotice): Watch {
  const tell = asOwner(watcher);
  const handle: TimerHandle = timers.set(0, () => tell(notice));
  return { cancel: () => handle.cancel() };
}

/** The watcher's own code runs in the watcher's name, not in that of the one who died. */
function asOwner(watcher: Watcher): Watcher {
  const owner = ownerOf();
  return (notice) => runAs(owner, () => watcher(notice));
}
