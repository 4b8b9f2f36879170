/**
 * Finding records: by the engine's ref, by the venue's id, by the client's.
 *
 * Invariants: derived from the books alone, so that a restored account finds the same; a client id that was
 * used again finds the open order first, else the newest.
 */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { Side } from '../../domain/order.ts';
import { type AlgoRecord, type Books, isOpen, isWaiting, type OrderRecord } from './records.ts';

export class RecordIndex {
  readonly #orders = new Map<number, OrderRecord>();
  readonly #ordersByRef = new Map<string, OrderRecord>();
  readonly #ordersByClient = new Map<string, OrderRecord[]>();
  readonly #algos = new Map<number, AlgoRecord>();
  readonly #algosByRef = new Map<string, AlgoRecord>();
  readonly #algosByClient = new Map<string, AlgoRecord[]>();
  /** What is open, so that nothing has to go through all that ever was. */
  readonly openOrders = new Set<OrderRecord>();
  readonly openAlgos = new Set<AlgoRecord>();

  constructor(books: Books) {
    for (const order of books.orders) this.addOrder(order);
    for (const algo of books.algos) this.addAlgo(algo);
  }

  addOrder(record: OrderRecord): void {
    this.#orders.set(record.orderId, record);
    this.#ordersByRef.set(record.ref, record);
    push(this.#ordersByClient, record.clientOrderId, record);
    if (isOpen(record)) this.openOrders.add(record);
  }

  addAlgo(record: AlgoRecord): void {
    this.#algos.set(record.algoId, record);
    this.#algosByRef.set(record.ref, record);
    push(this.#algosByClient, record.clientAlgoId, record);
    if (isWaiting(record)) this.openAlgos.add(record);
  }

  /** After a change of status. */
  settled(record: OrderRecord | AlgoRecord): void {
    if ('orderId' in record) {
      if (!isOpen(record)) this.openOrders.delete(record);
    } else if (!isWaiting(record)) this.openAlgos.delete(record);
  }

  /** What is still open on one side of a symbol, at the orders' own prices. */
  openNotional(symbol: SymbolName, side: Side): Decimal {
    let sum = D.ZERO;
    for (const order of this.openOrders)
      if (order.symbol === symbol && order.side === side)
        sum = D.add(sum, D.mul(D.sub(order.quantity, order.executed), order.price));
    return sum;
  }

  orderOfRef = (ref: string): OrderRecord | undefined => this.#ordersByRef.get(ref);
  algoOfRef = (ref: string): AlgoRecord | undefined => this.#algosByRef.get(ref);

  order(symbol: SymbolName, id: { orderId?: number; clientOrderId?: string }): OrderRecord | undefined {
    const { orderId, clientOrderId } = id;
    if (orderId !== undefined) {
      const record = this.#orders.get(orderId);
      return record?.symbol === symbol ? record : undefined;
    }
    const same = (this.#ordersByClient.get(clientOrderId ?? '') ?? []).filter((o) => o.symbol === symbol);
    return same.find(isOpen) ?? same.at(-1);
  }

  algo(id: { algoId?: number; clientAlgoId?: string }): AlgoRecord | undefined {
    if (id.algoId !== undefined) return this.#algos.get(id.algoId);
    const same = this.#algosByClient.get(id.clientAlgoId ?? '') ?? [];
    return same.find(isWaiting) ?? same.at(-1);
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
