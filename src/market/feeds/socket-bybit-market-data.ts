/**
 * The live public market of Bybit's linear perpetuals, in the same events as Binance's: tickers (marks, funding,
 * quotes, open interest), trades, books, candles over its v5 socket, history over REST.
 *
 * Invariants: those of LiveMarketData; a ticker's changes are merged into what was known of the symbol since its
 * last snapshot; a book's update ids run without holes, or it begins anew.
 */
import type { Time } from '../../core/clock.ts';
import type { Dial } from '../../core/kept-socket.ts';
import type { Random } from '../../core/random.ts';
import type { Candle, Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import { LiveHub } from '../live/live-hub.ts';
import type { LiveBook, LiveMarketData, LiveMarketEvent, LiveMarketOptions } from '../live/live-market.ts';
import { levelsOf, SequencedBook } from '../live/live-sequenced-book.ts';
import {
  distinct,
  type Fields,
  fieldsOf,
  isFields,
  LiveSession,
  numberOf,
  parsed,
} from '../live/live-session.ts';
import { bybitHistory } from './ccxt-other-history.ts';
import type { PublicRest } from './ccxt-public-rest.ts';
import { LazyRest } from './lazy-rest.ts';

export interface OtherMarketOptions {
  readonly restUrl?: string;
  readonly streamUrl?: string;
  readonly time: Time;
  readonly realTime: Time;
  readonly timeFactor?: number;
  readonly random: Random;
  /** What opens sockets, and what carries requests, where it is not the machine's own network. */
  readonly dial?: Dial;
  readonly rest?: PublicRest;
}

const STREAMS = 'wss://stream.bybit.com';
const INTERVALS: Readonly<Record<Timeframe, string>> = {
  '1m': '1',
  '5m': '5',
  '15m': '15',
  '1h': '60',
  '4h': '240',
};
const ARGS_PER_REQUEST = 100;
const BOOK_LEVELS = 50;
const TRADE_TOPIC = Buffer.from('"topic":"publicTrade.');

interface Kept {
  ticker: Fields;
  readonly book: SequencedBook;
  bookAt: number;
}

export class BybitMarketData implements LiveMarketData {
  readonly name = 'bybit-linear';
  readonly #options: OtherMarketOptions;
  readonly #rest: LazyRest;
  #session: LiveSession | undefined;
  #hub: LiveHub | undefined;
  #market: LiveMarketOptions | undefined;
  #kept = new Map<SymbolName, Kept>();

  constructor(options: OtherMarketOptions) {
    this.#options = options;
    this.#rest = new LazyRest('bybit', options);
  }

  async start(market: LiveMarketOptions, onEvent: (event: LiveMarketEvent) => void): Promise<void> {
    this.#end();
    const { time, realTime, random, dial, timeFactor = 1, streamUrl = STREAMS } = this.#options;
    const hub = new LiveHub({ ...market, time, realTime, timeFactor, onEvent });
    const session = new LiveSession({ venue: 'Bybit', time, realTime, random, ...(dial && { dial }) });
    this.#hub = hub;
    this.#session = session;
    this.#market = market;
    hub.start();
    const args = market.symbols.flatMap((symbol) => topics(symbol, market));
    const messages: string[] = [];
    for (let from = 0; from < args.length; from += ARGS_PER_REQUEST)
      messages.push(JSON.stringify({ op: 'subscribe', args: args.slice(from, from + ARGS_PER_REQUEST) }));
    const line = {
      url: `${streamUrl.replace(/\/+$/, '')}/v5/public/linear`,
      greeting: { messages, answer: answerOf },
      ask: '{"op":"ping"}',
      onFrame: (bytes: Buffer) => this.#heard(bytes),
      onBack: () => {
        for (const { book } of this.#kept.values()) book.lose();
        if (market.channels.includes('bars')) hub.missed(market.symbols);
      },
      identity: (bytes: Buffer) => (bytes.includes(TRADE_TOPIC) ? bytes.toString('latin1') : distinct()),
    };
    try {
      await session.start([line]);
    } catch (error) {
      if (this.#session === session) this.#end();
      throw error;
    }
  }

  async history(symbol: SymbolName, timeframe: Timeframe, after: number, until: number): Promise<Candle[]> {
    const now = (): number => this.#options.time.clock.now();
    const range = { symbol, timeframe, after, until, now };
    return bybitHistory(await this.#rest.get(), INTERVALS[timeframe], range);
  }

  book(symbol: SymbolName): LiveBook | undefined {
    const kept = this.#kept.get(symbol);
    return kept?.book.levels(kept.bookAt, BOOK_LEVELS);
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#rest.close();
  }

  #end(): void {
    this.#session?.stop();
    this.#hub?.stop();
    this.#session = undefined;
    this.#kept = new Map();
  }

  #heard(bytes: Buffer): void {
    const frame = parsed(bytes);
    const hub = this.#hub;
    if (!hub || !frame || typeof frame.topic !== 'string') return;
    const [kind] = frame.topic.split('.', 1);
    const symbol = frame.topic.slice(frame.topic.lastIndexOf('.') + 1);
    if (!hub.has(symbol)) return;
    const at = numberOf(frame.ts);
    if (kind === 'tickers' && isFields(frame.data)) this.#ticker(hub, symbol, at, frame.type, frame.data);
    else if (kind === 'publicTrade') trades(hub, symbol, frame.data);
    else if (kind === 'orderbook' && isFields(frame.data))
      this.#book(hub, symbol, at, frame.type, frame.data);
    else if (kind === 'kline') this.#bars(hub, symbol, frame.data);
  }

  #keep(symbol: SymbolName): Kept {
    let kept = this.#kept.get(symbol);
    if (!kept) {
      kept = { ticker: {}, book: new SequencedBook({ checked: false }), bookAt: 0 };
      this.#kept.set(symbol, kept);
    }
    return kept;
  }

  #ticker(hub: LiveHub, symbol: SymbolName, at: number, type: unknown, data: Fields): void {
    const kept = this.#keep(symbol);
    kept.ticker = type === 'snapshot' ? data : { ...kept.ticker, ...data };
    const { ticker } = kept;
    const channels = this.#market?.channels ?? [];
    const mark = numberOf(ticker.markPrice);
    if (channels.includes('marks') && mark > 0) {
      const fundingRate = numberOf(ticker.fundingRate);
      const nextFundingAt = numberOf(ticker.nextFundingTime);
      const funding = nextFundingAt > 0 && Number.isFinite(fundingRate) && { fundingRate, nextFundingAt };
      hub.mark({ type: 'mark', symbol, at, mark, ...funding });
    }
    const touches = ['bid1Price', 'bid1Size', 'ask1Price', 'ask1Size'].some((key) => key in data);
    if (channels.includes('quotes') && touches) {
      const [bid, bidQuantity] = [numberOf(ticker.bid1Price), numberOf(ticker.bid1Size)];
      const [ask, askQuantity] = [numberOf(ticker.ask1Price), numberOf(ticker.ask1Size)];
      if (bid > 0 && ask > 0) hub.quote({ type: 'quote', symbol, at, bid, bidQuantity, ask, askQuantity });
    }
    const amount = numberOf(data.openInterest);
    if (channels.includes('open-interest') && amount >= 0)
      hub.interest({ type: 'open-interest', symbol, at, amount });
  }

  #book(hub: LiveHub, symbol: SymbolName, at: number, type: unknown, data: Fields): void {
    const kept = this.#keep(symbol);
    const id = numberOf(data.u);
    const [bids, asks] = [levelsOf(data.b), levelsOf(data.a)];
    const wasInStep = kept.book.inStep;
    // After a restart of the venue's service an update may carry id 1: it is a snapshot.
    if (type === 'snapshot' || id === 1) kept.book.snapshot(id, bids, asks);
    else if (!kept.book.update(id - 1, id, bids, asks)) {
      if (wasInStep) this.#renewBook(symbol);
      return;
    }
    kept.bookAt = at;
    hub.book(symbol, at);
  }

  /** A snapshot comes with every new subscription. */
  #renewBook(symbol: SymbolName): void {
    const args = [bookTopic(symbol)];
    for (const op of ['unsubscribe', 'subscribe']) this.#session?.send(0, JSON.stringify({ op, args }));
  }

  #bars(hub: LiveHub, symbol: SymbolName, data: unknown): void {
    const timeframe = this.#market?.timeframe;
    for (const bar of fieldsOf(data)) {
      if (bar.confirm !== true || timeframe === undefined || bar.interval !== INTERVALS[timeframe]) continue;
      const [open, high, low] = [numberOf(bar.open), numberOf(bar.high), numberOf(bar.low)];
      const [close, volume, openTime] = [numberOf(bar.close), numberOf(bar.volume), numberOf(bar.start)];
      if (low > 0 && high >= low && volume >= 0)
        hub.bar({ symbol, timeframe, openTime, open, high, low, close, volume });
    }
  }
}

function trades(hub: LiveHub, symbol: SymbolName, data: unknown): void {
  for (const trade of fieldsOf(data)) {
    const [price, quantity, at] = [numberOf(trade.p), numberOf(trade.v), numberOf(trade.T)];
    // S is the taker's side: who sells takes what a buyer had resting.
    if (price > 0 && quantity >= 0 && at > 0)
      hub.trade({ type: 'trade', symbol, at, price, quantity, buyerMaker: trade.S === 'Sell' });
  }
}

const bookTopic = (symbol: SymbolName): string => `orderbook.${BOOK_LEVELS}.${symbol}`;

function topics(symbol: SymbolName, { channels, timeframe }: LiveMarketOptions): string[] {
  const has = (...wanted: readonly string[]): boolean => channels.some((channel) => wanted.includes(channel));
  return [
    ...(has('marks', 'quotes', 'open-interest') ? [`tickers.${symbol}`] : []),
    ...(has('trades') ? [`publicTrade.${symbol}`] : []),
    ...(has('books') ? [bookTopic(symbol)] : []),
    ...(has('bars') ? [`kline.${INTERVALS[timeframe]}.${symbol}`] : []),
  ];
}

const ANSWER = Buffer.from('{"success"');

/** {"success":true,"ret_msg":"","conn_id":"…","op":"subscribe"} */
function answerOf(bytes: Buffer): true | string | undefined {
  if (!bytes.subarray(0, ANSWER.length).equals(ANSWER)) return undefined;
  const frame = parsed(bytes);
  if (frame?.op !== 'subscribe') return undefined;
  return frame.success === true || String(frame.ret_msg ?? 'no reason given');
}
