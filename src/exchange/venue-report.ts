/** The venue's truth as the exchange port reports it, valued at the newest prices known. */
import * as D from '../core/decimal.ts';
import type { Instrument, SymbolName } from '../domain/instrument.ts';
import type { Market, Position, Venue } from './engine-state.ts';
import { instrumentOf } from './engine-state.ts';
import type { VenueOrder, VenuePosition, VenueReport } from './exchange.ts';
import { liquidationPrice } from './liquidation.ts';
import { availableBalance, unrealized } from './margin.ts';

/** Marks by symbol that are newer than the venue's reference prices. */
export type Marks = ReadonlyMap<SymbolName, number>;

export function reportOf(venue: Venue, at: number, marks: Marks): VenueReport {
  const positions: VenuePosition[] = [];
  const openOrders: VenueOrder[] = [];
  for (const [symbol, market] of Object.entries(venue.state.markets)) {
    const instrument = instrumentOf(venue, symbol);
    if (!instrument) continue;
    for (const position of market.positions)
      positions.push(describe(venue, market, instrument, position, marks.get(symbol)));
    for (const { order, orderId, filled } of market.orders) openOrders.push({ order, orderId, filled });
    for (const { order, orderId } of market.conditionals) openOrders.push({ order, orderId, filled: D.ZERO });
  }
  const { wallet } = venue.state;
  return { at, walletBalance: wallet, availableBalance: availableBalance(venue), positions, openOrders };
}

function describe(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  position: Position,
  newest: number | undefined,
): VenuePosition {
  const markPrice = D.fromNumber(newest ?? (market.mark || market.last));
  const liquidation = liquidationPrice(venue, market, instrument, position);
  return {
    symbol: instrument.symbol,
    positionSide: position.side,
    direction: D.gt(position.quantity, D.ZERO) ? 'long' : 'short',
    quantity: D.abs(position.quantity),
    entryPrice: D.div(position.entryNotional, position.quantity, 8),
    markPrice,
    unrealizedPnl: unrealized(position, markPrice),
    liquidationPrice: liquidation > 0 ? D.round(D.fromNumber(liquidation), 8) : undefined,
    leverage: market.leverage,
    owner: position.owner,
  };
}
