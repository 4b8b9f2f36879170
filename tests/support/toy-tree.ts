/**
 * A world of obedient and disobedient children for supervisor tests: it logs every start, stop and kill, knows
 * who is alive, and can crash anybody. Nothing here is faked but the children themselves.
 */
import { type TimerHandle, type Timers, VirtualTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { ChildContext, ChildHandle, ChildSpec, StartResult } from '../../supervisors/child-spec.ts';
import type { ExitReason } from '../../supervisors/exit.ts';
import { Tree, type TreeEvent } from '../../supervisors/tree.ts';

export interface ToyBehaviour {
  /** Called at each start, with its number from 1: may return 'ignore', throw, or return a promise to wait for. */
  readonly onStart?: (start: number, context: ChildContext) => unknown;
  /** 'hang' never resolves, 'later' resolves when `release(id)` is called. Default: at once. */
  readonly onStop?: 'hang' | 'later' | (() => void | Promise<void>);
  readonly onKill?: () => void;
}

class CountingTimers implements Timers {
  readonly armed = new Set<object>();
  readonly #inner: Timers;

  constructor(inner: Timers) {
    this.#inner = inner;
  }

  set(delayMs: number, fire: () => void): TimerHandle {
    const handle = this.#inner.set(delayMs, () => {
      this.armed.delete(entry);
      fire();
    });
    const entry: TimerHandle = {
      cancel: () => {
        this.armed.delete(entry);
        handle.cancel();
      },
    };
    this.armed.add(entry);
    return entry;
  }
}

export class ToyTree {
  readonly time = new VirtualTime(1_000);
  readonly events: TreeEvent[] = [];
  readonly #timers = new CountingTimers(this.time);
  readonly tree: Tree;
  readonly #log: string[] = [];
  readonly #live = new Map<string, ChildContext>();
  readonly #starts = new Map<string, number>();
  readonly #releases = new Map<string, () => void>();

  constructor(seed = 1) {
    this.tree = new Tree({
      time: { clock: this.time, monotonic: this.time, timers: this.#timers },
      random: seededRandom(seed),
      onEvent: (event) => this.events.push(event),
    });
  }

  /** A permanent worker with 1 s of grace, unless told otherwise. */
  spec(id: string, overrides: Partial<ChildSpec> = {}, behaviour: ToyBehaviour = {}): ChildSpec {
    return {
      id,
      restart: 'permanent',
      shutdown: { graceMs: 1_000 },
      type: 'worker',
      start: (context) => this.#start(context, behaviour),
      ...overrides,
    };
  }

  /** What happened since the last call. */
  takeLog(): string[] {
    return this.#log.splice(0);
  }

  /** Ids that hold resources right now, sorted. */
  live(): string[] {
    return [...this.#live.keys()].sort();
  }

  /** How many timers the tree has set that neither fired nor were cancelled. */
  armedTimers(): number {
    return this.#timers.armed.size;
  }

  context(id: string): ChildContext {
    const context = this.#live.get(id);
    if (context === undefined) throw new Error(`${id} is not alive`);
    return context;
  }

  starts(id: string): number {
    return this.#starts.get(id) ?? 0;
  }

  exit(id: string, reason: ExitReason): void {
    const context = this.context(id);
    this.#live.delete(id);
    context.exit(reason);
  }

  crash(id: string, message = 'boom'): void {
    this.exit(id, { error: new Error(message) });
  }

  /** Lets a child with onStop 'later' end. */
  release(id: string): void {
    this.#releases.get(id)?.();
  }

  #start(context: ChildContext, behaviour: ToyBehaviour): StartResult | Promise<StartResult> {
    const { id } = context;
    const start = this.starts(id) + 1;
    this.#starts.set(id, start);
    const result = behaviour.onStart?.(start, context);
    if (result === 'ignore') return 'ignore';
    if (!(result instanceof Promise)) return this.#begin(context, behaviour);
    return result.then((value: unknown) => (value === 'ignore' ? 'ignore' : this.#begin(context, behaviour)));
  }

  #begin(context: ChildContext, behaviour: ToyBehaviour): ChildHandle {
    const { id } = context;
    this.#log.push(`start ${id}`);
    this.#live.set(id, context);
    const end = (): void => {
      if (this.#live.get(id) === context) this.#live.delete(id);
    };
    return {
      stop: () => {
        this.#log.push(`stop ${id}`);
        if (behaviour.onStop === 'hang') return new Promise<void>(() => {});
        if (behaviour.onStop === 'later') {
          return new Promise<void>((resolve) => {
            this.#releases.set(id, () => {
              end();
              resolve();
            });
          });
        }
        const result = behaviour.onStop?.();
        if (result === undefined) return end();
        return result.then(end);
      },
      kill: () => {
        this.#log.push(`kill ${id}`);
        end();
        behaviour.onKill?.();
      },
      describe: () => ({ state: 'idle' }),
    };
  }
}

/** Lets all promises that can settle do so. */
export async function flush(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
