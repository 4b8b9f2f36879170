/**
 * One symbol as the public sees it: its last trade, its mark, its book, the bar under way and the closed ones.
 * Feeds write it, endpoints and streams read it.
 *
 * Invariants: before the first price there is no quote; the book's update id ascends with every change of the
 * book and, coming from the time, also across restarts; a closed bar is the source's own, to the last digit,
 * unless a shock was laid over it.
 */
import type { Instrument } from '../../domain/instrument.ts';
import { markRange } from '../../exchange/engine/candle-path.ts';
import type { MarketBar } from '../../market/market-data.ts';
import type { MarketQuote } from '../core-types.ts';
import { BarHistory, type Kline, klineOf } from './bar-history.ts';
import { DayStatistics } from './day-statistics.ts';
import { seedOf } from './dice.ts';
import { SymbolFunding } from './funding-terms.ts';
import { Ladder, type LadderState, type ShownBook, type Touch } from './ladder.ts';
import { NumberText } from './number-text.ts';
import { type PublicTrade, TradeTape } from './trade-tape.ts';

/** Without any bar yet, the book is as deep as this many lots. */
const FIRST_VOLUME_STEPS = 10_000;

export interface ForeignBook extends ShownBook {
  readonly touch: Touch | undefined;
}

export class SymbolMarket {
  readonly symbol: string;
  /** As stream names have it. */
  readonly lower: string;
  readonly seed: number;
  readonly tape = new TradeTape();
  readonly history: BarHistory;
  readonly day: DayStatistics;
  readonly funding: SymbolFunding;
  #instrument: Instrument;
  #text: NumberText;
  #ladder: Ladder;
  #foreign: ForeignBook | undefined;
  #at = 0;
  #last = 0;
  #mark = 0;
  #index: number | undefined;
  #atBid = false;
  #volume = 0;
  #bookId = 0;
  #forming: Kline | undefined;
  #parked: Kline | undefined;

  constructor(instrument: Instrument, baseMs: number, capacity: number, seed: number) {
    this.symbol = instrument.symbol;
    this.lower = instrument.symbol.toLowerCase();
    this.seed = seedOf(seed, instrument.symbol);
    this.history = new BarHistory(baseMs, capacity);
    this.day = new DayStatistics(this.history);
    this.funding = new SymbolFunding(instrument);
    this.#text = new NumberText(instrument);
    this.#instrument = precise(instrument, this.#text);
    this.#ladder = new Ladder(this.#text, this.seed);
  }

  get instrument(): Instrument {
    return this.#instrument;
  }

  set instrument(instrument: Instrument) {
    this.#text = new NumberText(instrument);
    this.#instrument = precise(instrument, this.#text);
    this.#ladder = new Ladder(this.#text, this.seed);
  }

  get text(): NumberText {
    return this.#text;
  }

  /** When anything last changed. */
  get at(): number {
    return this.#at;
  }

  get last(): number {
    return this.#last;
  }

  get mark(): number {
    return this.#mark || this.#last;
  }

  get index(): number {
    if (this.#index !== undefined) return this.#index;
    // The premium that the funding rate stands for.
    const premium = Math.min(Math.max(this.funding.terms(this.#at).rate - 0.0001, -0.02), 0.02);
    return this.mark / (1 + premium);
  }

  get priced(): boolean {
    return this.#last > 0;
  }

  get bookId(): number {
    return this.#bookId;
  }

  get forming(): Kline | undefined {
    return this.#forming;
  }

  /** The last trade was a sale. */
  get atBid(): boolean {
    return this.#atBid;
  }

  /** Takes an id for a snapshot, so that the next difference begins at or before it. */
  snapshotId(): number {
    return ++this.#bookId;
  }

  /** A price of a bar's path. `stampAt` is the trade's time: a close belongs to the bar that it closes. */
  sample(at: number, stampAt: number, last: number, mark: number, quantity: number): PublicTrade | undefined {
    if (last !== this.#last) this.#atBid = last < this.#last;
    this.#mark = mark;
    this.#touched(at);
    const whole = this.#text.floorQuantity(quantity);
    this.#shape(last, mark, whole);
    this.#last = last;
    return whole > 0 ? this.tape.add(stampAt, last, whole, this.#atBid) : undefined;
  }

  /** A real trade, of a recording or another venue. */
  trade(at: number, price: number, quantity: number, buyerMaker: boolean): PublicTrade {
    const openTime = Math.floor(at / this.history.baseMs) * this.history.baseMs;
    // A straggler of a bar that is over belongs to the tape, not to the bar under way.
    const over = this.#parked ?? this.history.last;
    const late = over !== undefined && openTime <= over.openTime;
    if (!this.#forming && !late) this.open(openTime, price, this.mark || price);
    this.#atBid = buyerMaker;
    this.#last = price;
    this.#at = Math.max(this.#at, at);
    if (!late) this.#shape(price, this.mark, quantity);
    return this.tape.add(at, price, quantity, buyerMaker);
  }

  setMark(at: number, mark: number, index?: number): void {
    this.#mark = mark;
    this.#index = index;
    this.#at = Math.max(this.#at, at);
    const forming = this.#forming;
    if (!forming) return;
    forming.markClose = mark;
    forming.markHigh = Math.max(forming.markHigh, mark);
    forming.markLow = Math.min(forming.markLow, mark);
  }

  setBook(at: number, book: ForeignBook): void {
    this.#foreign = book;
    this.#touched(at);
    const { touch } = book;
    // Until the first trade the middle has to do.
    if (this.#last === 0 && touch)
      this.#last = this.#text.atTick(this.#text.ticksOf((touch.bid + touch.ask) / 2));
  }

  open(openTime: number, price: number, mark: number): void {
    this.#forming = {
      openTime,
      open: price,
      high: price,
      low: price,
      close: price,
      volume: 0,
      quoteVolume: 0,
      trades: 0,
      takerBuyVolume: 0,
      markOpen: mark,
      markHigh: mark,
      markLow: mark,
      markClose: mark,
    };
  }

  /** `bar`: what the source says that it was; without it, the bar is what was seen. */
  close(bar: MarketBar | undefined): Kline | undefined {
    const closed = bar ? klineOf(bar, this.#text.step) : this.#forming;
    this.#forming = undefined;
    if (!closed) return undefined;
    this.absorb(closed);
    return closed;
  }

  /** The bar under way is over, but what it was is for another venue to say. */
  park(): void {
    this.#parked = this.#forming;
    this.#forming = undefined;
  }

  get parked(): Kline | undefined {
    return this.#parked;
  }

  /** Without `bar`, it was what was seen of it. */
  closeParked(bar: MarketBar | undefined): Kline | undefined {
    const parked = this.#parked;
    this.#parked = undefined;
    if (!parked && !bar) return undefined;
    const marks = parked && {
      markHigh: parked.markHigh,
      markLow: parked.markLow,
      markClose: parked.markClose,
    };
    const closed = bar ? klineOf({ ...bar, ...marks }, this.#text.step) : parked;
    if (closed) this.absorb(closed);
    return closed;
  }

  /** A bar of the past. */
  absorb(closed: Kline): void {
    this.history.push(closed);
    this.day.absorb(closed);
    if (closed.volume > 0) this.#volume = closed.volume;
  }

  /** Where the market stood when nobody watched. */
  remember(at: number, bar: MarketBar): void {
    this.absorb(klineOf(bar, this.#text.step));
    this.#last = bar.close;
    this.#mark = markRange(bar).close;
    this.#touched(at);
  }

  touch(): Touch | undefined {
    if (this.#foreign) return this.#foreign.touch;
    return this.priced ? this.#ladder.touch(this.#ladderState()) : undefined;
  }

  book(): ShownBook {
    if (this.#foreign) return this.#foreign;
    return this.priced ? this.#ladder.book(this.#ladderState()) : { bids: [], asks: [] };
  }

  quote(): MarketQuote | undefined {
    if (!this.priced) return undefined;
    const touch = this.touch();
    return { last: this.#last, mark: this.mark, index: this.index, volume: this.ordinaryVolume, ...touch };
  }

  /** Of one bar. */
  get ordinaryVolume(): number {
    return this.#volume || FIRST_VOLUME_STEPS * this.#text.step;
  }

  #ladderState(): LadderState {
    return { last: this.#last, atBid: this.#atBid, volume: this.ordinaryVolume, at: this.#at };
  }

  #touched(at: number): void {
    this.#at = Math.max(this.#at, at);
    this.#bookId = Math.max(this.#bookId + 1, at * 8);
  }

  #shape(last: number, mark: number, quantity: number): void {
    const forming = this.#forming;
    if (!forming) return;
    forming.high = Math.max(forming.high, last);
    forming.low = Math.min(forming.low, last);
    forming.close = last;
    forming.volume += quantity;
    forming.quoteVolume += quantity * last;
    if (quantity > 0) forming.trades++;
    if (!this.#atBid) forming.takerBuyVolume += quantity;
    forming.markHigh = Math.max(forming.markHigh, mark);
    forming.markLow = Math.min(forming.markLow, mark);
    forming.markClose = mark;
  }
}

/** Orders are held to the decimals that exchangeInfo names. */
const precise = (instrument: Instrument, text: NumberText): Instrument => ({
  ...instrument,
  pricePrecision: text.pricePlaces,
  quantityPrecision: text.quantityPlaces,
});
