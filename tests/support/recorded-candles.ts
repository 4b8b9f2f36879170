/** Real 1m candles for tests, read straight from the files; undefined where the data is not to be had. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Candle, Timeframe } from '../../src/domain/candle.ts';
import { sharedData } from './shared-data.ts';

export function recordedCandles(symbol: string, timeframe: Timeframe = '1m'): Candle[] | undefined {
  const root = sharedData();
  if (root === undefined) return undefined;
  const folder = path.join(root, 'candles/binance-um', timeframe);
  const candles: Candle[] = [];
  for (const file of readdirSync(folder).sort()) {
    if (!file.startsWith(`${symbol}_`)) continue;
    const text = gunzipSync(readFileSync(path.join(folder, file))).toString();
    for (const line of text.trimEnd().split('\n').slice(1)) {
      const [openTime = NaN, open = NaN, high = NaN, low = NaN, close = NaN, volume = NaN] = line
        .split(',')
        .map(Number);
      // Files may overlap at their seam.
      if (openTime <= (candles.at(-1)?.openTime ?? 0)) continue;
      candles.push({ symbol, timeframe, openTime, open, high, low, close, volume });
    }
  }
  return candles.length > 0 ? candles : undefined;
}
