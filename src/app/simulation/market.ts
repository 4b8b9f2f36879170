/**
 * The market of a simulated world: its past as bars, its present from the venue's own prices, and the public streams
 * of each process with what can be wrong with them.
 *
 * Invariants: all processes are told the same bars; what is wrong is drawn, each kind counted when it strikes; after
 * a silence the owner hears stale, gap and fresh as the port has it.
 */
import type { Random } from '../../core/random.ts';
import { type Candle, closeTime, TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import { CandleRollup } from '../../market/candle-rollup.ts';
import type {
  LiveBook,
  LiveMarketData,
  LiveMarketEvent,
  LiveMarketOptions,
} from '../../market/live/live-market.ts';
import type { MarketData, MarketRange, MarketStep } from '../../market/market-data.ts';
import type { MarketQuote } from '../../venue-server/core-types.ts';
import { never, type SimProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';

/** A market read once: its steps from a moment on, and all of its past in longer bars. */
export interface PastAndFuture {
  readonly instruments: readonly Instrument[];
  /** One-minute steps from shortly before the world begins to its end. */
  readonly steps: readonly MarketStep[];
  /** Fifteen-minute bars of everything, oldest first. */
  readonly bars: ReadonlyMap<SymbolName, readonly Candle[]>;
}

export async function readMarket(source: MarketData, from: number, to: number): Promise<PastAndFuture> {
  const instruments = source.instruments();
  const rollups = new Map(instruments.map(({ symbol }) => [symbol, new CandleRollup('1m', ['15m'])]));
  const bars = new Map<SymbolName, Candle[]>(instruments.map(({ symbol }) => [symbol, []]));
  const steps: MarketStep[] = [];
  for await (const chunk of source.steps(undefined))
    for (const step of chunk) {
      if (step.at > to) return { instruments, steps, bars };
      for (const bar of step.bars) {
        const closed = rollups.get(bar.symbol)?.push(bar).closed ?? [];
        bars.get(bar.symbol)?.push(...closed);
      }
      if (step.at > from) steps.push(step);
    }
  return { instruments, steps, bars };
}

/** The steps as a market of their own, for the venue to play. */
export class StepsMarket implements MarketData {
  readonly name = 'simulated';
  readonly timeframe = '1m';
  readonly #source: PastAndFuture;

  constructor(source: PastAndFuture) {
    this.#source = source;
  }

  instruments(): readonly Instrument[] {
    return this.#source.instruments;
  }

  range(): MarketRange {
    const { steps } = this.#source;
    const from = (steps[0]?.at ?? 0) - TIMEFRAME_MS['1m'];
    return { from, to: steps.at(-1)?.at ?? from, steps: steps.length };
  }

  async *steps(after: number | undefined): AsyncGenerator<readonly MarketStep[]> {
    const { steps } = this.#source;
    const first = after === undefined ? 0 : steps.findIndex(({ at }) => at > after);
    for (let i = Math.max(0, first); i < steps.length; i += 240) yield steps.slice(i, i + 240);
  }

  async close(): Promise<void> {}
}

/** What may be wrong with market data; probabilities for each symbol and pulse. */
export interface DataFaults {
  nan: number;
  zero: number;
  absurd: number;
  crossed: number;
  /** For each symbol and bar. */
  lostBar: number;
  doubleBar: number;
  /** History fails. */
  history: number;
  /** Nothing comes at all. */
  silent: boolean;
}

export const soundData = (): DataFaults => ({
  nan: 0,
  zero: 0,
  absurd: 0,
  crossed: 0,
  lostBar: 0,
  doubleBar: 0,
  history: 0,
  silent: false,
});

const PULSE_MS = 3_000;
const STALE_AFTER_MS = 15_000;
const SPREAD = 0.0001;

export interface SimMarketOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly source: PastAndFuture;
  readonly prices: (symbol: SymbolName) => Pick<MarketQuote, 'last' | 'mark'> | undefined;
  readonly funding: (symbol: SymbolName) => { readonly rate: number; readonly nextAt: number } | undefined;
  readonly onFault: (what: string) => void;
}

interface Listener {
  readonly process: SimProcess;
  readonly hear: (event: LiveMarketEvent) => void;
  /** Since when it heard nothing; undefined: it hears. */
  silentSince: number | undefined;
  isStale: boolean;
}

export class SimMarket {
  readonly faults = soundData();
  readonly #options: SimMarketOptions;
  readonly #listeners = new Set<Listener>();
  #isOver = false;

  constructor(options: SimMarketOptions) {
    this.#options = options;
  }

  start(): void {
    this.#pulse();
  }

  stop(): void {
    this.#isOver = true;
  }

  /** The public market as one process has it. */
  open(process: SimProcess): LiveMarketData {
    let listener: Listener | undefined;
    process.onDeath(() => listener && this.#listeners.delete(listener));
    return {
      name: 'simulated',
      start: async (_options: LiveMarketOptions, onEvent) => {
        await this.#trip(process);
        listener = { process, hear: onEvent, silentSince: undefined, isStale: false };
        this.#listeners.add(listener);
      },
      history: async (symbol, timeframe, after, until) => {
        await this.#trip(process);
        return this.#history(symbol, timeframe, after, until);
      },
      book: (): LiveBook | undefined => undefined,
      stop: async () => {
        if (listener) this.#listeners.delete(listener);
      },
    };
  }

  async #trip(process: SimProcess): Promise<void> {
    const { random, onFault } = this.#options;
    await process.wait(20 + Math.floor(random.next() * 100));
    if (process.isDead) return never();
    const isCut = this.faults.silent || random.next() < this.faults.history;
    if (!isCut) return;
    onFault('data:no-history');
    throw new Error('no line to the market');
  }

  #history(symbol: SymbolName, timeframe: Timeframe, after: number, until: number): readonly Candle[] {
    const now = this.#options.scheduler.now();
    const within = (bar: Candle): boolean => {
      const close = closeTime(bar);
      return close > after && close <= until && close <= now;
    };
    if (timeframe === '15m') return (this.#options.source.bars.get(symbol) ?? []).filter(within);
    return this.#options.source.steps
      .flatMap(({ bars }) => bars.filter((bar) => bar.symbol === symbol))
      .filter(within);
  }

  #pulse(): void {
    if (this.#isOver) return;
    const { scheduler } = this.#options;
    const now = scheduler.now();
    scheduler.set(PULSE_MS - (now % PULSE_MS), () => this.#pulse());
    for (const listener of this.#listeners) {
      if (this.faults.silent) this.#silence(listener, now);
      else this.#speak(listener, now);
    }
  }

  #silence(listener: Listener, now: number): void {
    listener.silentSince ??= now;
    const silentMs = now - listener.silentSince;
    if (listener.isStale || silentMs < STALE_AFTER_MS) return;
    listener.isStale = true;
    this.#options.onFault('data:stale');
    this.#tell(listener, [{ type: 'stale', symbols: this.#symbols, silentMs }]);
  }

  #speak(listener: Listener, now: number): void {
    const events: LiveMarketEvent[] = [];
    if (listener.silentSince !== undefined) {
      events.push({ type: 'gap', symbols: this.#symbols, since: listener.silentSince });
      if (listener.isStale) events.push({ type: 'fresh', symbols: this.#symbols });
      listener.silentSince = undefined;
      listener.isStale = false;
    }
    for (const symbol of this.#symbols) this.#ofSymbol(symbol, now, events);
    this.#tell(listener, events);
  }

  #ofSymbol(symbol: SymbolName, now: number, events: LiveMarketEvent[]): void {
    const { prices, funding } = this.#options;
    const known = prices(symbol);
    if (!known) return;
    const terms = funding(symbol);
    const mark = this.#spoilt(known.mark);
    events.push({
      type: 'mark',
      symbol,
      at: now,
      mark,
      ...(terms ? { fundingRate: terms.rate, nextFundingAt: terms.nextAt } : {}),
    });
    const half = known.last * SPREAD * (this.#strikes('crossed') ? -1 : 1);
    const [bid, ask] = [known.last - half, known.last + half];
    events.push({ type: 'quote', symbol, at: now, bid, bidQuantity: 1, ask, askQuantity: 1 });
    if (now % TIMEFRAME_MS['15m'] === 0) this.#bar(symbol, now, events);
  }

  #bar(symbol: SymbolName, now: number, events: LiveMarketEvent[]): void {
    const bar = this.#options.source.bars.get(symbol)?.find((each) => closeTime(each) === now);
    if (!bar || this.#strikes('lostBar')) return;
    const event: LiveMarketEvent = { type: 'bar', bar: { ...bar, symbol } };
    events.push(event);
    if (this.#strikes('doubleBar')) events.push(event);
  }

  #spoilt(mark: number): number {
    if (this.#strikes('nan')) return Number.NaN;
    if (this.#strikes('zero')) return 0;
    return this.#strikes('absurd') ? mark * 1.6 : mark;
  }

  #strikes(kind: Exclude<keyof DataFaults, 'silent' | 'history'>): boolean {
    const probability = this.faults[kind];
    if (probability === 0 || this.#options.random.next() >= probability) return false;
    this.#options.onFault(`data:${kind}`);
    return true;
  }

  #tell({ process, hear }: Listener, events: readonly LiveMarketEvent[]): void {
    const delayMs = 20 + Math.floor(this.#options.random.next() * 80);
    process.later(delayMs, () => {
      for (const event of events) hear(event);
    });
  }

  get #symbols(): readonly SymbolName[] {
    return this.#options.source.instruments.map(({ symbol }) => symbol);
  }
}
