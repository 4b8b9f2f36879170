/**
 * The market-data port. A market is a sequence of steps, one for each instant at which bars close.
 *
 * Invariants: steps come with strictly increasing `at`; a step's bars all close at its `at`, each symbol at
 * most once; what an adapter hands out here has passed the quality gate (quality.ts) or is marked by it.
 */
import type { Candle, Timeframe } from '../domain/candle.ts';
import type { Instrument, SymbolName } from '../domain/instrument.ts';

export interface MarketBar extends Candle {
  /** Mark price over the bar, where the source has one; else the last price stands in. */
  readonly markHigh?: number;
  readonly markLow?: number;
  readonly markClose?: number;
}

export interface FundingRate {
  readonly symbol: SymbolName;
  readonly rate: number;
}

/** Something wrong with a symbol's data at this instant; the symbol is not traded on until `resumed`. */
export interface MarketFault {
  readonly symbol: SymbolName;
  readonly kind: 'gap' | 'duplicate' | 'out-of-order' | 'absurd' | 'outage-fill' | 'resumed';
  readonly detail: string;
}

export interface MarketStep {
  /** Epoch ms; the close time of its bars. */
  readonly at: number;
  readonly bars: readonly MarketBar[];
  /** Funding settled at this instant. */
  readonly funding: readonly FundingRate[];
  readonly faults: readonly MarketFault[];
}

export interface MarketRange {
  readonly from: number;
  readonly to: number;
  /** Estimated number of steps, for progress bars; undefined when endless. */
  readonly steps: number | undefined;
}

export interface MarketData {
  readonly name: string;
  readonly timeframe: Timeframe;
  /** What is traded, in a fixed order that every consumer keeps. */
  instruments(): readonly Instrument[];
  range(): MarketRange;
  /**
   * Steps with `at` > `after` (all when undefined), in chunks of whatever size suits the source.
   * Deterministic: the same source gives the same steps however often it is opened and wherever it starts.
   */
  steps(after: number | undefined): AsyncIterable<readonly MarketStep[]>;
  close(): Promise<void>;
}
