/**
 * Counts identical crashes: the same event failing the same actor for the same reason.
 * Invariant: holds at most one record per actor, that of its latest crash.
 */
import type { ActorId } from '../src/core/ids.ts';
import type { Message } from '../src/domain/events.ts';

export class PoisonWatch {
  readonly #limit: number;
  readonly #latest = new Map<ActorId, { readonly key: string; readonly count: number }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Records one crash; true when it is the one too many. */
  isPoison(actor: ActorId, message: Message, reason: string): boolean {
    const key = `${JSON.stringify(message.cause)}\n${message.event.type}\n${reason}`;
    const latest = this.#latest.get(actor);
    const count = latest?.key === key ? latest.count + 1 : 1;
    if (count < this.#limit) {
      this.#latest.set(actor, { key, count });
      return false;
    }
    this.#latest.delete(actor);
    return true;
  }
}
