/**
 * A position's orders: made, and known again in what the venue says.
 *
 * Invariants: a ref is never used twice; an order that is over never comes back to life; only what the venue
 * said changes an order's status (or a deadline of ours, which only ever adds orders that cannot open).
 */
import {
  ceilTo,
  type Decimal,
  floorTo,
  gt,
  isMultipleOf,
  lt,
  lte,
  max,
  min,
  sub,
  ZERO,
} from '../../src/core/decimal.ts';
import type { Emitted } from '../../src/domain/events.ts';
import { type OrderRequest, orderTerms } from '../../src/domain/order.ts';
import { keyOfActor, positionSideOf } from '../../src/domain/position-key.ts';
import { chain, type Step, step } from '../step.ts';
import type { OrderRecord, OrderRole, PositionContext } from './context.ts';

type Placed = Exclude<OrderRole, 'venue'>;

/** A late fill must find its order; of finished exits and stops more than this many are forgotten. */
const FINISHED_KEPT = 12;

export const isOver = (order: OrderRecord): boolean => order.status === 'over';
export const isOpening = (order: OrderRecord): boolean => order.role === 'entry' || order.role === 'add';
export const isClosing = (order: OrderRecord): boolean =>
  order.role === 'close' || order.role === 'emergency';

/** Orders of a role that can still do something. */
export const pending = (context: PositionContext, ...roles: readonly OrderRole[]): readonly OrderRecord[] =>
  context.orders.filter((order) => !isOver(order) && roles.includes(order.role));

export const findOrder = (context: PositionContext, ref: string): OrderRecord | undefined =>
  context.orders.find((order) => order.ref === ref);

/** One of ours by its name, finished so long ago that its record is gone. */
export function isForgotten(context: PositionContext, ref: string): boolean {
  const dash = ref.lastIndexOf('-');
  const count = context.counters[ref.slice(0, dash)] ?? 0;
  return Number(ref.slice(dash + 1)) <= count && findOrder(context, ref) === undefined;
}

export const remaining = (order: OrderRecord): Decimal =>
  gt(order.quantity, order.filled) ? sub(order.quantity, order.filled) : ZERO;

/** How much of what is open a stop would take out; all of it, however much it is by then, where it says so. */
export const covers = (context: PositionContext, stop: OrderRecord): Decimal =>
  stop.whole ? context.quantity : remaining(stop);

/** Its name says on which side of the symbol it is; BOTH in one-way mode. */
export const isHedged = ({ actor }: PositionContext): boolean => positionSideOf(keyOfActor(actor)) !== 'BOTH';

export function updateOrder(
  context: PositionContext,
  ref: string,
  change: Partial<OrderRecord>,
): PositionContext {
  const orders = context.orders.map((order) => (order.ref === ref ? { ...order, ...change } : order));
  const finished = orders.filter((order) => isOver(order) && !isOpening(order));
  const forgotten = new Set(finished.slice(0, Math.max(0, finished.length - FINISHED_KEPT)));
  return { ...context, orders: orders.filter((order) => !forgotten.has(order)) };
}

/**
 * A quantity that no one order can name: new filters may leave one that is not in whole lots, or less than the least;
 * adds and an adoption one that is more than a market order, a stop included, may be.
 */
export const isOdd = ({ filters, quantity }: PositionContext): boolean =>
  !isMultipleOf(quantity, filters.stepSize) ||
  lt(quantity, filters.minQuantity) ||
  gt(quantity, floorTo(filters.marketMaxQuantity, filters.stepSize));

/**
 * The venue's filter on market orders bounds each; whoever closes goes on until nothing is left. What no order can name
 * is rounded up: reduce-only, it takes no more than there is.
 */
export function marketQuantity(context: PositionContext, quantity: Decimal): Decimal {
  const { marketMaxQuantity, minQuantity, stepSize } = context.filters;
  const named =
    isOdd(context) && !isHedged(context) ? max(ceilTo(quantity, stepSize), minQuantity) : quantity;
  return min(named, floorTo(marketMaxQuantity, stepSize));
}

export function place(
  context: PositionContext,
  role: Placed,
  quantity: Decimal,
  reason: string,
  at: { readonly trigger?: Decimal; readonly limit?: Decimal; readonly whole?: boolean } = {},
): Step<PositionContext> {
  const count = (context.counters[role] ?? 0) + 1;
  const ref = `${role}-${count}`;
  const opens = role === 'entry' || role === 'add';
  const ownSide = positionSideOf(keyOfActor(context.actor));
  const terms = orderTerms(opens ? 'open' : 'close', context.direction, ownSide);
  const { side, positionSide, reduceOnly } = terms;
  const common = { ref, symbol: context.symbol, side, positionSide } as const;
  const { trigger, limit, whole = false } = at;
  const order: OrderRequest =
    trigger !== undefined
      ? {
          ...common,
          ...(whole
            ? { type: 'STOP_MARKET', reduceOnly, closePosition: true }
            : { quantity, type: 'STOP_MARKET', reduceOnly }),
          triggerPrice: trigger,
          workingType: 'MARK_PRICE',
        }
      : limit !== undefined
        ? { ...common, quantity, type: 'LIMIT', price: limit, timeInForce: 'GTC', reduceOnly }
        : { ...common, quantity, type: 'MARKET', reduceOnly };
  const record: OrderRecord = {
    ref,
    role,
    quantity,
    filled: ZERO,
    ...(whole ? { whole } : {}),
    price: trigger ?? limit ?? null,
    status: 'submitted',
    cancelRequested: false,
    reason,
  };
  return step(
    { ...context, counters: { ...context.counters, [role]: count }, orders: [...context.orders, record] },
    { type: 'order.submit', order },
  );
}

export function cancel(context: PositionContext, order: OrderRecord): Step<PositionContext> {
  if (isOver(order) || order.cancelRequested) return step(context);
  const intent: Emitted = { type: 'order.cancel', ref: order.ref, symbol: context.symbol };
  return step(updateOrder(context, order.ref, { cancelRequested: true }), intent);
}

export const cancelAll = (context: PositionContext, orders: readonly OrderRecord[]): Step<PositionContext> =>
  chain(context, ...orders.map((order) => (current: PositionContext) => cancel(current, order)));

/** Whether closing orders on their way cover `quantity`; UNKNOWN ones are not counted on. */
export function closingCovers(context: PositionContext, quantity: Decimal): boolean {
  let left = quantity;
  for (const order of pending(context, 'close', 'emergency'))
    if (order.status !== 'unknown') left = sub(left, remaining(order));
  return lte(left, ZERO);
}
