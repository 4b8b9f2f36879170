/** Which market the configuration means. Part of the composition root: it names the adapters. */
import { basename, resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { BulkheadError } from '../../core/errors.ts';
import { freshSeed } from '../../core/random.ts';
import type { Timeframe } from '../../domain/candle.ts';
import type { MarketData } from '../../market/market-data.ts';

/** What makes two runs the same market: kept with the journal, so that a restart cannot mix two. */
export interface MarketIdentity {
  readonly source: Config['market']['source'];
  readonly seed: number | null;
  readonly recording: string | null;
  readonly symbols: readonly string[];
}

export interface OpenedMarket {
  readonly market: MarketData;
  readonly identity: MarketIdentity;
  readonly notes: readonly string[];
}

/** A part of a recording: bars that open from … on and before …, of one timeframe. Absent: all, the finest. */
export interface MarketWindow {
  readonly from?: number;
  readonly to?: number;
  readonly timeframe?: Timeframe;
}

/** `known` is the identity that the journal remembers; a run without a seed goes on with that one's. */
export async function openMarket(
  config: Config,
  cwd: string,
  known?: MarketIdentity,
  window: MarketWindow = {},
): Promise<OpenedMarket> {
  const { recording, symbols } = config.market;
  const chosen = symbols.length > 0 ? { symbols } : {};
  if (config.market.source === 'recorded') {
    if (recording === undefined) throw noRecording();
    const { openRecording } = await import('../../market/recorded/recorded-market-data.ts');
    const path = resolve(cwd, recording);
    const market = openRecording({ path, ...chosen, ...window });
    const identity = {
      source: 'recorded',
      seed: null,
      recording: basename(path),
      symbols: names(market),
    } as const;
    return { market, identity, notes: market.notes };
  }
  const { SyntheticMarketData } = await import('../../market/synthetic/synthetic-market-data.ts');
  const seed = config.market.seed ?? known?.seed ?? freshSeed();
  const market = new SyntheticMarketData({ seed, ...chosen });
  return {
    market,
    identity: { source: 'synthetic', seed, recording: null, symbols: names(market) },
    notes: [],
  };
}

const noRecording = (): BulkheadError =>
  new BulkheadError('CONFIG_INVALID', 'market.source is recorded, but market.recording names none.', {
    hint: 'Name one with --recording PATH: a folder, a .csv.gz, or a zip of the venue\u2019s public data.',
  });

const names = (market: MarketData): string[] => market.instruments().map(({ symbol }) => symbol);
