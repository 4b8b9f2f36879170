/** Whether the account can carry an order: the tiers at its leverage, and the balance for what it would cost. */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { IdentifiedOrder } from '../../domain/order.ts';
import { type VenueError, venueError } from '../venue-errors.ts';
import type { Market, Venue } from './engine-state.ts';
import type { Quote } from './engine-types.ts';
import { availableBalance, marginFor, maxNotional, reachableNotional, type Weighed } from './margin.ts';

/** Initial margin of what the order adds, plus what it would lose at once against the mark. */
export function checkMargin(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  order: IdentifiedOrder,
  quote: Quote,
): VenueError | undefined {
  const quantity = order.quantity ?? D.ZERO;
  const mark = D.fromNumber(quote.mark || quote.last);
  const price = assumingPrice(order, quote, venue.config.slippage.halfSpreadRate);
  const { side, positionSide } = order;
  const extra: Weighed = { side, positionSide, notional: D.mul(quantity, price) };
  const before = reachableNotional(market);
  const after = reachableNotional(market, extra);
  const reachable = D.sum(after);
  if (D.gt(reachable, D.sum(before)) && D.gt(reachable, maxNotional(instrument, market.leverage)))
    return venueError('MAX_LEVERAGE_RATIO');
  const added = D.sub(marginFor(market, after), marginFor(market, before));
  if (D.lte(added, D.ZERO)) return undefined;
  const loss = side === 'BUY' ? D.sub(price, mark) : D.sub(mark, order.price ?? price);
  const cost = D.add(added, D.mul(quantity, D.max(loss, D.ZERO)));
  if (D.lte(cost, availableBalance(venue))) return undefined;
  return venueError(D.lte(venue.state.wallet, D.ZERO) ? 'BALANCE_INSUFFICIENT' : 'MARGIN_INSUFFICIENT');
}

const SHORT_MARKUP = 1.0015;

/** A buyer's own price; a seller's larger of last plus 0.15 %, mark and own price. */
function assumingPrice(order: IdentifiedOrder, quote: Quote, halfSpreadRate: number): Decimal {
  const own = order.price === undefined ? undefined : Number(order.price);
  if (order.side === 'BUY')
    return order.price ?? D.fromNumber(quote.ask ?? quote.last * (1 + halfSpreadRate));
  return D.fromNumber(Math.max(quote.last * SHORT_MARKUP, quote.mark, own ?? 0));
}
