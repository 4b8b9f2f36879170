/**
 * The last question before a request that opens leaves this process: is a breaker open, or the kill switch engaged?
 * Asked of the rows that are durable and of the file KILL, right before the bytes.
 */
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import type { ActorId } from '../../core/ids.ts';
import { type IdentifiedOrder, opensPosition } from '../../domain/order.ts';
import { gateReason, type OpenBreakers } from '../../execution/entry-gate.ts';
import { isBar, openBars } from './gate-word.ts';

export class EntryDoor {
  readonly #open: Record<ActorId, OpenBreakers> = {};
  readonly #isKilled: () => boolean;

  constructor(isKilled: () => boolean) {
    this.#isKilled = isKilled;
  }

  /** An observer of committed rows, also of those recovered. */
  readonly observe = ({ row }: Pick<Committed, 'row'>): void => {
    if (!isBar(row.actor)) return;
    const open = openBars(row.actor, row.snapshot);
    if (open) this.#open[row.actor] = open;
    else delete this.#open[row.actor];
  };

  /** Why this may not be opened; undefined when it may, or opens nothing. */
  readonly refuses = (order: IdentifiedOrder): string | undefined => {
    if (!opensPosition(order)) return undefined;
    if (this.#isKilled()) return 'the kill switch is engaged';
    for (const open of Object.values(this.#open)) {
      const reason = gateReason(open, order);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
}
