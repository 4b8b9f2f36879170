/**
 * What each limit still leaves, in notional. Exposures count at entry price, UNKNOWN and reserved ones at their
 * worst case; equity below zero leaves nothing.
 */
import { add, type Decimal, fromNumber, max, min, mul, sub, sum, ZERO } from '../core/decimal.ts';
import type { Entry, Exposure, PortfolioView, RiskLimits } from '../domain/risk.ts';
import type { Company } from './correlation.ts';

export type Room = readonly [rule: string, left: Decimal];

/** Share of the depth and of the margin, in the account's precision. */
const share = (amount: number, of: number): Decimal => fromNumber(Number((amount * of).toPrecision(12)));

export function roomsFor(
  entry: Entry,
  view: PortfolioView,
  limits: RiskLimits,
  company: Company | undefined,
): readonly Room[] {
  const equity = max(view.equity, ZERO);
  const left = (limit: Decimal, used: Decimal): Decimal => max(ZERO, sub(limit, used));
  const { inSymbol, onSide, inAll } = exposed(entry, view.exposures);
  const rooms: Room[] = [
    ['symbol-exposure', left(mul(equity, limits.maxSymbolExposure), inSymbol)],
    ['side-exposure', left(mul(equity, limits.maxSideExposure), onSide)],
    ['total-exposure', left(mul(equity, limits.maxTotalExposure), inAll)],
    ['leverage', left(mul(equity, String(limits.maxLeverage)), inAll)],
  ];
  if (company !== undefined) {
    const used = add(company.clusterNotional, inSymbol);
    rooms.push(['cluster-exposure', left(mul(equity, limits.maxClusterExposure), used)]);
  }
  if (view.available !== undefined)
    rooms.push(['margin', mul(max(ZERO, view.available), String(limits.maxLeverage))]);
  const depth = view.conditions?.depth;
  if (limits.liquidity.enabled && depth !== undefined)
    rooms.push(['depth', share(depth, limits.liquidity.maxDepthShare)]);
  return rooms;
}

function exposed({ symbol, direction }: Entry, exposures: readonly Exposure[]) {
  const notionals = (of: (one: Exposure) => boolean): Decimal[] =>
    exposures.filter(of).map(({ notional }) => notional);
  const onSide = sum(notionals((one) => one.direction === direction));
  const across = sum(notionals((one) => one.direction !== direction));
  return { inSymbol: sum(notionals((one) => one.symbol === symbol)), onSide, inAll: add(onSide, across) };
}

export const tightest = (rooms: readonly Room[]): Room =>
  rooms.reduce((best, one) => (min(one[1], best[1]) === best[1] ? best : one));
