/**
 * Self-trade prevention: what happens when an order would meet another of the same account.
 *
 * Invariants: without a mode nothing happens, own orders pass one another by; the mode is the taker's; lots at
 * a price strictly better than the own order's are taken in any case.
 */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Market, Resting, Venue } from './engine-state.ts';
import { closeOrder } from './engine-state.ts';
import type { Lot } from './matching.ts';

export const SELF_TRADE = 'self-trade prevention';

/** The own orders that this one would reach, with the lots it plans to take and a rest that goes on or not. */
export function meetsOwn(market: Market, entry: Resting, lots: readonly Lot[], goesOn: boolean): Resting[] {
  const { order, stp } = entry;
  if (stp === undefined || stp === 'NONE') return [];
  const reaches = (price: Decimal, own: Decimal): boolean =>
    order.side === 'BUY' ? D.gte(price, own) : D.lte(price, own);
  return market.orders.filter((other) => {
    const own = other.order.price;
    if (other === entry || other.order.side === order.side || own === undefined) return false;
    if (lots.some((lot) => reaches(lot.price, own))) return true;
    return goesOn && (order.price === undefined || reaches(order.price, own));
  });
}

/** Which of the planned lots remain, and whether the taker ends there. */
export function preventSelfTrade(
  venue: Venue,
  market: Market,
  entry: Resting,
  planned: readonly Lot[],
  wanted: Decimal,
): { readonly lots: readonly Lot[]; readonly halted: boolean } {
  const goesOn = D.lt(D.sum(planned.map((lot) => lot.quantity)), wanted);
  const met = meetsOwn(market, entry, planned, goesOn);
  if (met.length === 0) return { lots: planned, halted: false };
  if (entry.stp !== 'EXPIRE_TAKER') {
    market.orders = market.orders.filter((other) => !met.includes(other));
    for (const other of met) closeOrder(venue, other, 'expired', SELF_TRADE);
  }
  if (entry.stp === 'EXPIRE_MAKER') return { lots: planned, halted: false };
  const buying = entry.order.side === 'BUY';
  const prices = met.map(({ order }) => order.price ?? D.ZERO);
  const first = prices.reduce(buying ? D.min : D.max);
  const better = ({ price }: Lot): boolean => (buying ? D.lt(price, first) : D.gt(price, first));
  return { lots: planned.filter(better), halted: true };
}
