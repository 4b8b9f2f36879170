/**
 * Plays raw recorded frames on the venue's clock: real depth and real trades, in the order of their recording.
 *
 * Invariants: within one beat the engine hears each trade and then the book as the beat left it, so that a trade
 * never meets a book that already lacks it and is not counted twice; frames that go back in time are played with
 * the ones before them; without a complete book there is only the recorded book ticker.
 */
import type { TimerHandle } from '../../core/clock.ts';
import { fromNumber } from '../../core/decimal.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { BookTick, TradeTick } from '../../market/feeds/frame-decoder.ts';
import { OrderBook } from '../../market/order-book.ts';
import type { FeedOptions } from './feed-options.ts';
import type { ShownLevel, Touch } from './ladder.ts';
import type { FeedSink, IsSettled, MarketFeed, RecordedFrame } from './market-feed.ts';
import type { SymbolMarket } from './symbol-market.ts';

export interface FrameFeedOptions extends FeedOptions {
  readonly frames: (symbol: SymbolName) => Iterable<RecordedFrame>;
}

const BEAT_MS = 100;
/** Levels that the public is shown, and those that the engine hears of. */
const SHOWN_LEVELS = 1000;
const ENGINE_LEVELS = 20;

class Reel {
  readonly market: SymbolMarket;
  readonly book = new OrderBook();
  ticker: BookTick | undefined;
  changed = false;
  readonly #frames: Iterator<RecordedFrame>;
  #next: RecordedFrame | undefined;
  #at = 0;

  constructor(market: SymbolMarket, frames: Iterable<RecordedFrame>) {
    this.market = market;
    this.#frames = frames[Symbol.iterator]();
    this.#turn();
  }

  get over(): boolean {
    return this.#next === undefined;
  }

  /** The next frame that is due at `at`. */
  take(at: number): RecordedFrame | undefined {
    const frame = this.#next;
    if (!frame || this.#at > at) return undefined;
    this.#turn();
    return frame;
  }

  close(): void {
    this.#frames.return?.();
  }

  #turn(): void {
    const { value, done } = this.#frames.next();
    this.#next = done ? undefined : value;
    if (this.#next?.kind === 'tick') this.#at = Math.max(this.#at, this.#next.tick.at);
  }
}

export class FrameFeed implements MarketFeed {
  readonly #options: FrameFeedOptions;
  #reels: Reel[] = [];
  #timer: TimerHandle | undefined;
  #running = false;
  #over = false;
  #silentUntil = 0;
  /** The beat before this one: what was recorded late is told no earlier. */
  #beforeAt = 0;

  constructor(options: FrameFeedOptions) {
    this.#options = options;
  }

  async start(resumeAt: number | undefined, _isSettled: IsSettled): Promise<void> {
    const { markets, frames, clock } = this.#options;
    this.#reels = [...markets.values()].map((market) => new Reel(market, frames(market.symbol)));
    this.#running = true;
    this.#silentUntil = resumeAt ?? clock.now() - BEAT_MS;
    this.#beat();
  }

  async prepare(_until: number): Promise<void> {}

  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    for (const reel of this.#reels) reel.close();
  }

  /** What really happened is not altered. */
  shock(): void {}

  look(): void {
    if (!this.#running) return;
    const { clock, sink } = this.#options;
    const now = clock.now();
    const at = now - (now % BEAT_MS);
    for (const reel of this.#reels) this.#play(reel, at);
    this.#beforeAt = at;
    sink.pulse(at);
    if (!this.#over && this.#reels.every((reel) => reel.over)) {
      this.#over = true;
      sink.ended(at);
    }
  }

  #beat(): void {
    if (!this.#running) return;
    this.look();
    const { clock } = this.#options;
    this.#timer = clock.timers.set(BEAT_MS - (clock.now() % BEAT_MS), () => this.#beat());
  }

  #play(reel: Reel, at: number): void {
    for (let frame = reel.take(at); frame; frame = reel.take(at)) this.#frame(reel, frame);
    closeElapsed(reel.market, at, this.#options.sink);
    if (reel.changed) this.#show(reel, at);
    reel.changed = false;
  }

  #frame(reel: Reel, frame: RecordedFrame): void {
    if (frame.kind === 'snapshot') {
      reel.book.applySnapshot(frame.snapshot);
      reel.changed = true;
      return;
    }
    const { tick } = frame;
    switch (tick.kind) {
      case 'depth':
        if (reel.book.applyDiff(tick) === 'applied') reel.changed = true;
        return;
      case 'book':
        reel.ticker = tick;
        if (!reel.book.synced) reel.changed = true;
        return;
      case 'trade':
        this.#trade(reel.market, tick);
        return;
      case 'mark': {
        reel.market.setMark(tick.at, tick.price);
        const { symbol, last } = reel.market;
        if (last > 0 && tick.at > this.#silentUntil)
          this.#options.sink.input({
            type: 'PRICE',
            at: this.#notBefore(tick.at),
            symbol,
            last,
            mark: tick.price,
          });
        return;
      }
      default:
        return;
    }
  }

  #trade(market: SymbolMarket, tick: TradeTick): void {
    const { sink } = this.#options;
    closeElapsed(market, tick.at, sink);
    const trade = market.trade(tick.at, tick.price, tick.quantity, tick.buyerIsMaker);
    if (tick.at <= this.#silentUntil) return;
    const price = fromNumber(tick.price);
    const quantity = fromNumber(tick.quantity);
    const { symbol } = market;
    sink.input({
      type: 'TRADE',
      at: this.#notBefore(tick.at),
      symbol,
      price,
      quantity,
      buyerMaker: tick.buyerIsMaker,
    });
    sink.traded(market, trade);
  }

  #notBefore(at: number): number {
    return Math.max(at, this.#beforeAt);
  }

  #show(reel: Reel, at: number): void {
    const { market, book, ticker } = reel;
    const { bids, asks } = book.synced
      ? { bids: levels(book, 'bids'), asks: levels(book, 'asks') }
      : { bids: single(ticker?.bid, ticker?.bidQuantity), asks: single(ticker?.ask, ticker?.askQuantity) };
    market.setBook(at, { bids, asks, touch: touchOf(bids, asks) });
    if (at <= this.#silentUntil) return;
    const { sink } = this.#options;
    sink.input({
      type: 'BOOK',
      at,
      symbol: market.symbol,
      bids: engineLevels(bids),
      asks: engineLevels(asks),
    });
  }
}

const levels = (book: OrderBook, side: 'bids' | 'asks'): ShownLevel[] =>
  book.levels(side, SHOWN_LEVELS).map(({ price, quantity }) => [price, quantity]);

const single = (price: number | undefined, quantity: number | undefined): ShownLevel[] =>
  price === undefined || quantity === undefined ? [] : [[price, quantity]];

export const engineLevels = (shown: readonly ShownLevel[]): [string, string][] =>
  shown.slice(0, ENGINE_LEVELS).map(([price, quantity]) => [fromNumber(price), fromNumber(quantity)]);

export function touchOf(bids: readonly ShownLevel[], asks: readonly ShownLevel[]): Touch | undefined {
  const [bid, ask] = [bids[0], asks[0]];
  if (!bid || !ask) return undefined;
  return { bid: bid[0], bidQuantity: bid[1], ask: ask[0], askQuantity: ask[1] };
}

/** Ends the bar under way when its time is over: bars are made of what was seen. */
function closeElapsed(market: SymbolMarket, at: number, sink: FeedSink): void {
  const { forming, history } = market;
  if (!forming || forming.openTime + history.baseMs > at) return;
  const closed = market.close(undefined);
  if (closed) sink.closed(market, closed, closed.openTime + history.baseMs);
}
