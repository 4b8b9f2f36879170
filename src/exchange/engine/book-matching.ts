/**
 * Order-book mode: resting orders queue behind what was visible at their price when they came.
 *
 * Invariants: quantity that leaves our price level is taken to have left from behind us as far as the level
 * still shows as much as was ahead; we fill only from what trades beyond that, at our own price. Trades must be
 * fed before the book that already lacks them, else the queue shortens twice.
 */

import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { Market, Resting, Venue } from './engine-state.ts';
import type { BookLevel } from './engine-types.ts';
import { tidy } from './matching.ts';
import { fillResting, openQuantity } from './orders.ts';

/** A new book: queues shorten, and orders that it crosses fill by the quantity that crosses them. */
export function matchBook(venue: Venue, market: Market, instrument: Instrument): void {
  for (const entry of market.orders) {
    const { side, price } = entry.order;
    const own = (side === 'BUY' ? market.bids : market.asks).find(
      ([at]) => at === price || D.eq(at, price ?? '0'),
    );
    entry.ahead = Math.min(entry.ahead, own ? Number(own[1]) : 0);
  }
  for (const entry of byPriority(market)) {
    if (!market.orders.includes(entry)) continue;
    takeCrossing(venue, market, instrument, entry);
  }
}

/** True when the book would fill a resting order or move it up in its queue. */
export function bookMatters(market: Market, bids: readonly BookLevel[], asks: readonly BookLevel[]): boolean {
  return market.orders.some(({ order, ahead }) => {
    const price = Number(order.price ?? '0');
    const buying = order.side === 'BUY';
    const best = (buying ? asks : bids)[0];
    if (best && (buying ? Number(best[0]) <= price : Number(best[0]) >= price)) return true;
    const own = (buying ? bids : asks).find(([at]) => Number(at) === price);
    return ahead > (own ? Number(own[1]) : 0);
  });
}

function takeCrossing(venue: Venue, market: Market, instrument: Instrument, entry: Resting): void {
  const { side, price } = entry.order;
  if (price === undefined) return;
  const levels = side === 'BUY' ? market.asks : market.bids;
  for (;;) {
    const best = levels[0];
    const crossed = best !== undefined && (side === 'BUY' ? D.lte(best[0], price) : D.gte(best[0], price));
    if (!crossed || !market.orders.includes(entry)) return;
    const quantity = D.min(best[1], openQuantity(market, entry));
    if (!D.gt(quantity, D.ZERO)) return;
    const left = D.sub(best[1], quantity);
    if (D.isZero(left)) levels.shift();
    else levels[0] = [best[0], left];
    fillResting(venue, market, instrument, entry, quantity);
  }
}

/** A public trade: at our price it first eats the queue ahead of us, beyond our price it must have met us. */
export function matchTrade(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  trade: { readonly price: Decimal; readonly quantity: Decimal; readonly buyerMaker: boolean },
): void {
  const side = trade.buyerMaker ? 'BUY' : 'SELL';
  let left = trade.quantity;
  // The visible queue at the price is one and the same for all our orders there.
  let eaten = 0;
  for (const entry of byPriority(market)) {
    const { price } = entry.order;
    if (entry.order.side !== side || price === undefined || !market.orders.includes(entry)) continue;
    const order = side === 'BUY' ? D.cmp(price, trade.price) : D.cmp(trade.price, price);
    if (order < 0) return;
    if (order === 0) {
      const eats = Math.min(Math.max(entry.ahead - eaten, 0), Number(left));
      left = D.sub(left, tidy(eats));
      eaten += eats;
      entry.ahead = Number(Math.max(entry.ahead - eaten, 0).toPrecision(12));
    }
    const quantity = D.min(left, openQuantity(market, entry));
    if (!D.gt(quantity, D.ZERO)) continue;
    left = D.sub(left, quantity);
    fillResting(venue, market, instrument, entry, quantity);
  }
}

/** Best price first, then the older order; buys before sells (only one side can be hit at a time). */
function byPriority(market: Market): Resting[] {
  return [...market.orders].sort((a, b) => {
    if (a.order.side !== b.order.side) return a.order.side === 'BUY' ? -1 : 1;
    const better = D.cmp(b.order.price ?? '0', a.order.price ?? '0');
    return (a.order.side === 'BUY' ? better : -better) || a.rank - b.rank;
  });
}
