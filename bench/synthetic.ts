/**
 * How fast a synthetic market is made (bars a second, and the wait for a far day), and how much it is like the
 * recorded one, where that is to be had: the JSON line says how many facts are alike, the table goes to stderr.
 *
 *     node run.cjs bench/synthetic.ts [seed]
 */
import path from 'node:path';
import { openRecording } from '../src/market/recorded/recorded-market-data.ts';
import { compareMarkets, statisticsTable } from '../src/market/synthetic/statistics-report.ts';
import { SYNTHETIC_START_AT, SyntheticMarketData } from '../src/market/synthetic/synthetic-market-data.ts';
import { sharedData } from '../tests/support/shared-data.ts';
import { median, report } from './measure.ts';

const ROUNDS = 5;
const DAYS = 20;
const FAR_DAY = 400;
const DAY_MS = 86_400_000;
const seed = process.argv[2] ?? '1';

async function barsPerSecond(): Promise<number> {
  let bars = 0;
  const start = performance.now();
  for await (const chunk of new SyntheticMarketData({ seed, days: DAYS }).steps(undefined))
    for (const step of chunk) bars += step.bars.length;
  return bars / ((performance.now() - start) / 1000);
}

async function farDaySeconds(): Promise<number> {
  const start = performance.now();
  await new SyntheticMarketData({ seed }).steps(SYNTHETIC_START_AT + FAR_DAY * DAY_MS).next();
  return (performance.now() - start) / 1000;
}

async function rounds(measure: () => Promise<number>): Promise<number> {
  const results: number[] = [];
  for (let round = 0; round < ROUNDS; round++) results.push(await measure());
  return median(results);
}

async function likeness(): Promise<{ facts: number; alike: number } | undefined> {
  const data = sharedData();
  if (data === undefined) return undefined;
  const symbols = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
  const real = openRecording({ path: path.resolve(data), symbols });
  const compared = await compareMarkets(real, new SyntheticMarketData({ seed, symbols, days: 51 }));
  await real.close();
  console.error(statisticsTable(compared));
  return { facts: compared.facts.length, alike: compared.facts.filter(({ within }) => within).length };
}

report({
  bench: 'synthetic',
  seed,
  symbols: 12,
  barsPerSecond: await rounds(barsPerSecond),
  farDay: FAR_DAY,
  farDaySeconds: await rounds(farDaySeconds),
  likeness: (await likeness()) ?? 'no recorded data',
});
