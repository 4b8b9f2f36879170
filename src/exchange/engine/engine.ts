/**
 * The venue engine: Binance USD-M semantics as a pure, synchronous state machine.
 *
 * Invariants: no clock, no dice, nothing but the inputs; the same inputs give the same outputs and a
 * byte-identical checkpoint; a bar or price strictly inside the wake band changes nothing; quotes given by
 * `setQuote` are for reports and never decide anything.
 */
import { assert, unreachable } from '../../core/assert.ts';
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { ActorId } from '../../core/ids.ts';
import { cloneJson, type Json } from '../../core/json.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { IdentifiedOrder } from '../../domain/order.ts';
import type { PositionMode } from '../../domain/position-key.ts';
import type { VenueOrder, VenueReport } from '../exchange.ts';
import { amend } from './amend.ts';
import { bookMatters, matchBook, matchTrade } from './book-matching.ts';
import { candlePath, markRange, still } from './candle-path.ts';
import { deposit } from './deposit.ts';
import { findViolations } from './engine-invariants.ts';
import {
  crossWallet,
  type EngineState,
  engineConfig,
  initialState,
  instrumentOf,
  type Market,
  marginModeOf,
  marketOf,
  positionModeOf,
  type Venue,
} from './engine-state.ts';
import type {
  EngineInput,
  EngineOptions,
  EngineOutput,
  MarginMode,
  Quote,
  WakeBand,
} from './engine-types.ts';
import { settleFunding } from './funding.ts';
import { setLeverage } from './leverage.ts';
import { clearBankruptcy } from './liquidation.ts';
import { CrossAccount } from './liquidation-price.ts';
import { setDepth } from './matching.ts';
import { addMargin, setMarginMode, setPositionMode } from './modes.ts';
import { cancel, observe, submit } from './orders.ts';
import { refuseTrigger } from './trigger.ts';
import { booksOf, type VenueBooks } from './venue-books.ts';
import { reportOf } from './venue-report.ts';
import { deleverage, delist } from './venue-trades.ts';
import { computeBand, inside, OPEN_BAND } from './wake-band.ts';
import { type Tape, walk } from './walk.ts';

export type * from './engine-types.ts';
export type { VenueBooks } from './venue-books.ts';

type Input<T extends EngineInput['type']> = Extract<EngineInput, { type: T }>;

export class VenueEngine {
  readonly #venue: Venue;
  readonly #asset: string;
  readonly #bands = new Map<SymbolName, WakeBand>();
  /** As it is between two inputs, for the bands of all symbols. */
  #account: CrossAccount | undefined;
  readonly #quotes = new Map<SymbolName, { last: number; mark: number }>();

  constructor(options: EngineOptions) {
    this.#venue = {
      config: engineConfig(options),
      base: new Map(options.instruments.map((instrument) => [instrument.symbol, instrument])),
      state: initialState(D.decimal(options.initialBalance), options.firstId),
      out: [],
      at: 0,
    };
    this.#asset = options.instruments[0]?.quote ?? 'USDT';
  }

  static restore(checkpoint: Json, options: EngineOptions): VenueEngine {
    const engine = new VenueEngine(options);
    const state = cloneJson(checkpoint) as unknown as EngineState;
    assert(state.version === 1, `a venue checkpoint of version ${state.version}`);
    engine.#venue.state = state;
    return engine;
  }

  /** Open state only; plain JSON that shares nothing with the engine. */
  checkpoint(): Json {
    return cloneJson(this.#venue.state) as unknown as Json;
  }

  apply(input: EngineInput): EngineOutput[] {
    if (input.type === 'BAR' && this.#sleepsThrough(input)) return [];
    if (input.type === 'PRICE' && this.#sleepsThroughPrice(input)) return [];
    this.#venue.at = input.at;
    this.#venue.out = [];
    this.#dispatch(input);
    clearBankruptcy(this.#venue, this.#asset);
    this.#bands.clear();
    this.#account = undefined;
    return this.#venue.out;
  }

  wakeBand(symbol: SymbolName): WakeBand {
    const cached = this.#bands.get(symbol);
    if (cached) return cached;
    const instrument = instrumentOf(this.#venue, symbol);
    const market = this.#venue.state.markets[symbol];
    const account = () => (this.#account ??= new CrossAccount(this.#venue));
    const band = instrument && market ? computeBand(this.#venue, market, instrument, account) : OPEN_BAND;
    this.#bands.set(symbol, band);
    return band;
  }

  /** The newest price, for reports only. */
  setQuote(symbol: SymbolName, last: number, mark: number): void {
    this.#quotes.set(symbol, { last, mark });
  }

  /** The instrument as it stands now, changes included. */
  instrument(symbol: SymbolName): Instrument | undefined {
    return instrumentOf(this.#venue, symbol);
  }

  /** Symbols with anything of the account's on them. */
  busySymbols(): readonly SymbolName[] {
    return Object.entries(this.#venue.state.markets).flatMap(([symbol, market]) =>
      market.positions.length + market.orders.length + market.conditionals.length > 0 ? [symbol] : [],
    );
  }

  marginMode(symbol: SymbolName): MarginMode {
    const market = this.#venue.state.markets[symbol];
    return market ? marginModeOf(this.#venue, market) : this.#venue.config.marginMode;
  }

  positionMode(): PositionMode {
    return positionModeOf(this.#venue);
  }

  wallets(): { readonly wallet: Decimal; readonly crossWallet: Decimal } {
    return { wallet: this.#venue.state.wallet, crossWallet: crossWallet(this.#venue) };
  }

  hasPosition(symbol: SymbolName): boolean {
    return (this.#venue.state.markets[symbol]?.positions.length ?? 0) > 0;
  }

  report(at: number): VenueReport {
    const marks = new Map<SymbolName, number>();
    for (const [symbol, quote] of this.#quotes) marks.set(symbol, quote.mark);
    return reportOf(this.#venue, at, marks);
  }

  /** Margins and positions in the detail of an account page, at these marks where given. */
  books(marks: ReadonlyMap<SymbolName, number> = new Map(), liquidations = false): VenueBooks {
    return booksOf(this.#venue, marks, liquidations);
  }

  /**
   * True when the input would move no order and no position. A book slept through must still be given before
   * the next input or command on its symbol.
   */
  sleepsThrough(input: EngineInput): boolean {
    if (input.type === 'BAR') return this.#sleepsThrough(input);
    if (input.type === 'PRICE') return this.#sleepsThroughPrice(input);
    if (input.type === 'FUNDING' || input.type === 'ADL') return !this.hasPosition(input.symbol);
    if (input.type === 'TRADE') return this.#sleepsThroughTrade(input);
    if (input.type === 'BOOK') return this.#sleepsThroughBook(input);
    return false;
  }

  findOrder(owner: ActorId, ref: string): VenueOrder | undefined {
    return this.#find((order) => order.owner === owner && order.ref === ref);
  }

  byClientOrderId(clientOrderId: string): VenueOrder | undefined {
    return this.#find((order) => order.clientOrderId === clientOrderId);
  }

  checkInvariants(): string[] {
    return findViolations(this.#venue);
  }

  #find(matches: (order: IdentifiedOrder) => boolean): VenueOrder | undefined {
    for (const { orders, conditionals } of Object.values(this.#venue.state.markets)) {
      const resting = orders.find(({ order }) => matches(order));
      if (resting) return { order: resting.order, orderId: resting.orderId, filled: resting.filled };
      const waiting = conditionals.find(({ order }) => matches(order));
      if (waiting) return { order: waiting.order, orderId: waiting.orderId, filled: D.ZERO };
    }
    return undefined;
  }

  #sleepsThrough({ bar }: Input<'BAR'>): boolean {
    const mark = markRange(bar);
    return inside(this.wakeBand(bar.symbol), bar.low, bar.high, mark.low, mark.high);
  }

  #sleepsThroughPrice(input: Input<'PRICE'>): boolean {
    const mark = this.#markFor(input);
    return inside(this.wakeBand(input.symbol), input.last, input.last, mark, mark);
  }

  #sleepsThroughTrade(input: Input<'TRADE'>): boolean {
    const last = Number(input.price);
    const market = this.#venue.state.markets[input.symbol];
    const mark = market?.ownMark ? market.mark : last;
    return inside(this.wakeBand(input.symbol), last, last, mark, mark);
  }

  #sleepsThroughBook({ symbol, bids, asks }: Input<'BOOK'>): boolean {
    const market = this.#venue.state.markets[symbol];
    return market === undefined || !bookMatters(market, bids, asks);
  }

  /** A price without a mark leaves the feed's own mark as it was; without any, last stands in. */
  #markFor({ symbol, last, mark }: Input<'PRICE'>): number {
    const market = this.#venue.state.markets[symbol];
    return mark ?? (market?.ownMark ? market.mark : last);
  }

  #dispatch(input: EngineInput): void {
    const venue = this.#venue;
    switch (input.type) {
      case 'order.submit':
        this.#observeMarks(input.marks);
        submit(venue, input.order, input.quote, input.stp);
        break;
      case 'order.cancel':
        this.#observeQuote(input.symbol, input.quote, input.marks);
        cancel(venue, input.owner, input.ref, input.symbol);
        break;
      case 'leverage.set':
        this.#observeQuote(input.symbol, input.quote, input.marks);
        setLeverage(venue, input.owner, input.symbol, input.leverage);
        break;
      case 'order.amend':
        this.#observeQuote(input.symbol, input.quote, input.marks);
        amend(venue, input);
        break;
      case 'order.expire':
        cancel(venue, input.owner, input.ref, input.symbol, 'expired', input.reason);
        break;
      case 'margin.mode':
        setMarginMode(venue, input.symbol, input.mode);
        break;
      case 'position.mode':
        setPositionMode(venue, input.mode);
        break;
      case 'margin.add':
        this.#observeQuote(input.symbol, input.quote, input.marks);
        addMargin(venue, input.symbol, input.positionSide, input.amount);
        break;
      case 'BAR':
        this.#bar(input);
        break;
      case 'PRICE':
        this.#price(input);
        break;
      case 'BOOK':
        this.#book(input);
        break;
      case 'TRADE':
        this.#trade(input);
        break;
      case 'FUNDING':
        this.#funding(input);
        break;
      case 'DEPOSIT':
        deposit(venue, this.#asset, input.amount);
        break;
      case 'INSTRUMENT':
        this.#instrument(input);
        break;
      case 'ADL':
        this.#onMarket(input.symbol, input.mark, (market, instrument) =>
          deleverage(venue, market, instrument, input.quantity),
        );
        break;
      case 'DEPTH':
        this.#onMarket(input.symbol, undefined, (market) => setDepth(market, input.depth));
        break;
      case 'REFUSE_TRIGGER':
        refuseTrigger(venue, input);
        break;
      default:
        unreachable(input);
    }
  }

  #observeMarks(marks: Readonly<Record<SymbolName, number>> | undefined): void {
    for (const [symbol, mark] of Object.entries(marks ?? {})) {
      const market = this.#venue.state.markets[symbol];
      if (market) market.mark = mark;
    }
  }

  #observeQuote(
    symbol: SymbolName,
    quote: Quote | undefined,
    marks: Record<SymbolName, number> | undefined,
  ): void {
    this.#observeMarks(marks);
    const market = this.#venue.state.markets[symbol];
    if (market) observe(market, quote);
  }

  #onMarket(
    symbol: SymbolName,
    mark: number | undefined,
    act: (market: Market, instrument: Instrument) => void,
  ): void {
    const instrument = instrumentOf(this.#venue, symbol);
    if (!instrument) return;
    const market = marketOf(this.#venue, instrument);
    if (mark !== undefined) market.mark = mark;
    act(market, instrument);
  }

  #walk(market: Market, instrument: Instrument, tape: Tape): void {
    if (instrument.status === 'TRADING') walk(this.#venue, market, instrument, tape);
  }

  #bar({ bar }: Input<'BAR'>): void {
    const share = this.#venue.config.slippage.makerVolumeShare;
    this.#onMarket(bar.symbol, undefined, (market, instrument) => {
      market.ownMark ||= bar.markClose !== undefined;
      const legs = candlePath(bar);
      const makerVolume = bar.volume * share;
      const scope = market.hasBook ? 'triggers' : 'all';
      this.#walk(market, instrument, { legs, volume: bar.volume, scope, makerVolume });
    });
  }

  #price(input: Input<'PRICE'>): void {
    const mark = this.#markFor(input);
    this.#onMarket(input.symbol, undefined, (market, instrument) => {
      market.ownMark ||= input.mark !== undefined;
      const legs = [still(input.last, mark)];
      if (input.marginFirst) this.#walk(market, instrument, { legs, scope: 'margin', makerVolume: 0 });
      this.#walk(market, instrument, {
        legs,
        scope: market.hasBook ? 'triggers' : 'all',
        makerVolume: Number.MAX_SAFE_INTEGER,
        ...(input.volume === undefined ? {} : { volume: input.volume }),
      });
    });
  }

  #book({ symbol, bids, asks }: Input<'BOOK'>): void {
    this.#onMarket(symbol, undefined, (market, instrument) => {
      market.hasBook = true;
      market.bids = bids.map(([price, quantity]) => [price, quantity]);
      market.asks = asks.map(([price, quantity]) => [price, quantity]);
      if (instrument.status === 'TRADING') matchBook(this.#venue, market, instrument);
    });
  }

  #trade(input: Input<'TRADE'>): void {
    this.#onMarket(input.symbol, undefined, (market, instrument) => {
      if (instrument.status !== 'TRADING') return;
      matchTrade(this.#venue, market, instrument, input);
      const last = Number(input.price);
      const legs = [still(last, market.ownMark ? market.mark : last)];
      this.#walk(market, instrument, { legs, scope: 'triggers', makerVolume: 0 });
    });
  }

  #funding({ symbol, rate, mark }: Input<'FUNDING'>): void {
    if (!this.hasPosition(symbol)) return;
    this.#onMarket(symbol, mark, (market, instrument) => {
      settleFunding(this.#venue, market, instrument, rate);
      this.#recheck(market, instrument);
    });
  }

  /** Looks at margin where the symbol stands now, without moving any price. */
  #recheck(market: Market, instrument: Instrument): void {
    const { last } = market;
    const mark = market.mark || last;
    this.#walk(market, instrument, { legs: [still(mark, mark)], scope: 'margin', makerVolume: 0 });
    market.last = last;
  }

  #instrument({ instrument, mark }: Input<'INSTRUMENT'>): void {
    this.#venue.state.instruments[instrument.symbol] = instrument;
    const gone = instrument.status === 'SETTLING' || instrument.status === 'CLOSE';
    if (!gone || !this.#venue.state.markets[instrument.symbol]) return;
    this.#onMarket(instrument.symbol, mark, (market) => delist(this.#venue, market, instrument));
  }
}
