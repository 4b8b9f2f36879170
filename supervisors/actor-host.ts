/**
 * Durable actors as children of supervisors: one child spec serves the first start, the start from the
 * journal, and the restart after a crash.
 *
 * Invariants: state always comes from the journal's newest row, never from the memory of a crashed
 * incarnation; an actor that cannot be restored is not started and not retried: it is handed to the guardian,
 * loudly, and its siblings go on.
 */
import { isBulkheadError } from '../src/core/errors.ts';
import type { ActorId } from '../src/core/ids.ts';
import { actorType } from '../src/core/ids.ts';
import { stateText } from '../src/core/state-text.ts';
import { type Cause, GUARDIAN } from '../src/domain/events.ts';
import type { JournalRow } from '../src/journal/journal.ts';
import type { ActorRuntime } from './actor-runtime.ts';
import type { ChildContext, ChildSpec, StartResult } from './child-spec.ts';
import type { MachineRegistry } from './machine-registry.ts';
import type { LiveActor, Recovered } from './recovery.ts';

export interface Unrestorable {
  readonly actor: ActorId;
  readonly reason: string;
}

export class ActorHost {
  readonly runtime: ActorRuntime;
  readonly #machines: MachineRegistry;
  readonly #live: Map<ActorId, LiveActor>;
  readonly #contexts = new Map<ActorId, ChildContext>();
  readonly #unrestorable = new Map<ActorId, Unrestorable>();

  constructor(runtime: ActorRuntime, machines: MachineRegistry, recovered: Recovered) {
    this.runtime = runtime;
    this.#machines = machines;
    this.#live = new Map(recovered.live);
  }

  /** A child spec for the actor; `input` is used only when the journal does not know it yet. */
  child(id: ActorId, input: unknown, cause: Cause, restart: ChildSpec['restart'] = 'transient'): ChildSpec {
    return {
      id,
      name: id,
      restart,
      shutdown: { graceMs: 1_000 },
      type: 'worker',
      start: (context) => this.#start(id, input, cause, context),
    };
  }

  /** Actors of a type that the journal or this process knows, for a supervisor's own (re)start. */
  known(type: string): ActorId[] {
    const ids = new Set([...this.#live.keys(), ...this.runtime.actorIds()]);
    return [...ids].filter((id) => actorType(id) === type && !this.#unrestorable.has(id));
  }

  get unrestorable(): readonly Unrestorable[] {
    return [...this.#unrestorable.values()];
  }

  /** For the time between two incarnations of its supervisor, which will take it up. */
  startUnsupervised(id: ActorId, input: unknown, cause: Cause): void {
    this.runtime.startActor(id, this.#machines.factory(actorType(id)), input, cause);
  }

  crashed(id: ActorId, error: unknown): void {
    this.#contexts.get(id)?.exit({ error });
  }

  finished(id: ActorId): void {
    this.#contexts.get(id)?.exit('normal');
    this.#contexts.delete(id);
  }

  #start(id: ActorId, input: unknown, cause: Cause, context: ChildContext): StartResult {
    this.#contexts.set(id, context);
    const recovered = this.#live.get(id);
    if (this.runtime.knows(id)) {
      this.runtime.restartActor(id);
    } else if (recovered) {
      if (!this.#resume(id, recovered)) return 'ignore';
    } else {
      this.runtime.startActor(id, this.#machines.factory(actorType(id)), input, cause);
    }
    const stop = (): void => this.runtime.stopActor(id);
    return { stop, kill: stop, describe: () => ({ state: this.#state(id) }) };
  }

  #state(id: ActorId): string {
    const key = this.runtime.actor(id)?.stateKey ?? 'over';
    return key.startsWith('{') ? stateText(JSON.parse(key)) : key;
  }

  #resume(id: ActorId, { row, checkpoint, eventsSince }: LiveActor): boolean {
    try {
      const carried = this.#machines.migrate(row.machine, checkpoint);
      this.runtime.resumeActor(row, this.#machines.factory(actorType(id)), carried.snapshot, eventsSince);
      if (carried.migrated) this.runtime.recordMigration(id, row.machine);
    } catch (error) {
      if (!isBulkheadError(error, 'ACTOR_UNRESTORABLE')) throw error;
      this.#handOn(row, error.message);
      return false;
    }
    this.#live.delete(id);
    return true;
  }

  #handOn(row: JournalRow, reason: string): void {
    this.#unrestorable.set(row.actor, { actor: row.actor, reason });
    this.runtime.leaveAbsent(row.actor);
    const symbol = row.actor.split('/')[1] ?? '';
    const cause: Cause = { kind: 'external', id: `handover:${row.actor}:${row.seq}` };
    this.runtime.tell({ to: GUARDIAN, event: { type: 'HANDOVER', actor: row.actor, symbol, reason }, cause });
  }
}
