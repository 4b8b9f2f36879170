/**
 * Where a venue's prices come from, and whom a feed tells about them.
 *
 * What the engine hears is fixed by the feed, so that no fill is better than what was shown and no volume fills
 * twice. Played bars give PRICE inputs only, one for each sample that the public sees as well: triggers execute
 * at the sample that reached them, resting orders fill when the price goes strictly beyond them. BAR is used for
 * whole bars that passed while the venue was down, when nothing was shown. Recorded frames and live venues give
 * TRADE and BOOK, each trade before the book that already lacks it, and PRICE for marks of their own.
 */
import type { Timeframe } from '../../domain/candle.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { EngineInput } from '../../exchange/engine/engine-types.ts';
import type { Tick } from '../../market/feeds/frame-decoder.ts';
import type { LiveMarketData } from '../../market/live/live-market.ts';
import type { MarketData, MarketRange } from '../../market/market-data.ts';
import type { DepthSnapshot } from '../../market/order-book.ts';
import type { Kline } from './bar-history.ts';
import type { SymbolMarket } from './symbol-market.ts';
import type { PublicTrade } from './trade-tape.ts';

/** A recorded market frame or the REST snapshot that was fetched beside it. */
export type RecordedFrame =
  | { readonly kind: 'snapshot'; readonly snapshot: DepthSnapshot }
  | { readonly kind: 'tick'; readonly tick: Tick };

export type MarketSource =
  /** Bars, recorded or made up. */
  | { readonly kind: 'bars'; readonly market: MarketData }
  /** Raw frames of each symbol, in the order of their recording. */
  | {
      readonly kind: 'frames';
      readonly instruments: readonly Instrument[];
      readonly frames: (symbol: SymbolName) => Iterable<RecordedFrame>;
    }
  /** Another venue's public market, as it happens. */
  | {
      readonly kind: 'live';
      readonly market: LiveMarketData;
      readonly instruments: readonly Instrument[];
      readonly timeframe: Timeframe;
    };

export interface FeedSink {
  input(input: EngineInput): void;
  traded(market: SymbolMarket, trade: PublicTrade): void;
  closed(market: SymbolMarket, bar: Kline, at: number): void;
  /** Everything up to `at` has been told. */
  pulse(at: number): void;
  ended(at: number): void;
}

/** True when the funding of this symbol at this instant is in the books already. */
export type IsSettled = (symbol: SymbolName, at: number) => boolean;

export interface MarketFeed {
  /** `resumeAt`: the market was played up to there; what lies between is made up for. */
  start(resumeAt: number | undefined, isSettled: IsSettled): Promise<void>;
  /** Holds what is needed to play up to `until` without waiting, for clocks that are moved by hand. */
  prepare(until: number): Promise<void>;
  stop(): Promise<void>;
  /** Plays what is due at once. */
  look(): void;
  /** Multiplies the shown prices for a while. */
  shock(symbol: SymbolName, factor: number, untilAt: number): void;
}

export function instrumentsOf(source: MarketSource): readonly Instrument[] {
  return source.kind === 'bars' ? source.market.instruments() : source.instruments;
}

/** When a venue over these bars best begins: with some history behind it, most of the recording before it. */
export function openingTime({ from, to }: MarketRange, historyMs = 3 * 86_400_000): number {
  const lead = Math.min(historyMs, (to - from) / 4);
  return Math.floor((from + lead) / 60_000) * 60_000;
}

/** The time of a recording's first frame, where it can be told. */
export function firstFrameAt(frames: Iterable<RecordedFrame>): number | undefined {
  for (const frame of frames) if (frame.kind === 'tick') return frame.tick.at;
  return undefined;
}
