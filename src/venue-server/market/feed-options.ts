/** What every feed works on. */
import type { SymbolName } from '../../domain/instrument.ts';
import type { VenueClock } from '../venue-clock.ts';
import type { FeedSink } from './market-feed.ts';
import type { SymbolMarket } from './symbol-market.ts';

export interface FeedOptions {
  readonly markets: ReadonlyMap<SymbolName, SymbolMarket>;
  readonly clock: VenueClock;
  readonly sink: FeedSink;
  /** How far back bars are read for history. */
  readonly historyMs: number;
}
