/**
 * A live market whose streams are up before anybody needs them: a standby's. Until it is started it keeps the newest
 * of what passes, and hands that over first.
 *
 * Invariants: those of LiveMarketData, of which it is a whole implementation around another; what the first owner hears
 * is never older than what a fresh subscription would bring within its first second; bars that passed before are
 * not kept, since their owner fetches them from history anyway.
 */
import type { Candle, Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { LiveBook, LiveMarketData, LiveMarketEvent, LiveMarketOptions } from './live-market.ts';

export class WarmMarket implements LiveMarketData {
  readonly name: string;
  readonly #market: LiveMarketData;
  #options: LiveMarketOptions | undefined;
  #warming: Promise<void> | undefined;
  #isWarm = false;
  #owner: ((event: LiveMarketEvent) => void) | undefined;
  readonly #marks = new Map<SymbolName, LiveMarketEvent>();
  readonly #quotes = new Map<SymbolName, LiveMarketEvent>();
  /** Symbol → for how long it had been silent when that was said. */
  readonly #stale = new Map<SymbolName, number>();

  constructor(market: LiveMarketData) {
    this.#market = market;
    this.name = market.name;
  }

  get isWarm(): boolean {
    return this.#isWarm;
  }

  /** Subscribes. Throws like `start`, and may then be tried again. */
  warm(options: LiveMarketOptions): Promise<void> {
    this.#options = options;
    this.#warming ??= this.#market
      .start(options, (event) => this.#hear(event))
      .then(() => {
        this.#isWarm = true;
      })
      .finally(() => {
        this.#warming = undefined;
      });
    return this.#warming;
  }

  async start(options: LiveMarketOptions, onEvent: (event: LiveMarketEvent) => void): Promise<void> {
    this.#owner = onEvent;
    if (!this.#isWarm) await this.#warming?.catch(() => undefined);
    if (this.#isWarm && !isSame(options, this.#options)) await this.#cool();
    if (!this.#isWarm) await this.warm(options);
    else this.#handOver(onEvent);
  }

  history(
    symbol: SymbolName,
    timeframe: Timeframe,
    after: number,
    until: number,
  ): Promise<readonly Candle[]> {
    return this.#market.history(symbol, timeframe, after, until);
  }

  markHistory(
    symbol: SymbolName,
    timeframe: Timeframe,
    after: number,
    until: number,
  ): Promise<readonly Candle[]> {
    const { markHistory = this.#market.history } = this.#market;
    return markHistory.call(this.#market, symbol, timeframe, after, until);
  }

  book(symbol: SymbolName): LiveBook | undefined {
    return this.#market.book(symbol);
  }

  async stop(): Promise<void> {
    this.#owner = undefined;
    this.#isWarm = false;
    await this.#market.stop();
  }

  async #cool(): Promise<void> {
    this.#isWarm = false;
    await this.#market.stop();
  }

  #handOver(onEvent: (event: LiveMarketEvent) => void): void {
    for (const [symbol, silentMs] of this.#stale) onEvent({ type: 'stale', symbols: [symbol], silentMs });
    for (const kept of [this.#quotes, this.#marks])
      for (const [symbol, event] of kept) if (!this.#stale.has(symbol)) onEvent(event);
    this.#marks.clear();
    this.#quotes.clear();
    this.#stale.clear();
  }

  #hear(event: LiveMarketEvent): void {
    if (this.#owner) this.#owner(event);
    else if (event.type === 'mark') this.#marks.set(event.symbol, event);
    else if (event.type === 'quote') this.#quotes.set(event.symbol, event);
    else if (event.type === 'stale')
      for (const symbol of event.symbols) this.#stale.set(symbol, event.silentMs);
    else if (event.type === 'fresh') for (const symbol of event.symbols) this.#stale.delete(symbol);
  }
}

const isSame = (a: LiveMarketOptions, b: LiveMarketOptions | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);
