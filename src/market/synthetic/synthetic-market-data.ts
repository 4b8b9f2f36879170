/**
 * A synthetic market: correlated symbols with regimes, clustered volatility, jumps, flash crashes, funding,
 * spreads and books. For demos and load tests that must look like a market without being one.
 *
 * Invariants: the seed and the start fix everything; a day is computed from the day before's state, so it comes
 * out the same wherever reading starts and whatever else was read; a symbol's bars do not depend on which other
 * symbols are traded. Floats may differ in the last place between versions of V8, hence not across machines.
 */
import { BulkheadError } from '../../core/errors.ts';
import { type Random, seededRandom } from '../../core/random.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import { instrumentFor } from '../instrument-table.ts';
import type { FundingRate, MarketBar, MarketData, MarketRange, MarketStep } from '../market-data.ts';
import { type BarColumns, drawBars } from './synthetic-bars.ts';
import { drawBook, type Quote, type SyntheticBook } from './synthetic-book.ts';
import {
  DAY_MINUTES,
  FACTOR_START,
  type FactorState,
  factorDay,
  SYMBOL_START,
  type SymbolDay,
  type SymbolState,
  symbolDay,
} from './synthetic-path.ts';
import { profileOf, SYNTHETIC_SYMBOLS, type SymbolProfile } from './synthetic-symbols.ts';

export interface SyntheticOptions {
  readonly seed: number | string;
  readonly symbols?: readonly SymbolName[];
  /** Epoch ms, a UTC midnight; a fixed day by default, so that a seed alone names a market. */
  readonly startAt?: number;
  /** Endless when absent. */
  readonly days?: number;
  /** Multiplies how often crashes and flash crashes come; 1 is ordinary, 0 is none. */
  readonly stress?: number;
}

export const SYNTHETIC_START_AT = Date.UTC(2025, 0, 1);

const MINUTE_MS = TIMEFRAME_MS['1m'];
const DAY_MS = DAY_MINUTES * MINUTE_MS;
const HOUR_MS = 3_600_000;
/** The largest time a Date can hold: the end of an endless market. */
const FOREVER = 8.64e15;
const CHUNK_STEPS = 240;
/** Days of bars kept: the one being read and its eve, for quotes around midnight. */
const CACHED_DAYS = 2;

const NO_FUNDING: readonly FundingRate[] = [];
const NO_FAULTS: MarketStep['faults'] = [];

interface Coin {
  readonly profile: SymbolProfile;
  readonly instrument: Instrument;
  readonly random: Random;
}

/** What a day starts from. */
interface Dawn {
  readonly factor: FactorState;
  readonly symbols: readonly SymbolState[];
}

interface Day {
  readonly number: number;
  readonly columns: readonly BarColumns[];
  readonly premiums: readonly Float64Array[];
}

export class SyntheticMarketData implements MarketData {
  readonly name = 'synthetic';
  readonly timeframe: Timeframe = '1m';
  readonly #startAt: number;
  readonly #days: number | undefined;
  readonly #stress: number;
  readonly #coins: readonly Coin[];
  readonly #factorRandom: Random;
  /** dawns[d] is the state before day d; as long as the days walked so far. */
  readonly #dawns: Dawn[];
  readonly #cache: Day[] = [];

  constructor(options: SyntheticOptions) {
    const { seed, symbols = SYNTHETIC_SYMBOLS, startAt = SYNTHETIC_START_AT, days, stress = 1 } = options;
    check(
      symbols.length > 0 && new Set(symbols).size === symbols.length,
      'symbols',
      symbols,
      'distinct names',
    );
    check(startAt >= 0 && startAt % DAY_MS === 0, 'startAt', startAt, 'a UTC midnight in epoch milliseconds');
    check(days === undefined || (Number.isInteger(days) && days > 0), 'days', days, 'a whole number above 0');
    check(stress >= 0 && stress <= 30, 'stress', stress, 'from 0 to 30');
    const random = seededRandom(`synthetic/${seed}`);
    this.#startAt = startAt;
    this.#days = days;
    this.#stress = stress;
    this.#factorRandom = random.fork('factor');
    this.#coins = symbols.map((symbol) => {
      const profile = profileOf(symbol);
      return { profile, instrument: instrumentFor(symbol, profile.startPrice), random: random.fork(symbol) };
    });
    this.#dawns = [{ factor: FACTOR_START, symbols: symbols.map(() => SYMBOL_START) }];
  }

  instruments(): readonly Instrument[] {
    return this.#coins.map(({ instrument }) => instrument);
  }

  range(): MarketRange {
    const from = this.#startAt;
    if (this.#days === undefined) return { from, to: FOREVER, steps: undefined };
    return { from, to: from + this.#days * DAY_MS, steps: this.#days * DAY_MINUTES };
  }

  async *steps(after: number | undefined): AsyncGenerator<readonly MarketStep[]> {
    const first = after === undefined ? 0 : Math.max(0, Math.floor((after - this.#startAt) / MINUTE_MS));
    const end = this.#days === undefined ? Infinity : this.#days * DAY_MINUTES;
    for (let minute = first; minute < end; ) {
      const day = this.#day(Math.floor(minute / DAY_MINUTES));
      const from = minute % DAY_MINUTES;
      const count = Math.min(CHUNK_STEPS, DAY_MINUTES - from);
      yield Array.from({ length: count }, (_, i) => this.#step(day, from + i));
      minute += count;
    }
  }

  async close(): Promise<void> {
    this.#cache.length = 0;
  }

  /** Best bid and ask as they stand when the minute before `at` has closed. */
  quoteAt(symbol: SymbolName, at: number): Quote {
    const { bids, asks } = this.bookAt(symbol, at, 1);
    const [bid, ask] = [bids[0], asks[0]];
    if (!bid || !ask) throw new BulkheadError('INTERNAL', `The synthetic book of ${symbol} is empty.`);
    return { bid: bid.price, bidQuantity: bid.quantity, ask: ask.price, askQuantity: ask.quantity };
  }

  /** The order book around the last close at `at`; its best levels are `quoteAt`'s. */
  bookAt(symbol: SymbolName, at: number, levels = 20): SyntheticBook {
    const index = this.#coins.findIndex(({ profile }) => profile.symbol === symbol);
    const coin = this.#coins[index];
    const minute = Math.floor((at - this.#startAt) / MINUTE_MS) - 1;
    const inRange = minute >= 0 && (this.#days === undefined || minute < this.#days * DAY_MINUTES);
    const columns = inRange ? this.#day(Math.floor(minute / DAY_MINUTES)).columns[index] : undefined;
    if (!coin || !columns)
      throw new BulkheadError('NOT_FOUND', `The synthetic market has no book of ${symbol} at ${at}.`, {
        hint: `Symbols: ${this.#coins.map(({ profile }) => profile.symbol).join(', ')}.`,
      });
    const m = minute % DAY_MINUTES;
    const stress = ((columns.volatility[m] as number) * 10_000) / coin.profile.volatilityBps;
    const dice = coin.random.fork(`book/${at}`);
    return drawBook(coin.profile, coin.instrument, columns.close[m] as number, stress, dice, levels);
  }

  #step(day: Day, m: number): MarketStep {
    const openTime = this.#startAt + day.number * DAY_MS + m * MINUTE_MS;
    const at = openTime + MINUTE_MS;
    const bars = this.#coins.map(({ profile }, i) => barOf(profile.symbol, openTime, day.columns[i], m));
    const funding = at % HOUR_MS === 0 ? this.#funding(day, m, at) : NO_FUNDING;
    return { at, bars, funding, faults: NO_FAULTS };
  }

  #funding(day: Day, m: number, at: number): readonly FundingRate[] {
    const rates: FundingRate[] = [];
    this.#coins.forEach(({ instrument: { symbol, fundingIntervalHours } }, i) => {
      if (at % (fundingIntervalHours * HOUR_MS) !== 0) return;
      rates.push({ symbol, rate: fundingRate(day.premiums[i]?.[Math.floor(m / 60)] ?? 0) });
    });
    return rates;
  }

  #day(number: number): Day {
    const cached = this.#cache.find((day) => day.number === number);
    if (cached) return cached;
    while (this.#dawns.length <= number) this.#walk(this.#dawns.length - 1);
    const dawn = this.#dawnOf(number);
    const paths = this.#walk(number);
    const columns = this.#coins.map(({ profile, instrument, random }, i) => {
      const [path, state] = [paths[i], dawn.symbols[i]];
      if (!path || !state) throw new BulkheadError('INTERNAL', `No synthetic path for ${profile.symbol}.`);
      const eve = { fair: fairAt(profile, dawn.factor, state) };
      return drawBars(profile, instrument, path, eve, random.fork(`bars/${number}`));
    });
    const day = { number, columns, premiums: paths.map(({ premium }) => premium) };
    this.#cache.push(day);
    if (this.#cache.length > CACHED_DAYS) this.#cache.shift();
    return day;
  }

  #dawnOf(number: number): Dawn {
    const dawn = this.#dawns[number];
    if (!dawn) throw new BulkheadError('INTERNAL', `Synthetic day ${number} has no dawn.`);
    return dawn;
  }

  /** The paths of a day whose dawn is known; makes the next dawn known. */
  #walk(number: number): readonly SymbolDay[] {
    const dawn = this.#dawnOf(number);
    const factor = factorDay(dawn.factor, this.#factorRandom.fork(`day/${number}`), this.#stress);
    const paths = this.#coins.map(({ profile, random }, i) =>
      symbolDay(profile, dawn.symbols[i] ?? SYMBOL_START, factor, random.fork(`day/${number}`), this.#stress),
    );
    this.#dawns[number + 1] ??= { factor: factor.after, symbols: paths.map(({ after }) => after) };
    return paths;
  }
}

function barOf(symbol: SymbolName, openTime: number, c: BarColumns | undefined, m: number): MarketBar {
  if (!c) throw new BulkheadError('INTERNAL', `No synthetic bars for ${symbol}.`);
  return {
    symbol,
    timeframe: '1m',
    openTime,
    open: c.open[m] as number,
    high: c.high[m] as number,
    low: c.low[m] as number,
    close: c.close[m] as number,
    volume: c.volume[m] as number,
    markHigh: c.markHigh[m] as number,
    markLow: c.markLow[m] as number,
    markClose: c.markClose[m] as number,
  };
}

/** Log price relative to the start, as the path has it at the end of a day. */
function fairAt(profile: SymbolProfile, factor: FactorState, state: SymbolState): number {
  const { volatilityBps, loading } = profile;
  return (volatilityBps / 10_000) * (loading * factor.level + Math.sqrt(1 - loading ** 2) * state.level);
}

/** Binance's rule: the premium, drawn to the interest rate of 0.01 % by up to 0.05 %. */
function fundingRate(premium: number): number {
  const drawn = premium + Math.min(Math.max(0.0001 - premium, -0.0005), 0.0005);
  return Math.round(Math.min(Math.max(drawn, -0.02), 0.02) * 1e8) / 1e8;
}

function check(holds: boolean, option: string, value: unknown, allowed: string): void {
  if (holds) return;
  throw new BulkheadError(
    'CONFIG_INVALID',
    `Synthetic market: ${option} cannot be ${JSON.stringify(value)}.`,
    {
      hint: `It must be ${allowed}.`,
    },
  );
}
