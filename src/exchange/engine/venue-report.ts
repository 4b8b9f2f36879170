/** The venue's truth as the exchange port reports it, valued at the newest prices known. */
import * as D from '../../core/decimal.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { VenueOrder, VenuePosition, VenueReport } from '../exchange.ts';
import type { Market, Position, Venue } from './engine-state.ts';
import { instrumentOf } from './engine-state.ts';
import { CrossAccount, liquidationPrice } from './liquidation-price.ts';
import { availableBalance, markOf, unrealized } from './margin.ts';

/** Marks by symbol that are newer than the venue's reference prices. */
export type Marks = ReadonlyMap<SymbolName, number>;

export function reportOf(source: Venue, at: number, marks: Marks): VenueReport {
  const venue = revalued(source, marks);
  const positions: VenuePosition[] = [];
  const openOrders: VenueOrder[] = [];
  const account = new CrossAccount(venue);
  for (const [symbol, market] of Object.entries(venue.state.markets)) {
    const instrument = instrumentOf(venue, symbol);
    if (!instrument) continue;
    const stand = { venue, account, market, instrument };
    for (const position of market.positions) positions.push(describe(stand, position));
    for (const { order, orderId, filled } of market.orders) openOrders.push({ order, orderId, filled });
    for (const { order, orderId } of market.conditionals) openOrders.push({ order, orderId, filled: D.ZERO });
  }
  const { wallet } = venue.state;
  return { at, walletBalance: wallet, availableBalance: availableBalance(venue), positions, openOrders };
}

/** The same books at newer marks; the venue itself is left alone. */
function revalued(venue: Venue, marks: Marks): Venue {
  const markets: Record<SymbolName, Market> = {};
  for (const [symbol, market] of Object.entries(venue.state.markets))
    markets[symbol] = { ...market, mark: marks.get(symbol) ?? market.mark };
  return { ...venue, state: { ...venue.state, markets } };
}

interface Stand {
  readonly venue: Venue;
  readonly account: CrossAccount;
  readonly market: Market;
  readonly instrument: Instrument;
}

function describe({ venue, account, market, instrument }: Stand, position: Position): VenuePosition {
  const markPrice = markOf(market);
  const liquidation = liquidationPrice(venue, market, instrument, position, account);
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
