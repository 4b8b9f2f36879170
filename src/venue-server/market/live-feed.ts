/**
 * Another venue's public market, re-served: its trades, books, marks and bars as they come.
 *
 * Invariants: our orders fill only from what was seen there: its book level by level, its trades beyond our
 * queue; a bar that the other venue closed is ours as it was there; while its book resynchronises, or a symbol
 * is stale, nothing new is shown of it. What was missed while we were away is read from its history, and bars
 * that nobody saw go to the engine.
 */
import type { TimerHandle } from '../../core/clock.ts';
import { fromNumber } from '../../core/decimal.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { LiveMarketData, LiveMarketEvent } from '../../market/live/live-market.ts';
import type { MarketBar } from '../../market/market-data.ts';
import { speedFactor } from '../venue-clock.ts';
import type { FeedOptions } from './feed-options.ts';
import { engineLevels, touchOf } from './frame-feed.ts';
import type { IsSettled, MarketFeed } from './market-feed.ts';
import type { SymbolMarket } from './symbol-market.ts';

export interface LiveFeedOptions extends FeedOptions {
  readonly market: LiveMarketData;
  readonly timeframe: Timeframe;
}

type Of<T extends LiveMarketEvent['type']> = Extract<LiveMarketEvent, { type: T }>;

const BEAT_MS = 100;
/** How long after a bar's end the other venue may take to say what it was: real time, for it is a network's. */
const BAR_GRACE_REAL_MS = 3000;
const HISTORY_BARS = 1500;

interface Funding {
  rate: number;
  nextAt: number;
}

export class LiveFeed implements MarketFeed {
  readonly #options: LiveFeedOptions;
  /** Symbols whose book changed since the last beat. */
  readonly #changed = new Set<SymbolMarket>();
  readonly #funding = new Map<SymbolMarket, Funding>();
  #timer: TimerHandle | undefined;
  #running = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  async start(resumeAt: number | undefined, _isSettled: IsSettled): Promise<void> {
    const { market, markets, timeframe, clock } = this.#options;
    this.#running = true;
    const channels = ['bars', 'marks', 'quotes', 'trades', 'books'] as const;
    const symbols = [...markets.keys()];
    const now = clock.now();
    for (const symbol of symbols) await this.#recall(symbol, now, resumeAt);
    if (!this.#running) return;
    await market.start({ symbols, timeframe, channels }, (event) => this.#hear(event));
    this.#beat();
  }

  async prepare(_until: number): Promise<void> {}

  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    await this.#options.market.stop();
  }

  /** Another venue's prices are not ours to alter. */
  shock(): void {}

  async #recall(symbol: SymbolName, until: number, resumeAt: number | undefined): Promise<void> {
    const { market, markets, timeframe, sink } = this.#options;
    const known = markets.get(symbol);
    if (!known) return;
    const after = known.history.last
      ? known.history.last.openTime + TIMEFRAME_MS[timeframe]
      : until - HISTORY_BARS * TIMEFRAME_MS[timeframe];
    for (const bar of await market.history(symbol, timeframe, after, until)) {
      const closeAt = bar.openTime + TIMEFRAME_MS[timeframe];
      known.remember(closeAt, bar);
      if (resumeAt !== undefined && bar.openTime >= resumeAt) sink.input({ type: 'BAR', at: closeAt, bar });
    }
  }

  #hear(event: LiveMarketEvent): void {
    if (!this.#running) return;
    switch (event.type) {
      case 'bar':
        this.#bar(event);
        return;
      case 'mark':
        this.#mark(event);
        return;
      case 'trade':
        this.#trade(event);
        return;
      case 'quote':
        this.#quote(event);
        return;
      case 'book': {
        const market = this.#options.markets.get(event.symbol);
        if (market) this.#changed.add(market);
        return;
      }
      case 'gap':
        this.#missed(event);
        return;
      default:
        return;
    }
  }

  #bar({ bar }: Of<'bar'>): void {
    const { markets } = this.#options;
    const market = markets.get(bar.symbol);
    if (!market) return;
    const known = market.history.last;
    if (known && known.openTime >= bar.openTime) return;
    if (market.parked && market.parked.openTime < bar.openTime) this.#finish(market, undefined);
    if (market.forming && market.forming.openTime <= bar.openTime) market.park();
    this.#finish(market, bar);
  }

  #finish(market: SymbolMarket, bar: MarketBar | undefined): void {
    const closed = market.closeParked(bar);
    if (closed) this.#options.sink.closed(market, closed, closed.openTime + market.history.baseMs);
  }

  #mark({ symbol, at, mark, fundingRate, nextFundingAt }: Of<'mark'>): void {
    const { markets, sink, clock } = this.#options;
    const market = markets.get(symbol);
    if (!market) return;
    market.setMark(at, mark);
    if (fundingRate !== undefined && nextFundingAt !== undefined)
      this.#fund(market, { rate: fundingRate, nextAt: nextFundingAt });
    if (market.last > 0) sink.input({ type: 'PRICE', at: clock.now(), symbol, last: market.last, mark });
  }

  /** When the time of the next funding moves on, the one before has just been settled, at its last rate. */
  #fund(market: SymbolMarket, next: Funding): void {
    const { sink, clock } = this.#options;
    const before = this.#funding.get(market);
    this.#funding.set(market, next);
    market.funding.expect(next.nextAt, next.rate);
    if (!before || before.nextAt === next.nextAt || before.nextAt > clock.now()) return;
    const { mark, symbol } = market;
    market.funding.settle(before.nextAt, before.rate, mark);
    sink.input({ type: 'FUNDING', at: clock.now(), symbol, rate: before.rate, mark });
  }

  #trade({ symbol, at, price, quantity, buyerMaker }: Of<'trade'>): void {
    const { markets, sink, clock } = this.#options;
    const market = markets.get(symbol);
    if (!market) return;
    const { forming, history } = market;
    if (forming && forming.openTime + history.baseMs <= at) {
      // What was seen of the bar waits for the other venue's word.
      this.#finish(market, undefined);
      market.park();
    }
    const trade = market.trade(at, price, quantity, buyerMaker);
    sink.input({
      type: 'TRADE',
      at: clock.now(),
      symbol,
      price: fromNumber(price),
      quantity: fromNumber(quantity),
      buyerMaker,
    });
    sink.traded(market, trade);
  }

  /** Only until there is a book. */
  #quote({ symbol, at, bid, bidQuantity, ask, askQuantity }: Of<'quote'>): void {
    const { market, markets, sink, clock } = this.#options;
    const known = markets.get(symbol);
    if (!known || market.book(symbol)) return;
    const bids = [[bid, bidQuantity]] as const;
    const asks = [[ask, askQuantity]] as const;
    known.setBook(at, { bids, asks, touch: touchOf(bids, asks) });
    sink.input({ type: 'BOOK', at: clock.now(), symbol, bids: engineLevels(bids), asks: engineLevels(asks) });
  }

  #missed({ symbols }: Of<'gap'>): void {
    // Where its history does not answer either, the bars stay what was seen of them.
    for (const symbol of symbols) void this.#refetch(symbol).catch(() => {});
  }

  async #refetch(symbol: SymbolName): Promise<void> {
    const { market, markets, timeframe, clock, sink } = this.#options;
    const known = markets.get(symbol);
    const last = known?.history.last;
    if (!known || !last) return;
    const after = last.openTime + TIMEFRAME_MS[timeframe];
    for (const bar of await market.history(symbol, timeframe, after, clock.now())) {
      if (!this.#running || bar.openTime <= (known.history.last?.openTime ?? 0)) continue;
      this.#bar({ type: 'bar', bar });
      sink.input({ type: 'BAR', at: clock.now(), bar });
    }
  }

  look(): void {
    if (!this.#running) return;
    const { clock, sink, markets } = this.#options;
    const now = clock.now();
    const at = now - (now % BEAT_MS);
    for (const market of this.#changed) this.#show(market, at);
    this.#changed.clear();
    const graceMs = BAR_GRACE_REAL_MS * speedFactor(clock);
    for (const market of markets.values()) this.#closeOverdue(market, at, graceMs);
    sink.pulse(at);
  }

  #beat(): void {
    if (!this.#running) return;
    this.look();
    const { clock } = this.#options;
    this.#timer = clock.timers.set(BEAT_MS - (clock.now() % BEAT_MS), () => this.#beat());
  }

  #closeOverdue(market: SymbolMarket, at: number, graceMs: number): void {
    const { forming, history } = market;
    if (forming && forming.openTime + history.baseMs <= at && !market.parked) market.park();
    if (market.parked && market.parked.openTime + history.baseMs + graceMs <= at)
      this.#finish(market, undefined);
  }

  #show(known: SymbolMarket, at: number): void {
    const { market, sink, clock } = this.#options;
    const { symbol } = known;
    const book = market.book(symbol);
    if (!book) return;
    const { bids, asks } = book;
    known.setBook(at, { bids, asks, touch: touchOf(bids, asks) });
    sink.input({ type: 'BOOK', at: clock.now(), symbol, bids: engineLevels(bids), asks: engineLevels(asks) });
  }
}
