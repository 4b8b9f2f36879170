/** What a strategy is shown when a bar closes: the bar itself where it is of a timeframe it knows, and what it completed. */
import type { Candle, Timeframe } from '../domain/candle.ts';
import type { ClosedCandles } from '../domain/signal.ts';

export const STRATEGY_TIMEFRAMES: readonly Timeframe[] = ['15m', '1h', '4h'];

/** Undefined: nothing closed that a strategy looks at. */
export function strategyCandles(bar: Candle, rolled: readonly Candle[]): ClosedCandles | undefined {
  const own = STRATEGY_TIMEFRAMES.includes(bar.timeframe) ? [plainCandle(bar)] : [];
  const all = own.length > 0 ? [...own, ...rolled] : rolled;
  if (all.length === 0) return undefined;
  return Object.fromEntries(all.map((candle) => [candle.timeframe, candle])) as ClosedCandles;
}

function plainCandle({ symbol, timeframe, openTime, open, high, low, close, volume }: Candle): Candle {
  return { symbol, timeframe, openTime, open, high, low, close, volume };
}
