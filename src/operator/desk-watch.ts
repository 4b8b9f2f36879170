/**
 * What an entry desk made of a signal that a person asked for: who forces an entry wants to hear whether risk let
 * it through. Fed from committed rows.
 */
import type { EntryContext } from '../../machines/entry/context.ts';
import type { ActorId } from '../core/ids.ts';
import type { ActorEvent, Cause } from '../domain/events.ts';
import type { Refusal } from '../domain/risk.ts';
import type { JournalRow } from '../journal/journal.ts';

export interface DeskVerdict {
  readonly outcome: 'accepted' | 'refused';
  readonly code: string;
  readonly text: string;
}

interface Watch {
  readonly desk: ActorId;
  readonly settle: (verdict: DeskVerdict) => void;
  heard: boolean;
}

export class DeskWatch {
  readonly #watches = new Set<Watch>();

  /** The verdict on the next forced signal that this desk hears. */
  after(desk: ActorId): { readonly verdict: Promise<DeskVerdict>; cancel(): void } {
    const { promise, resolve } = Promise.withResolvers<DeskVerdict>();
    const watch: Watch = { desk, settle: resolve, heard: false };
    this.#watches.add(watch);
    return { verdict: promise, cancel: () => this.#watches.delete(watch) };
  }

  observe(row: JournalRow, event: ActorEvent, cause: Cause): void {
    for (const watch of this.#watches) {
      if (row.actor !== watch.desk || row.snapshot === null) continue;
      const verdict = this.#hear(watch, row.snapshot, event, cause);
      if (!verdict) continue;
      this.#watches.delete(watch);
      watch.settle(verdict);
    }
  }

  #hear(watch: Watch, snapshot: string, event: ActorEvent, cause: Cause): DeskVerdict | undefined {
    const { value, context } = JSON.parse(snapshot) as { value: unknown; context: EntryContext };
    if (event.type === 'SIGNAL' && cause.kind === 'intent' && isForced(event)) {
      watch.heard = true;
      if (value === 'assessing') return undefined;
      return refused(context.passedOver.at(-1)?.why ?? 'a position is open there already');
    }
    if (!watch.heard) return undefined;
    if (event.type === 'REFUSED') return refused(reasons(event.refusals as readonly Refusal[]));
    if (event.type !== 'APPROVED') return undefined;
    if (value !== 'starting') return refused('the desk was blocked meanwhile');
    const { quantity } = event.entry as { quantity: string };
    return {
      outcome: 'accepted',
      code: 'ENTERING',
      text: `approved: ${context.position} enters with ${quantity}`,
    };
  }
}

const isForced = ({ signal }: ActorEvent): boolean =>
  (signal as { reason?: string } | undefined)?.reason?.startsWith('forced by ') === true;

const refused = (why: string): DeskVerdict => ({ outcome: 'refused', code: 'RISK', text: `refused: ${why}` });

const reasons = (refusals: readonly Refusal[]): string =>
  refusals.map(({ rule, detail }) => `${rule} (${detail})`).join('; ');
