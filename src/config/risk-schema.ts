/** The keys of the group `risk`: what may be risked before a trade. Meanings: src/domain/risk.ts. */
import type { z } from 'zod';
import type { RiskLimits } from '../domain/risk.ts';
import { DEFAULT_LIMITS } from '../risk/limits.ts';
import { exact, flag, group, number, whole } from './leaf.ts';

const {
  volatility,
  kelly,
  learning,
  drawdownScaling,
  correlation,
  liquidity,
  fundingCost,
  liquidation,
  valueAtRisk,
  stop,
  conditionalOrders,
} = DEFAULT_LIMITS;
const STOP_ALLOWED = 'minPercent at most maxPercent, lowWinRate below highWinRate, minAtrs at most maxAtrs';

export const riskSchema = group({
  capitalPerPosition: exact('1', '1000000000').default(DEFAULT_LIMITS.capitalPerPosition),
  baseNotional: exact('1', '1000000000').default(DEFAULT_LIMITS.baseNotional),
  maxLeverage: whole(1, 125).default(DEFAULT_LIMITS.maxLeverage),
  maxSymbolExposure: exact('0.001', '125').default(DEFAULT_LIMITS.maxSymbolExposure),
  maxSideExposure: exact('0.001', '125').default(DEFAULT_LIMITS.maxSideExposure),
  maxClusterExposure: exact('0.001', '125').default(DEFAULT_LIMITS.maxClusterExposure),
  maxTotalExposure: exact('0.001', '125').default(DEFAULT_LIMITS.maxTotalExposure),
  maxLotRoundUp: exact('1', '10').default(DEFAULT_LIMITS.maxLotRoundUp),
  volatility: group({
    enabled: flag().default(volatility.enabled),
    referenceAtrPercent: number(0.01, 100).default(volatility.referenceAtrPercent),
    minFactor: number(0.01, 1).default(volatility.minFactor),
    maxFactor: number(1, 10).default(volatility.maxFactor),
  }).prefault({}),
  kelly: group({
    enabled: flag().default(kelly.enabled),
    minTrades: whole(1, 10_000).default(kelly.minTrades),
    priorTrades: whole(0, 10_000).default(kelly.priorTrades),
    referenceFraction: number(0.001, 1).default(kelly.referenceFraction),
    maxFactor: number(0.1, 10).default(kelly.maxFactor),
  }).prefault({}),
  learning: group({
    enabled: flag().default(learning.enabled),
    priorTrades: whole(0, 10_000).default(learning.priorTrades),
    minFactor: number(0, 1).default(learning.minFactor),
    maxFactor: number(1, 10).default(learning.maxFactor),
    halfLifeDays: number(0.1, 3_650).default(learning.halfLifeDays),
  }).prefault({}),
  drawdownScaling: group({
    enabled: flag().default(drawdownScaling.enabled),
    fromPercent: number(0, 100).default(drawdownScaling.fromPercent),
    toPercent: number(0, 100).default(drawdownScaling.toPercent),
    minFactor: number(0, 1).default(drawdownScaling.minFactor),
  }).prefault({}),
  correlation: group({
    enabled: flag().default(correlation.enabled),
    minReturns: whole(2, 168).default(correlation.minReturns),
    scaleAbove: number(0, 1).default(correlation.scaleAbove),
    refuseAbove: number(0, 1).default(correlation.refuseAbove),
  }).prefault({}),
  liquidity: group({
    enabled: flag().default(liquidity.enabled),
    maxSpreadRate: number(0, 1).default(liquidity.maxSpreadRate),
    maxDepthShare: number(0, 10).default(liquidity.maxDepthShare),
    maxSlippageRate: number(0, 1).default(liquidity.maxSlippageRate),
  }).prefault({}),
  fundingCost: group({
    enabled: flag().default(fundingCost.enabled),
    withinMs: whole(0, 28_800_000).default(fundingCost.withinMs),
    maxCostRate: number(0, 1).default(fundingCost.maxCostRate),
  }).prefault({}),
  liquidation: group({
    enabled: flag().default(liquidation.enabled),
    bufferRate: number(0, 1).default(liquidation.bufferRate),
  }).prefault({}),
  valueAtRisk: group({
    enabled: flag().default(valueAtRisk.enabled),
    minReturns: whole(2, 168).default(valueAtRisk.minReturns),
    maxVarPercent: number(0, 1_000).default(valueAtRisk.maxVarPercent),
    maxCvarPercent: number(0, 1_000).default(valueAtRisk.maxCvarPercent),
  }).prefault({}),
  stop: group({
    adaptive: flag().default(stop.adaptive),
    minPercent: number(0.1, 90).default(stop.minPercent),
    maxPercent: number(0.1, 90).default(stop.maxPercent),
    lowWinRate: number(0, 1).default(stop.lowWinRate),
    highWinRate: number(0, 1).default(stop.highWinRate),
    priorTrades: whole(0, 10_000).default(stop.priorTrades),
    minAtrs: number(0, 100).default(stop.minAtrs),
    maxAtrs: number(0, 1_000).default(stop.maxAtrs),
    hardCapPercent: exact('0.1', '90').default(stop.hardCapPercent),
  })
    .refine((s) => s.minPercent <= s.maxPercent && s.lowWinRate < s.highWinRate && s.minAtrs <= s.maxAtrs, {
      error: STOP_ALLOWED,
    })
    .prefault({}),
  conditionalOrders: group({
    limit: whole(1, 10_000).default(conditionalOrders.limit),
    reserve: whole(0, 10_000).default(conditionalOrders.reserve),
  }).prefault({}),
});

/** The limits of a configuration; the margin mode is the venue's. */
export function riskLimits({
  risk,
  venue,
}: {
  readonly risk: z.output<typeof riskSchema>;
  readonly venue: { readonly marginMode: RiskLimits['liquidation']['marginMode'] };
}): RiskLimits {
  return { ...risk, liquidation: { ...risk.liquidation, marginMode: venue.marginMode } };
}
