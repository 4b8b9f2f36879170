/** What the runtime of durable actors asks of whoever hosts it, and tells. */
import type { ActorId } from '../src/core/ids.ts';
import type { ActorEvent, Cause, Message } from '../src/domain/events.ts';

export interface RuntimeHooks {
  /** An `actor.start` intent: have its supervisor start the child, now, through `startActor`. */
  startChild(actor: ActorId, machine: string, input: unknown, cause: Cause): void;
  /** The machine threw; the supervisor decides about the restart (`restartActor`). */
  crashed(actor: ActorId, error: unknown): void;
  /** The actor's final row is durable. */
  finished(actor: ActorId): void;
  /** Adds what only the host knows, e.g. the quote at which the venue sees an order. */
  enrich?(to: ActorId, event: ActorEvent): ActorEvent;
  /** An event was quarantined after repeated identical crashes. */
  quarantined?(actor: ActorId, message: Message, reason: string): void;
  /** Nothing moves any more, for this reason: who does not end the process now holds the account for nothing. */
  broken?(error: unknown): void;
}
