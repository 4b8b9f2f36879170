/**
 * The client ids of plain orders by the venue's own ids: its trade list tells only those, and the client id tells
 * whose an order is (ours, a person's, or the venue's own `autoclose-…`).
 *
 * Invariant: bounded; what was heard longest ago is forgotten first, and can be asked for again.
 */
import type { SymbolName } from '../domain/instrument.ts';
import type { RemoteFill, RemoteOrder } from '../domain/remote.ts';

const KEPT = 10_000;

export interface OrderId {
  readonly symbol: SymbolName;
  readonly orderId: string;
}

const keyOf = ({ symbol, orderId }: OrderId): string => `${symbol} ${orderId}`;

export class OrderNames {
  readonly #isKnown: (order: OrderId) => boolean;
  readonly #names = new Map<string, string>();

  /** `isKnown`: whoever reads has it by the venue's id, and needs no name. */
  constructor(isKnown: (order: OrderId) => boolean = () => false) {
    this.#isKnown = isKnown;
  }

  heard(order: Pick<RemoteOrder, 'symbol' | 'orderId' | 'clientOrderId'>): void {
    const key = keyOf(order);
    this.#names.delete(key);
    this.#names.set(key, order.clientOrderId);
    if (this.#names.size <= KEPT) return;
    const [oldest] = this.#names.keys();
    if (oldest !== undefined) this.#names.delete(oldest);
  }

  /** The orders of these fills whose client id is not known, each once, that of the newest fill first. */
  unknown(fills: readonly RemoteFill[]): readonly OrderId[] {
    const found = new Map<string, OrderId>();
    for (const { symbol, orderId, clientOrderId } of fills.toReversed()) {
      const order = { symbol, orderId };
      const key = keyOf(order);
      if (clientOrderId === undefined && !this.#names.has(key) && !this.#isKnown(order))
        found.set(key, order);
    }
    return [...found.values()];
  }

  /** The same fill, with its order's client id where that is known. */
  named(fill: RemoteFill): RemoteFill {
    const clientOrderId = fill.clientOrderId ?? this.#names.get(keyOf(fill));
    return clientOrderId === undefined ? fill : { ...fill, clientOrderId };
  }
}
