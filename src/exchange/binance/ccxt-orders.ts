/**
 * Orders to the venue: placed once, taken back once, looked up as often as it takes.
 *
 * Invariants: a placed order always carries its client id; conditional ones go to the Algo service, which has its
 * own ids; a placing that ends unknown is never tried again here; an id that is taken means that the order exists,
 * so it is looked up, and never a refusal.
 */
import { type Decimal, isZero, lt, sum } from '../../core/decimal.ts';
import { type IdentifiedOrder, isConditional, isReducing } from '../../domain/order.ts';
import type { CallLane, RemoteAnswers, RemoteCall, RemoteFill } from '../../domain/remote.ts';
import { classifyFailure, DUPLICATE_CLIENT_ID, NOT_FOUND, neverSent, VenueFailure } from '../call-outcome.ts';
import type { WireParams } from '../venue-client.ts';
import type { VenueCaller } from './ccxt-caller.ts';
import { asRow, asRows, count, readAlgo, readFill, readOrder, UnreadableRow } from './ccxt-rows.ts';
import { type Grid, onGrid } from './side-rounding.ts';

type CallOf<C extends RemoteCall['call']> = Extract<RemoteCall, { readonly call: C }>;

export interface OrdersOptions {
  readonly caller: VenueCaller;
  /** Asked right before anything that changes something is sent, with the order where it is one: a reason not to. */
  readonly veto: (order?: IdentifiedOrder) => string | undefined;
  readonly now: () => number;
  /** Where the instrument is known: the order is put on its grid. */
  readonly grid: (symbol: string) => Grid | undefined;
  /** A placing that was given up did arrive after all. */
  readonly onLate: (placed: RemoteAnswers['submit']) => void;
}

const FILLS_PER_PAGE = 1000;
/** How often fills that lag behind their order are asked for again. */
const FILL_ATTEMPTS = 3;
const FILL_LAG_MS = 150;

export const laneOf = (order: IdentifiedOrder): CallLane => (isReducing(order) ? 'protect' : 'entry');

/** The form of POST order. One-way mode: the side of the position goes without saying. */
export function plainForm(order: IdentifiedOrder): WireParams {
  return {
    symbol: order.symbol,
    side: order.side,
    ...(order.positionSide !== 'BOTH' && { positionSide: order.positionSide }),
    type: order.type,
    ...(order.quantity !== undefined && { quantity: order.quantity }),
    ...(order.price !== undefined && { price: order.price }),
    ...(order.type === 'LIMIT' && { timeInForce: order.timeInForce ?? 'GTC' }),
    // Hedge mode refuses the parameter: there the closing side says it.
    ...(order.reduceOnly && order.positionSide === 'BOTH' && { reduceOnly: 'true' }),
    newClientOrderId: order.clientOrderId,
    newOrderRespType: 'RESULT',
  };
}

/** The form of POST algoOrder. `activatePrice` is its name there; ccxt's `activationPrice` is ignored. */
export function algoForm(order: IdentifiedOrder): WireParams {
  const limited = order.type === 'STOP' || order.type === 'TAKE_PROFIT';
  return {
    algoType: 'CONDITIONAL',
    symbol: order.symbol,
    side: order.side,
    ...(order.positionSide !== 'BOTH' && { positionSide: order.positionSide }),
    type: order.type,
    ...(order.quantity !== undefined && !order.closePosition && { quantity: order.quantity }),
    ...(order.price !== undefined && { price: order.price }),
    ...(limited && { timeInForce: order.timeInForce ?? 'GTC' }),
    ...(order.triggerPrice !== undefined && { triggerPrice: order.triggerPrice }),
    ...(order.workingType !== undefined && { workingType: order.workingType }),
    ...(order.priceProtect && { priceProtect: 'TRUE' }),
    ...(order.activatePrice !== undefined && { activatePrice: order.activatePrice }),
    ...(order.callbackRate !== undefined && { callbackRate: order.callbackRate }),
    // The two exclude each other: closing the position cannot open one.
    ...(order.closePosition
      ? { closePosition: 'true' }
      : order.reduceOnly && order.positionSide === 'BOTH' && { reduceOnly: 'true' }),
    clientAlgoId: order.clientOrderId,
    newOrderRespType: 'RESULT',
  };
}

export class VenueOrders {
  readonly #options: OrdersOptions;

  constructor(options: OrdersOptions) {
    this.#options = options;
  }

  async submit({ order: asked, sendBy }: CallOf<'submit'>): Promise<RemoteAnswers['submit']> {
    const { caller, grid, veto, now, onLate } = this.#options;
    const known = grid(asked.symbol);
    const order = known ? onGrid(asked, known) : asked;
    if (order.quantity !== undefined && isZero(order.quantity))
      throw neverSent('its quantity is less than one step of the venue');
    const algo = isConditional(order.type);
    try {
      const answer = await caller.act(
        algo ? 'placeAlgoOrder' : 'placeOrder',
        (algo ? algoForm : plainForm)(order),
        {
          lane: laneOf(order),
          giveUpAt: sendBy,
          veto: () => veto(order) ?? (now() >= sendBy ? 'its time to be sent had passed' : undefined),
          onLate: (late) => reportLate(late, order, onLate),
        },
      );
      return readPlaced(answer, order);
    } catch (error) {
      if (error instanceof VenueFailure && error.code === DUPLICATE_CLIENT_ID)
        return this.#existing(order, error);
      throw error;
    }
  }

  /** What carries our id is ours: found, it was placed; not found, it is unknown as before. */
  async #existing(order: IdentifiedOrder, refusal: VenueFailure): Promise<RemoteAnswers['submit']> {
    const { symbol, clientOrderId } = order;
    const book = isConditional(order.type) ? 'algo' : 'plain';
    const found = await this.query({ call: 'query', id: '', symbol, book, clientOrderId }).catch(() => null);
    if (found === null) throw refusal;
    return found.book === 'plain'
      ? { book: 'plain', order: found.order }
      : { book: 'algo', algo: found.algo };
  }

  async cancel({ symbol, book, clientOrderId, orderId }: CallOf<'cancel'>): Promise<RemoteAnswers['cancel']> {
    const { caller, veto } = this.#options;
    const which: WireParams =
      book === 'algo'
        ? orderId === undefined
          ? { clientAlgoId: clientOrderId }
          : { algoId: orderId }
        : orderId === undefined
          ? { origClientOrderId: clientOrderId }
          : { orderId };
    await caller.act(
      book === 'algo' ? 'cancelAlgoOrder' : 'cancelOrder',
      { symbol, ...which },
      { lane: 'protect', veto: () => veto() },
    );
    return { canceled: true };
  }

  async leverage({ symbol, leverage }: CallOf<'leverage'>): Promise<RemoteAnswers['leverage']> {
    const { caller, veto } = this.#options;
    const answer = await caller.act(
      'setLeverage',
      { symbol, leverage },
      { lane: 'entry', veto: () => veto() },
    );
    return { leverage: count(asRow(answer, 'leverage'), 'leverage') };
  }

  /**
   * What became of an order, with its fills. They may lag behind it for a moment even after some waiting, or not be
   * had at all: then their sum is less than the order's `filled`, and asking again is up to the asker.
   */
  async query({ symbol, book, clientOrderId }: CallOf<'query'>): Promise<RemoteAnswers['query']> {
    const deadline = this.#options.caller.deadline(2);
    try {
      if (book === 'plain') return await this.#plain({ symbol, clientOrderId }, deadline.signal);
      const row = await this.#find('algoOrder', { symbol, clientAlgoId: clientOrderId }, deadline.signal);
      if (row === null) return null;
      const algo = insist(readAlgo(asRow(row, 'algo order')), { symbol, clientOrderId });
      if (algo.actualOrderId === undefined) return { book: 'algo', algo };
      const actual = await this.#plain({ symbol, orderId: algo.actualOrderId }, deadline.signal);
      return actual === null
        ? { book: 'algo', algo }
        : { book: 'algo', algo, actual: { order: actual.order, fills: actual.fills } };
    } finally {
      deadline.done();
    }
  }

  async #plain(which: Which, signal: AbortSignal) {
    const { symbol, orderId, clientOrderId } = which;
    const params = orderId === undefined ? { origClientOrderId: clientOrderId ?? '' } : { orderId };
    const row = await this.#find('order', { symbol, ...params }, signal);
    if (row === null) return null;
    const order = insist(readOrder(asRow(row, 'order')), which);
    return { book: 'plain' as const, order, fills: await this.#fillsOf(order, signal) };
  }

  async #find(verb: 'order' | 'algoOrder', which: WireParams, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#options.caller.read(verb, which, 'resolve', signal);
    } catch (error) {
      const outcome = classifyFailure(error);
      if (outcome.outcome === 'rejected' && NOT_FOUND.has(outcome.code)) return null;
      throw error;
    }
  }

  async #fillsOf(order: { symbol: string; orderId: string; filled: Decimal }, signal: AbortSignal) {
    if (isZero(order.filled)) return [];
    let fills: readonly RemoteFill[] = [];
    for (let attempt = 0; attempt < FILL_ATTEMPTS && !signal.aborted; attempt++) {
      if (attempt > 0) await this.#options.caller.pause(FILL_LAG_MS * attempt);
      try {
        fills = await this.#pagesOf(order, signal);
      } catch {
        // That the order filled is known all the same, and its position waits to hear of it.
        break;
      }
      if (!lt(sum(fills.map(({ quantity }) => quantity)), order.filled)) break;
    }
    return fills;
  }

  async #pagesOf({ symbol, orderId }: { symbol: string; orderId: string }, signal: AbortSignal) {
    const found = new Map<string, RemoteFill>();
    for (let from: WireParams = {}; ; ) {
      const params = { symbol, orderId, limit: FILLS_PER_PAGE, ...from };
      const page = asRows(await this.#options.caller.read('userTrades', params, 'resolve', signal), 'fills');
      const before = found.size;
      for (const fill of page.map(readFill)) if (fill.orderId === orderId) found.set(fill.tradeId, fill);
      const last = page.at(-1);
      if (page.length < FILLS_PER_PAGE || last === undefined || found.size === before) break;
      from = { fromId: String(BigInt(readFill(last).tradeId) + 1n) };
    }
    return [...found.values()];
  }
}

/** By which an order is asked for. */
interface Which {
  readonly symbol: string;
  readonly clientOrderId?: string;
  readonly orderId?: string;
}

/** What speaks of another order is no answer. */
function insist<T extends Which>(found: T, { symbol, clientOrderId, orderId }: Which): T {
  const isAsked =
    found.symbol === symbol &&
    (clientOrderId === undefined || found.clientOrderId === clientOrderId) &&
    (orderId === undefined || found.orderId === orderId);
  if (!isAsked) throw new UnreadableRow("the venue's answer is about another order");
  return found;
}

function readPlaced(
  answer: unknown,
  { symbol, clientOrderId, type }: IdentifiedOrder,
): RemoteAnswers['submit'] {
  const row = asRow(answer, 'placed order');
  return isConditional(type)
    ? { book: 'algo', algo: insist(readAlgo(row), { symbol, clientOrderId }) }
    : { book: 'plain', order: insist(readOrder(row), { symbol, clientOrderId }) };
}

function reportLate(answer: unknown, order: IdentifiedOrder, onLate: OrdersOptions['onLate']): void {
  try {
    onLate(readPlaced(answer, order));
  } catch {
    // Evidence that cannot be read is none; the order stays unknown until it is looked up.
  }
}
