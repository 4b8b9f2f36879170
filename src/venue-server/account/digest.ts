/**
 * Turns what the engine says into records and stream frames.
 *
 * Invariants: outputs are taken in their order and each changes the records before its frame is made; a fill's
 * frames go out once its wallet changes and its position are known: the trade in short, the account, the order.
 */

import { unreachable } from '../../core/assert.ts';
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Json } from '../../core/json.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { VenueEvent } from '../../domain/order.ts';
import type { AccountEvent, DetailEvent, EngineOutput } from '../../exchange/engine/engine-types.ts';
import { SELF_TRADE } from '../../exchange/engine/self-trade.ts';
import type { VenueBooks } from '../../exchange/engine/venue-books.ts';
import type { ForcedOrder, VenueRules } from '../core-types.ts';
import type { RecordIndex } from './record-index.ts';
import { type AlgoRecord, type Books, isOpen, type OrderRecord, placeOf } from './records.ts';
import { startedOrder } from './started-order.ts';
import * as frames from './stream-frames.ts';
import { averagePrice } from './wire-orders.ts';

type Of<U, T> = Extract<U, { type: T }>;
type Filled = Of<VenueEvent, 'ORDER_FILLED'>;
type Closed = Of<VenueEvent, 'ORDER_CLOSED'>;
type Moved = Of<DetailEvent, 'POSITION_MOVED'>;

/** What a placed order is recorded with when the engine takes it. */
export type Draft =
  | Omit<OrderRecord, 'orderId' | 'time' | 'updateTime'>
  | Omit<AlgoRecord, 'algoId' | 'createTime' | 'updateTime'>;

export interface Desk {
  readonly books: Books;
  readonly index: RecordIndex;
  readonly rules: VenueRules;
  readonly asset: string;
  instrument(symbol: SymbolName): Instrument | undefined;
  isolated(symbol: SymbolName): boolean;
  wallets(): { readonly wallet: Decimal; readonly crossWallet: Decimal };
  venueBooks(): VenueBooks;
  push(at: number, data: Json): void;
  /** Whether anybody listens to the account or not. */
  forced(order: ForcedOrder): void;
}

export interface Refusal {
  readonly code: number;
  readonly reason: string;
}

const EXPIRY: Readonly<Record<string, number>> = {
  [SELF_TRADE]: 1,
  'the rest could not be filled at once': 2,
  'the position is closed': 4,
  'account in liquidation': 5,
  'the symbol is delisted': 7,
  'no liquidity within the take bound': 9,
};

const INCOME_TYPE: Partial<Record<AccountEvent['reason'], string>> = {
  DEPOSIT: 'TRANSFER',
  WITHDRAW: 'TRANSFER',
};

/** One input's outputs. */
export class Digest {
  readonly #desk: Desk;
  readonly #at: number;
  readonly #draft: Draft | undefined;
  /** A fill whose money is still being told. */
  #fill: { readonly order: OrderRecord; readonly trade: frames.Executed } | undefined;
  #funding: Decimal | undefined;
  #refusal: Refusal | undefined;

  constructor(desk: Desk, at: number, draft?: Draft) {
    this.#desk = desk;
    this.#at = at;
    this.#draft = draft;
  }

  /** Returns why the command was refused, if it was. */
  take(outputs: readonly EngineOutput[]): Refusal | undefined {
    for (const { event } of outputs) this.#one(event);
    return this.#refusal;
  }

  #one(event: EngineOutput['event']): void {
    switch (event.type) {
      case 'ORDER_ACKNOWLEDGED':
        this.#acknowledged(event.orderId);
        break;
      case 'ORDER_REJECTED':
      case 'CANCEL_REJECTED':
      case 'LEVERAGE_REJECTED':
      case 'COMMAND_REFUSED':
        this.#refusal = { code: event.code, reason: event.reason };
        break;
      case 'ORDER_TRIGGERED':
        this.#triggered(event.ref);
        break;
      case 'ORDER_STARTED':
        this.#started(event);
        break;
      case 'ORDER_AMENDED':
        this.#amended(event);
        break;
      case 'ORDER_FILLED':
        this.#filled(event);
        break;
      case 'ORDER_CLOSED':
        this.#closed(event);
        break;
      case 'TRAIL_ARMED':
        this.#armed(event.ref);
        break;
      case 'WALLET_CHANGED':
        this.#walletChanged(event);
        break;
      case 'POSITION_MOVED':
        this.#moved(event);
        break;
      case 'FUNDING_SETTLED':
        this.#funding = event.amount;
        break;
      case 'MARGIN_CALLED':
        this.#marginCalled(event.symbol);
        break;
      case 'LEVERAGE_SET':
        this.#push(frames.leverageUpdate(this.#at, event.symbol, event.leverage));
        break;
      case 'COMMAND_DONE':
      case 'ORDER_UNKNOWN':
        break;
      default:
        unreachable(event);
    }
  }

  #push(data: Json): void {
    this.#desk.push(this.#at, data);
  }

  #orderNews(order: OrderRecord, news: Pick<frames.OrderNews, 'execution' | 'trade' | 'expiry'>): void {
    const { index } = this.#desk;
    const bidsNotional = index.openNotional(order.symbol, 'BUY');
    const asksNotional = index.openNotional(order.symbol, 'SELL');
    this.#push(frames.orderTradeUpdate(order, { ...news, at: this.#at, bidsNotional, asksNotional }));
  }

  #acknowledged(id: string): void {
    const at = this.#at;
    const draft = this.#draft;
    if (!draft) return;
    const { books, index } = this.#desk;
    if ('clientAlgoId' in draft) {
      const algo: AlgoRecord = { ...draft, algoId: Number(id), createTime: at, updateTime: at };
      books.algos.push(algo);
      index.addAlgo(algo);
      this.#push(frames.algoUpdate(algo, at));
      return;
    }
    const order: OrderRecord = { ...draft, orderId: Number(id), time: at, updateTime: at };
    books.orders.push(order);
    index.addOrder(order);
    this.#orderNews(order, { execution: 'NEW' });
  }

  #algoNews(algo: AlgoRecord, status: AlgoRecord['status']): void {
    algo.status = status;
    algo.updateTime = this.#at;
    this.#desk.index.settled(algo);
    this.#push(frames.algoUpdate(algo, this.#at));
  }

  #triggered(ref: string): void {
    const algo = this.#desk.index.algoOfRef(ref);
    if (!algo) return;
    algo.triggerTime = this.#at;
    this.#algoNews(algo, 'TRIGGERING');
  }

  #armed(ref: string): void {
    const algo = this.#desk.index.algoOfRef(ref);
    if (!algo || algo.active) return;
    algo.active = true;
    this.#algoNews(algo, 'NEW');
  }

  /** A plain order that came of a conditional one, or one of the venue's own. */
  #started(event: Of<DetailEvent, 'ORDER_STARTED'>): void {
    const { books, index } = this.#desk;
    const at = this.#at;
    const algo = index.algoOfRef(event.ref);
    const order = startedOrder(event, algo, at);
    books.orders.push(order);
    index.addOrder(order);
    if (algo) {
      algo.actualOrderId = order.orderId;
      this.#algoNews(algo, 'TRIGGERED');
    }
    this.#orderNews(order, { execution: 'NEW' });
  }

  #amended(event: Of<DetailEvent, 'ORDER_AMENDED'>): void {
    const { books, index } = this.#desk;
    const order = index.orderOfRef(event.ref);
    if (!order) return;
    order.amendments++;
    books.amendments.push({
      id: books.nextTranId++,
      symbol: order.symbol,
      orderId: order.orderId,
      clientOrderId: order.clientOrderId,
      priceBefore: order.price,
      priceAfter: event.price,
      quantityBefore: order.quantity,
      quantityAfter: event.quantity,
      count: order.amendments,
      time: this.#at,
    });
    order.price = event.price;
    order.quantity = event.quantity;
    order.updateTime = this.#at;
    this.#orderNews(order, { execution: 'AMENDMENT' });
  }

  #filled(event: Filled): void {
    const { books, index, asset } = this.#desk;
    const order = index.orderOfRef(event.ref);
    if (!order) return;
    order.executed = event.cumulative;
    order.quote = D.add(order.quote, D.mul(event.price, event.quantity));
    order.updateTime = this.#at;
    if (event.complete) {
      order.status = 'FILLED';
      // A reducing order is cut down to what there was to close.
      order.quantity = event.cumulative;
      index.settled(order);
    } else order.status = 'PARTIALLY_FILLED';
    const place = placeOf(order.symbol, order.positionSide);
    books.realized[place] = D.add(books.realized[place] ?? D.ZERO, event.realizedPnl);
    const trade = {
      id: Number(event.tradeId),
      price: event.price,
      quantity: event.quantity,
      fee: event.fee,
      asset,
      realized: event.realizedPnl,
      maker: event.maker,
    };
    const { symbol, side, positionSide, orderId } = order;
    books.trades.push({ ...trade, symbol, side, positionSide, orderId, time: this.#at });
    this.#fill = { order, trade };
  }

  #walletChanged(event: AccountEvent): void {
    const { books } = this.#desk;
    if (D.isZero(event.delta)) return;
    books.income.push({
      tranId: books.nextTranId++,
      symbol: event.symbol ?? '',
      type: INCOME_TYPE[event.reason] ?? event.reason,
      amount: event.delta,
      asset: event.asset,
      info: event.tradeId ?? (event.reason === 'FUNDING_FEE' ? 'FUNDING_FEE' : ''),
      tradeId: event.tradeId ?? '',
      time: this.#at,
    });
    const moved = event.reason === 'DEPOSIT' || event.reason === 'WITHDRAW';
    if (moved || event.reason === 'INSURANCE_CLEAR') {
      this.#account({ reason: event.reason, ...this.#desk.wallets(), change: event.delta });
    }
  }

  #account(news: Omit<frames.AccountNews, 'at' | 'asset'>): void {
    this.#push(frames.accountUpdate({ ...news, at: this.#at, asset: this.#desk.asset }));
  }

  #moved(event: Moved): void {
    const { books } = this.#desk;
    books.touched[placeOf(event.symbol, event.positionSide)] = this.#at;
    const { wallet, crossWallet } = event;
    if (this.#fill) {
      this.#tellFill(this.#fill, event);
      this.#fill = undefined;
    } else if (this.#funding !== undefined) {
      // Cross funding is told by the balance alone.
      const positions = this.#desk.isolated(event.symbol) ? [this.#positionNews(event)] : [];
      if (!D.isZero(this.#funding))
        this.#account({ reason: 'FUNDING_FEE', wallet, crossWallet, change: this.#funding, positions });
      this.#funding = undefined;
    } else
      this.#account({
        reason: 'MARGIN_TRANSFER',
        wallet,
        crossWallet,
        positions: [this.#positionNews(event)],
      });
  }

  #tellFill({ order, trade }: { order: OrderRecord; trade: frames.Executed }, moved: Moved): void {
    const at = this.#at;
    const { wallet, crossWallet } = moved;
    const forced = order.cause === 'liquidation';
    if (!forced) this.#push(frames.tradeLite(order, trade, at));
    this.#account({ reason: 'ORDER', wallet, crossWallet, positions: [this.#positionNews(moved)] });
    const execution = forced ? this.#desk.rules.liquidationExecution : 'TRADE';
    this.#orderNews(order, { execution, trade });
    if (forced) {
      const { symbol, side, executed, price } = order;
      this.#desk.forced({ symbol, side, quantity: executed, price, averagePrice: averagePrice(order) });
    }
    if (!isOpen(order)) this.#finishAlgo(order);
  }

  #positionNews(moved: Moved): Json {
    return frames.positionNews(moved, {
      cr: this.#desk.books.realized[placeOf(moved.symbol, moved.positionSide)] ?? D.ZERO,
      isolated: this.#desk.isolated(moved.symbol),
      takerRate: this.#desk.instrument(moved.symbol)?.takerFeeRate ?? D.ZERO,
    });
  }

  #closed(event: Closed): void {
    const { index } = this.#desk;
    const order = index.orderOfRef(event.ref);
    if (order && isOpen(order)) this.#closedOrder(order, event);
    else this.#closedAlgo(index.algoOfRef(event.ref), event);
  }

  #closedOrder(order: OrderRecord, event: Closed): void {
    const at = this.#at;
    const canceled = event.outcome === 'canceled';
    const ended = event.reason === SELF_TRADE ? 'EXPIRED_IN_MATCH' : 'EXPIRED';
    order.status = canceled ? 'CANCELED' : ended;
    order.updateTime = at;
    this.#desk.index.settled(order);
    const execution = canceled ? 'CANCELED' : 'EXPIRED';
    this.#orderNews(order, { execution, expiry: EXPIRY[event.reason] ?? 0 });
    this.#finishAlgo(order);
  }

  #closedAlgo(algo: AlgoRecord | undefined, event: Closed): void {
    if (!algo) return;
    if (event.outcome === 'rejected-at-trigger') {
      algo.reason = event.reason;
      this.#algoNews(algo, 'REJECTED');
      if (this.#desk.rules.triggerRejectEvent) this.#push(frames.triggerReject(this.#at, algo));
    } else if (event.outcome === 'canceled') this.#algoNews(algo, 'CANCELED');
    else {
      algo.reason = event.reason;
      this.#algoNews(algo, 'EXPIRED');
    }
  }

  /** The conditional order is finished when the order that it became is over, filled or not. */
  #finishAlgo(order: OrderRecord): void {
    const algo = this.#desk.index.algoOfRef(order.ref);
    if (!algo) return;
    algo.actualPrice = D.isZero(order.executed) ? '0' : averagePrice(order);
    algo.actualQuantity = order.executed;
    this.#algoNews(algo, 'FINISHED');
  }

  #marginCalled(symbol: SymbolName): void {
    const books = this.#desk.venueBooks();
    const market = books.markets.find((one) => one.symbol === symbol);
    if (!market || market.positions.length === 0) return;
    const isolated = market.marginMode === 'isolated';
    const positions = market.positions.map((position) => ({ ...position, isolated }));
    this.#push(frames.marginCall(this.#at, books.crossWallet, positions));
  }
}
