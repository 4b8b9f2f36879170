/**
 * What each limit still leaves, in notional. Exposures count at entry price, UNKNOWN and reserved ones at their
 * worst case; equity below zero leaves nothing.
 */
import { type Decimal, fromNumber, max, min, mul, sub, sum, ZERO } from '../core/decimal.ts';
import type { Entry, Exposure, PortfolioView, RiskLimits } from '../domain/risk.ts';
import { likeness } from './correlation.ts';

export type Room = readonly [rule: string, left: Decimal];

const total = (exposures: readonly Exposure[]): Decimal => sum(exposures.map(({ notional }) => notional));

/** Share of the depth and of the margin, in the account's precision. */
const share = (amount: number, of: number): Decimal => fromNumber(Number((amount * of).toPrecision(12)));

export function roomsFor(entry: Entry, view: PortfolioView, limits: RiskLimits): readonly Room[] {
  const equity = max(view.equity, ZERO);
  const left = (limit: Decimal, used: Decimal): Decimal => max(ZERO, sub(limit, used));
  const { exposures } = view;
  const inSymbol = total(exposures.filter(({ symbol }) => symbol === entry.symbol));
  const onSide = total(exposures.filter(({ direction }) => direction === entry.direction));
  const inAll = total(exposures);
  const rooms: Room[] = [
    ['symbol-exposure', left(mul(equity, limits.maxSymbolExposure), inSymbol)],
    ['side-exposure', left(mul(equity, limits.maxSideExposure), onSide)],
    ['total-exposure', left(mul(equity, limits.maxTotalExposure), inAll)],
    ['leverage', left(mul(equity, String(limits.maxLeverage)), inAll)],
  ];
  const cluster = inCluster(entry, view, limits);
  if (cluster !== undefined)
    rooms.push(['cluster-exposure', left(mul(equity, limits.maxClusterExposure), add(cluster, inSymbol))]);
  if (view.available !== undefined)
    rooms.push(['margin', mul(max(ZERO, view.available), String(limits.maxLeverage))]);
  const depth = view.conditions?.depth;
  if (limits.liquidity.enabled && depth !== undefined)
    rooms.push(['depth', share(depth, limits.liquidity.maxDepthShare)]);
  return rooms;
}

const add = (a: Decimal, b: Decimal): Decimal => sum([a, b]);

/** Notional of what gains and loses together with the candidate; undefined where nothing is known. */
function inCluster(entry: Entry, view: PortfolioView, limits: RiskLimits): Decimal | undefined {
  if (!limits.correlation.enabled || !view.conditions) return undefined;
  const alike = likeness(entry, view.exposures, view.conditions, limits.correlation);
  return sum(
    alike.filter(({ together }) => together > limits.correlation.scaleAbove).map((one) => one.notional),
  );
}

export const tightest = (rooms: readonly Room[]): Room =>
  rooms.reduce((best, one) => (min(one[1], best[1]) === best[1] ? best : one));
