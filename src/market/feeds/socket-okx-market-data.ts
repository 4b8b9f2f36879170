/**
 * The live public market of OKX's linear swaps, in the same events as Binance's. Our BTCUSDT is its BTC-USDT-SWAP.
 *
 * Invariants: those of LiveMarketData; quantities are of the base asset, which OKX counts in contracts, and are
 * not told of one whose size it does not tell; a book's updates name the one before, and where they carry a checksum
 * it is right, or the book begins anew.
 */
import { BulkheadError } from '../../core/errors.ts';
import type { Candle, Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import { LiveHub } from '../live/live-hub.ts';
import type {
  LiveBook,
  LiveChannel,
  LiveMarketData,
  LiveMarketEvent,
  LiveMarketOptions,
} from '../live/live-market.ts';
import { levelsOf, SequencedBook } from '../live/live-sequenced-book.ts';
import {
  distinct,
  type Fields,
  fieldsOf,
  isFields,
  LiveSession,
  numberOf,
  parsed,
  type SessionLine,
} from '../live/live-session.ts';
import { okxContractSizes, okxHistory } from './ccxt-other-history.ts';
import { LazyRest } from './lazy-rest.ts';
import type { OtherMarketOptions } from './socket-bybit-market-data.ts';

export interface OkxMarketOptions extends OtherMarketOptions {
  /** OKX's name of a symbol; the linear swap where absent. */
  readonly instrumentOf?: (symbol: SymbolName) => string;
}

const STREAMS = 'wss://ws.okx.com:8443';
const BARS: Readonly<Record<Timeframe, string>> = {
  '1m': '1m',
  '5m': '5m',
  '15m': '15m',
  '1h': '1H',
  '4h': '4H',
};
/** What of a symbol is told in contracts. */
const COUNTED: ReadonlySet<LiveChannel> = new Set(['quotes', 'trades', 'books']);
const COUNTED_CHANNELS: ReadonlySet<string> = new Set(['tickers', 'trades', 'books']);
const BOOK_LEVELS = 50;
const ARGS_PER_REQUEST = 100;
const TRADES_CHANNEL = Buffer.from('"channel":"trades"');
const SWAP = /^(.+)(USDT|USDC)$/;

const swapOf = (symbol: SymbolName): string => symbol.replace(SWAP, '$1-$2-SWAP');

interface Kept {
  readonly symbol: SymbolName;
  /** The base asset in one contract; NaN where OKX does not tell it. */
  readonly size: number;
  readonly book: SequencedBook;
  bookAt: number;
  mark: number;
  fundingRate: number;
  nextFundingAt: number;
}

export class OkxMarketData implements LiveMarketData {
  readonly name = 'okx-swap';
  readonly #options: OkxMarketOptions;
  readonly #instrumentOf: (symbol: SymbolName) => string;
  readonly #rest: LazyRest;
  #session: LiveSession | undefined;
  #hub: LiveHub | undefined;
  #market: LiveMarketOptions | undefined;
  /** By OKX's name. */
  #kept = new Map<string, Kept>();

  constructor(options: OkxMarketOptions) {
    this.#options = options;
    this.#rest = new LazyRest('okx', options);
    this.#instrumentOf = options.instrumentOf ?? swapOf;
  }

  async start(market: LiveMarketOptions, onEvent: (event: LiveMarketEvent) => void): Promise<void> {
    this.#end();
    const { time, realTime, random, dial, timeFactor = 1 } = this.#options;
    const hub = new LiveHub({ ...market, time, realTime, timeFactor, onEvent });
    const session = new LiveSession({ venue: 'OKX', time, realTime, random, ...(dial && { dial }) });
    this.#hub = hub;
    this.#session = session;
    this.#market = market;
    try {
      const sizes = await okxContractSizes(await this.#rest.get());
      if (this.#session !== session) throw stopped();
      for (const symbol of market.symbols) {
        const instId = this.#instrumentOf(symbol);
        const size = sizes.get(instId) ?? Number.NaN;
        if (!(size > 0) && market.channels.some((channel) => COUNTED.has(channel))) throw sizeless(instId);
        this.#kept.set(instId, newlyKept(symbol, size));
      }
      hub.start();
      await session.start(this.#lines(market, hub));
    } catch (error) {
      if (this.#session === session) this.#end();
      throw error;
    }
  }

  async history(symbol: SymbolName, timeframe: Timeframe, after: number, until: number): Promise<Candle[]> {
    const now = (): number => this.#options.time.clock.now();
    const range = { symbol, timeframe, after, until, now };
    return okxHistory(await this.#rest.get(), this.#instrumentOf(symbol), BARS[timeframe], range);
  }

  book(symbol: SymbolName): LiveBook | undefined {
    const kept = this.#kept.get(this.#instrumentOf(symbol));
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

  /** Candles live on a socket of their own. */
  #lines(market: LiveMarketOptions, hub: LiveHub): SessionLine[] {
    const { streamUrl = STREAMS } = this.#options;
    const line = (path: string, channels: readonly string[], onBack: () => void): SessionLine => {
      const args = market.symbols.flatMap((symbol) =>
        channels.map((channel) => ({ channel, instId: this.#instrumentOf(symbol) })),
      );
      return {
        url: `${streamUrl.replace(/\/+$/, '')}/ws/v5/${path}`,
        // Each argument is answered by itself.
        greeting: {
          messages: requests(args),
          answer: answers(args.length, Math.ceil(args.length / ARGS_PER_REQUEST)),
        },
        ask: 'ping',
        onFrame: (bytes) => this.#heard(bytes),
        onBack,
        identity: (bytes) => (bytes.includes(TRADES_CHANNEL) ? bytes.toString('latin1') : distinct()),
      };
    };
    const lines: SessionLine[] = [];
    const open = publicChannels(market);
    if (open.length > 0)
      lines.push(
        line('public', open, () => {
          for (const { book } of this.#kept.values()) book.lose();
        }),
      );
    if (market.channels.includes('bars'))
      lines.push(line('business', [`candle${BARS[market.timeframe]}`], () => hub.missed(market.symbols)));
    return lines;
  }

  #heard(bytes: Buffer): void {
    const frame = parsed(bytes);
    const hub = this.#hub;
    if (!hub || !frame || !isFields(frame.arg)) return;
    const { channel, instId } = frame.arg;
    const kept = typeof instId === 'string' ? this.#kept.get(instId) : undefined;
    if (!kept || typeof channel !== 'string') return;
    if (channel.startsWith('candle'))
      this.#bars(hub, kept.symbol, channel.slice('candle'.length), frame.data);
    else
      for (const data of fieldsOf(frame.data)) {
        if (!(kept.size > 0) && COUNTED_CHANNELS.has(channel)) continue;
        if (channel === 'books') this.#book(hub, kept, String(instId), frame.action, data);
        else this.#datum(hub, kept, channel, data);
      }
  }

  #datum(hub: LiveHub, kept: Kept, channel: string, data: Fields): void {
    const { symbol, size } = kept;
    const at = numberOf(data.ts);
    switch (channel) {
      case 'mark-price':
        kept.mark = numberOf(data.markPx);
        this.#tellMark(hub, kept, at);
        return;
      case 'funding-rate':
        kept.fundingRate = numberOf(data.fundingRate);
        kept.nextFundingAt = numberOf(data.fundingTime);
        return;
      case 'tickers': {
        const [bid, bidQuantity] = [numberOf(data.bidPx), numberOf(data.bidSz) * size];
        const [ask, askQuantity] = [numberOf(data.askPx), numberOf(data.askSz) * size];
        if (bid > 0 && ask > 0 && bidQuantity >= 0 && askQuantity >= 0)
          hub.quote({ type: 'quote', symbol, at, bid, bidQuantity, ask, askQuantity });
        return;
      }
      case 'trades': {
        const [price, quantity] = [numberOf(data.px), numberOf(data.sz) * size];
        if (price > 0 && quantity >= 0)
          hub.trade({ type: 'trade', symbol, at, price, quantity, buyerMaker: data.side === 'sell' });
        return;
      }
      case 'open-interest': {
        const amount = numberOf(data.oiCcy);
        if (amount >= 0) hub.interest({ type: 'open-interest', symbol, at, amount });
      }
    }
  }

  #tellMark(hub: LiveHub, { symbol, mark, fundingRate, nextFundingAt }: Kept, at: number): void {
    if (!(mark > 0)) return;
    const funding = nextFundingAt > 0 && Number.isFinite(fundingRate) && { fundingRate, nextFundingAt };
    hub.mark({ type: 'mark', symbol, at, mark, ...funding });
  }

  #book(hub: LiveHub, kept: Kept, instId: string, action: unknown, data: Fields): void {
    const [bids, asks] = [levelsOf(data.bids), levelsOf(data.asks)];
    const id = data.seqId === undefined ? undefined : numberOf(data.seqId);
    const previous = data.prevSeqId === undefined ? undefined : numberOf(data.prevSeqId);
    const wasInStep = kept.book.inStep;
    if (action === 'snapshot') kept.book.snapshot(id, bids, asks);
    else if (!kept.book.update(previous, id, bids, asks)) {
      if (wasInStep) this.#renewBook(instId);
      return;
    }
    // Newer versions of the stream send 0 where there was a checksum.
    const expected = numberOf(data.checksum ?? 0);
    if (expected !== 0 && kept.book.checksum() !== expected) {
      kept.book.lose();
      this.#renewBook(instId);
      return;
    }
    kept.bookAt = numberOf(data.ts);
    hub.book(kept.symbol, kept.bookAt);
  }

  /** A snapshot comes with every new subscription. */
  #renewBook(instId: string): void {
    const args = [{ channel: 'books', instId }];
    for (const op of ['unsubscribe', 'subscribe']) this.#session?.send(0, JSON.stringify({ op, args }));
  }

  #bars(hub: LiveHub, symbol: SymbolName, bar: string, data: unknown): void {
    const timeframe = this.#market?.timeframe;
    if (timeframe === undefined || bar !== BARS[timeframe] || !Array.isArray(data)) return;
    for (const row of data) {
      if (!Array.isArray(row) || row[8] !== '1') continue;
      const [openTime, open, high, low, close, , volume] = row.map(numberOf) as [
        ...[number, number, number, number, number, number, number],
      ];
      if (low > 0 && high >= low && volume >= 0)
        hub.bar({ symbol, timeframe, openTime, open, high, low, close, volume });
    }
  }
}

const stopped = (): BulkheadError =>
  new BulkheadError('VENUE_UNREACHABLE', 'The streams of OKX: the market was stopped', {
    hint: 'Start it again.',
  });

const sizeless = (instId: string): BulkheadError =>
  new BulkheadError('VENUE_UNREACHABLE', `OKX tells no contract size of ${instId}.`, {
    hint: 'Its quantities cannot be known. Leave it out, or ask for its bars, marks and open interest alone. Each start asks anew.',
  });

const newlyKept = (symbol: SymbolName, size: number): Kept => ({
  symbol,
  size,
  book: new SequencedBook({ checked: true, unit: size }),
  bookAt: 0,
  mark: Number.NaN,
  fundingRate: Number.NaN,
  nextFundingAt: Number.NaN,
});

function publicChannels({ channels }: LiveMarketOptions): string[] {
  return [
    ...(channels.includes('marks') ? ['mark-price', 'funding-rate'] : []),
    ...(channels.includes('quotes') ? ['tickers'] : []),
    ...(channels.includes('trades') ? ['trades'] : []),
    ...(channels.includes('books') ? ['books'] : []),
    ...(channels.includes('open-interest') ? ['open-interest'] : []),
  ];
}

function requests(args: readonly object[]): string[] {
  const messages: string[] = [];
  for (let from = 0; from < args.length; from += ARGS_PER_REQUEST)
    messages.push(JSON.stringify({ op: 'subscribe', args: args.slice(from, from + ARGS_PER_REQUEST) }));
  return messages;
}

const ANSWER = Buffer.from('{"event"');

/**
 * {"event":"subscribe","arg":{…}} for each argument, {"event":"error","msg":"…"} for one that is not to be had.
 * Counted down to the number of messages, which is what the socket waits for.
 */
function answers(args: number, messages: number): (bytes: Buffer) => true | string | undefined {
  let heard = 0;
  return (bytes) => {
    if (!bytes.subarray(0, ANSWER.length).equals(ANSWER)) return undefined;
    const frame = parsed(bytes);
    if (frame?.event === 'error') return String(frame.msg ?? 'no reason given');
    if (frame?.event !== 'subscribe') return undefined;
    return ++heard > args - messages ? true : undefined;
  };
}
