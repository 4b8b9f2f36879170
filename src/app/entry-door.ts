/**
 * The last question before a request that opens leaves this process: is a breaker open, or the kill switch engaged?
 * Asked of the rows that are durable and of the file KILL, right before the bytes.
 */
import type { Committed } from '../../supervisors/actor-runtime.ts';
import type { IdentifiedOrder } from '../domain/order.ts';
import { gateReason, type OpenBreaker } from '../execution/entry-gate.ts';
import { openBreakerOf } from './gate-word.ts';

const BREAKER = 'breaker/';

export class EntryDoor {
  readonly #open: Record<string, OpenBreaker> = {};
  readonly #isKilled: () => boolean;

  constructor(isKilled: () => boolean) {
    this.#isKilled = isKilled;
  }

  /** An observer of committed rows, also of those recovered. */
  readonly observe = ({ row }: Pick<Committed, 'row'>): void => {
    if (!row.actor.startsWith(BREAKER)) return;
    const name = row.actor.slice(BREAKER.length);
    const open = openBreakerOf(row.snapshot);
    if (open) this.#open[name] = open;
    else delete this.#open[name];
  };

  /** Why this may not be opened; undefined when it may, or opens nothing. */
  readonly refuses = (order: IdentifiedOrder): string | undefined => {
    if (order.reduceOnly || order.closePosition === true) return undefined;
    return this.#isKilled() ? 'the kill switch is engaged' : gateReason(this.#open, order);
  };
}
