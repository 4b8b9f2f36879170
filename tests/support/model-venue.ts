/**
 * A little remote venue for the executor's tests: market and limit orders, conditional stops, a wallet and a ledger.
 * In one-way mode it is told symbols; in hedge mode places, such as BTCUSDT/LONG, where one side closes and never
 * turns round. Pure; its readings may be taken as they were some time ago.
 */
import * as D from '../../src/core/decimal.ts';
import { cloneJson } from '../../src/core/json.ts';
import { type IdentifiedOrder, isConditional, isReducing, type Side } from '../../src/domain/order.ts';
import { keyOf, type PositionKey, positionSideOf, symbolOf } from '../../src/domain/position-key.ts';
import type {
  RemoteAlgoOrder,
  RemoteAnswers,
  RemoteCall,
  RemoteEvent,
  RemoteFill,
  RemoteIncome,
  RemoteOrder,
  RemoteOutcome,
  RemotePosition,
} from '../../src/domain/remote.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface VenueState {
  orders: Writable<RemoteOrder>[];
  algos: Writable<RemoteAlgoOrder>[];
  fills: RemoteFill[];
  income: RemoteIncome[];
  positions: Record<string, { amount: string; entry: string }>;
  wallet: string;
  next: number;
}

export type ModelEvent = { readonly at: number; readonly event: RemoteEvent };

const FEE = '0.0005';

export class ModelVenue {
  state: VenueState = {
    orders: [],
    algos: [],
    fills: [],
    income: [],
    positions: {},
    wallet: '10000',
    next: 100,
  };
  now = 0;
  price: Record<string, string> = {};
  /** What the private stream says of what was done since it was last taken. */
  events: RemoteEvent[] = [];
  /** Readings tell the client ids of fills, as the gateway does when it gets them. */
  namesFills = false;
  /** Submits that were executed, by client id: at most one each. */
  readonly executed = new Map<string, number>();
  #versions: { readonly at: number; readonly state: VenueState }[] = [];

  /** Remembers the state as it is now, for readings that lag. */
  keep(): void {
    this.#versions.push({ at: this.now, state: cloneJson(this.state) });
  }

  at(moment: number): VenueState {
    return this.#versions.findLast((version) => version.at <= moment)?.state ?? this.state;
  }

  takeEvents(): RemoteEvent[] {
    const { events } = this;
    this.events = [];
    return events;
  }

  priceOf(symbol: string): string {
    return this.price[symbol] ?? '100';
  }

  amount(symbol: string): string {
    return this.state.positions[symbol]?.amount ?? '0';
  }

  submit(order: IdentifiedOrder): RemoteOutcome<RemoteAnswers['submit']> {
    const id = order.clientOrderId;
    const { orders, algos } = this.state;
    const isOpen =
      orders.some((each) => each.clientOrderId === id && isOpenOrder(each)) ||
      algos.some((each) => each.clientOrderId === id && each.status === 'NEW');
    if (isOpen) return { outcome: 'rejected', code: -4116, reason: 'ClientOrderId is duplicated.' };
    const left = this.#reducible(keyOf(order), order.side);
    const tooMuch = order.positionSide === 'BOTH' ? D.isZero(left) : D.gt(order.quantity ?? D.ZERO, left);
    if (isReducing(order) && !isConditional(order.type) && tooMuch)
      return { outcome: 'rejected', code: -2022, reason: 'ReduceOnly Order is rejected.' };
    this.executed.set(id, (this.executed.get(id) ?? 0) + 1);
    if (isConditional(order.type))
      return { outcome: 'done', value: { book: 'algo', algo: this.#algo(order) } };
    return { outcome: 'done', value: { book: 'plain', order: this.place(order) } };
  }

  #algo(order: IdentifiedOrder): RemoteAlgoOrder {
    const algo: Writable<RemoteAlgoOrder> = {
      symbol: order.symbol,
      algoId: String(this.state.next++),
      clientOrderId: order.clientOrderId,
      side: order.side,
      positionSide: order.positionSide,
      type: order.type,
      status: 'NEW',
      quantity: order.quantity ?? '0',
      triggerPrice: order.triggerPrice ?? '0',
      reduceOnly: order.reduceOnly,
      closePosition: order.closePosition === true,
      updatedAt: this.now,
    };
    this.state.algos.push(algo);
    this.#say({ kind: 'algo', at: this.now, algo: { ...algo } });
    return { ...algo };
  }

  place(
    order: Pick<
      IdentifiedOrder,
      'symbol' | 'side' | 'positionSide' | 'type' | 'clientOrderId' | 'reduceOnly' | 'quantity' | 'price'
    >,
  ): RemoteOrder {
    const placed: Writable<RemoteOrder> = {
      symbol: order.symbol,
      orderId: String(this.state.next++),
      clientOrderId: order.clientOrderId,
      side: order.side,
      positionSide: order.positionSide,
      type: order.type,
      status: 'NEW',
      price: order.price ?? '0',
      quantity: order.quantity ?? D.abs(this.amount(keyOf(order))),
      filled: '0',
      averagePrice: '0',
      reduceOnly: order.reduceOnly,
      updatedAt: this.now,
    };
    this.state.orders.push(placed);
    this.#say({ kind: 'order', at: this.now, order: { ...placed } });
    if (order.type === 'MARKET') this.#fillMarket(placed);
    return { ...placed };
  }

  /** In up to two executions; what a reduce-only order cannot reduce expires. */
  #fillMarket(order: Writable<RemoteOrder>): void {
    const most = isReducing(order)
      ? D.min(order.quantity, this.#reducible(keyOf(order), order.side))
      : order.quantity;
    const half = D.gt(most, '1') ? '1' : most;
    this.fill(order, half);
    if (D.gt(most, half)) this.fill(order, D.sub(most, half));
    if (isOpenOrder(order)) this.end(order, 'EXPIRED');
  }

  #reducible(symbol: string, side: Side): string {
    const amount = this.amount(symbol);
    const reduces = side === 'SELL' ? D.sign(amount) > 0 : D.sign(amount) < 0;
    return reduces ? D.abs(amount) : D.ZERO;
  }

  /** One execution. */
  fill(order: Writable<RemoteOrder>, quantity: string, clientOrderId = order.clientOrderId): void {
    const price = this.priceOf(order.symbol);
    const fee = D.mul(D.mul(price, quantity), FEE);
    const realizedPnl = this.#move(keyOf(order), order.side === 'BUY' ? quantity : D.neg(quantity), price);
    const cost = D.add(D.mul(order.averagePrice, order.filled), D.mul(price, quantity));
    order.filled = D.add(order.filled, quantity);
    order.averagePrice = D.div(cost, order.filled, 8);
    order.status = D.gte(order.filled, order.quantity) ? 'FILLED' : 'PARTIALLY_FILLED';
    order.updatedAt = this.now;
    const tradeId = String(this.state.next++);
    const fill: RemoteFill = {
      symbol: order.symbol,
      tradeId,
      orderId: order.orderId,
      side: order.side,
      positionSide: order.positionSide,
      price,
      quantity,
      maker: false,
      fee,
      feeAsset: 'USDT',
      realizedPnl,
      at: this.now,
    };
    this.state.fills.push(fill);
    this.state.wallet = D.sub(D.add(this.state.wallet, realizedPnl), fee);
    if (!D.isZero(realizedPnl)) this.#row('REALIZED_PNL', order.symbol, realizedPnl, tradeId);
    this.#row('COMMISSION', order.symbol, D.neg(fee), tradeId);
    this.#say({ kind: 'order', at: this.now, order: { ...order }, fill: { ...fill, clientOrderId } });
    this.#account('ORDER', keyOf(order));
    if (order.status === 'FILLED') this.#finish(order);
  }

  #move(symbol: string, signed: string, price: string): string {
    const held = this.state.positions[symbol] ?? { amount: '0', entry: '0' };
    const amount = D.add(held.amount, signed);
    const grows = D.isZero(held.amount) || D.sign(held.amount) === D.sign(signed);
    const closed = grows ? D.ZERO : D.min(D.abs(signed), D.abs(held.amount));
    const gain = D.mul(D.sub(price, held.entry), closed);
    const cost = D.add(D.mul(held.entry, D.abs(held.amount)), D.mul(price, D.abs(signed)));
    const flips = !grows && D.gt(D.abs(signed), D.abs(held.amount));
    const entry = grows ? D.div(cost, D.abs(amount), 8) : flips ? price : held.entry;
    if (D.isZero(amount)) delete this.state.positions[symbol];
    else this.state.positions[symbol] = { amount, entry };
    return D.sign(held.amount) > 0 ? gain : D.neg(gain);
  }

  #row(type: string, symbol: string | undefined, amount: string, tradeId?: string): void {
    this.state.income.push({
      id: String(this.state.next++),
      type,
      symbol,
      asset: 'USDT',
      amount,
      tradeId,
      at: this.now,
    });
  }

  #say(event: RemoteEvent): void {
    this.events.push(event);
  }

  #account(reason: string, symbol?: string): void {
    const positions = symbol === undefined ? [] : [this.#position(this.state, symbol)];
    const balances = [{ asset: 'USDT', wallet: this.state.wallet }];
    this.#say({ kind: 'account', at: this.now, reason, balances, positions });
  }

  #position(state: VenueState, symbol: string): RemotePosition {
    const { amount, entry } = state.positions[symbol] ?? { amount: '0', entry: '0' };
    const place = symbol as PositionKey;
    return {
      symbol: symbolOf(place),
      positionSide: positionSideOf(place),
      amount,
      entryPrice: entry,
      markPrice: this.priceOf(symbolOf(place)),
    };
  }

  end(order: Writable<RemoteOrder>, status: RemoteOrder['status']): void {
    order.status = status;
    order.updatedAt = this.now;
    this.#say({ kind: 'order', at: this.now, order: { ...order } });
    this.#finish(order);
  }

  /** The conditional order whose order ended is finished, whatever that order filled. */
  #finish(order: RemoteOrder): void {
    const algo = this.state.algos.find((each) => each.actualOrderId === order.orderId);
    if (algo) this.#algoBecomes(algo, 'FINISHED');
  }

  #algoBecomes(algo: Writable<RemoteAlgoOrder>, status: RemoteAlgoOrder['status']): void {
    algo.status = status;
    algo.updatedAt = this.now;
    this.#say({ kind: 'algo', at: this.now, algo: { ...algo } });
  }

  trigger(algo: Writable<RemoteAlgoOrder>, clientOrderId = algo.clientOrderId): void {
    this.#algoBecomes(algo, 'TRIGGERING');
    const left = this.#reducible(keyOf(algo), algo.side);
    if (D.isZero(left) || (algo.positionSide !== 'BOTH' && D.gt(algo.quantity, left))) {
      this.#algoBecomes(algo, 'REJECTED');
      return;
    }
    algo.actualOrderId = String(this.state.next);
    this.#algoBecomes(algo, 'TRIGGERED');
    this.place({ ...algo, type: 'MARKET', clientOrderId });
  }

  cancel(call: Extract<RemoteCall, { call: 'cancel' }>): RemoteOutcome<RemoteAnswers['cancel']> {
    const { orders, algos } = this.state;
    const matches = (id: string, cid: string): boolean =>
      call.orderId === undefined ? cid === call.clientOrderId : id === call.orderId;
    const order = orders.findLast((each) => matches(each.orderId, each.clientOrderId) && isOpenOrder(each));
    const algo = algos.findLast((each) => matches(each.algoId, each.clientOrderId) && each.status === 'NEW');
    if (call.book === 'plain' && order) this.end(order, 'CANCELED');
    else if (call.book === 'algo' && algo) this.#algoBecomes(algo, 'CANCELED');
    else return { outcome: 'rejected', code: -2011, reason: 'Unknown order sent.' };
    return { outcome: 'done', value: { canceled: true } };
  }

  /** Somebody trades by hand, or the venue itself does. */
  trade(place: string, side: Side, quantity: string, clientOrderId: string): void {
    const [symbol, positionSide] = [symbolOf(place as PositionKey), positionSideOf(place as PositionKey)];
    this.place({ symbol, side, positionSide, type: 'MARKET', clientOrderId, reduceOnly: false, quantity });
  }

  fund(symbol: string, amount: string): void {
    this.state.wallet = D.add(this.state.wallet, amount);
    this.#row('FUNDING_FEE', symbol, amount);
    this.#account('FUNDING_FEE');
  }

  transfer(amount: string, type = 'TRANSFER'): void {
    this.state.wallet = D.add(this.state.wallet, amount);
    this.#row(type, undefined, amount);
    this.#account('DEPOSIT');
  }

  query(call: Extract<RemoteCall, { call: 'query' }>, asOf: number): RemoteAnswers['query'] {
    const { orders, algos, fills } = this.at(asOf);
    const withFills = (order: RemoteOrder) => ({
      order,
      fills: fills.filter((fill) => fill.orderId === order.orderId),
    });
    if (call.book === 'plain') {
      const order = orders.findLast((each) => each.clientOrderId === call.clientOrderId);
      return order ? { book: 'plain', ...withFills(order) } : null;
    }
    const algo = algos.findLast((each) => each.clientOrderId === call.clientOrderId);
    if (!algo) return null;
    const actual = orders.find((each) => each.orderId === algo.actualOrderId);
    return { book: 'algo', algo, ...(actual ? { actual: withFills(actual) } : {}) };
  }

  /** Each part as it was at its own moment. */
  report(
    call: Extract<RemoteCall, { call: 'report' }>,
    asOf: readonly [account: number, orders: number, fills: number, income: number],
  ): RemoteAnswers['report'] {
    const [account, orders, fills, income] = asOf.map((moment) => this.at(moment)) as [
      VenueState,
      VenueState,
      VenueState,
      VenueState,
    ];
    const wanted = new Set(call.symbols);
    return {
      at: this.now,
      wallet: account.wallet,
      available: account.wallet,
      positions: Object.keys(account.positions).map((symbol) => this.#position(account, symbol)),
      openOrders: orders.orders.filter(isOpenOrder),
      openAlgoOrders: orders.algos.filter((each) => each.status === 'NEW'),
      fills: fills.fills
        .filter((fill) => fill.at >= call.since && wanted.has(fill.symbol))
        .map((fill) => this.#named(fill)),
      income: income.income.filter((row) => row.at >= call.since),
      since: call.since,
    };
  }

  #named(fill: RemoteFill): RemoteFill {
    const order = this.state.orders.find(({ orderId }) => orderId === fill.orderId);
    return this.namesFills && order ? { ...fill, clientOrderId: order.clientOrderId } : fill;
  }
}

export const isOpenOrder = (order: RemoteOrder): boolean =>
  order.status === 'NEW' || order.status === 'PARTIALLY_FILLED';
