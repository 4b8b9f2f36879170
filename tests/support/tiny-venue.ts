/**
 * An honest but moody venue for one position: it refuses, loses answers, fills in pieces and repeats itself as
 * its dice say, yet what it holds is always what its events (once all are delivered) have told. An order whose
 * answer is lost may have been executed all the same: word of it comes later, in the order it happened.
 */
import {
  add,
  type Decimal,
  eq,
  floorTo,
  gt,
  lt,
  lte,
  min,
  mul,
  sub,
  sum,
  ZERO,
} from '../../src/core/decimal.ts';
import type { ActorEvent, Emitted } from '../../src/domain/events.ts';
import type { OrderRequest } from '../../src/domain/order.ts';

interface Held {
  readonly order: OrderRequest;
  filled: Decimal;
  status: 'new' | 'live' | 'over';
  /** The answer was lost: the owner was told UNKNOWN. */
  lost: boolean;
  /** What happened to it that the owner has not been told, in order; null: all told. */
  untold: ActorEvent[] | null;
}

/** Refusals that say nothing of the order itself, and one that does. */
const REFUSALS = [0, 429, 418, -1008, -1021, -5028, -4131];
const NEVER_ARRIVED = [0, -2013, -1021];

/** A number in [0, 1). */
export type Dice = () => number;

export class TinyVenue {
  readonly #dice: Dice;
  readonly #orders = new Map<string, Held>();
  /** What the owner has not been told yet, in order. */
  readonly queue: ActorEvent[] = [];
  /** Positive long, negative short. */
  position: Decimal = ZERO;
  mark: Decimal;
  moody = true;
  fees: Decimal = ZERO;
  gross: Decimal = ZERO;
  funding: Decimal = ZERO;
  #average: Decimal = ZERO;
  #trades = 0;

  constructor(mark: Decimal, dice: Dice) {
    this.mark = mark;
    this.#dice = dice;
  }

  take(intents: readonly Emitted[]): void {
    for (const intent of intents) {
      if (intent.type === 'leverage.set')
        this.queue.push({ type: 'LEVERAGE_SET', symbol: intent.symbol, leverage: intent.leverage });
      if (intent.type === 'send' && intent.event.type === 'CONFIRM') this.queue.push({ type: 'CONFIRMED' });
      if (intent.type === 'order.submit') this.#submit(intent.order);
      if (intent.type === 'order.cancel') this.#cancel(intent.ref);
    }
  }

  /** Live protection, as the venue itself knows it. */
  protection(): Decimal {
    let total = ZERO;
    for (const held of this.#orders.values())
      if (held.status === 'live' && held.order.triggerPrice !== undefined)
        total = add(total, held.order.quantity ?? ZERO);
    return total;
  }

  /** What orders that are live here may still open. */
  opening(): Decimal {
    return sum(
      [...this.#orders.values()]
        .filter(({ order, status }) => !order.reduceOnly && status === 'live')
        .map(({ order, filled }) => sub(order.quantity ?? ZERO, filled)),
    );
  }

  liveOrders(): string[] {
    return [...this.#orders.values()].filter((held) => held.status === 'live').map(({ order }) => order.ref);
  }

  /** Some time passes: lost answers turn up, resting market orders fill on. */
  settle(): void {
    this.#tellAll();
    for (const held of this.#orders.values()) {
      if (held.lost) this.#resolve(held);
      else if (held.status === 'live' && held.order.type === 'MARKET') this.#trade(held, true);
      else this.#match(held);
    }
  }

  moveTo(mark: Decimal): void {
    this.mark = mark;
    for (const held of this.#orders.values()) {
      const { triggerPrice, side } = held.order;
      this.#match(held);
      if (held.status !== 'live' || triggerPrice === undefined) continue;
      const reached = side === 'SELL' ? lte(mark, triggerPrice) : lte(triggerPrice, mark);
      if (!reached) continue;
      this.#tell('ORDER_TRIGGERED', held);
      if (eq(this.position, ZERO)) this.#close(held, 'rejected-at-trigger');
      else this.#trade(held, true);
    }
  }

  fund(): void {
    if (eq(this.position, ZERO)) return;
    const amount = mul(this.position, '-0.01');
    this.funding = add(this.funding, amount);
    this.queue.push({
      type: 'FUNDING_SETTLED',
      symbol: 'BTCUSDT',
      amount,
      rate: '0.0001',
      markPrice: this.mark,
    });
  }

  liquidate(): void {
    if (eq(this.position, ZERO)) return;
    const side = gt(this.position, ZERO) ? 'SELL' : 'BUY';
    const quantity = gt(this.position, ZERO) ? this.position : sub(ZERO, this.position);
    const ref = `autoclose-${++this.#trades}`;
    const order: OrderRequest = {
      ref,
      symbol: 'BTCUSDT',
      side,
      positionSide: 'BOTH',
      type: 'MARKET',
      quantity,
      reduceOnly: true,
    };
    const held: Held = { order, filled: ZERO, status: 'live', lost: false, untold: null };
    this.#fill(held, quantity, { cause: 'liquidation' });
  }

  #submit(order: OrderRequest): void {
    const held: Held = { order, filled: ZERO, status: 'new', lost: false, untold: null };
    this.#orders.set(order.ref, held);
    const mood = this.moody ? this.#dice() : 1;
    if (mood < 0.1) {
      held.lost = true;
      this.#tell('ORDER_UNKNOWN', held, { reason: 'timeout' });
    } else if (mood < 0.2) {
      this.#tell('ORDER_UNKNOWN', held, { reason: 'timeout' });
      held.untold = [];
      this.#accept(held);
    } else if (mood < 0.3) {
      this.#reject(held, this.#oneOf(REFUSALS));
    } else this.#accept(held);
  }

  #resolve(held: Held): void {
    held.lost = false;
    if (held.status !== 'new') return;
    if (this.#dice() < 0.5) this.#accept(held);
    else this.#reject(held, this.#oneOf(NEVER_ARRIVED));
  }

  #oneOf(codes: readonly number[]): number {
    return codes[Math.floor(this.#dice() * codes.length)] ?? 0;
  }

  /** The stream is in order: nothing new is heard before what happened before it. */
  #tellAll(): void {
    for (const held of this.#orders.values()) {
      if (held.untold) this.queue.push(...held.untold);
      held.untold = null;
    }
  }

  #accept(held: Held): void {
    const { triggerPrice, side, reduceOnly } = held.order;
    if (reduceOnly && !this.#reduces(side)) {
      this.#reject(held, -2022);
      return;
    }
    if (triggerPrice !== undefined) {
      const past = side === 'SELL' ? lte(this.mark, triggerPrice) : lte(triggerPrice, this.mark);
      if (past) {
        this.#reject(held, -2021);
        return;
      }
      held.status = 'live';
      this.#tell('ORDER_ACKNOWLEDGED', held, { orderId: held.order.ref });
      return;
    }
    if (held.order.type === 'LIMIT') {
      held.status = 'live';
      this.#tell('ORDER_ACKNOWLEDGED', held, { orderId: held.order.ref });
      this.#match(held);
      return;
    }
    held.status = 'live';
    const mood = this.moody ? this.#dice() : 1;
    const early = mood < 0.3;
    if (!early) this.#tell('ORDER_ACKNOWLEDGED', held, { orderId: held.order.ref });
    this.#trade(held, mood > 0.5);
    if (early) this.#tell('ORDER_ACKNOWLEDGED', held, { orderId: held.order.ref });
  }

  /** A resting limit that the price has reached fills, at its own price, all of it or half. */
  #match(held: Held): void {
    const { type, side, price } = held.order;
    if (held.status !== 'live' || type !== 'LIMIT' || price === undefined) return;
    const reached = side === 'SELL' ? lte(price, this.mark) : lte(this.mark, price);
    if (reached) this.#trade(held, !this.moody || this.#dice() < 0.6);
  }

  /** What only reduces, and rests, goes when there is nothing left to reduce. */
  #knockOut(): void {
    if (!eq(this.position, ZERO)) return;
    for (const held of this.#orders.values())
      if (held.status === 'live' && held.order.type === 'LIMIT') this.#close(held, 'expired');
  }

  #reduces(side: string): boolean {
    return side === 'SELL' ? gt(this.position, ZERO) : lt(this.position, ZERO);
  }

  /** Fills all of it or half; a reduce-only order never more than there is, and its rest expires. */
  #trade(held: Held, whole: boolean): void {
    const { order } = held;
    const left = sub(order.quantity ?? ZERO, held.filled);
    const size = gt(this.position, ZERO) ? this.position : sub(ZERO, this.position);
    const possible = order.reduceOnly ? (this.#reduces(order.side) ? min(left, size) : ZERO) : left;
    const half = floorTo(mul(possible, '0.5'), '0.001');
    const quantity = whole || eq(half, ZERO) ? possible : half;
    if (gt(quantity, ZERO)) this.#fill(held, quantity);
    if (
      held.status === 'live' &&
      (order.reduceOnly || whole) &&
      !this.#reduces(order.side) &&
      order.reduceOnly
    )
      this.#close(held, 'expired');
  }

  #fill(held: Held, quantity: Decimal, more: Record<string, unknown> = {}): void {
    const { order } = held;
    held.filled = add(held.filled, quantity);
    const complete = lte(order.quantity ?? ZERO, held.filled);
    if (complete) held.status = 'over';
    const signed = order.side === 'BUY' ? quantity : sub(ZERO, quantity);
    const reduces = this.#reduces(order.side);
    const price = order.price ?? this.mark;
    const realizedPnl = reduces ? mul(sub(ZERO, signed), sub(price, this.#average)) : ZERO;
    const fee = mul(mul(quantity, price), '0.0005');
    // One price suffices for the model: adds are not part of it.
    if (!reduces && eq(this.position, ZERO)) this.#average = this.mark;
    this.position = add(this.position, signed);
    this.fees = add(this.fees, fee);
    this.gross = add(this.gross, realizedPnl);
    const event = this.#tell('ORDER_FILLED', held, {
      tradeId: `t${++this.#trades}`,
      side: order.side,
      price,
      quantity,
      cumulative: held.filled,
      complete,
      maker: false,
      fee,
      realizedPnl,
      ...more,
    });
    if (this.moody && this.#dice() < 0.2) (held.untold ?? this.queue).push(event);
    this.#knockOut();
  }

  #cancel(ref: string): void {
    const held = this.#orders.get(ref);
    if (held?.status === 'live' && !(this.moody && this.#dice() < 0.2)) this.#close(held, 'canceled');
    else
      this.queue.push({
        type: 'CANCEL_REJECTED',
        ref,
        clientOrderId: ref,
        symbol: 'BTCUSDT',
        code: -2011,
        reason: 'no',
      });
  }

  #reject(held: Held, code: number): void {
    held.status = 'over';
    this.#tell('ORDER_REJECTED', held, { code, reason: 'refused' });
  }

  #close(held: Held, outcome: string): void {
    held.status = 'over';
    this.#tell('ORDER_CLOSED', held, { outcome, cumulative: held.filled, reason: outcome });
  }

  #tell(type: string, held: Held, data: Record<string, unknown> = {}): ActorEvent {
    const event = {
      type,
      ref: held.order.ref,
      clientOrderId: `bh-${held.order.ref}`,
      symbol: held.order.symbol,
      ...data,
    };
    if (held.untold) held.untold.push(event);
    else {
      if (type === 'ORDER_FILLED') this.#tellAll();
      this.queue.push(event);
    }
    return event;
  }
}
