/**
 * What all supervisors of one tree share: time, dice, names, and an ear for what happens in it.
 */
import type { Time } from '../src/core/clock.ts';
import type { Random } from '../src/core/random.ts';
import type { ExitReason } from './exit.ts';
import { Registry } from './registry.ts';

/** For logs and metrics; nothing in the tree depends on anybody listening. */
export type TreeEvent = { readonly id: string; readonly path: string; readonly incarnation: number } & (
  | { readonly type: 'started' | 'ignored' | 'stopped' | 'killed' }
  | { readonly type: 'exited' | 'start-failed'; readonly reason: ExitReason }
  | { readonly type: 'restarting'; readonly delayMs: number; readonly supervisor: string }
  /** A supervisor had more restarts than it tolerates, the last of them by `culprit`. */
  | { readonly type: 'escalated' | 'auto-shutdown'; readonly culprit: string }
  /** A watcher, a kill or a late handle threw, or a dead incarnation's promise rejected: noted, else ignored. */
  | { readonly type: 'stray-error'; readonly error: unknown }
);

export interface TreeOptions {
  readonly time: Time;
  readonly random: Random;
  readonly onEvent?: (event: TreeEvent) => void;
}

export class Tree {
  readonly time: Time;
  readonly random: Random;
  readonly registry: Registry;
  readonly #onEvent: ((event: TreeEvent) => void) | undefined;
  #incarnations = 0;

  constructor(options: TreeOptions) {
    this.time = options.time;
    this.random = options.random;
    this.registry = new Registry(options.time.timers);
    this.#onEvent = options.onEvent;
  }

  nextIncarnation(): number {
    return ++this.#incarnations;
  }

  /** A listener's own failure must not reach the tree. */
  report(event: TreeEvent): void {
    try {
      this.#onEvent?.(event);
    } catch {
      // There is nobody left to tell: the listener is the log.
    }
  }
}
