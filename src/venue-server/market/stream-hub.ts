/**
 * Who listens to which stream, and what is sent to them: work is done only for streams with a listener.
 *
 * Invariants: a symbol's trades are sent before the kline that they close; a closed kline is sent once, with
 * x true, before anything of the next bar; within one pulse frames go out stream by stream, so that they share
 * chunks on the wire as the venue's do.
 */
import type { Json } from '../../core/json.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { ForcedOrder } from '../core-types.ts';
import type { PushSink } from '../protocol.ts';
import { extendKline, type Kline } from './bar-history.ts';
import { DepthStream } from './depth-stream.ts';
import { intervalEnd, intervalOpen } from './intervals.ts';
import type { Touch } from './ladder.ts';
import {
  aggTradeFrame,
  bookTickerFrame,
  continuousKlineFrame,
  contractInfoFrame,
  type Frame,
  forceOrderFrame,
  klineFrame,
  markPriceFrame,
  miniTickerFrame,
  tickerFrame,
  tradeFrame,
} from './market-frames.ts';
import { parseStream, type StreamSpec, socketOf } from './stream-names.ts';
import type { SymbolMarket } from './symbol-market.ts';
import type { PublicTrade } from './trade-tape.ts';

type Spec<K extends StreamSpec['kind']> = Extract<StreamSpec, { kind: K }>;

interface Active {
  readonly name: string;
  readonly spec: StreamSpec;
  readonly market: SymbolMarket | undefined;
  listeners: number;
  /** For differences, the last pulse or bar that was sent. */
  sentAt: number;
  readonly depth: DepthStream | undefined;
  /** What book tickers last said of each symbol. */
  readonly touches: Map<SymbolMarket, Touch>;
  /** The closed part of the kline under way. */
  committed: { readonly openTime: number; readonly bars: Kline | undefined } | undefined;
}

const SECOND = 1000;

export class StreamHub {
  readonly #markets: ReadonlyMap<string, SymbolMarket>;
  readonly #push: PushSink;
  readonly #active = new Map<string, Active>();
  /** By symbol: those with trades and klines, so that a trade finds its streams at once. */
  readonly #trades = new Map<SymbolMarket, Active[]>();
  readonly #klines = new Map<SymbolMarket, Active[]>();
  readonly #lower = new Map<string, SymbolMarket>();
  #pulseAt = 0;

  constructor(markets: ReadonlyMap<string, SymbolMarket>, push: PushSink) {
    this.#markets = markets;
    this.#push = push;
    for (const market of markets.values()) this.#lower.set(market.lower, market);
  }

  /** Streams with a listener. */
  get size(): number {
    return this.#active.size;
  }

  subscribed(name: string): void {
    const known = this.#active.get(name);
    if (known) {
      known.listeners++;
      return;
    }
    const spec = parseStream(name);
    const market = spec?.symbol === undefined ? undefined : this.#lower.get(spec.symbol);
    if (!spec || (spec.symbol !== undefined && !market)) return;
    if (spec.kind === 'kline' && !market?.history.offers(spec.interval)) return;
    const depth = spec.kind === 'depth' && market ? new DepthStream(market, spec.levels) : undefined;
    const active = {
      name,
      spec,
      market,
      listeners: 1,
      sentAt: 0,
      depth,
      touches: new Map(),
      committed: undefined,
    };
    this.#active.set(name, active);
    this.#index();
  }

  unsubscribed(name: string): void {
    const known = this.#active.get(name);
    if (!known || --known.listeners > 0) return;
    this.#active.delete(name);
    this.#index();
  }

  traded(market: SymbolMarket, trade: PublicTrade): void {
    for (const active of this.#trades.get(market) ?? []) {
      const frame = active.spec.kind === 'trade' ? tradeFrame : aggTradeFrame;
      this.#send(active, trade.at, frame(market, trade, Math.max(trade.at, this.#pulseAt)));
    }
  }

  /** A base bar closed: every kline that ends with it is final. */
  closed(market: SymbolMarket, bar: Kline, at: number): void {
    for (const active of this.#klines.get(market) ?? []) {
      const { interval } = active.spec as Spec<'kline'>;
      const openTime = intervalOpen(interval, bar.openTime);
      // The history holds the bar already.
      active.committed = { openTime, bars: this.#closedSince(market, interval, openTime) };
      if (intervalEnd(interval, openTime) !== bar.openTime + market.history.baseMs) continue;
      if (active.committed.bars) this.#kline(active, market, active.committed.bars, true, at);
      active.committed = undefined;
    }
  }

  pulse(at: number): void {
    this.#pulseAt = at;
    for (const active of this.#active.values()) this.#pulse(active, at);
  }

  forced(order: ForcedOrder, at: number): void {
    const market = this.#markets.get(order.symbol);
    for (const active of this.#active.values())
      if (active.spec.kind === 'forceOrder' && (!active.market || active.market === market))
        this.#send(active, at, forceOrderFrame(order, at));
  }

  changed(instrument: Instrument, at: number): void {
    const active = this.#active.get('!contractInfo');
    if (active) this.#send(active, at, contractInfoFrame(instrument, at));
  }

  #index(): void {
    this.#trades.clear();
    this.#klines.clear();
    for (const active of this.#active.values()) {
      const { spec, market } = active;
      if (!market) continue;
      if (spec.kind === 'trade' || spec.kind === 'aggTrade') add(this.#trades, market, active);
      if (spec.kind === 'kline') add(this.#klines, market, active);
    }
  }

  #pulse(active: Active, at: number): void {
    const { spec, market } = active;
    switch (spec.kind) {
      case 'bookTicker':
        this.#bookTickers(active, at);
        return;
      case 'markPrice':
        if (this.#due(active, at, spec.everyMs)) this.#each(active, at, markPriceFrame);
        return;
      case 'miniTicker':
      case 'ticker':
        if (this.#due(active, at, SECOND)) this.#tickers(active, spec.kind, at);
        return;
      case 'kline':
        if (market) this.#forming(active, market, spec.interval, at);
        return;
      case 'depth': {
        if (!this.#due(active, at, spec.everyMs)) return;
        const frame = active.depth?.next(at);
        if (frame) this.#send(active, at, frame);
        return;
      }
      default:
        return;
    }
  }

  /** True once in each period, on the first pulse in it. */
  #due(active: Active, at: number, everyMs: number): boolean {
    const period = Math.floor(at / everyMs);
    if (period === active.sentAt) return false;
    active.sentAt = period;
    return true;
  }

  #of(active: Active): Iterable<SymbolMarket> {
    return active.market ? [active.market] : this.#markets.values();
  }

  #bookTickers(active: Active, at: number): void {
    for (const market of this.#of(active)) {
      const touch = market.touch();
      const sent = active.touches.get(market);
      if (!touch || (sent && sameTouch(sent, touch))) continue;
      active.touches.set(market, touch);
      this.#send(active, at, bookTickerFrame(market, touch, at));
    }
  }

  /** One frame for a symbol's own stream, an array for the stream of all. */
  #each(active: Active, at: number, frame: (market: SymbolMarket, at: number) => Frame | undefined): void {
    const frames: Frame[] = [];
    for (const market of this.#of(active)) {
      const one = market.priced ? frame(market, at) : undefined;
      if (one) frames.push(one);
    }
    const only = frames[0];
    if (!active.market) this.#send(active, at, frames);
    else if (only) this.#send(active, at, only);
  }

  #tickers(active: Active, kind: 'miniTicker' | 'ticker', at: number): void {
    const frame = kind === 'ticker' ? tickerFrame : miniTickerFrame;
    this.#each(active, at, (market) => {
      // Only what changed, as at the venue.
      if (market.at <= at - SECOND && !active.market) return undefined;
      const day = market.day.summary(at, market.forming);
      return day && frame(market, day, at);
    });
  }

  #forming(active: Active, market: SymbolMarket, interval: string, at: number): void {
    const { forming } = market;
    if (!forming || market.at === active.sentAt) return;
    active.sentAt = market.at;
    const openTime = intervalOpen(interval, forming.openTime);
    if (active.committed?.openTime !== openTime) {
      const fresh = forming.openTime === openTime;
      active.committed = {
        openTime,
        bars: fresh ? undefined : this.#closedSince(market, interval, openTime),
      };
    }
    const bars = active.committed.bars ? { ...active.committed.bars } : undefined;
    if (bars) extendKline(bars, forming);
    this.#kline(active, market, bars ?? { ...forming, openTime }, false, at);
  }

  #closedSince(market: SymbolMarket, interval: string, openTime: number): Kline | undefined {
    const { history } = market;
    const [bar] = history.klines(interval, { from: openTime, until: openTime + 1, limit: 1 });
    return bar?.openTime === openTime ? bar : undefined;
  }

  #kline(active: Active, market: SymbolMarket, bar: Kline, closed: boolean, at: number): void {
    const { interval, continuous } = active.spec as Spec<'kline'>;
    const frame = klineFrame(market, interval, bar, closed, at);
    this.#send(active, at, continuous ? continuousKlineFrame(frame) : frame);
  }

  #send({ name, spec }: Active, at: number, data: Json): void {
    this.#push({ socket: socketOf(spec), stream: name, at, data });
  }
}

function add(into: Map<SymbolMarket, Active[]>, market: SymbolMarket, active: Active): void {
  const known = into.get(market);
  if (known) known.push(active);
  else into.set(market, [active]);
}

const sameTouch = (a: Touch, b: Touch): boolean =>
  a.bid === b.bid && a.ask === b.ask && a.bidQuantity === b.bidQuantity && a.askQuantity === b.askQuantity;
