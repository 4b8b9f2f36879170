/**
 * Drives a run on a live market, in real time: closed bars to the scanners, marks to the positions they concern,
 * the account's value to the portfolio, durable timers at their deadlines.
 *
 * Invariants: scanners see every closed bar once and in order, also those that closed while this process was
 * away, unless it is withheld as bad data; no position hears a price that the order book contradicts; a position
 * that was away from the market learns the best price it missed, so that its peak is right; what is out of order
 * stops entries on its symbol and nothing else.
 */
import { feedOf, scannerOf } from '../../../machines/messages.ts';
import type { ActorRuntime } from '../../../supervisors/actor-runtime.ts';
import { sleep, type Time, type TimerHandle } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { ActorId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { type Candle, closeTime, type Timeframe } from '../../domain/candle.ts';
import type { ActorEvent } from '../../domain/events.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { ClosedCandles } from '../../domain/signal.ts';
import type { LiveMarketData, LiveMarketEvent } from '../../market/live/live-market.ts';
import { LiveQuality } from '../../market/live/live-quality.ts';
import type { MarketBar, MarketFault } from '../../market/market-data.ts';
import { type Ailment, FeedHealth } from '../live/feed-health.ts';
import type { LiveAudience } from './live-audience.ts';
import { LIVE_TIMEFRAME, liveChannels } from './live-channels.ts';
import { type FeedSeams, SymbolFeed } from './symbol-feed.ts';
import { TimerPump } from './timer-pump.ts';

/** Finer than the strategy's bars: for the mark price that a position missed. */
const PEAK_TIMEFRAME: Timeframe = '1m';
/** Histories asked for at the same time. */
const AT_ONCE = 4;
/** However little the strategy needs: the correlations that risk asks for want a week. */
const LEAST_HISTORY_MS = 7 * 86_400_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export interface LiveDriverOptions {
  readonly market: LiveMarketData;
  readonly runtime: ActorRuntime;
  readonly audience: LiveAudience;
  /** The runtime's time: the venue's, where that runs faster. */
  readonly time: Time;
  /** For pauses between attempts. */
  readonly realTime: Time;
  readonly symbols: readonly SymbolName[];
  readonly markEveryMs: number;
  /** What the strategy needs of the past. */
  readonly warmUpMs: number;
  /** Close of the newest bar that each scanner has seen, from the journal. */
  readonly seen: ReadonlyMap<SymbolName, number | null>;
  /** When this account was last alive; undefined: never. */
  readonly awaySince: number | undefined;
  /** False while the journal takes nothing: prices told then would be old news when they are heard. */
  readonly isWell: () => boolean;
  readonly log: Logger;
  /** The venue says that something of a contract has changed: its status, its delivery, its brackets. */
  readonly onContract?: (symbol: SymbolName) => void;
  /** The market said something, or the account was valued. */
  readonly onEvent?: () => void;
}

export class LiveDriver {
  readonly #options: LiveDriverOptions;
  readonly #feeds: ReadonlyMap<SymbolName, SymbolFeed>;
  readonly #pump: TimerPump;
  readonly #quality: ReadonlyMap<SymbolName, LiveQuality>;
  readonly #health = new FeedHealth();
  #valuing: TimerHandle | undefined;
  #stopped = false;
  #lastEventAt: number | null = null;

  constructor(options: LiveDriverOptions) {
    this.#options = options;
    const { seen } = options;
    const warmUpMs = Math.max(options.warmUpMs, LEAST_HISTORY_MS);
    const seams = this.#seams();
    this.#quality = new Map(
      options.symbols.map((symbol) => [symbol, new LiveQuality(symbol, LIVE_TIMEFRAME)]),
    );
    this.#feeds = new Map(
      options.symbols.map((symbol) => {
        const beginning = { timeframe: LIVE_TIMEFRAME, lastCloseAt: seen.get(symbol) ?? null, warmUpMs };
        return [symbol, new SymbolFeed(symbol, beginning, seams)];
      }),
    );
    this.#pump = new TimerPump(options.runtime, options.time);
  }

  /** Symbols whose market data cannot be relied on now. */
  get outOfOrder(): SymbolName[] {
    return this.#health.outOfOrder;
  }

  /** Symbols whose strategy is still being shown what it needs of the past. */
  get warmingUp(): number {
    return [...this.#feeds.values()].filter((feed) => !feed.isBegun).length;
  }

  /** When the market last said anything, by the runtime's clock. */
  get lastEventAt(): number | null {
    return this.#lastEventAt;
  }

  /** Durable timers fire from now on: positions act by them, market or not. */
  startTimers(): void {
    this.#pump.start();
  }

  /** Streams, then, once it is `free` to ask, history; resolves when every symbol has its past, or it was stopped. */
  async start(free?: Promise<void>): Promise<void> {
    const { audience, awaySince } = this.#options;
    await this.#subscribe();
    this.#valueLater();
    await free;
    if (awaySince !== undefined) await this.#recoverPeaks(awaySince);
    const held = new Set(audience.watching().map(({ symbol }) => symbol));
    const feeds = [...this.#feeds.values()].sort(
      (a, b) => Number(held.has(b.symbol)) - Number(held.has(a.symbol)),
    );
    const next = feeds.values();
    const work = async (): Promise<void> => {
      for (const feed of next) {
        if (this.#stopped) return;
        await feed.catchUp();
        // What a stale feed missed while nobody was there is here now.
        if (this.#health.isWell(feed.symbol)) this.#tell(feedOf(feed.symbol), { type: 'RESUMED' });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** Nothing more is heard of the market; durable timers go on. */
  async stopMarket(): Promise<void> {
    this.#stopped = true;
    this.#valuing?.cancel();
    await this.#options.market.stop();
  }

  stopTimers(): void {
    this.#pump.stop();
  }

  async #subscribe(): Promise<void> {
    const { market, symbols, log } = this.#options;
    for (let failures = 0; !this.#stopped; failures++) {
      try {
        await market.start(liveChannels(symbols), (event) => this.#hear(event));
        return;
      } catch (error) {
        log.warn('the market cannot be reached; trying again', { reason: errorText(error) });
        await this.#again(failures);
      }
    }
  }

  #hear(event: LiveMarketEvent): void {
    if (this.#stopped) return;
    this.#lastEventAt = this.#options.time.clock.now();
    switch (event.type) {
      case 'bar':
        this.#feeds.get(event.bar.symbol)?.offer(event.bar);
        break;
      case 'mark':
        this.#mark(event);
        break;
      case 'quote':
        this.#quality.get(event.symbol)?.quote(event.at, event.bid, event.ask);
        this.#options.audience.quote(event.symbol, event.bid, event.ask);
        break;
      case 'trade':
        this.#options.audience.last(event.symbol, event.price);
        break;
      case 'contract':
        this.#options.onContract?.(event.symbol);
        break;
      case 'gap':
        void this.#close(event.symbols, event.since);
        break;
      case 'stale':
        for (const symbol of event.symbols)
          this.#ail(symbol, 'stale', {
            type: 'STALE',
            detail: `nothing heard for ${Math.round(event.silentMs / 1000)} s`,
          });
        break;
      case 'fresh':
        for (const symbol of event.symbols) void this.#goFresh(symbol);
        break;
      default:
        break;
    }
    this.#options.onEvent?.();
  }

  /** Bars may be missing since then: they are fetched, and the peaks in between. */
  async #close(symbols: readonly SymbolName[], since: number): Promise<void> {
    await this.#recoverPeaks(since, new Set(symbols));
    for (const symbol of symbols) if (!this.#stopped) await this.#feeds.get(symbol)?.catchUp();
  }

  #mark({ symbol, at, mark, fundingRate, nextFundingAt }: Extract<LiveMarketEvent, { type: 'mark' }>): void {
    const { audience, isWell } = this.#options;
    const verdict = this.#quality.get(symbol)?.mark(at, mark);
    if (verdict?.change?.contradicts)
      this.#ail(symbol, 'prices', { type: 'FAULT', kind: 'contradiction', detail: verdict.change.detail });
    else if (verdict?.change) this.#recover(symbol, 'prices');
    if (verdict?.believed === false) return;
    audience.funding(symbol, fundingRate, nextFundingAt);
    if (isWell()) audience.mark(symbol, mark, this.#tell);
  }

  async #goFresh(symbol: SymbolName): Promise<void> {
    if (!this.#health.has(symbol, 'stale')) return;
    await this.#feeds.get(symbol)?.catchUp();
    if (!this.#stopped) this.#recover(symbol, 'stale');
  }

  /** The feed is told of each new ailment, and once when the last of them is over. */
  #ail(symbol: SymbolName, ailment: Ailment, event: ActorEvent): void {
    if (!this.#feeds.has(symbol) || !this.#health.down(symbol, ailment)) return;
    this.#options.log.warn('market data', { symbol, detail: event.detail });
    this.#tell(feedOf(symbol), event);
  }

  #recover(symbol: SymbolName, ailment: Ailment): void {
    if (this.#health.up(symbol, ailment)) this.#tell(feedOf(symbol), { type: 'RESUMED' });
  }

  /** Each fault is a row of its own: what was withheld must be found again. */
  #judged(symbol: SymbolName, faults: readonly MarketFault[]): void {
    for (const { kind, detail } of faults) {
      if (kind === 'resumed') this.#recover(symbol, 'bars');
      else if (this.#health.has(symbol, 'bars')) this.#tell(feedOf(symbol), { type: 'FAULT', kind, detail });
      else this.#ail(symbol, 'bars', { type: 'FAULT', kind, detail });
    }
  }

  /** What of the past may be used; how its judgement stands at the end is how the symbol stands now. */
  #past(symbol: SymbolName, bars: readonly Candle[]): readonly Candle[] {
    const verdict = this.#quality.get(symbol)?.past(bars);
    if (verdict?.fault) this.#judged(symbol, [verdict.fault]);
    else this.#health.up(symbol, 'bars');
    return verdict?.bars ?? bars;
  }

  async #recoverPeaks(since: number, only?: ReadonlySet<SymbolName>): Promise<void> {
    const { audience, market, time, log } = this.#options;
    // As the trailing rule sees them: a wick of traded prices earns nothing.
    const marks = market.markHistory ?? market.history;
    for (const { actor, symbol, direction, firstFillAt } of audience.watching()) {
      if (this.#stopped || (only && !only.has(symbol))) continue;
      const from = Math.max(since, firstFillAt ?? since);
      const bars = await marks
        .call(market, symbol, PEAK_TIMEFRAME, from, time.clock.now())
        .catch((error: unknown) => {
          log.warn('the prices that a position missed cannot be had', { symbol, reason: errorText(error) });
          return [];
        });
      const prices = bars
        .filter((bar) => bar.openTime >= (firstFillAt ?? from))
        .map((bar) => (direction === 'long' ? bar.high : bar.low));
      if (prices.length === 0) continue;
      audience.missed(actor, direction === 'long' ? Math.max(...prices) : Math.min(...prices), this.#tell);
    }
  }

  #seams(): FeedSeams {
    const { audience, market, time } = this.#options;
    return {
      now: () => time.clock.now(),
      history: (symbol, after, until) => market.history(symbol, LIVE_TIMEFRAME, after, until),
      again: (failures) => this.#again(failures),
      seed: (symbol, bars) => {
        audience.restart(symbol);
        const history = this.#past(symbol, bars)
          .map((bar) => audience.absorb(bar))
          .filter((closed) => closed !== undefined);
        audience.hours(
          history.flatMap((closed) => closed['1h'] ?? []),
          this.#tell,
        );
        this.#tell(scannerOf(symbol), { type: 'SEED', history: history as readonly ClosedCandles[] });
      },
      rebuild: (symbol, bars) => {
        audience.restart(symbol);
        for (const bar of this.#past(symbol, bars)) audience.absorb(bar);
      },
      bar: (bar) => this.#bar(bar),
      trouble: (symbol, error) => {
        const detail = `its history cannot be read: ${errorText(error)}`;
        if (error === undefined) this.#recover(symbol, 'history');
        else this.#ail(symbol, 'history', { type: 'FAULT', kind: 'gap', detail });
      },
    };
  }

  #bar(bar: MarketBar): void {
    const verdict = this.#quality.get(bar.symbol)?.bar(bar);
    this.#judged(bar.symbol, verdict?.faults ?? []);
    if (verdict?.accepted === false) return;
    const closed = this.#options.audience.absorb(bar);
    if (closed) this.#options.audience.bar(bar.symbol, closed, this.#tellAt(closeTime(bar)));
  }

  #valueLater(): void {
    const { time, markEveryMs } = this.#options;
    if (this.#stopped) return;
    this.#valuing = time.timers.set(markEveryMs, () => {
      if (this.#options.isWell()) {
        this.#options.audience.value(this.#tell);
        this.#options.audience.settlements(time.clock.now(), this.#tell);
      }
      this.#options.onEvent?.();
      this.#valueLater();
    });
  }

  /** A pause that grows; false when the run is ending. */
  async #again(failures: number): Promise<boolean> {
    if (this.#stopped) return false;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 16), LONGEST_PAUSE_MS);
    await sleep(this.#options.realTime.timers, pauseMs);
    return !this.#stopped;
  }

  readonly #tell = (to: ActorId, event: ActorEvent): void =>
    this.#tellAt(this.#options.time.clock.now())(to, event);

  #tellAt(at: number): (to: ActorId, event: ActorEvent) => void {
    return (to, event) => {
      const cause = { kind: 'input', phase: 'market', at } as const;
      this.#options.runtime.tell({ to, event, cause });
    };
  }
}
