/**
 * The names of a tree. Invariants: a name has at most one holder; it is freed the moment its holder ends; a
 * name that is taken is never silently given to another.
 */
import type { Timers } from '../src/core/clock.ts';
import { BulkheadError } from '../src/core/errors.ts';
import type { ChildHandle } from './child-handle.ts';
import { type ChildRef, tellLater, type Watch, type Watcher } from './exit.ts';

export interface Holder {
  readonly ref: ChildRef;
  /** Undefined while it is starting. */
  handle(): ChildHandle | undefined;
}

export class Registry {
  readonly #timers: Timers;
  readonly #holders = new Map<string, Holder>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#holders.size;
  }

  /** False when the name is taken. */
  claim(name: string, holder: Holder): boolean {
    if (this.#holders.has(name)) return false;
    this.#holders.set(name, holder);
    return true;
  }

  /** Does nothing when somebody else holds the name by now. */
  free(name: string, holder: Holder): void {
    if (this.#holders.get(name) === holder) this.#holders.delete(name);
  }

  whereis(name: string): ChildRef | undefined {
    return this.#holders.get(name)?.ref;
  }

  /** The handle of the running child of that name; undefined when there is none (yet). */
  handle(name: string): ChildHandle | undefined {
    return this.#holders.get(name)?.handle();
  }

  /** The running child's handle, checked to be of the expected class. */
  get<T extends ChildHandle>(name: string, kind: abstract new (...args: never[]) => T): T {
    const handle = this.handle(name);
    if (handle instanceof kind) return handle;
    throw new BulkheadError('NOT_FOUND', `no running ${kind.name} is named ${name}`, {
      hint: 'It may be between two incarnations: watch the name, or try again after the restart.',
    });
  }

  /** Exactly one notice; 'noproc' by message when nobody holds the name. */
  watch(name: string, watcher: Watcher): Watch {
    const holder = this.#holders.get(name);
    if (holder !== undefined) return holder.ref.watch(watcher);
    return tellLater(this.#timers, watcher, { id: name, path: name, incarnation: 0, reason: 'noproc' });
  }
}
