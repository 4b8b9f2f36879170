/**
 * Changing a resting limit order's price and quantity.
 *
 * Invariants: a refused change leaves the order as it was; a made one costs it its place in the queue; a
 * quantity already filled, and a post-only order that would take, end the order instead.
 */
import * as D from '../../core/decimal.ts';
import { type VenueError, venueError } from '../venue-errors.ts';
import type { Resting, Venue } from './engine-state.ts';
import { closeOrder, detail, instrumentOf } from './engine-state.ts';
import type { AccountCommand, Quote } from './engine-types.ts';
import { checkFilters } from './filters.ts';
import { checkExecution, execute, expireKnockedOut } from './orders.ts';

type Amendment = Extract<AccountCommand, { type: 'order.amend' }>;

export function amend(venue: Venue, input: Amendment): void {
  const error = tryAmend(venue, input);
  if (error) detail(venue, { type: 'COMMAND_REFUSED', command: 'order.amend', ...error });
  else detail(venue, { type: 'COMMAND_DONE', command: 'order.amend' });
}

function tryAmend(venue: Venue, input: Amendment): VenueError | undefined {
  const { symbol, ref, owner } = input;
  const instrument = instrumentOf(venue, symbol);
  const market = venue.state.markets[symbol];
  const entry = market?.orders.find(({ order }) => order.owner === owner && order.ref === ref);
  if (!instrument || !market || !entry) return venueError('ORDER_DOES_NOT_EXIST');
  if (instrument.status !== 'TRADING') return venueError('AMEND_NOT_TRADING');
  if (entry.order.type !== 'LIMIT') return venueError('AMEND_ONLY_LIMIT');
  const { quantity, price } = input;
  const same = D.eq(price, entry.order.price ?? D.ZERO) && D.eq(quantity, entry.order.quantity ?? D.ZERO);
  if (same) return venueError('NOTHING_TO_AMEND');
  const quote: Quote = { last: market.last, mark: market.mark, ...input.quote };
  const order = { ...entry.order, quantity, price };
  const wrong = checkFilters(venue, market, instrument, order, quote);
  if (wrong?.code === venueError('MIN_NOTIONAL').code)
    return venueError('AMEND_MIN_NOTIONAL', instrument.minNotional);
  if (wrong) return wrong;
  const others = market.orders.filter((other) => other !== entry);
  const changed: Resting = { ...entry, order, ahead: 0, rank: venue.state.nextRank };
  const before = market.orders;
  market.orders = others;
  if (D.lte(quantity, entry.filled)) {
    closeOrder(venue, entry, 'canceled', 'amended to what was filled');
    expireKnockedOut(venue, market);
    return undefined;
  }
  const rest = { ...changed, order: { ...order, quantity: D.sub(quantity, entry.filled) }, filled: D.ZERO };
  const error = checkExecution(venue, market, instrument, rest, quote);
  if (error && error.code === venueError('POST_ONLY_REJECT').code) {
    closeOrder(venue, entry, 'canceled', 'amended to a price that would take');
    expireKnockedOut(venue, market);
    return undefined;
  }
  if (error) {
    market.orders = before;
    return error;
  }
  venue.state.nextRank++;
  detail(venue, { type: 'ORDER_AMENDED', symbol, ref, price, quantity });
  execute(venue, market, instrument, changed, quote);
  return undefined;
}
