/**
 * The journal as a checker reads it: by its rows alone, as they become durable, with code of its own.
 *
 * Invariants that it holds itself: n and each actor's seq are contiguous, epochs never decrease and no row is
 * written by an epoch that another has followed, the hash chain holds (10); a client order id is intended once and
 * follows from (instance, actor, seq, index) (2); a trade is told once, and what an order has filled never shrinks
 * nor exceeds it (5).
 */

import { clientOrderId } from '../../../core/ids.ts';
import type { Cause, Intent } from '../../../domain/events.ts';
import { VENUE } from '../../../domain/events.ts';
import type { IdentifiedOrder } from '../../../domain/order.ts';
import { keyOfActor, type PositionKey } from '../../../domain/position-key.ts';
import type { JournalHead, JournalRow } from '../../../journal/journal.ts';
import { EMPTY_HEAD, verifyChain } from '../../../journal/row-hash.ts';
import { DUST } from './ownership.ts';
import type { Invariant } from './violation.ts';

export interface Intended {
  readonly n: number;
  readonly order: IdentifiedOrder;
}

/** A breaker that was open from row to row. */
export interface OpenSpan {
  readonly breaker: string;
  readonly from: number;
  to: number;
  readonly symbols: readonly string[] | undefined;
  readonly direction: string | undefined;
}

export interface LiveActor {
  readonly seq: number;
  readonly n: number;
  /** With its armed timers. */
  readonly host: string;
  readonly snapshot: string | null;
}

interface Adopted {
  readonly direction: string;
  readonly quantity: string;
}

interface Filled {
  readonly cumulative: number;
}

export class JournalIndex {
  readonly intended = new Map<string, Intended>();
  /** Calls that submit: by client order id, with the row that released it. */
  readonly calls = new Map<string, { readonly n: number; readonly sendBy: number }>();
  readonly spans: OpenSpan[] = [];
  readonly live = new Map<string, LiveActor>();
  readonly trades = new Set<string>();
  /** Orders whose owners were told that the venue refused them. */
  readonly rejected = new Set<string>();
  /** Positions of which the venue's liquidation has taken something. */
  readonly liquidated = new Set<string>();
  readonly #filled = new Map<string, Filled>();
  readonly #seqs = new Map<string, number>();
  readonly #instance: string;
  readonly #onRejected: (id: string, n: number) => void;
  /** Hears of each position that began as somebody else's, signed. */
  onAdopted: (place: PositionKey, signed: number) => void = () => {};
  readonly #violate: (invariant: Invariant, text: string) => void;
  #head: JournalHead = EMPTY_HEAD;
  #epoch = 0;

  constructor(
    instance: string,
    violate: (invariant: Invariant, text: string) => void,
    onRejected: (id: string, n: number) => void,
  ) {
    this.#instance = instance;
    this.#onRejected = onRejected;
    this.#violate = violate;
  }

  get lastN(): number {
    return this.#head.n;
  }

  take(rows: readonly JournalRow[]): void {
    try {
      this.#head = verifyChain(rows, this.#head);
    } catch (error) {
      this.#violate(10, `the chain breaks at row ${rows[0]?.n}: ${String(error)}`);
      const last = rows.at(-1);
      if (last) this.#head = { n: last.n, hash: last.hash };
    }
    for (const row of rows) this.#row(row);
  }

  #row(row: JournalRow): void {
    if (row.epoch < this.#epoch)
      this.#violate(10, `row ${row.n} has epoch ${row.epoch} after ${this.#epoch}`);
    this.#epoch = row.epoch;
    const before = this.#seqs.get(row.actor) ?? 0;
    if (row.seq !== before + 1)
      this.#violate(10, `${row.actor}: seq ${row.seq} after ${before} (row ${row.n})`);
    this.#seqs.set(row.actor, row.seq);
    if (row.final) this.live.delete(row.actor);
    else this.live.set(row.actor, row);
    if (ORDERS.test(row.intents)) this.#intents(row);
    if (row.actor.startsWith('breaker/')) this.#breaker(row);
    if (row.actor.startsWith('position/') && /^(start|event)$/.test(row.kind)) this.#position(row);
  }

  #intents(row: JournalRow): void {
    for (const [i, intent] of (JSON.parse(row.intents) as Intent[]).entries()) {
      if (intent.type === 'order.submit') this.#intend(row, intent.order, i);
      else if (row.actor === VENUE && intent.type === 'venue.call' && intent.call.call === 'submit') {
        const { order, sendBy } = intent.call;
        if (this.calls.has(order.clientOrderId))
          this.#violate(2, `${order.clientOrderId} is called for twice`);
        this.calls.set(order.clientOrderId, { n: row.n, sendBy });
      }
    }
  }

  #intend(row: JournalRow, order: IdentifiedOrder, i: number): void {
    const id = order.clientOrderId;
    if (this.intended.has(id)) this.#violate(2, `${id} is intended twice (row ${row.n})`);
    // Orders that the executor makes for the guardian carry that actor's identity, too.
    if (id !== clientOrderId(this.#instance, row.actor, row.seq, i))
      this.#violate(2, `${id} of row ${row.n} does not follow from its place in the journal`);
    this.intended.set(id, { n: row.n, order });
  }

  #breaker(row: JournalRow): void {
    const breaker = row.actor.slice('breaker/'.length);
    const snapshot = row.snapshot?.includes('"open":') ? row.snapshot : '{}';
    const { value, context } = JSON.parse(snapshot) as {
      value?: unknown;
      context?: { openScope?: { symbols?: readonly string[]; direction?: string } | null };
    };
    const isOpen = typeof value === 'object' && value !== null && 'open' in value;
    const open = this.spans.findLast((span) => span.breaker === breaker && !Number.isFinite(span.to));
    if (isOpen && !open)
      this.spans.push({
        breaker,
        from: row.n,
        to: Number.POSITIVE_INFINITY,
        symbols: context?.openScope?.symbols,
        direction: context?.openScope?.direction,
      });
    else if (!isOpen && open) open.to = row.n;
  }

  #position(row: JournalRow): void {
    if (row.kind === 'start') {
      const { input } = JSON.parse(row.event) as { input?: { adopted?: Adopted } };
      const { direction, quantity } = input?.adopted ?? {};
      if (quantity !== undefined)
        this.onAdopted(keyOfActor(row.actor), Number(quantity) * (direction === 'long' ? 1 : -1));
      return;
    }
    if (row.event.includes('"ORDER_REJECTED"')) {
      const { clientOrderId: id = '' } = JSON.parse(row.event) as { clientOrderId?: string };
      this.rejected.add(id);
      this.#onRejected(id, row.n);
    }
    if (!row.event.includes('"ORDER_FILLED"')) return;
    const cause = JSON.parse(row.cause) as Cause;
    const event = JSON.parse(row.event) as Readonly<Record<string, string>> & { readonly type: string };
    // Fills come from the venue's actor; what a world throws in from outside is none.
    if (event.type !== 'ORDER_FILLED' || cause.kind !== 'intent') return;
    const key = `${event.symbol} ${event.tradeId}`;
    if (this.trades.has(key)) this.#violate(5, `trade ${key} is applied twice (row ${row.n}, ${row.actor})`);
    this.trades.add(key);
    if (event.cause === 'liquidation') this.liquidated.add(row.actor);
    const order = event.clientOrderId ?? '';
    // Of an order that is none of its own an owner is told trade by trade, each as one of its own.
    const told = `${order} ${event.ref}`;
    const cumulative = Number(event.cumulative);
    const before = this.#filled.get(told)?.cumulative ?? 0;
    if (cumulative < before - DUST)
      this.#violate(5, `${order} had filled ${before}, and then ${cumulative} (row ${row.n})`);
    const most = Number(this.intended.get(order)?.order.quantity ?? Number.POSITIVE_INFINITY);
    if (cumulative > most + DUST)
      this.#violate(5, `${order} of ${most} has filled ${cumulative} (row ${row.n})`);
    this.#filled.set(told, { cumulative });
  }
}

/** Of all intents those that bring an order. */
const ORDERS = /"order\.submit"|"venue\.call"/;

interface ArmedTimer {
  readonly id: string;
  readonly due: number;
}

/** Deadlines of an actor's armed timers. */
export function timersOf({ host }: Pick<JournalRow, 'host'>): readonly ArmedTimer[] {
  return host.includes('"due"') ? (JSON.parse(host) as { timers: ArmedTimer[] }).timers : [];
}
