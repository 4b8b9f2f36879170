/**
 * The venue's own books as a checker reads them: what is new since it last looked, what is open, what is held.
 * Nothing of it comes from the program under test.
 */
import { isReducing } from '../../../domain/order.ts';
import { keyOf, type PositionKey, symbolOf } from '../../../domain/position-key.ts';
import type { AlgoRecord, Books, OrderRecord, TradeRecord } from '../../../venue-server/account/records.ts';
import { type By, DUST, isByHand, Ownership, senderOf } from './ownership.ts';

export interface Held {
  /** Signed. */
  amount: number;
  /** Cost of what is open, as risk counts it: at entry. */
  cost: number;
}

/** What came to the venue as one request. */
export interface Arrival {
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: 'BUY' | 'SELL';
  readonly place: PositionKey;
  readonly quantity: number;
  readonly price: number;
  /** It can open nothing. */
  readonly reduces: boolean;
  readonly conditional: boolean;
}

/** What the eye must know of a symbol. */
export interface Traded {
  readonly stepSize: string;
  readonly status: string;
}

export class VenueEye {
  /** By place: in one-way mode by symbol. */
  readonly held = new Map<PositionKey, Held>();
  readonly owners = new Ownership();
  readonly #books: () => Readonly<Books>;
  readonly #traded: (symbol: string) => Traded | undefined;
  readonly #senders = new Map<number, By>();
  readonly #openAlgos = new Set<AlgoRecord>();
  readonly #openOrders = new Set<OrderRecord>();
  readonly #spawned = new Set<number>();
  #orders = 0;
  #algos = 0;
  #trades = 0;
  #income = 0;
  /** Σ of the ledger. */
  wallet: number;

  constructor(books: () => Readonly<Books>, balance: number, traded: (symbol: string) => Traded | undefined) {
    this.#books = books;
    this.#traded = traded;
    this.wallet = balance;
  }

  /** Takes in what is new; the orders that somebody sent. */
  look(): readonly Arrival[] {
    const books = this.#books();
    const algos = books.algos.slice(this.#algos);
    const orders = books.orders.slice(this.#orders);
    const traded = books.trades.slice(this.#trades);
    for (const { amount } of books.income.slice(this.#income)) this.wallet += Number(amount);
    this.#algos = books.algos.length;
    this.#orders = books.orders.length;
    this.#trades = books.trades.length;
    this.#income = books.income.length;
    for (const algo of algos) this.#openAlgos.add(algo);
    for (const order of orders) {
      this.#openOrders.add(order);
      this.#senders.set(order.orderId, senderOf(order));
    }
    for (const trade of traded) this.#trade(trade);
    // The order that a conditional one became was not sent by anybody.
    for (const { actualOrderId } of this.#openAlgos)
      if (actualOrderId !== 0) this.#spawned.add(actualOrderId);
    const sent = orders.filter(({ orderId, cause }) => !this.#spawned.has(orderId) && cause === '');
    return [...sent.map(ofOrder), ...algos.map(ofAlgo)];
  }

  amount(place: PositionKey): number {
    return this.held.get(place)?.amount ?? 0;
  }

  /** Signed: what of it is ours, and really there beside what nets with it. */
  ours(place: PositionKey): number {
    const [amount, ours] = [this.amount(place), this.owners.ours(place)];
    if (Math.sign(amount) !== Math.sign(ours)) return 0;
    return Math.sign(ours) * Math.min(Math.abs(ours), Math.abs(amount));
  }

  /** Nothing can be done about what does not trade. */
  trades(place: PositionKey): boolean {
    return this.#traded(symbolOf(place))?.status === 'TRADING';
  }

  /** What stands ready to close it, of the whole position, beside those conditional orders. */
  coverOf(place: PositionKey, without?: ReadonlySet<string>): number {
    const amount = this.amount(place);
    const side = amount > 0 ? 'SELL' : 'BUY';
    let covered = 0;
    for (const algo of this.#openAlgos) {
      if (algo.status !== 'NEW' && algo.status !== 'TRIGGERING') this.#openAlgos.delete(algo);
      else if (without?.has(algo.clientAlgoId)) continue;
      else if (keyOf(algo) === place && algo.side === side && isReducing(algo))
        covered += algo.closePosition ? Math.abs(amount) : Number(algo.quantity);
    }
    return covered;
  }

  /** How many market orders of ours found too little, and expired with what they had got. */
  cutShort(): number {
    return this.#books().orders.filter(
      ({ type, status, executed, ...order }) =>
        type === 'MARKET' && status === 'EXPIRED' && Number(executed) > 0 && senderOf(order) === 'us',
    ).length;
  }

  /** Client ids of what is open, and since when. */
  open(): { readonly id: string; readonly at: number }[] {
    const algos = [...this.#openAlgos].filter(({ status }) => status === 'NEW');
    const orders = [...this.#openOrders].filter(
      ({ status }) => status === 'NEW' || status === 'PARTIALLY_FILLED',
    );
    return [
      ...algos.map(({ clientAlgoId, createTime }) => ({ id: clientAlgoId, at: createTime })),
      ...orders.map(({ clientOrderId, time }) => ({ id: clientOrderId, at: time })),
    ];
  }

  /** Of what is ours, some has no stop. */
  isBare(place: PositionKey): boolean {
    const ours = Math.abs(this.ours(place));
    if (ours === 0) return false;
    return this.coverOf(place) <= ours - this.#lessThanALot(place);
  }

  /** Of what is ours, some can be closed. */
  isOpen(place: PositionKey): boolean {
    return this.trades(place) && Math.abs(this.ours(place)) > this.#lessThanALot(place);
  }

  /** Where the venue has made its lots coarser: so much can be left, for which it takes neither stop nor order. */
  #lessThanALot(place: PositionKey): number {
    const step = Number(this.#traded(symbolOf(place))?.stepSize ?? 0);
    return Math.max(DUST, step - DUST);
  }

  /** All of ours that is open, at entry, with all that our resting orders could still add. */
  worstCase(): number {
    let sum = 0;
    for (const [place, { amount, cost }] of this.held)
      if (amount !== 0) sum += cost * Math.min(1, Math.abs(this.ours(place) / amount));
    for (const order of this.#openOrders) {
      if (order.status !== 'NEW' && order.status !== 'PARTIALLY_FILLED') this.#openOrders.delete(order);
      else if (!isReducing(order) && !isByHand(order.clientOrderId))
        sum += (Number(order.quantity) - Number(order.executed)) * Number(order.price);
    }
    return sum;
  }

  #trade(trade: TradeRecord): void {
    const { side, quantity, price } = trade;
    const place = keyOf(trade);
    const held = this.held.get(place) ?? { amount: 0, cost: 0 };
    const signed = Number(quantity) * (side === 'BUY' ? 1 : -1);
    this.owners.traded(place, this.#senders.get(trade.orderId) ?? 'the venue', signed);
    const after = held.amount + signed;
    const grows = held.amount === 0 || Math.sign(held.amount) === Math.sign(signed);
    if (grows) held.cost += Number(quantity) * Number(price);
    else if (Math.sign(after) === Math.sign(held.amount)) held.cost *= after / held.amount;
    else held.cost = Math.abs(after) * Number(price);
    held.amount = Math.abs(after) < DUST ? 0 : after;
    if (held.amount === 0) held.cost = 0;
    this.held.set(place, held);
  }
}

const ofOrder = (order: OrderRecord): Arrival => ({
  clientOrderId: order.clientOrderId,
  symbol: order.symbol,
  side: order.side,
  place: keyOf(order),
  quantity: Number(order.quantity),
  price: Number(order.price),
  reduces: isReducing(order),
  conditional: false,
});

const ofAlgo = (algo: AlgoRecord): Arrival => ({
  clientOrderId: algo.clientAlgoId,
  symbol: algo.symbol,
  side: algo.side,
  place: keyOf(algo),
  quantity: Number(algo.quantity),
  price: 0,
  reduces: isReducing(algo),
  conditional: true,
});
