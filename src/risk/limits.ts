/** The limits a fresh installation starts with; every one is configurable. */
import type { RiskLimits } from '../domain/risk.ts';

export const DEFAULT_LIMITS: RiskLimits = {
  capitalPerPosition: '100',
  baseNotional: '100',
  maxLeverage: 20,
  maxSymbolExposure: '1',
  maxSideExposure: '2',
  maxClusterExposure: '1.5',
  maxTotalExposure: '3',
  maxLotRoundUp: '1.5',
  volatility: { enabled: true, referenceAtrPercent: 2, minFactor: 0.5, maxFactor: 2 },
  kelly: { enabled: true, minTrades: 50, priorTrades: 50, referenceFraction: 0.05, maxFactor: 1.5 },
  learning: { enabled: true, priorTrades: 20, minFactor: 0.5, maxFactor: 1.5, halfLifeDays: 30 },
  drawdownScaling: { enabled: true, fromPercent: 5, toPercent: 20, minFactor: 0.25 },
  correlation: { enabled: true, minReturns: 48, scaleAbove: 0.75, refuseAbove: 0.95 },
  liquidity: { enabled: true, maxSpreadRate: 0.002, maxDepthShare: 0.25, maxSlippageRate: 0.002 },
  fundingCost: { enabled: true, withinMs: 28_800_000, maxCostRate: 0.001 },
  liquidation: { enabled: true, marginMode: 'cross', bufferRate: 0.005 },
  valueAtRisk: { enabled: true, minReturns: 48, maxVarPercent: 10, maxCvarPercent: 15 },
  stop: {
    adaptive: true,
    minPercent: 6,
    maxPercent: 11.5,
    lowWinRate: 0.3,
    highWinRate: 0.7,
    priorTrades: 10,
    minAtrs: 2,
    maxAtrs: 12,
    hardCapPercent: '10',
  },
  conditionalOrders: { limit: 200, reserve: 40 },
};
