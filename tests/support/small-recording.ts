/**
 * A recording of a few days, written from the generated market into a folder of one's own: small enough for a
 * test that runs the whole program, long enough to trade.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';

export interface SmallRecording {
  readonly seed: number;
  readonly days: number;
  readonly symbols: readonly string[];
}

export const SMALL: SmallRecording = { seed: 11, days: 8, symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'] };

/** Writes SYMBOL_1m.csv.gz and SYMBOL_funding.csv for each symbol; returns the folder. */
export async function writeSmallRecording(folder: string, recording = SMALL): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const candles = new Map(recording.symbols.map((symbol) => [symbol, ['ts_ms,open,high,low,close,volume']]));
  const funding = new Map(recording.symbols.map((symbol) => [symbol, ['ts_ms,funding_rate']]));
  for await (const steps of new SyntheticMarketData(recording).steps(undefined)) {
    for (const step of steps) {
      for (const { symbol, openTime, open, high, low, close, volume } of step.bars)
        candles.get(symbol)?.push([openTime, open, high, low, close, volume].join(','));
      for (const { symbol, rate } of step.funding) funding.get(symbol)?.push(`${step.at},${rate}`);
    }
  }
  for (const symbol of recording.symbols) {
    writeFileSync(path.join(folder, `${symbol}_1m.csv.gz`), gzipSync(candles.get(symbol)?.join('\n') ?? ''));
    writeFileSync(path.join(folder, `${symbol}_funding.csv`), funding.get(symbol)?.join('\n') ?? '');
  }
  return folder;
}
