/**
 * From a venue's decoded streams to the events of LiveMarketData, the same for every venue: nothing older than
 * what was, prices conflated under load, bars never; who is silent, and whose bars are missing.
 *
 * Invariants: a symbol's bars go out in order, each once, after every price heard before them; a symbol is `stale`
 * once it was silent for the bound while it should not be, and `fresh` with its next price; a bar that has not
 * come in time, and every bar after a lost connection, is a `gap`.
 */
import type { Time, TimerHandle } from '../../core/clock.ts';
import { type Candle, closeTime, TIMEFRAME_MS } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import { Conflation } from './live-conflation.ts';
import type { LiveMarketEvent, LiveMarketOptions } from './live-market.ts';
import { LiveSymbol } from './live-symbol.ts';

export type MarkEvent = Extract<LiveMarketEvent, { type: 'mark' }>;
export type QuoteEvent = Extract<LiveMarketEvent, { type: 'quote' }>;
export type TradeEvent = Extract<LiveMarketEvent, { type: 'trade' }>;
export type InterestEvent = Extract<LiveMarketEvent, { type: 'open-interest' }>;
export type ContractEvent = Extract<LiveMarketEvent, { type: 'contract' }>;
type BookEvent = Extract<LiveMarketEvent, { type: 'book' }>;

export interface LiveHubOptions extends LiveMarketOptions {
  /** The venue's time, perhaps scaled. */
  readonly time: Time;
  readonly realTime: Time;
  /** How much faster than real time the venue's runs. */
  readonly timeFactor: number;
  readonly onEvent: (event: LiveMarketEvent) => void;
  /** Every bar of these symbols is missing although their connection seems well. */
  readonly onMute?: (symbols: readonly SymbolName[]) => void;
}

/** Of the venue's time: marks come every second, so ten without one are no accident. */
const MARKS_STALE_MS = 10_000;
/** A quote may stand for long on a quiet market. */
const QUOTES_STALE_MS = 60_000;
/** Of real time, however fast the venue's clock: our own pauses must not count as the venue's silence. */
const SHORTEST_STALE_MS = 3000;
const CHECKS_PER_BOUND = 5;
/** How long after its close a bar may still be on its way, by the venue's clock and by ours. */
const BAR_GRACE_MS = 20_000;
const SHORTEST_GRACE_MS = 3000;

export class LiveHub {
  readonly #options: LiveHubOptions;
  readonly #symbols: ReadonlyMap<SymbolName, LiveSymbol>;
  readonly #marks: Conflation<SymbolName, MarkEvent>;
  readonly #quotes: Conflation<SymbolName, QuoteEvent>;
  readonly #books: Conflation<SymbolName, BookEvent>;
  readonly #spanMs: number;
  readonly #graceMs: number;
  /** Undefined: no channel says anything often enough to be missed. */
  readonly #staleAfterMs: number | undefined;
  readonly #checkEveryMs: number;
  #timer: TimerHandle | undefined;
  #running = false;

  constructor(options: LiveHubOptions) {
    this.#options = options;
    const { symbols, timeframe, time, timeFactor, channels, onEvent } = options;
    this.#spanMs = TIMEFRAME_MS[timeframe];
    this.#graceMs = Math.max(BAR_GRACE_MS, SHORTEST_GRACE_MS * timeFactor);
    const now = time.clock.now();
    const span = this.#spanMs;
    this.#symbols = new Map(
      symbols.map((symbol) => [symbol, new LiveSymbol(symbol, span, now, now - this.#graceMs)]),
    );
    const boundMs = channels.includes('marks')
      ? MARKS_STALE_MS
      : channels.includes('quotes')
        ? QUOTES_STALE_MS
        : undefined;
    this.#staleAfterMs = boundMs && Math.max(SHORTEST_STALE_MS, boundMs / timeFactor);
    this.#checkEveryMs = (this.#staleAfterMs ?? 5 * SHORTEST_STALE_MS) / CHECKS_PER_BOUND;
    this.#marks = new Conflation<SymbolName, MarkEvent>(onEvent);
    this.#quotes = new Conflation<SymbolName, QuoteEvent>(onEvent);
    this.#books = new Conflation<SymbolName, BookEvent>(onEvent);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#checkLater();
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
    for (const conflation of [this.#marks, this.#quotes, this.#books]) conflation.clear();
  }

  has(symbol: SymbolName): boolean {
    return this.#symbols.has(symbol);
  }

  mark(event: MarkEvent): void {
    const known = this.#symbols.get(event.symbol);
    if (!known?.mark(event.at, event.mark)) return;
    this.#alive(known);
    this.#marks.put(event.symbol, event);
  }

  /** `id` grows with every change of the quote, where the venue numbers them; else its time is looked at. */
  quote(event: QuoteEvent, id?: number): void {
    const known = this.#symbols.get(event.symbol);
    if (!known || (id === undefined ? event.at < known.lastQuoteAt : id <= known.lastQuoteId)) return;
    if (id !== undefined) known.lastQuoteId = id;
    known.lastQuoteAt = event.at;
    this.#alive(known, 'quotes');
    this.#quotes.put(event.symbol, event);
  }

  trade(event: TradeEvent): void {
    const known = this.#symbols.get(event.symbol);
    if (!known || event.at < known.lastTradeAt) return;
    known.lastTradeAt = event.at;
    this.#options.onEvent(event);
  }

  interest(event: InterestEvent): void {
    const known = this.#symbols.get(event.symbol);
    if (!known || event.at <= known.lastInterestAt) return;
    known.lastInterestAt = event.at;
    this.#options.onEvent(event);
  }

  /** Each word of it: what has changed is read, and reading once too often is no harm. */
  contract(event: ContractEvent): void {
    if (this.#symbols.has(event.symbol)) this.#options.onEvent(event);
  }

  book(symbol: SymbolName, at: number): void {
    if (this.#symbols.has(symbol)) this.#books.put(symbol, { type: 'book', symbol, at });
  }

  /** A closed bar. */
  bar(bar: Candle): void {
    const known = this.#symbols.get(bar.symbol);
    if (!known || closeTime(bar) <= known.lastCloseAt) return;
    known.lastCloseAt = closeTime(bar);
    this.#marks.flush();
    this.#quotes.flush();
    this.#options.onEvent({ type: 'bar', bar: known.withMarks(bar) });
  }

  /** A connection that carried these symbols' bars was lost and is back. */
  missed(symbols: readonly SymbolName[]): void {
    const known = symbols.map((symbol) => this.#symbols.get(symbol)).filter((found) => found !== undefined);
    this.#gap(known);
  }

  #gap(known: readonly LiveSymbol[]): void {
    if (known.length === 0) return;
    const since = Math.min(...known.map(({ lastCloseAt }) => lastCloseAt));
    this.#options.onEvent({ type: 'gap', symbols: known.map(({ symbol }) => symbol), since });
  }

  #alive(known: LiveSymbol, channel: 'marks' | 'quotes' = 'marks'): void {
    // Where marks are heard, quotes prove nothing about them.
    if (channel === 'quotes' && this.#options.channels.includes('marks')) return;
    known.heard = true;
    if (!known.stale) return;
    known.stale = false;
    this.#options.onEvent({ type: 'fresh', symbols: [known.symbol] });
  }

  #checkLater(): void {
    this.#timer = this.#options.realTime.timers.set(this.#checkEveryMs, () => {
      this.#check();
      if (this.#running) this.#checkLater();
    });
  }

  #check(): void {
    const silent: LiveSymbol[] = [];
    for (const known of this.#symbols.values()) {
      known.quietChecks = known.heard ? 0 : known.quietChecks + 1;
      known.heard = false;
      if (known.quietChecks >= CHECKS_PER_BOUND && !known.stale) silent.push(known);
    }
    if (this.#staleAfterMs !== undefined && silent.length > 0) {
      for (const known of silent) known.stale = true;
      const silentMs = Math.round(this.#staleAfterMs * this.#options.timeFactor);
      this.#options.onEvent({ type: 'stale', symbols: silent.map(({ symbol }) => symbol), silentMs });
    }
    if (this.#options.channels.includes('bars')) this.#checkBars();
  }

  /** Bars whose close is long past: a quiet market may send none, and a connection may have gone mute. */
  #checkBars(): void {
    const { time, onMute } = this.#options;
    const lately = time.clock.now() - this.#graceMs;
    const due = lately - (lately % this.#spanMs);
    const late = [...this.#symbols.values()].filter(
      ({ lastCloseAt, toldUntil }) => lastCloseAt < due && toldUntil < due,
    );
    if (late.length === 0) return;
    for (const known of late) known.toldUntil = due;
    this.#gap(late);
    onMute?.(late.map(({ symbol }) => symbol));
  }
}
