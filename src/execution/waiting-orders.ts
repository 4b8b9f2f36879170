/**
 * Which orders have something to be asked or cancelled: most have not, and there may be thousands, while every input
 * of the executor looks for what is due. Not journaled: it follows from the orders.
 *
 * Invariants: every order with `askAt` or `cancel` is in it (one that has neither any more may be, too); they are
 * looked at in the order in which they were made, so that a replay asks in the same order.
 */
import { defined } from '../core/assert.ts';
import type { OrderRecord } from './executor-types.ts';

export class WaitingOrders {
  /** The how-manieth each order is. */
  readonly #made = new WeakMap<OrderRecord, number>();
  readonly #waiting = new Set<OrderRecord>();
  #orders = 0;

  constructor(orders: Readonly<Record<string, OrderRecord>>) {
    for (const record of Object.values(orders)) this.add(record);
  }

  /** Of an order that is new. */
  add(record: OrderRecord): void {
    this.#made.set(record, this.#orders++);
    this.wait(record);
  }

  wait(record: OrderRecord): void {
    if (isWaiting(record)) this.#waiting.add(record);
  }

  /** Those that wait, first made first. */
  all(): readonly OrderRecord[] {
    for (const record of this.#waiting) if (!isWaiting(record)) this.#waiting.delete(record);
    return [...this.#waiting].sort((a, b) => this.#turn(a) - this.#turn(b));
  }

  #turn(record: OrderRecord): number {
    return defined(this.#made.get(record), 'the turn of an order that waits');
  }
}

/** What is over keeps its cancel for a moment, and is asked about no more. */
const isWaiting = ({ askAt, cancel, status }: OrderRecord): boolean =>
  status !== 'over' && (askAt !== null || cancel !== null);
