/**
 * Who is concerned by what a live market says. Keeps the last prices, the forming candles and the guard bands;
 * prices and candles are rebuilt from the venue's history after a restart, bands from committed rows.
 *
 * Invariant: a scanner is shown each closed candle once, in order, whatever came in between: bars that this
 * process missed are absorbed from history before the next one.
 */
import { scannerOf } from '../../../machines/messages.ts';
import { LEAST_FUNDING_RATE } from '../../../machines/portfolio-measures.ts';
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import type { ActorId } from '../../core/ids.ts';
import { type Candle, closeTime, TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import { type ActorEvent, PORTFOLIO } from '../../domain/events.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { Entry } from '../../domain/risk.ts';
import type { ClosedCandles } from '../../domain/signal.ts';
import { CandleRollup } from '../../market/candle-rollup.ts';
import { RETURNS } from '../../risk/return-history.ts';
import type { Audience } from '../run/system.ts';
import type { SymbolConditions } from './market-conditions.ts';
import type { Tell } from './market-driver.ts';
import { PositionBands, type WatchingPosition } from './position-bands.ts';
import { STRATEGY_TIMEFRAMES, strategyCandles } from './strategy-candles.ts';

interface SymbolPrices {
  last: number;
  mark: number;
}

export class LiveAudience implements Audience {
  readonly #timeframe: Timeframe;
  readonly #prices = new Map<SymbolName, SymbolPrices>();
  readonly #rollups = new Map<SymbolName, CandleRollup>();
  readonly #bands = new PositionBands();
  readonly #spreads = new Map<SymbolName, number>();
  readonly #funding = new Map<SymbolName, SymbolConditions>();
  /** The settlement that each position was told of last. */
  readonly #toldFunding = new Map<ActorId, number>();
  readonly #fundingLeadMs: () => number;

  /** `fundingLeadMs`: how long before a settlement the positions that may pay hear of it. */
  constructor(symbols: readonly SymbolName[], timeframe: Timeframe, fundingLeadMs: () => number) {
    this.#timeframe = timeframe;
    this.#fundingLeadMs = fundingLeadMs;
    for (const symbol of symbols) this.#prices.set(symbol, { last: 0, mark: 0 });
  }

  prices(): Record<SymbolName, number> {
    const prices: Record<SymbolName, number> = {};
    for (const [symbol, { mark }] of this.#prices) if (mark > 0) prices[symbol] = mark;
    return prices;
  }

  seedPrices(prices: Readonly<Record<SymbolName, number>>): void {
    for (const [symbol, price] of Object.entries(prices)) {
      const known = this.#prices.get(symbol);
      if (known) Object.assign(known, { last: price, mark: price });
    }
  }

  observe(committed: Committed): void {
    this.#bands.observe(committed);
  }

  watch(actor: ActorId, snapshot: string | null): void {
    this.#bands.watch(actor, snapshot);
  }

  /** A remote venue knows its own prices. */
  enrich(_to: ActorId, event: ActorEvent): ActorEvent {
    return event;
  }

  /** The candles that this bar closed, for the strategy; also keeps the last price. */
  absorb(bar: Candle): ClosedCandles | undefined {
    const known = this.#prices.get(bar.symbol);
    if (known) {
      known.last = bar.close;
      if (known.mark === 0) known.mark = bar.close;
    }
    let rollup = this.#rollups.get(bar.symbol);
    if (!rollup) {
      rollup = this.#freshRollup();
      this.#rollups.set(bar.symbol, rollup);
    }
    return strategyCandles(bar, rollup.push(bar).closed);
  }

  /** Forgets the forming candles: what is absorbed next is a new beginning. */
  restart(symbol: SymbolName): void {
    this.#rollups.set(symbol, this.#freshRollup());
  }

  bar(symbol: SymbolName, closed: ClosedCandles, tell: Tell): void {
    this.hours(closed['1h'] ? [closed['1h']] : [], tell);
    this.#bands.tellBar(closed['15m'], tell);
    tell(scannerOf(symbol), { type: 'CANDLES', closed });
  }

  /** For the history of returns. */
  hours(candles: readonly Candle[], tell: Tell): void {
    const closes = candles.map((candle) => [candle.symbol, closeTime(candle), candle.close] as const);
    if (closes.length > 0) tell(RETURNS, { type: 'CLOSES', closes });
  }

  /** Each position that may pay hears of a settlement ahead once; again after a restart, which changes nothing. */
  settlements(at: number, tell: Tell): void {
    const watching = this.#bands.watching();
    for (const actor of this.#toldFunding.keys())
      if (!watching.some((one) => one.actor === actor)) this.#toldFunding.delete(actor);
    for (const { actor, symbol } of watching) {
      const { fundingRate = 0, nextFundingAt = 0 } = this.#funding.get(symbol) ?? {};
      const isNear = nextFundingAt > at && nextFundingAt - at <= this.#fundingLeadMs();
      if (!isNear || Math.abs(fundingRate) < LEAST_FUNDING_RATE) continue;
      if (this.#toldFunding.get(actor) === nextFundingAt) continue;
      this.#toldFunding.set(actor, nextFundingAt);
      tell(actor, { type: 'FUNDING_AHEAD', rate: fundingRate, settlesAt: nextFundingAt });
    }
  }

  /** Where the market's quotes are heard: the spread, for risk. */
  quote(symbol: SymbolName, bid: number, ask: number): void {
    if (bid > 0 && ask >= bid) this.#spreads.set(symbol, (2 * (ask - bid)) / (ask + bid));
  }

  conditions({ symbol }: Entry): SymbolConditions | undefined {
    const spreadRate = this.#spreads.get(symbol);
    return { ...(spreadRate === undefined ? {} : { spreadRate }), ...this.#funding.get(symbol) };
  }

  /** What the next settlement will cost, as the marks tell it. */
  funding(symbol: SymbolName, fundingRate: number | undefined, nextFundingAt: number | undefined): void {
    if (fundingRate !== undefined && nextFundingAt !== undefined)
      this.#funding.set(symbol, { fundingRate, nextFundingAt });
  }

  mark(symbol: SymbolName, mark: number, tell: Tell): void {
    const known = this.#prices.get(symbol);
    if (!known || !(mark > 0)) return;
    known.mark = mark;
    if (known.last === 0) known.last = mark;
    this.#wake(symbol, mark, known.last, tell);
  }

  last(symbol: SymbolName, price: number): void {
    const known = this.#prices.get(symbol);
    if (known && price > 0) known.last = price;
  }

  /** Positions that a price can make act. */
  watching(): WatchingPosition[] {
    return this.#bands.watching();
  }

  /** The best price that a position missed: it recovers its peak from it, and enters nothing on it. */
  missed(actor: ActorId, price: number, tell: Tell): void {
    tell(actor, { type: 'PRICE', mark: price, last: price, past: true });
  }

  /** The account, valued at the newest marks. */
  value(tell: Tell): void {
    const prices = this.prices();
    if (Object.keys(prices).length > 0) tell(PORTFOLIO, { type: 'MARK', prices, funding: this.#rates() });
  }

  /** Of the next settlement, of those that are not small. */
  #rates(): Record<SymbolName, number> {
    const large = [...this.#funding].flatMap(([symbol, { fundingRate = 0 }]) =>
      Math.abs(fundingRate) >= LEAST_FUNDING_RATE ? [[symbol, fundingRate] as const] : [],
    );
    return Object.fromEntries(large);
  }

  #wake(symbol: SymbolName, mark: number, last: number, tell: Tell): void {
    for (const owner of this.#bands.crossed(symbol, mark)) tell(owner, { type: 'PRICE', mark, last });
  }

  #freshRollup(): CandleRollup {
    const targets = STRATEGY_TIMEFRAMES.filter((tf) => TIMEFRAME_MS[tf] > TIMEFRAME_MS[this.#timeframe]);
    return new CandleRollup(this.#timeframe, targets);
  }
}
