/**
 * The public half of the local venue: what trades, at what price, and everybody's endpoints and streams.
 *
 * Invariants: the account side hears of every price that the public is shown, before it is shown (market-feed.ts
 * says how); endpoints and streams read one and the same state, so that they agree with each other; instruments
 * change here and at the engine in one step.
 */
import type { Json } from '../../core/json.ts';
import type { Random } from '../../core/random.ts';
import { TIMEFRAME_MS } from '../../domain/candle.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { EngineInput } from '../../exchange/engine/engine-types.ts';
import type { ForcedOrder, FundingTerms, MarketQuote } from '../core-types.ts';
import type { Endpoint, PushSink } from '../protocol.ts';
import type { MarketPort } from '../server-ports.ts';
import type { VenueClock } from '../venue-clock.ts';
import { BarFeed } from './bar-feed.ts';
import type { Kline } from './bar-history.ts';
import { FrameFeed } from './frame-feed.ts';
import { LiveFeed } from './live-feed.ts';
import {
  type FeedSink,
  type IsSettled,
  instrumentsOf,
  type MarketFeed,
  type MarketSource,
} from './market-feed.ts';
import { generalEndpoints } from './rest-general.ts';
import { historyEndpoints } from './rest-history.ts';
import { priceEndpoints } from './rest-prices.ts';
import { statisticsEndpoints } from './rest-statistics.ts';
import { StreamHub } from './stream-hub.ts';
import { SymbolMarket } from './symbol-market.ts';
import type { PublicTrade } from './trade-tape.ts';

export interface MarketSideOptions {
  readonly source: MarketSource;
  readonly clock: VenueClock;
  readonly push: PushSink;
  /** What the engine of the account side must hear. */
  readonly onInput: (input: EngineInput) => void;
  readonly random: Random;
  readonly onClosed?: (symbol: SymbolName, bar: Kline) => void;
  /** The source has no more. */
  readonly onEnd?: (at: number) => void;
}

const DAY = 86_400_000;
/** Bars kept for all symbols together, each of 104 bytes; at least a day and a page of klines for each. */
const KEPT_BARS = 600_000;
const LEAST_BARS = 1500;
const LONGEST_HISTORY_MS = 45 * DAY;

export class MarketSide implements MarketPort, FeedSink {
  readonly #options: MarketSideOptions;
  readonly #markets = new Map<SymbolName, SymbolMarket>();
  readonly #hub: StreamHub;
  readonly #feed: MarketFeed;
  /** Of exchangeInfo. */
  #version = 0;
  #endedAt: number | undefined;

  constructor(options: MarketSideOptions) {
    const { source, clock, push, random } = options;
    this.#options = options;
    const instruments = instrumentsOf(source);
    const baseMs = baseOf(source);
    const capacity = Math.max(LEAST_BARS, Math.floor(KEPT_BARS / Math.max(1, instruments.length)));
    const seed = random.fork('market').int(2 ** 31);
    for (const instrument of instruments)
      this.#markets.set(instrument.symbol, new SymbolMarket(instrument, baseMs, capacity, seed));
    this.#hub = new StreamHub(this.#markets, push);
    const historyMs = Math.min(LONGEST_HISTORY_MS, capacity * baseMs);
    const wiring = { markets: this.#markets, clock, sink: this, historyMs };
    if (source.kind === 'bars') this.#feed = new BarFeed({ ...wiring, market: source.market });
    else if (source.kind === 'frames') this.#feed = new FrameFeed({ ...wiring, frames: source.frames });
    else this.#feed = new LiveFeed({ ...wiring, market: source.market, timeframe: source.timeframe });
  }

  endpoints(): readonly Endpoint[] {
    const markets = this.#markets;
    return [
      ...generalEndpoints(markets, () => this.#version),
      ...priceEndpoints(markets),
      ...historyEndpoints(markets),
      ...statisticsEndpoints(markets),
    ];
  }

  /**
   * Resolves once there is a market. `resumeAt`: up to when it was played before, where the venue was away;
   * what should have happened since then happens first.
   */
  async start(resumeAt?: number, isSettled: IsSettled = () => true): Promise<void> {
    await this.#feed.start(resumeAt, isSettled);
  }

  async stop(): Promise<void> {
    await this.#feed.stop();
  }

  /** To be awaited before a clock that is moved by hand is moved to `until`. */
  async prepare(until: number): Promise<void> {
    await this.#feed.prepare(until);
  }

  subscribed(stream: string): void {
    this.#hub.subscribed(stream);
  }

  unsubscribed(stream: string): void {
    this.#hub.unsubscribed(stream);
  }

  quote(symbol: SymbolName): MarketQuote | undefined {
    return this.#markets.get(symbol)?.quote();
  }

  /** Without a book made up for it. */
  prices(symbol: SymbolName): Pick<MarketQuote, 'last' | 'mark'> | undefined {
    const market = this.#markets.get(symbol);
    return market?.priced ? { last: market.last, mark: market.mark } : undefined;
  }

  instruments(): readonly Instrument[] {
    return [...this.#markets.values()].map(({ instrument }) => instrument);
  }

  instrument(symbol: SymbolName): Instrument | undefined {
    return this.#markets.get(symbol)?.instrument;
  }

  funding(symbol: SymbolName): FundingTerms | undefined {
    return this.#markets.get(symbol)?.funding.terms(this.#options.clock.now());
  }

  /** When the source ended, if it has. */
  get endedAt(): number | undefined {
    return this.#endedAt;
  }

  /** A status or filters change: halted, delisted, another tick. */
  changeInstrument(instrument: Instrument): void {
    if (!this.restoreInstrument(instrument)) return;
    const market = this.#markets.get(instrument.symbol);
    const at = this.#options.clock.now();
    const mark = market?.priced ? { mark: market.mark } : {};
    this.#options.onInput({ type: 'INSTRUMENT', at, instrument, ...mark });
    this.#hub.changed(instrument, at);
  }

  /** The same after a restart, where the engine knows it already; false for symbols that are not traded here. */
  restoreInstrument(instrument: Instrument): boolean {
    const market = this.#markets.get(instrument.symbol);
    if (!market) return false;
    if (instrument.fundingIntervalHours !== market.instrument.fundingIntervalHours)
      market.funding.every(instrument.fundingIntervalHours);
    market.instrument = instrument;
    this.#version++;
    return true;
  }

  /** Moves a symbol's shown prices by a fraction for a while; bars that close meanwhile are what was shown. */
  shock(symbol: SymbolName, fraction: number, forMs: number): void {
    if (this.#markets.has(symbol) && fraction > -1)
      this.#feed.shock(symbol, 1 + fraction, this.#options.clock.now() + forMs);
  }

  describe(): Readonly<Record<string, Json>> {
    const { source } = this.#options;
    return {
      source: source.kind,
      symbols: this.#markets.size,
      priced: [...this.#markets.values()].filter(({ priced }) => priced).length,
      streams: this.#hub.size,
      endedAt: this.#endedAt ?? null,
    };
  }

  /** For clocks moved by hand: what was to be read meanwhile has been read and played. */
  async settled(): Promise<void> {
    await this.#feed.prepare(this.#options.clock.now());
    this.#feed.look();
  }

  /** A liquidation, for the public stream. */
  forced(order: ForcedOrder): void {
    this.#hub.forced(order, this.#options.clock.now());
  }

  input(input: EngineInput): void {
    this.#options.onInput(input);
  }

  traded(market: SymbolMarket, trade: PublicTrade): void {
    this.#hub.traded(market, trade);
  }

  closed(market: SymbolMarket, bar: Kline, at: number): void {
    this.#hub.closed(market, bar, at);
    this.#options.onClosed?.(market.symbol, bar);
  }

  pulse(at: number): void {
    this.#hub.pulse(at);
  }

  ended(at: number): void {
    this.#endedAt = at;
    this.#options.onEnd?.(at);
  }
}

function baseOf(source: MarketSource): number {
  if (source.kind === 'bars') return TIMEFRAME_MS[source.market.timeframe];
  return source.kind === 'live' ? TIMEFRAME_MS[source.timeframe] : TIMEFRAME_MS['1m'];
}
