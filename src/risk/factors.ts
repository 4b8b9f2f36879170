/**
 * What the base size is multiplied by. Each factor has a name and stands in the decision's notes, so that a size
 * can be explained.
 */
import { type Decimal, fromNumber, mul } from '../core/decimal.ts';
import {
  type Entry,
  NOTHING_LEARNED,
  type PortfolioView,
  type Results,
  type RiskLimits,
} from '../domain/risk.ts';
import { type Company, correlationFactor } from './correlation.ts';
import { drawdownFactor, drawdownPercent } from './drawdown.ts';
import { aged, hourOf, kellyFactor, learnedFactor, weightNow } from './edge.ts';
import { volatilityMultiplier } from './sizing.ts';

export interface Factor {
  readonly name: 'volatility' | 'edge' | 'hour' | 'symbol' | 'drawdown' | 'correlation';
  readonly value: Decimal;
  readonly why: string;
}

/** Six digits say enough about a bounded factor, and keep the decimals short. */
const exact = (value: number): Decimal => fromNumber(Number(value.toPrecision(6)));

export function sizeFactors(
  entry: Entry,
  view: PortfolioView,
  limits: RiskLimits,
  company: Company | undefined,
): Factor[] {
  // As they weigh now: an edge that was lost is forgotten in time, else nothing would ever trade again.
  const known = view.learned ?? NOTHING_LEARNED;
  const keep = weightNow(known, view.at, limits.learning.halfLifeDays);
  const now = (results: Results | undefined) => results && aged(results, keep);
  const all = aged(known.all, keep);
  const hour = hourOf(view.at ?? 0);
  const drawdown = drawdownPercent(view.equity, view.peakEquity ?? view.equity);
  const likest = company?.likest?.together;
  return [
    {
      name: 'volatility',
      value: volatilityMultiplier(entry.atrPercent, limits.volatility),
      why: `ATR ${entry.atrPercent.toFixed(2)} %`,
    },
    {
      name: 'edge',
      value: exact(kellyFactor(all, limits.kelly)),
      why: `${all.trades.toFixed(1)} trades, won ${all.won.toFixed(4)}, lost ${all.lost.toFixed(4)}`,
    },
    {
      name: 'hour',
      value: exact(view.at === undefined ? 1 : learnedFactor(now(known.hours[hour]), all, limits.learning)),
      why: `hour ${hour}`,
    },
    {
      name: 'symbol',
      value: exact(learnedFactor(now(known.symbols[entry.symbol]), all, limits.learning)),
      why: entry.symbol,
    },
    {
      name: 'drawdown',
      value: exact(drawdownFactor(drawdown, limits.drawdownScaling)),
      why: `${drawdown.toFixed(2)} % below the peak`,
    },
    {
      name: 'correlation',
      value: exact(likest === undefined ? 1 : correlationFactor(likest, limits.correlation)),
      why: likest === undefined ? 'nothing known' : `${likest.toFixed(2)} with what is open`,
    },
  ];
}

export const product = (base: Decimal, factors: readonly Factor[]): Decimal =>
  factors.reduce<Decimal>((size, { value }) => mul(size, value), base);
