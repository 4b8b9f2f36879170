/**
 * The live public market of Binance USD-M futures: streams on sockets of our own, history and snapshots over ccxt;
 * on Binance itself, or on a loopback exchange that speaks its protocol.
 *
 * Invariants: those of LiveMarketData; a socket carries at most 200 streams; `start` resolves when the venue has
 * confirmed every stream, or throws and leaves nothing running, and may then be tried again.
 */
import type { Time } from '../../core/clock.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Candle, Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import { RateBudget } from '../../exchange/rate-budget.ts';
import { LiveBooks } from '../live/live-books.ts';
import { LiveHub } from '../live/live-hub.ts';
import type {
  LiveBook,
  LiveChannel,
  LiveMarketData,
  LiveMarketEvent,
  LiveMarketOptions,
} from '../live/live-market.ts';
import { depthSnapshotOf } from './ccxt-answers.ts';
import { binanceHistory } from './ccxt-history.ts';
import type { PublicRest } from './ccxt-public-rest.ts';
import { FrameDecoder, type Tick } from './frame-decoder.ts';
import { LazyRest } from './lazy-rest.ts';
import { OpenInterestPoll } from './live-open-interest.ts';
import { type FeedEvent, SocketFeed } from './socket-feed.ts';

export interface CcxtMarketDataOptions {
  /** Scheme, host and port; absent: Binance's own. */
  readonly restUrl?: string;
  readonly streamUrl?: string;
  /** The venue's time, perhaps scaled. */
  readonly time: Time;
  readonly realTime: Time;
  /** How much faster than real time the venue's runs. */
  readonly timeFactor?: number;
  readonly random: Random;
  /** Shared with whoever else asks this venue from this address; one of its own where absent. */
  readonly budget?: RateBudget;
}

/** Streams of one kind, on sockets of their own. */
interface StreamPlan {
  readonly channel: LiveChannel;
  readonly path: 'public' | 'market';
  readonly stream: (symbol: SymbolName) => string;
  /** Every symbol says something all the time: silence is a dead connection, whatever pongs come. */
  readonly steady: boolean;
}

const BINANCE_STREAMS = 'wss://fstream.binance.com';
const STREAMS_PER_SOCKET = 200;
/** From here on one stream of all symbols is cheaper than one for each. */
const MARKS_AS_ARRAY_FROM = 30;
const ALL_MARKS = '!markPrice@arr@1s';
const CONTRACTS = '!contractInfo';
/** The venue ends a connection after 24 hours. */
const MOVE_AFTER_MS = 23 * 3_600_000;
const SNAPSHOT_LEVELS = 500;
const SNAPSHOT_WEIGHT = 10;
const KLINE_START = Buffer.from('{"e":"kline"');
const STILL_FORMING = Buffer.from('"x":false');

export class CcxtMarketData implements LiveMarketData {
  readonly name = 'binance-usdm';
  readonly #options: CcxtMarketDataOptions;
  readonly #timeFactor: number;
  readonly #rest: LazyRest;
  #running: Running | undefined;

  constructor(options: CcxtMarketDataOptions) {
    this.#options = options;
    this.#timeFactor = options.timeFactor ?? 1;
    const { budget = new RateBudget(options.time) } = options;
    this.#rest = new LazyRest('binanceusdm', { ...options, budget });
  }

  async start(options: LiveMarketOptions, onEvent: (event: LiveMarketEvent) => void): Promise<void> {
    this.#end();
    const running = new Running(this.#options, this.#timeFactor, options, onEvent, () => this.#rest.get());
    this.#running = running;
    try {
      await running.start();
    } catch (error) {
      if (this.#running === running) this.#end();
      throw error;
    }
  }

  async history(
    symbol: SymbolName,
    timeframe: Timeframe,
    after: number,
    until: number,
  ): Promise<readonly Candle[]> {
    const now = (): number => this.#options.time.clock.now();
    return binanceHistory(await this.#rest.get(), { symbol, timeframe, after, until, now });
  }

  async markHistory(
    symbol: SymbolName,
    timeframe: Timeframe,
    after: number,
    until: number,
  ): Promise<readonly Candle[]> {
    const now = (): number => this.#options.time.clock.now();
    return binanceHistory(await this.#rest.get(), { symbol, timeframe, after, until, now, of: 'mark' });
  }

  book(symbol: SymbolName): LiveBook | undefined {
    return this.#running?.book(symbol);
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#rest.close();
  }

  #end(): void {
    this.#running?.stop();
    this.#running = undefined;
  }
}

/** One start, up to its stop. */
class Running {
  readonly #venue: CcxtMarketDataOptions;
  readonly #market: LiveMarketOptions;
  readonly #hub: LiveHub;
  readonly #books: LiveBooks;
  readonly #interest: OpenInterestPoll;
  readonly #feeds: { feed: SocketFeed; symbols: readonly SymbolName[]; channel: LiveChannel }[] = [];
  #abort: ((error: Error) => void) | undefined;

  constructor(
    venue: CcxtMarketDataOptions,
    timeFactor: number,
    market: LiveMarketOptions,
    onEvent: (event: LiveMarketEvent) => void,
    rest: () => Promise<PublicRest>,
  ) {
    this.#venue = venue;
    this.#market = market;
    const { time, realTime, random } = venue;
    this.#hub = new LiveHub({
      ...market,
      time,
      realTime,
      timeFactor,
      onEvent,
      onMute: (symbols) => this.#mute(symbols),
    });
    this.#books = new LiveBooks({
      snapshot: async (symbol) => {
        const params = { symbol, limit: SNAPSHOT_LEVELS };
        const answer = await (await rest()).get('fapiPublicGetDepth', params, SNAPSHOT_WEIGHT);
        return depthSnapshotOf(symbol, answer);
      },
      onBook: (symbol, at) => this.#hub.book(symbol, at),
      time: realTime,
      random,
    });
    this.#interest = new OpenInterestPoll({
      symbols: market.symbols,
      time,
      ask: async (symbol) => (await rest()).get('fapiPublicGetOpenInterest', { symbol }, 1),
      onInterest: (event) => this.#hub.interest(event),
    });
  }

  async start(): Promise<void> {
    this.#hub.start();
    const ready: Promise<void>[] = [];
    for (const plan of this.#plans())
      for (const streams of this.#chunks(plan)) ready.push(this.#open(plan, streams));
    const aborted = new Promise<never>((_, reject) => {
      this.#abort = reject;
    });
    // Nobody may be waiting for it any more when it comes.
    aborted.catch(() => {});
    await Promise.race([Promise.all(ready), aborted]);
    this.#abort = undefined;
    if (this.#market.channels.includes('open-interest')) this.#interest.start();
  }

  stop(): void {
    this.#abort?.(unreachable('the market was stopped'));
    this.#hub.stop();
    this.#books.stop();
    this.#interest.stop();
    for (const { feed } of this.#feeds) feed.stop();
  }

  book(symbol: SymbolName): LiveBook | undefined {
    return this.#books.book(symbol);
  }

  #plans(): StreamPlan[] {
    const { timeframe, channels } = this.#market;
    const plans: StreamPlan[] = [
      { channel: 'marks', path: 'market', stream: (s) => `${s}@markPrice@1s`, steady: true },
      { channel: 'bars', path: 'market', stream: (s) => `${s}@kline_${timeframe}`, steady: false },
      { channel: 'trades', path: 'market', stream: (s) => `${s}@aggTrade`, steady: false },
      { channel: 'quotes', path: 'public', stream: (s) => `${s}@bookTicker`, steady: false },
      { channel: 'contracts', path: 'market', stream: () => CONTRACTS, steady: false },
      { channel: 'books', path: 'public', stream: (s) => `${s}@depth@100ms`, steady: false },
    ];
    return plans.filter(({ channel }) => channels.includes(channel));
  }

  /** Which streams, for which symbols, share a socket. */
  #chunks({ channel, stream }: StreamPlan): { streams: string[]; symbols: readonly SymbolName[] }[] {
    const { symbols } = this.#market;
    if (channel === 'marks' && symbols.length >= MARKS_AS_ARRAY_FROM)
      return [{ streams: [ALL_MARKS], symbols }];
    if (channel === 'contracts') return [{ streams: [CONTRACTS], symbols }];
    const chunks = [];
    for (let from = 0; from < symbols.length; from += STREAMS_PER_SOCKET) {
      const part = symbols.slice(from, from + STREAMS_PER_SOCKET);
      chunks.push({ streams: part.map((symbol) => stream(symbol.toLowerCase())), symbols: part });
    }
    return chunks;
  }

  /** Resolves when the venue has confirmed the streams; rejects when the first attempt fails. */
  #open(
    { channel, path, steady }: StreamPlan,
    { streams, symbols }: { streams: string[]; symbols: readonly SymbolName[] },
  ): Promise<void> {
    const { streamUrl = BINANCE_STREAMS, time, realTime, random } = this.#venue;
    const url = `${streamUrl.replace(/\/+$/, '')}/${path}/ws/${this.#feeds.length + 1}`;
    return new Promise((resolve, reject) => {
      const decoder = new FrameDecoder((tick) => this.#heard(tick));
      const feed = new SocketFeed({
        url,
        streams,
        confirm: true,
        time: realTime,
        random: random.fork(url),
        move: { time, afterMs: MOVE_AFTER_MS },
        ...(steady ? { staleAfterMs: 10_000 } : { ask: true, staleAfterMs: 20_000 }),
        onFrame:
          channel === 'bars' ? (bytes) => decodeClosed(decoder, bytes) : (bytes) => decoder.decode(bytes),
        onEvent: (event) => {
          this.#changed(channel, symbols, event);
          if (event.type === 'connected') resolve();
          else if (event.type === 'disconnected') reject(unreachable(event.reason));
        },
      });
      this.#feeds.push({ feed, symbols, channel });
      feed.start();
    });
  }

  #changed(channel: LiveChannel, symbols: readonly SymbolName[], event: FeedEvent): void {
    if (event.type === 'disconnected' && channel === 'books') this.#books.lost(symbols);
    if (event.type === 'connected' && event.attempt > 0 && !event.continuous && channel === 'bars')
      this.#hub.missed(symbols);
  }

  /** All bars of a connection are missing: it says nothing, however well its pongs come. */
  #mute(late: readonly SymbolName[]): void {
    const isLate = new Set(late);
    for (const { feed, symbols, channel } of this.#feeds) {
      if (channel === 'bars' && symbols.length > 1 && symbols.every((symbol) => isLate.has(symbol)))
        feed.lose('none of its bars came');
    }
  }

  #heard(tick: Tick): void {
    const { symbol, at } = tick;
    if (!this.#hub.has(symbol)) return;
    switch (tick.kind) {
      case 'mark': {
        const { price, fundingRate, nextFundingAt } = tick;
        // Delivery contracts have no funding.
        const funding = nextFundingAt > 0 && Number.isFinite(fundingRate) && { fundingRate, nextFundingAt };
        this.#hub.mark({ type: 'mark', symbol, at, mark: price, ...funding });
        return;
      }
      case 'candle': {
        const { openTime, open, high, low, close, volume, closed } = tick;
        const { timeframe } = this.#market;
        if (closed && tick.timeframe === timeframe)
          this.#hub.bar({ symbol, timeframe, openTime, open, high, low, close, volume });
        return;
      }
      case 'book': {
        const { bid, bidQuantity, ask, askQuantity, updateId } = tick;
        this.#hub.quote({ type: 'quote', symbol, at, bid, bidQuantity, ask, askQuantity }, updateId);
        return;
      }
      case 'trade': {
        const { price, quantity, buyerIsMaker: buyerMaker } = tick;
        this.#hub.trade({ type: 'trade', symbol, at, price, quantity, buyerMaker });
        return;
      }
      case 'contract':
        this.#hub.contract({ type: 'contract', symbol, at });
        return;
      case 'depth':
        this.#books.diff(symbol, at, tick);
    }
  }
}

/** Of the bars that still form, four a second of each symbol, only the name is looked at. */
function decodeClosed(decoder: FrameDecoder, bytes: Buffer): void {
  const isKline = bytes.subarray(0, KLINE_START.length).equals(KLINE_START);
  if (!isKline || !bytes.includes(STILL_FORMING)) decoder.decode(bytes);
}

const unreachable = (reason: string): BulkheadError =>
  new BulkheadError('VENUE_UNREACHABLE', `The market's streams cannot be opened: ${reason}`, {
    hint: 'Check the network and the address in the configuration (venue.streamUrl).',
  });
