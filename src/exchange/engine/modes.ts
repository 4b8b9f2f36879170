/** Position mode, margin mode and isolated margin: what may be changed, and when. */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { PositionSide } from '../../domain/order.ts';
import type { PositionMode } from '../../domain/position-key.ts';
import { type VenueError, venueError } from '../venue-errors.ts';
import type { Venue } from './engine-state.ts';
import {
  detail,
  instrumentOf,
  marginModeOf,
  marketOf,
  positionModeOf,
  positionMoved,
  positionOf,
} from './engine-state.ts';
import type { AccountCommand, MarginMode } from './engine-types.ts';
import { availableBalance, marginFor, markOf, unrealized } from './margin.ts';

function answer(venue: Venue, command: AccountCommand['type'], error: VenueError | undefined): void {
  if (error) detail(venue, { type: 'COMMAND_REFUSED', command, ...error });
  else detail(venue, { type: 'COMMAND_DONE', command });
}

export function setPositionMode(venue: Venue, mode: PositionMode): void {
  const markets = Object.values(venue.state.markets);
  const orders = markets.some((market) => market.orders.length + market.conditionals.length > 0);
  const held = markets.some((market) => market.positions.length > 0);
  let error: VenueError | undefined;
  if (positionModeOf(venue) === mode) error = venueError('NO_POSITION_SIDE_CHANGE');
  else if (orders) error = venueError('POSITION_SIDE_WITH_ORDERS');
  else if (held) error = venueError('POSITION_SIDE_WITH_POSITION');
  else venue.state.positionMode = mode;
  answer(venue, 'position.mode', error);
}

export function setMarginMode(venue: Venue, symbol: SymbolName, mode: MarginMode): void {
  const instrument = instrumentOf(venue, symbol);
  if (!instrument) {
    answer(venue, 'margin.mode', venueError('BAD_SYMBOL'));
    return;
  }
  const market = marketOf(venue, instrument);
  let error: VenueError | undefined;
  if (marginModeOf(venue, market) === mode) error = venueError('NO_MARGIN_TYPE_CHANGE');
  else if (market.orders.length + market.conditionals.length > 0)
    error = venueError('MARGIN_TYPE_WITH_ORDERS');
  else if (market.positions.length > 0) error = venueError('MARGIN_TYPE_WITH_POSITION');
  else market.marginMode = mode;
  answer(venue, 'margin.mode', error);
}

export function addMargin(venue: Venue, symbol: SymbolName, side: PositionSide, amount: Decimal): void {
  answer(venue, 'margin.add', tryAddMargin(venue, symbol, side, amount));
}

function tryAddMargin(
  venue: Venue,
  symbol: SymbolName,
  side: PositionSide,
  amount: Decimal,
): VenueError | undefined {
  const market = venue.state.markets[symbol];
  const held = market && positionOf(market, side);
  if (!market || !held) return venueError('MARGIN_NEEDS_POSITION');
  if (marginModeOf(venue, market) !== 'isolated') return venueError('MARGIN_NEEDS_ISOLATED');
  if (D.gt(amount, D.ZERO) && D.gt(amount, availableBalance(venue)))
    return venueError('CROSS_BALANCE_INSUFFICIENT');
  if (D.lt(amount, D.ZERO)) {
    const mark = markOf(market);
    const needed = marginFor(market, [D.abs(D.mul(held.quantity, mark))]);
    const backed = D.add(held.isolated, D.min(unrealized(held, mark), D.ZERO));
    if (D.gt(D.neg(amount), D.sub(backed, needed))) return venueError('ISOLATED_BALANCE_INSUFFICIENT');
  }
  held.isolated = D.add(held.isolated, amount);
  // With another margin behind it, the position may be warned about anew.
  held.marginCalled = false;
  positionMoved(venue, market, symbol, side);
  return undefined;
}
