/** The limits a fresh installation starts with; every one is configurable. */
import type { RiskLimits } from '../domain/risk.ts';

export const DEFAULT_LIMITS: RiskLimits = {
  capitalPerPosition: '100',
  baseNotional: '100',
  maxLeverage: 20,
  maxSymbolExposure: '1',
  maxTotalExposure: '3',
  maxLotRoundUp: '1.5',
};
