/**
 * At which mark the venue would take each open position, for people to look at: the venue's own last word where it is
 * remote, else the simulated venue's formula at the newest marks. A view: nothing decides by it.
 */
import { type Decimal, gt, isZero, ZERO } from '../../core/decimal.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { Direction } from '../../domain/order.ts';
import type { RemotePosition } from '../../domain/remote.ts';
import type { VenueReport } from '../../exchange/exchange.ts';

/** Undefined: the venue says none, as where the account outlives any price. */
export type Liquidations = (symbol: SymbolName, direction: Direction) => Decimal | undefined;

export const NO_LIQUIDATIONS: Liquidations = () => undefined;

const keyOf = (symbol: SymbolName, direction: Direction): string => `${symbol} ${direction}`;

export function simulatedLiquidations({ positions }: Pick<VenueReport, 'positions'>): Liquidations {
  const prices = new Map(
    positions.map(({ symbol, direction, liquidationPrice }) => [keyOf(symbol, direction), liquidationPrice]),
  );
  return (symbol, direction) => prices.get(keyOf(symbol, direction));
}

/** Of the newest reading; a position that the venue has not shown with a price yet has none. */
export function remoteLiquidations(positions: Iterable<RemotePosition>): Liquidations {
  const prices = new Map<string, Decimal>();
  for (const { symbol, amount, liquidationPrice } of positions) {
    if (isZero(amount) || liquidationPrice === undefined || !gt(liquidationPrice, ZERO)) continue;
    prices.set(keyOf(symbol, gt(amount, ZERO) ? 'long' : 'short'), liquidationPrice);
  }
  return (symbol, direction) => prices.get(keyOf(symbol, direction));
}
