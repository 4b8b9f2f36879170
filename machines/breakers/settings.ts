/** What the breakers are set to, and the defaults. Times in milliseconds, sizes in the unit of their name. */
import type { Decimal } from '../../src/core/decimal.ts';

export interface BreakerSettings {
  readonly maxDrawdownPercent: Decimal;
  readonly maxDailyLossPercent: Decimal;
  /** The day's limit shrinks above so much capital, by its square root, down to half. */
  readonly fullLimitCapital: Decimal;
  /** ... and when equity moves more than this from day to day, down to half. */
  readonly calmDayPercent: number;
  readonly maxWeeklyLossPercent: Decimal;
  readonly maxLossesInARow: number;
  readonly maxSideLossesInARow: number;
  readonly maxSymbolLossesInARow: number;
  /** Of one side, over its newest trades, where they lost together. */
  readonly minWinRatePercent: number;
  readonly winRateTrades: number;
  readonly winRateCoolDownMs: number;
  /** Maintenance margin against equity: stop opening, close the largest position, close everything. */
  readonly marginReducePercent: Decimal;
  readonly marginDeleveragePercent: Decimal;
  readonly marginFlattenPercent: Decimal;
  readonly deleverageEveryMs: number;
  /** The highest of the instruments traded; not a key. */
  readonly maintenanceRate: Decimal;
  /** Within half an hour at most, in percent: of one symbol, and the mean of all. */
  readonly maxMovePercent: number;
  readonly maxMeanMovePercent: number;
  readonly shockCoolDownMs: number;
  /** Moves of the last hour against those of the last day: of one symbol, and of all together. */
  readonly maxVolatilityRatio: number;
  readonly maxMarketVolatilityRatio: number;
  /** What moves less than this in a quarter of an hour is no spike, however calm it was before. */
  readonly minVolatilityPercent: number;
  readonly volatilityCoolDownMs: number;
  readonly maxFundingRate: number;
  /** Breakers that close everything when they halt. */
  readonly flatten: readonly string[];
  readonly lossCoolDownMs: number;
  readonly maxApiErrors: number;
  readonly apiErrorWindowMs: number;
  readonly apiErrorCoolDownMs: number;
  readonly journalCoolDownMs: number;
  /** How many symbols are traded, and which share of them may be without data. */
  readonly symbols: number;
  readonly maxStaleShare: number;
  /** On top of the moment until which the venue wants quiet. */
  readonly throttleMarginMs: number;
  readonly maxClockSkewMs: number;
  readonly maxLatencyMs: number;
  readonly maxSlowCalls: number;
  readonly latencyWindowMs: number;
  readonly latencyCoolDownMs: number;
}

export const DEFAULT_BREAKER_SETTINGS: BreakerSettings = {
  maxDrawdownPercent: '20',
  maxDailyLossPercent: '5',
  fullLimitCapital: '10000',
  calmDayPercent: 2,
  maxWeeklyLossPercent: '10',
  maxLossesInARow: 5,
  maxSideLossesInARow: 5,
  maxSymbolLossesInARow: 4,
  minWinRatePercent: 15,
  winRateTrades: 20,
  winRateCoolDownMs: 24 * 3_600_000,
  marginReducePercent: '50',
  marginDeleveragePercent: '70',
  marginFlattenPercent: '85',
  deleverageEveryMs: 60_000,
  maintenanceRate: '0.01',
  maxMovePercent: 12,
  maxMeanMovePercent: 5,
  shockCoolDownMs: 3_600_000,
  maxVolatilityRatio: 6,
  maxMarketVolatilityRatio: 4,
  minVolatilityPercent: 0.5,
  volatilityCoolDownMs: 2 * 3_600_000,
  maxFundingRate: 0.003,
  flatten: [],
  lossCoolDownMs: 4 * 3_600_000,
  maxApiErrors: 5,
  apiErrorWindowMs: 60_000,
  apiErrorCoolDownMs: 60_000,
  journalCoolDownMs: 10_000,
  symbols: 1,
  maxStaleShare: 0.5,
  throttleMarginMs: 2_000,
  maxClockSkewMs: 1_000,
  maxLatencyMs: 5_000,
  maxSlowCalls: 5,
  latencyWindowMs: 60_000,
  latencyCoolDownMs: 60_000,
};
