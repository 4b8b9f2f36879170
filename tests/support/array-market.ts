/** A market read once into memory, so that many runs over it cost no generation. */
import type { MarketData, MarketStep } from '../../src/market/market-data.ts';

const CHUNK_STEPS = 120;

export async function inMemory(market: MarketData): Promise<MarketData> {
  const all: MarketStep[] = [];
  for await (const steps of market.steps(undefined)) all.push(...steps);
  const instruments = market.instruments();
  const range = market.range();
  return {
    name: market.name,
    timeframe: market.timeframe,
    instruments: () => instruments,
    range: () => range,
    steps: (after) => chunks(all, after),
    close: () => Promise.resolve(),
  };
}

async function* chunks(all: readonly MarketStep[], after: number | undefined): AsyncGenerator<MarketStep[]> {
  let from = after === undefined ? 0 : all.findIndex(({ at }) => at > after);
  if (from < 0) return;
  for (; from < all.length; from += CHUNK_STEPS) yield all.slice(from, from + CHUNK_STEPS);
}
