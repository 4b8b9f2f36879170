import type { SymbolName } from './instrument.ts';

export type Timeframe = '1m' | '5m' | '15m' | '1h' | '4h';

export const TIMEFRAME_MS: Readonly<Record<Timeframe, number>> = {
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
};

/**
 * A closed bar. Prices and volume are floats: they feed indicators and triggers, never the accounts.
 * Venue prices have at most 17 significant digits, so the shortest decimal form of each is the venue's own.
 */
export interface Candle {
  readonly symbol: SymbolName;
  readonly timeframe: Timeframe;
  /** Epoch ms of the bar's open; it closes at openTime + its timeframe. */
  readonly openTime: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** Base asset. */
  readonly volume: number;
}

export const closeTime = (candle: Candle): number => candle.openTime + TIMEFRAME_MS[candle.timeframe];
