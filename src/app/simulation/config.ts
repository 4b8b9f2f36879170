/**
 * What a simulated installation is configured with: much of everything, so that whatever can be under way when
 * something goes wrong is under way; limits that bind; waits that are the product's own.
 */
import { type Config, configSchema } from '../../config/schema.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import { type Moded, modeOf } from '../../domain/position-key.ts';
import type { MarginMode } from '../../exchange/engine/engine-types.ts';
import { RESTLESS } from './restless.ts';

/** Shared with the soak of real processes. */
export const BUSY = {
  strategy: { name: RESTLESS },
  entry: { coolDownMs: 60_000 },
  // Stops where the restless strategy wants them: near, so that they are met.
  risk: {
    baseNotional: '400',
    kelly: { enabled: false },
    drawdownScaling: { enabled: false },
    stop: { adaptive: false },
  },
  position: {
    trailing: { rule: 'strategy', armProfitPercent: '0.1', stepPercent: '0.05' },
    scaleOut: {
      enabled: true,
      parts: [
        { profitPercent: '0.15', sharePercent: '33' },
        { profitPercent: '0.3', sharePercent: '33' },
      ],
    },
    pyramid: { enabled: true, stepPercent: '0.1', confirm: 'touch' },
  },
  breakers: {
    maxLossesInARow: 1_000,
    maxSideLossesInARow: 1_000,
    maxSymbolLossesInARow: 1_000,
    minWinRatePercent: 0,
    maxWeeklyLossPercent: '90',
    maxDrawdownPercent: '90',
    maxDailyLossPercent: '90',
    apiErrorCoolDownMs: 10_000,
    latencyCoolDownMs: 10_000,
    maxApiErrors: 20,
  },
} as const;

export const ACCOUNT = 'simulated';
export const BALANCE = '10000';
/** Of equity: few enough positions that the limit is met. */
const MOST_EXPOSURE = '0.6';

/** With isolated margin: as much as leaves the stop its distance to the liquidation price. */
const MOST_LEVERAGE = 100;

interface Installation extends Moded {
  readonly standby: boolean;
  readonly marginMode?: MarginMode;
}

export function simulatedConfig(
  symbols: readonly SymbolName[],
  dataDir: string,
  { standby, marginMode = 'cross', ...mode }: Installation,
): Config {
  return configSchema.parse({
    ...BUSY,
    mode: 'paper',
    account: ACCOUNT,
    data: { dir: dataDir },
    lease: { ttlMs: 15_000, standby },
    market: { source: 'live', symbols: [...symbols] },
    risk: {
      ...{ ...BUSY.risk, maxTotalExposure: MOST_EXPOSURE },
      ...(marginMode === 'isolated' ? { maxLeverage: MOST_LEVERAGE } : {}),
    },
    venue: {
      restUrl: 'http://127.0.0.1:1',
      streamUrl: 'ws://127.0.0.1:1',
      maxSignalAgeMs: 180_000,
      ...{ positionMode: modeOf(mode), marginMode },
    },
    status: { intervalMs: 60_000 },
    log: { level: 'warn' },
  });
}
