/**
 * Conditional orders: when they trigger. STOP buys at or above its trigger and sells at or below it,
 * TAKE_PROFIT the other way round; a trailing stop arms at its activation price, follows the best price since,
 * and triggers when the price comes back from it by the callback rate.
 */
import { opposite, type Side } from '../../domain/order.ts';
import type { Conditional } from './engine-state.ts';

export type Working = 'last' | 'mark';

export const workingPrice = ({ order }: Conditional): Working =>
  order.workingType === 'MARK_PRICE' ? 'mark' : 'last';

/** A threshold and the side on which it counts as reached. */
export interface Threshold {
  readonly price: number;
  readonly direction: 'at-or-above' | 'at-or-below';
}

const towards = (rising: boolean): Threshold['direction'] => (rising ? 'at-or-above' : 'at-or-below');

/** A falling price triggers a sell stop, a rising one a sell take-profit. */
export function triggerOf({ order, armed, extreme }: Conditional): Threshold | undefined {
  if (order.type === 'TRAILING_STOP_MARKET') {
    if (!armed || extreme === 0) return undefined;
    return {
      price: callbackPrice(order.side, extreme, order.callbackRate),
      direction: towards(order.side === 'BUY'),
    };
  }
  if (order.triggerPrice === undefined) return undefined;
  const stop = order.type === 'STOP' || order.type === 'STOP_MARKET';
  const side: Side = stop ? order.side : opposite(order.side);
  return { price: Number(order.triggerPrice), direction: towards(side === 'BUY') };
}

function callbackPrice(side: Side, extreme: number, callbackRate: string | undefined): number {
  const rate = Number(callbackRate ?? '0') / 100;
  return side === 'SELL' ? extreme * (1 - rate) : extreme * (1 + rate);
}

/** Where an unarmed trailing stop arms: a sell above the market, a buy below it. */
export function activationOf({ order, armed }: Conditional): Threshold | undefined {
  if (order.type !== 'TRAILING_STOP_MARKET' || armed || order.activatePrice === undefined) return undefined;
  return { price: Number(order.activatePrice), direction: towards(order.side === 'SELL') };
}

export const reached = (threshold: Threshold, price: number): boolean =>
  threshold.direction === 'at-or-above' ? price >= threshold.price : price <= threshold.price;

/** True when an armed trailing stop has a better price to follow. */
export const improves = ({ order, extreme }: Conditional, price: number): boolean =>
  extreme === 0 || (order.side === 'SELL' ? price > extreme : price < extreme);

/** priceProtect: the trigger is held back while last and mark are too far apart. */
export function isProtected(
  { order }: Conditional,
  last: number,
  mark: number,
  triggerProtectRate: string,
): boolean {
  if (!order.priceProtect || mark <= 0) return false;
  return Math.abs(mark - last) / mark > Number(triggerProtectRate);
}
