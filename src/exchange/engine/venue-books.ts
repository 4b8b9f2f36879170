/** The account in the detail of its own pages: margins by symbol and position, valued at the marks given. */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { PositionSide } from '../../domain/order.ts';
import type { PositionMode } from '../../domain/position-key.ts';
import type { Market, Position, Venue } from './engine-state.ts';
import { crossWallet, instrumentOf, marginModeOf, positionModeOf } from './engine-state.ts';
import type { MarginMode } from './engine-types.ts';
import { CrossAccount, liquidationPrice } from './liquidation-price.ts';
import {
  availableBalance,
  maintenanceMargin,
  marginFor,
  markOf,
  positionMargin,
  symbolMargin,
  unrealized,
} from './margin.ts';

export interface PositionBook {
  readonly symbol: SymbolName;
  readonly side: PositionSide;
  /** Signed. */
  readonly quantity: Decimal;
  readonly entryNotional: Decimal;
  readonly markPrice: Decimal;
  readonly unrealized: Decimal;
  readonly notional: Decimal;
  /** Zero in cross mode. */
  readonly isolatedWallet: Decimal;
  readonly initialMargin: Decimal;
  readonly maintMargin: Decimal;
  /** Zero for none. */
  readonly liquidationPrice: Decimal;
}

export interface MarketBook {
  readonly symbol: SymbolName;
  readonly marginMode: MarginMode;
  readonly leverage: number;
  readonly openOrderMargin: Decimal;
  readonly openOrders: number;
  readonly conditionals: number;
  readonly positions: readonly PositionBook[];
}

export interface VenueBooks {
  readonly positionMode: PositionMode;
  readonly defaultMarginMode: MarginMode;
  readonly defaultLeverage: number;
  readonly wallet: Decimal;
  readonly crossWallet: Decimal;
  readonly available: Decimal;
  readonly deposits: Decimal;
  readonly markets: readonly MarketBook[];
}

/** `liquidations` false leaves those prices at zero: they are by far the dearest part. */
export function booksOf(
  source: Venue,
  marks: ReadonlyMap<SymbolName, number>,
  liquidations: boolean,
): VenueBooks {
  const markets: Record<SymbolName, Market> = {};
  for (const [symbol, market] of Object.entries(source.state.markets))
    markets[symbol] = { ...market, mark: marks.get(symbol) ?? market.mark };
  const venue: Venue = { ...source, state: { ...source.state, markets } };
  const account = liquidations ? new CrossAccount(venue) : undefined;
  return {
    positionMode: positionModeOf(venue),
    defaultMarginMode: venue.config.marginMode,
    defaultLeverage: venue.config.defaultLeverage,
    wallet: venue.state.wallet,
    crossWallet: crossWallet(venue),
    available: availableBalance(venue),
    deposits: venue.state.totals.deposits,
    markets: Object.entries(markets).map(([symbol, market]) => bookOf(venue, symbol, market, account)),
  };
}

/** With the account, liquidation prices are worked out too. */
function bookOf(
  venue: Venue,
  symbol: SymbolName,
  market: Market,
  account: CrossAccount | undefined,
): MarketBook {
  const positions = market.positions.map((position) =>
    positionBook(venue, symbol, market, position, account),
  );
  return {
    symbol,
    marginMode: marginModeOf(venue, market),
    leverage: market.leverage,
    openOrderMargin: D.max(D.ZERO, D.sub(symbolMargin(market), positionMargin(market))),
    openOrders: market.orders.length,
    conditionals: market.conditionals.length,
    positions,
  };
}

function positionBook(
  venue: Venue,
  symbol: SymbolName,
  market: Market,
  position: Position,
  account: CrossAccount | undefined,
): PositionBook {
  const instrument = instrumentOf(venue, symbol);
  const markPrice = markOf(market);
  const notional = D.mul(position.quantity, markPrice);
  const liquidation =
    instrument && account ? liquidationPrice(venue, market, instrument, position, account) : 0;
  return {
    symbol,
    side: position.side,
    quantity: position.quantity,
    entryNotional: position.entryNotional,
    markPrice,
    unrealized: unrealized(position, markPrice),
    notional,
    isolatedWallet: marginModeOf(venue, market) === 'isolated' ? position.isolated : D.ZERO,
    initialMargin: marginFor(market, [D.abs(notional)]),
    maintMargin: instrument ? maintenanceMargin(instrument, D.abs(notional)) : D.ZERO,
    liquidationPrice: liquidation > 0 ? D.round(D.fromNumber(liquidation), 8) : D.ZERO,
  };
}
