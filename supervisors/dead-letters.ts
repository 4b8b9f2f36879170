/**
 * Messages for actors that are over or never were. They are journaled like everything else, so that each
 * message is consumed by exactly one row and nothing vanishes unseen.
 */
import type { ActorEvent, Cause, Message } from '../src/domain/events.ts';
import type { JournalRow, RowDraft } from '../src/journal/journal.ts';
import { EMPTY_HOST } from './host-state.ts';

export const DEAD_LETTERS = 'dead-letters';

const HOST = JSON.stringify(EMPTY_HOST);

export class DeadLetters {
  #seq = 0;

  resume(row: JournalRow): void {
    this.#seq = row.seq;
  }

  draft(message: Message, at: number, reason: string): { draft: RowDraft; cause: Cause; event: ActorEvent } {
    this.#seq += 1;
    const event: ActorEvent = { type: 'dead-letter', to: message.to, event: message.event, at };
    const draft: RowDraft = {
      actor: DEAD_LETTERS,
      seq: this.#seq,
      at,
      kind: 'dead-letter',
      machine: 'dead-letters@1',
      event: JSON.stringify(event),
      cause: JSON.stringify(message.cause),
      snapshot: '{}',
      intents: '[]',
      host: HOST,
      note: reason,
      final: false,
    };
    return { draft, cause: message.cause, event };
  }
}
