/**
 * What a durable actor runs: a statechart (xstate-logic.ts) or a replayed engine (replayed-logic.ts).
 *
 * Invariants: a logic is synchronous and does no I/O; the same start and events give the same steps and
 * byte-identical snapshots; a logic that threw is thrown away and restored from what is journaled.
 */
import type { ActorEvent, Emitted } from '../src/domain/events.ts';

/** A timer of the statechart itself (`after`), as captured from XState's scheduler. */
export type StateTimer =
  | { readonly op: 'set'; readonly id: string; readonly delayMs: number; readonly event: ActorEvent }
  | { readonly op: 'cancel'; readonly id: string };

/** All that one event (or the start) brought about. */
export interface Step {
  readonly emitted: readonly Emitted[];
  readonly stateTimers: readonly StateTimer[];
}

export interface ActorLogic {
  /** As it stands in the row, e.g. "position@1". */
  readonly machine: string;
  /** Throws whatever the machine threw; the logic is then unusable until `restore`. */
  start(input: unknown): Step;
  send(event: ActorEvent): Step;
  /**
   * Back to the last journaled state: a snapshot, plus the events since it where the logic checkpoints.
   * Throws BulkheadError ACTOR_UNRESTORABLE.
   */
  restore(snapshot: string, eventsSince: readonly ActorEvent[]): void;
  /** The snapshot text for the row `seq`, or null where the logic only checkpoints now and then and none is demanded. */
  snapshot(seq: number, isDemanded?: boolean): string | null;
  /** Changes exactly when the state does: postponed events are delivered again on a change. */
  stateKey(): string;
  /** The machine reached a final state. */
  isDone(): boolean;
  /** A statechart's context as it stands, to be read and never kept or changed; absent: only a snapshot tells. */
  context?(): unknown;
}

export type LogicFactory = () => ActorLogic;
