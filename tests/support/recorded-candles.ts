/** Real candles and funding for tests, read straight from the files; undefined where the data is not to be had. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Candle, Timeframe } from '../../src/domain/candle.ts';
import type { FundingRate } from '../../src/market/market-data.ts';
import { sharedData } from './shared-data.ts';

/** The rows of a symbol's files in one folder, in time order; files may overlap at their seam. */
function rowsOf(folder: string, symbol: string): number[][] {
  const rows: number[][] = [];
  for (const file of readdirSync(folder).sort()) {
    if (!file.startsWith(`${symbol}_`)) continue;
    const text = gunzipSync(readFileSync(path.join(folder, file))).toString();
    for (const line of text.trimEnd().split('\n').slice(1)) {
      const row = line.split(',').map(Number);
      if ((row[0] ?? 0) > (rows.at(-1)?.[0] ?? 0)) rows.push(row);
    }
  }
  return rows;
}

export function recordedCandles(symbol: string, timeframe: Timeframe = '1m'): Candle[] | undefined {
  const root = sharedData();
  if (root === undefined) return undefined;
  return rowsOf(path.join(root, 'candles/binance-um', timeframe), symbol).map(
    ([openTime = NaN, open = NaN, high = NaN, low = NaN, close = NaN, volume = NaN]): Candle => ({
      symbol,
      timeframe,
      openTime,
      open,
      high,
      low,
      close,
      volume,
    }),
  );
}

/** Funding rates settled in [from, to]. */
export function recordedFunding(symbol: string, from: number, to: number): FundingRate[] {
  const root = sharedData();
  if (root === undefined) return [];
  return rowsOf(path.join(root, 'funding/binance-um'), symbol)
    .filter(([at = NaN]) => at >= from && at <= to)
    .map(([, rate = NaN]) => ({ symbol, rate }));
}
