/**
 * Whom a step of the market concerns. Keeps what cannot be journaled cheaply (last prices, forming candles,
 * guard bands), all of it rebuilt after a restart from committed rows and the last hours of the market.
 *
 * Invariant: whom it tells depends only on the step, on committed state and on `absorb`ed steps, so a resumed
 * run tells the same actors the same things.
 */

import { feedOf, scannerOf } from '../../../machines/messages.ts';
import { LEAST_FUNDING_RATE } from '../../../machines/portfolio-measures.ts';
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import type { ActorId } from '../../core/ids.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import { type ActorEvent, PORTFOLIO, VENUE } from '../../domain/events.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { ClosedCandles } from '../../domain/signal.ts';
import type { VenueEngine } from '../../exchange/engine/engine.ts';
import type { Quote } from '../../exchange/engine/engine-types.ts';
import { CandleRollup } from '../../market/candle-rollup.ts';
import type { MarketBar, MarketStep } from '../../market/market-data.ts';
import { type HourlyCloses, RETURNS } from '../../risk/return-history.ts';
import type { Audience } from '../run/system.ts';
import type { StepAudience, Tell } from './market-driver.ts';
import { PositionBands } from './position-bands.ts';
import { STRATEGY_TIMEFRAMES, strategyCandles } from './strategy-candles.ts';

const MARK_EVERY_MS = TIMEFRAME_MS['15m'];
const HOUR_MS = TIMEFRAME_MS['1h'];
const LONGEST_FUNDING_MS = 8 * HOUR_MS;

interface SymbolState {
  readonly rollup: CandleRollup;
  last: number;
  mark: number;
  volume: number;
  /** Close time of the newest bar. */
  at: number;
  readonly fundingEveryMs: number;
  /** The last rate that was settled: the next is most often like it. */
  funding: { readonly rate: number; readonly at: number } | undefined;
}

export interface AudienceOptions {
  readonly instruments: readonly Instrument[];
  readonly timeframe: Timeframe;
  readonly engine: () => VenueEngine | undefined;
  /** How long before a settlement the positions that may pay hear of it. */
  readonly fundingLeadMs: () => number;
  readonly now: () => number;
}

export class MarketAudience implements StepAudience, Audience {
  readonly #options: AudienceOptions;
  readonly #symbols = new Map<SymbolName, SymbolState>();
  readonly #bands = new PositionBands();
  /** The candles that the newest absorbed step closed, by symbol. */
  #closed = new Map<SymbolName, ClosedCandles>();

  constructor(options: AudienceOptions) {
    this.#options = options;
    const targets = STRATEGY_TIMEFRAMES.filter((tf) => TIMEFRAME_MS[tf] > TIMEFRAME_MS[options.timeframe]);
    for (const { symbol, fundingIntervalHours } of options.instruments) {
      const rollup = new CandleRollup(options.timeframe, targets);
      const fundingEveryMs = fundingIntervalHours * HOUR_MS;
      this.#symbols.set(symbol, {
        rollup,
        last: 0,
        mark: 0,
        volume: 0,
        at: 0,
        fundingEveryMs,
        funding: undefined,
      });
    }
  }

  /** Prices from before the steps that will be absorbed, e.g. of a symbol whose recording is over. */
  seedPrices(prices: Readonly<Record<SymbolName, number>>): void {
    for (const [symbol, price] of Object.entries(prices)) {
      const state = this.#symbols.get(symbol);
      if (state) Object.assign(state, { last: price, mark: price });
    }
  }

  /** Last price by symbol, of those that have one. */
  prices(): Record<SymbolName, number> {
    const prices: Record<SymbolName, number> = {};
    for (const [symbol, { mark }] of this.#symbols) if (mark > 0) prices[symbol] = mark;
    return prices;
  }

  /** Of what traded in the bar that ends the hour: a halted symbol has no hour. */
  #hourCloses({ at, bars }: MarketStep): HourlyCloses['closes'] {
    if (at % HOUR_MS !== 0) return [];
    return bars.flatMap(({ symbol, close }) =>
      this.#symbols.has(symbol) ? [[symbol, at, close] as const] : [],
    );
  }

  absorb(step: MarketStep): void {
    if (this.#closed.size > 0) this.#closed = new Map();
    for (const bar of step.bars) {
      const state = this.#symbols.get(bar.symbol);
      if (!state) continue;
      state.last = bar.close;
      state.mark = bar.markClose ?? bar.close;
      state.volume = bar.volume;
      state.at = step.at;
      const { closed } = state.rollup.push(bar);
      const relevant = strategyCandles(bar, closed);
      if (relevant) this.#closed.set(bar.symbol, relevant);
    }
    for (const { symbol, rate } of step.funding) {
      const state = this.#symbols.get(symbol);
      if (state) state.funding = { rate, at: step.at };
    }
  }

  /** At a candle's close the bars of that candle, and the last settlement: who looks at the step at `at` is shown both. */
  absorbFrom(at: number): number {
    return CandleRollup.replayFrom(at - 1 - LONGEST_FUNDING_MS);
  }

  venue(step: MarketStep, tell: Tell): void {
    const engine = this.#options.engine();
    if (!engine) return;
    for (const bar of step.bars) if (concerns(engine, bar)) tell(VENUE, { type: 'BAR', bar });
    for (const { symbol, rate } of step.funding) {
      const mark = this.#symbols.get(symbol)?.mark ?? 0;
      if (engine.hasPosition(symbol) && mark > 0) tell(VENUE, { type: 'FUNDING', symbol, rate, mark });
    }
  }

  market(step: MarketStep, tell: Tell): void {
    for (const { symbol, kind, detail } of step.faults) {
      const event: ActorEvent = kind === 'resumed' ? { type: 'RESUMED' } : { type: 'FAULT', kind, detail };
      tell(feedOf(symbol), event);
    }
    for (const bar of step.bars) {
      const mark = bar.markClose ?? bar.close;
      for (const owner of this.#bands.crossed(bar.symbol, mark)) {
        tell(owner, { type: 'PRICE', mark, last: bar.close });
      }
    }
    this.#tellFunding(step, tell);
    const closes = this.#hourCloses(step);
    if (closes.length > 0) tell(RETURNS, { type: 'CLOSES', closes });
    // Equity first: the breakers must have seen this instant before a signal of it asks for risk.
    if (step.at % MARK_EVERY_MS === 0 && step.bars.length > 0)
      tell(PORTFOLIO, { type: 'MARK', prices: this.prices(), ...settledRates(step) });
    for (const [symbol, closed] of this.#closed) {
      this.#bands.tellBar(closed['15m'], tell);
      tell(scannerOf(symbol), { type: 'CANDLES', closed });
    }
  }

  /** In the one step that first comes within the lead of a settlement: a resumed run finds the same one. */
  #tellFunding({ at }: MarketStep, tell: Tell): void {
    const { fundingLeadMs, timeframe } = this.#options;
    for (const { actor, symbol } of this.#bands.watching()) {
      const { funding, fundingEveryMs } = this.#symbols.get(symbol) ?? {};
      if (!funding || fundingEveryMs === undefined) continue;
      const settlesAt = funding.at + fundingEveryMs;
      const since = at - (settlesAt - fundingLeadMs());
      if (since < 0 || since >= TIMEFRAME_MS[timeframe] || Math.abs(funding.rate) < LEAST_FUNDING_RATE)
        continue;
      tell(actor, { type: 'FUNDING_AHEAD', rate: funding.rate, settlesAt });
    }
  }

  observe(committed: Committed): void {
    this.#bands.observe(committed);
  }

  watch(actor: ActorId, snapshot: string | null): void {
    this.#bands.watch(actor, snapshot);
  }

  /** What the venue must know of the market to take a command at this moment. */
  enrich(to: ActorId, event: ActorEvent): ActorEvent {
    if (to !== VENUE || event.type !== 'order.submit') return event;
    const symbol = (event.order as { readonly symbol: SymbolName }).symbol;
    const quote = this.#quote(symbol);
    return quote ? { ...event, quote, marks: this.prices() } : event;
  }

  #quote(symbol: SymbolName): Quote | undefined {
    const state = this.#symbols.get(symbol);
    if (!state || state.last <= 0) return undefined;
    const { last, mark, volume, at } = state;
    const isFresh = this.#options.now() - at < TIMEFRAME_MS[this.#options.timeframe];
    return isFresh ? { last, mark, volume } : { last, mark };
  }
}

/** A recording knows a rate when it is settled; the next one is most often like it. */
function settledRates({ funding }: MarketStep): { readonly funding?: Record<SymbolName, number> } {
  if (funding.length === 0) return {};
  return { funding: Object.fromEntries(funding.map(({ symbol, rate }) => [symbol, rate])) };
}

/** Two comparisons each on last and mark price: most bars concern the venue not at all. */
function concerns(engine: VenueEngine, bar: MarketBar): boolean {
  const band = engine.wakeBand(bar.symbol);
  const markLow = bar.markLow ?? bar.low;
  const markHigh = bar.markHigh ?? bar.high;
  return (
    bar.low <= band.lastLow ||
    bar.high >= band.lastHigh ||
    markLow <= band.markLow ||
    markHigh >= band.markHigh
  );
}
