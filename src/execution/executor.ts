/**
 * The executor: turns what positions want into calls to a remote venue, and what the venue says into events for
 * their owners. Pure and replayed: no clock, no dice, no I/O.
 *
 * Invariants: an order is submitted by one call and never again; a call without an outcome is UNKNOWN, and only
 * evidence ends it; an owner hears acknowledged before filled, each trade once, cumulative quantities that only
 * rise, and one end; while anything before is not settled, nothing that could open is sent.
 */
import { assert } from '../core/assert.ts';
import { cloneJson, type Json } from '../core/json.ts';
import type { Emitted } from '../domain/events.ts';
import { initialState } from './executor-state.ts';
import type { ExecutorInput, ExecutorOptions, ExecutorState } from './executor-types.ts';

export type * from './executor-types.ts';

export class Executor {
  readonly #options: ExecutorOptions;
  #state: ExecutorState;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#state = initialState(options);
  }

  static restore(checkpoint: Json, options: ExecutorOptions): Executor {
    const executor = new Executor(options);
    const state = cloneJson(checkpoint) as unknown as ExecutorState;
    assert(state.version === 1, `an executor checkpoint of version ${state.version}`);
    executor.#state = state;
    return executor;
  }

  checkpoint(): Json {
    return cloneJson(this.#state) as unknown as Json;
  }

  /** For status and reports: never to be changed. */
  get state(): Readonly<ExecutorState> {
    return this.#state;
  }

  apply(input: ExecutorInput): readonly Emitted[] {
    this.#state.at = input.at;
    void this.#options;
    return [];
  }
}
