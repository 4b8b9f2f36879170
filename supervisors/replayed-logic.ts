/**
 * A deterministic engine as a durable actor: rows carry its inputs, and a checkpoint only every so many rows,
 * because its whole state in each row would cost more than replaying a few inputs does.
 *
 * Invariant: restore(checkpoint) and the inputs since give the state byte for byte (the engine is pure). An engine that
 * makes something else of an input than before is another machine, with the ones before it among `older`: its first row
 * is a checkpoint.
 */
import { defined } from '../src/core/assert.ts';
import { BulkheadError, errorText } from '../src/core/errors.ts';
import type { Json } from '../src/core/json.ts';
import type { ActorEvent, Emitted } from '../src/domain/events.ts';
import type { ActorLogic, Step } from './actor-logic.ts';

export interface ReplayedEngine {
  apply(event: ActorEvent): readonly Emitted[];
  checkpoint(): Json;
}

export interface EngineFactory {
  readonly machine: string;
  /** What it was before: their checkpoints are its own, but it may make something else of an input. */
  readonly older?: readonly string[];
  create(input: unknown): ReplayedEngine;
  restore(checkpoint: Json): ReplayedEngine;
}

const NO_TIMERS: Step['stateTimers'] = [];

export class ReplayedLogic implements ActorLogic {
  readonly machine: string;
  readonly #factory: EngineFactory;
  readonly #checkpointEvery: number;
  #engine: ReplayedEngine | undefined;

  constructor(factory: EngineFactory, checkpointEvery: number) {
    this.machine = factory.machine;
    this.#factory = factory;
    this.#checkpointEvery = checkpointEvery;
  }

  start(input: unknown): Step {
    this.#engine = this.#factory.create(input);
    return { emitted: [], stateTimers: NO_TIMERS };
  }

  send(event: ActorEvent): Step {
    return { emitted: defined(this.#engine, this.machine).apply(event), stateTimers: NO_TIMERS };
  }

  restore(snapshot: string, eventsSince: readonly ActorEvent[]): void {
    try {
      const engine = this.#factory.restore(JSON.parse(snapshot) as Json);
      for (const event of eventsSince) engine.apply(event);
      this.#engine = engine;
    } catch (error) {
      throw new BulkheadError('ACTOR_UNRESTORABLE', `cannot restore ${this.machine}: ${errorText(error)}`, {
        hint: 'Run "bulkhead replay --verify" to see whether the journal is sound.',
        cause: error,
      });
    }
  }

  snapshot(seq: number, isDemanded = false): string | null {
    if (!isDemanded && seq !== 1 && seq % this.#checkpointEvery !== 0) return null;
    return JSON.stringify(defined(this.#engine, this.machine).checkpoint());
  }

  stateKey(): string {
    return '';
  }

  isDone(): boolean {
    return false;
  }
}
