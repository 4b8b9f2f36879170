/** A live market in this process: history from a list of one-minute bars, streams when the test says so. */
import { type Candle, closeTime, type Timeframe } from '../../src/domain/candle.ts';
import type { SymbolName } from '../../src/domain/instrument.ts';
import { CandleRollup } from '../../src/market/candle-rollup.ts';
import type {
  LiveBook,
  LiveMarketData,
  LiveMarketEvent,
  LiveMarketOptions,
} from '../../src/market/live/live-market.ts';

export class FakeLiveMarket implements LiveMarketData {
  readonly name = 'fake';
  readonly #bars: ReadonlyMap<SymbolName, readonly Candle[]>;
  readonly #now: () => number;
  #onEvent: ((event: LiveMarketEvent) => void) | undefined;
  options: LiveMarketOptions | undefined;
  /** What was asked of history. */
  readonly asked: { symbol: SymbolName; timeframe: Timeframe; after: number; until: number }[] = [];
  /** And of the marks' history. */
  readonly marksAsked: { symbol: SymbolName; timeframe: Timeframe; after: number; until: number }[] = [];
  /** What of the marks differs from the traded prices. */
  markOf = (bar: Candle): Candle => bar;
  /** History and streams fail so often before they answer. */
  failures = 0;

  /** `bars`: of one minute, in order. */
  constructor(bars: ReadonlyMap<SymbolName, readonly Candle[]>, now: () => number) {
    this.#bars = bars;
    this.#now = now;
  }

  async start(options: LiveMarketOptions, onEvent: (event: LiveMarketEvent) => void): Promise<void> {
    this.#fail();
    this.options = options;
    this.#onEvent = onEvent;
  }

  async history(
    symbol: SymbolName,
    timeframe: Timeframe,
    after: number,
    until: number,
  ): Promise<readonly Candle[]> {
    this.asked.push({ symbol, timeframe, after, until });
    this.#fail();
    return this.#closed(symbol, timeframe, after, until);
  }

  async markHistory(
    symbol: SymbolName,
    timeframe: Timeframe,
    after: number,
    until: number,
  ): Promise<readonly Candle[]> {
    this.marksAsked.push({ symbol, timeframe, after, until });
    this.#fail();
    return this.#closed(symbol, timeframe, after, until).map(this.markOf);
  }

  #closed(symbol: SymbolName, timeframe: Timeframe, after: number, until: number): Candle[] {
    const last = Math.min(until, this.#now());
    return this.of(symbol, timeframe).filter((bar) => closeTime(bar) > after && closeTime(bar) <= last);
  }

  of(symbol: SymbolName, timeframe: Timeframe): Candle[] {
    const minutes = this.#bars.get(symbol) ?? [];
    if (timeframe === '1m') return [...minutes];
    const rollup = new CandleRollup('1m', [timeframe]);
    return minutes.flatMap((bar) => rollup.push(bar).closed);
  }

  say(event: LiveMarketEvent): void {
    this.#onEvent?.(event);
  }

  book(): LiveBook | undefined {
    return undefined;
  }

  async stop(): Promise<void> {
    this.#onEvent = undefined;
  }

  #fail(): void {
    if (this.failures === 0) return;
    this.failures -= 1;
    throw new Error('no line to the market');
  }
}
