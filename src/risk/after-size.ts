/**
 * The rules that need a size: where the venue would liquidate, and what the whole portfolio may then lose. A
 * smaller size may pass where a larger does not.
 */
import { add, type Decimal, div, gt, mul, sum, toNumber } from '../core/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';
import { crossLiquidation, safeLeverage, stopBefore, stopIsSafe } from '../domain/liquidation.ts';
import type { Entry, PortfolioView, Refusal, RiskLimits } from '../domain/risk.ts';
import { refuse } from './checks.ts';
import { distancePercent, tighter } from './stop.ts';
import { portfolioLoss } from './value-at-risk.ts';

export type Placed =
  | { readonly leverage: number; readonly stopPrice: Decimal; readonly refusals?: undefined }
  | { readonly leverage?: undefined; readonly refusals: readonly Refusal[] };

export function afterSize(
  entry: Entry,
  quantity: Decimal,
  instrument: Instrument,
  view: PortfolioView,
  limits: RiskLimits,
  most: number,
): Placed {
  const { leverage, stopPrice } = leverageFor(entry, quantity, instrument, view, limits, most);
  const refusals = [
    ...overMargin(entry, quantity, view, leverage),
    ...(leverage > 0 ? [] : [refuse('liquidation', `it would lie before the stop ${entry.stopPrice}`)]),
    ...overLoss(entry, quantity, view, limits),
  ];
  return refusals.length > 0 ? { refusals } : { leverage, stopPrice };
}

/** The leverage that the venue allows may be far below ours: then so much more margin is bound. */
function overMargin(
  entry: Entry,
  quantity: Decimal,
  { available }: PortfolioView,
  leverage: number,
): Refusal[] {
  if (available === undefined || leverage < 1) return [];
  const needed = div(mul(quantity, entry.referencePrice), String(leverage), 8, 'up');
  return gt(needed, available)
    ? [refuse('margin', `${needed} at ${leverage}×; available are ${available}`)]
    : [];
}

/** Leverage 0: none keeps the liquidation price beyond the stop, nor beyond one that is still wide enough. */
function leverageFor(
  entry: Entry,
  quantity: Decimal,
  instrument: Instrument,
  view: PortfolioView,
  limits: RiskLimits,
  most: number,
): { readonly leverage: number; readonly stopPrice: Decimal } {
  const { enabled, marginMode, bufferRate } = limits.liquidation;
  const { direction, stopPrice, referencePrice: entryPrice } = entry;
  if (!enabled) return { leverage: most, stopPrice };
  const planned = { direction, quantity: add(quantity, heldQuantity(entry, view)), entryPrice };
  if (marginMode === 'isolated')
    return { leverage: safeLeverage(planned, stopPrice, instrument, most, bufferRate), stopPrice };
  const balance = toNumber(view.available ?? view.equity);
  const liquidation = crossLiquidation(planned, instrument, Math.max(0, balance));
  if (stopIsSafe(planned, stopPrice, liquidation, bufferRate)) return { leverage: most, stopPrice };
  const drawnIn = stopBefore(planned, liquidation, bufferRate, instrument.tickSize);
  const wideEnough =
    !entry.add &&
    drawnIn !== null &&
    limits.stop.adaptive &&
    tighter(direction, entryPrice, drawnIn) &&
    distancePercent(entry, drawnIn) >= limits.stop.minPercent;
  return wideEnough ? { leverage: most, stopPrice: drawnIn } : { leverage: 0, stopPrice };
}

/** An add stands or falls with what it adds to. */
function heldQuantity(entry: Entry, view: PortfolioView): Decimal {
  const held = view.exposures.filter(
    ({ symbol, direction }) => symbol === entry.symbol && direction === entry.direction,
  );
  return div(sum(held.map(({ notional }) => notional)), entry.referencePrice, 12, 'up');
}

function overLoss(entry: Entry, quantity: Decimal, view: PortfolioView, limits: RiskLimits): Refusal[] {
  const { enabled, minReturns, maxVarPercent, maxCvarPercent } = limits.valueAtRisk;
  if (!enabled || !view.conditions) return [];
  const { symbol, direction, referencePrice } = entry;
  const added = { symbol, direction, notional: mul(quantity, referencePrice) };
  const loss = portfolioLoss([...view.exposures, added], view.conditions, minReturns);
  const equity = toNumber(view.equity);
  if (!loss || !(equity > 0)) return [];
  const worst = (kind: 'Var' | 'Cvar'): number =>
    (100 * Math.max(loss[`historical${kind}`], loss[`parametric${kind}`])) / equity;
  const over = (rule: string, percent: number, limit: number): Refusal[] =>
    percent > limit ? [refuse(rule, `${percent.toFixed(2)} % of equity in a day; at most ${limit} %`)] : [];
  return [
    ...over('value-at-risk', worst('Var'), maxVarPercent),
    ...over('expected-shortfall', worst('Cvar'), maxCvarPercent),
  ];
}
