/**
 * What a strategy is shown when a bar closes: the bar itself where it is of a timeframe it knows, and what it
 * completed. A market of 1h bars has none of 15m: its own stand in, so that it can be traded on at all.
 */
import type { Candle, Timeframe } from '../../domain/candle.ts';
import type { ClosedCandles } from '../../domain/signal.ts';

export const STRATEGY_TIMEFRAMES: readonly Timeframe[] = ['15m', '1h', '4h'];

/** Undefined: nothing closed that a strategy looks at. */
export function strategyCandles(bar: Candle, rolled: readonly Candle[]): ClosedCandles | undefined {
  const own = STRATEGY_TIMEFRAMES.includes(bar.timeframe) ? [plainCandle(bar)] : [];
  const all = own.length > 0 ? [...own, ...rolled] : rolled;
  if (all.length === 0) return undefined;
  const closed = Object.fromEntries(all.map((candle) => [candle.timeframe, candle])) as ClosedCandles;
  return bar.timeframe === '1h' ? { ...closed, '15m': plainCandle(bar) } : closed;
}

function plainCandle({ symbol, timeframe, openTime, open, high, low, close, volume }: Candle): Candle {
  return { symbol, timeframe, openTime, open, high, low, close, volume };
}
