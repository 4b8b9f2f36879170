/**
 * Plays a source of bars on the venue's clock: within each bar a price path, looked at every second.
 *
 * Invariants: what is played depends on the source and the seed, not on when the timers come; each sample's
 * trades add up to the bar's volume, its extremes are shown, and the bar that closes is the source's own; a bar's
 * close is played before its funding, and that before the next bar's open; a bar that is missing in the source
 * is silence.
 */
import type { TimerHandle } from '../../core/clock.ts';
import { TIMEFRAME_MS } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { MarketBar, MarketData, MarketStep } from '../../market/market-data.ts';
import { speedFactor } from '../venue-clock.ts';
import { BarPath } from './bar-path.ts';
import type { FeedOptions } from './feed-options.ts';
import type { IsSettled, MarketFeed } from './market-feed.ts';
import { StepBuffer } from './step-buffer.ts';
import type { SymbolMarket } from './symbol-market.ts';

export interface BarFeedOptions extends FeedOptions {
  readonly market: MarketData;
}

const SECOND = 1000;
/** Real time between two looks at the market, at the least. */
const SHORTEST_BEAT_MS = 16;
/** So many steps ahead, and the next ones are read. */
const READ_AHEAD = 120;

interface Playing {
  readonly market: SymbolMarket;
  readonly path: BarPath;
  /** Offset into the bar up to which it has been played. */
  offset: number;
  /** What was shown is not the source's bar. */
  altered: boolean;
}

interface Shock {
  readonly factor: number;
  readonly untilAt: number;
}

export class BarFeed implements MarketFeed {
  readonly #options: BarFeedOptions;
  readonly #barMs: number;
  readonly #beatMs: number;
  readonly #shocks = new Map<SymbolName, Shock>();
  #buffer: StepBuffer;
  #step: MarketStep | undefined;
  #playing: Playing[] = [];
  /** Nothing is told that happened at or before this. */
  #silentUntil = 0;
  #timer: TimerHandle | undefined;
  #running = false;
  #over = false;

  constructor(options: BarFeedOptions) {
    this.#options = options;
    this.#barMs = TIMEFRAME_MS[options.market.timeframe];
    this.#beatMs = SECOND * Math.max(1, Math.ceil((SHORTEST_BEAT_MS * speedFactor(options.clock)) / SECOND));
    this.#buffer = this.#read(undefined);
  }

  async start(resumeAt: number | undefined, isSettled: IsSettled): Promise<void> {
    const { clock, historyMs } = this.#options;
    const now = clock.now();
    this.#buffer = this.#read(now - historyMs);
    this.#running = true;
    this.#silentUntil = resumeAt ?? now;
    await this.prepare(now);
    this.#recall();
    this.#settleAgain(isSettled);
    await this.#catchUp();
    this.#beat();
  }

  async prepare(until: number): Promise<void> {
    while ((this.#buffer.lastAt ?? 0) <= until + this.#barMs) if (!(await this.#buffer.load())) return;
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    await this.#buffer.close();
  }

  shock(symbol: SymbolName, factor: number, untilAt: number): void {
    this.#shocks.set(symbol, { factor, untilAt });
  }

  #read(after: number | undefined): StepBuffer {
    const { market, markets } = this.#options;
    const { from } = market.range();
    const start = after === undefined || after < from ? undefined : after;
    return new StepBuffer(market.steps(start), (steps) => {
      for (const step of steps)
        for (const { symbol, rate } of step.funding) markets.get(symbol)?.funding.announce(step.at, rate);
    });
  }

  /** Takes what closed before anybody listened as history. */
  #recall(): void {
    const { markets } = this.#options;
    for (;;) {
      const step = this.#buffer.peek();
      if (!step || step.at > this.#silentUntil) return;
      for (const bar of step.bars) markets.get(bar.symbol)?.remember(step.at, bar);
      // At the very instant of the resumption it may still be missing in the books.
      if (step.at === this.#silentUntil) this.#step = step;
      for (const { symbol, rate } of step.funding) {
        const market = markets.get(symbol);
        market?.funding.settle(step.at, rate, market.mark);
      }
      this.#buffer.shift();
    }
  }

  #settleAgain(isSettled: IsSettled): void {
    const step = this.#step;
    this.#step = undefined;
    for (const { symbol, rate } of step?.funding ?? []) {
      const market = this.#options.markets.get(symbol);
      if (step && market && !isSettled(symbol, step.at))
        this.#options.sink.input({ type: 'FUNDING', at: step.at, symbol, rate, mark: market.mark });
    }
  }

  /** Whole bars that nobody saw go to the engine as bars; the rest is played. */
  async #catchUp(): Promise<void> {
    const { clock, markets, sink } = this.#options;
    for (;;) {
      const step = this.#buffer.peek();
      if (!step) {
        if (!(await this.#buffer.load())) return;
        continue;
      }
      if (step.at > clock.now()) return;
      const unseen = step.bars.every((bar) => bar.openTime >= this.#silentUntil);
      if (!unseen) {
        this.#open(step);
        this.#finish(step);
        continue;
      }
      for (const bar of step.bars) {
        const market = markets.get(bar.symbol);
        if (!market) continue;
        market.remember(step.at, bar);
        sink.input({ type: 'BAR', at: step.at, bar });
      }
      this.#settle(step);
      this.#buffer.shift();
    }
  }

  look(): void {
    if (!this.#running) return;
    const now = this.#options.clock.now();
    const at = now - (now % this.#beatMs);
    this.#advance(at);
    this.#options.sink.pulse(at);
    this.#refill();
  }

  #beat(): void {
    if (!this.#running) return;
    this.look();
    const { clock } = this.#options;
    const now = clock.now();
    this.#timer = clock.timers.set(this.#beatMs - (now % this.#beatMs), () => this.#beat());
  }

  #refill(): void {
    const buffer = this.#buffer;
    if (buffer.ended) {
      if (buffer.length === 0 && !this.#over) {
        this.#over = true;
        this.#options.sink.ended(this.#options.clock.now());
      }
      return;
    }
    if (buffer.length < READ_AHEAD) void buffer.load();
  }

  #advance(to: number): void {
    for (;;) {
      const step = this.#buffer.peek();
      if (!step) return;
      const playable = this.#nextBars();
      if (playable && this.#step !== playable) this.#open(playable);
      if (step.at > to) {
        if (this.#step) this.#play(this.#step, to);
        return;
      }
      this.#finish(step);
    }
  }

  #finish(step: MarketStep): void {
    // Funding between two bars: the bar under way first comes up to it.
    if (this.#step && this.#step !== step) this.#play(this.#step, step.at);
    if (this.#step === step) this.#close(step);
    this.#settle(step);
    this.#buffer.shift();
  }

  /** The step whose bars are under way: the next one that has any. */
  #nextBars(): MarketStep | undefined {
    for (let skip = 0; ; skip++) {
      const step = this.#buffer.peek(skip);
      if (!step || step.bars.length > 0) return step;
    }
  }

  #open(step: MarketStep): void {
    const { markets } = this.#options;
    this.#step = step;
    this.#playing = [];
    for (const bar of step.bars) {
      const market = markets.get(bar.symbol);
      if (!market) continue;
      const path = new BarPath(bar, this.#barMs, market.text, market.seed);
      this.#playing.push({ market, path, offset: -1, altered: false });
    }
  }

  /** Everything of the step's bars up to and with `to`. */
  #play(step: MarketStep, to: number): void {
    const openTime = step.at - this.#barMs;
    const until = Math.min(to - openTime, this.#barMs);
    if (until < 0) return;
    for (const playing of this.#playing) {
      while (playing.offset < until) {
        const next = this.#nextOffset(playing, until);
        if (next === undefined) break;
        this.#sample(playing, openTime, next);
      }
    }
  }

  /** On the beat, at the bar's corners, and at its close. */
  #nextOffset({ offset, path }: Playing, until: number): number | undefined {
    let next = offset < 0 ? 0 : (Math.floor(offset / this.#beatMs) + 1) * this.#beatMs;
    for (const corner of path.corners) if (corner > offset && corner < next) next = corner;
    next = Math.min(next, this.#barMs);
    return next <= until ? next : undefined;
  }

  #sample(playing: Playing, openTime: number, offset: number): void {
    const { sink } = this.#options;
    const { market, path } = playing;
    const before = playing.offset;
    playing.offset = offset;
    const at = openTime + offset;
    const point = this.#shocked(playing, path.at(offset), at);
    if (offset === 0) market.open(openTime, point.last, point.mark);
    if (market.instrument.status !== 'TRADING') {
      playing.altered = true;
      market.setMark(at, point.mark);
      return;
    }
    const quantity = this.#quantity(playing, before, offset);
    // Without a trade the last price stays, as it would anywhere.
    const last = quantity > 0 ? point.last : market.last || point.last;
    const stampAt = offset === this.#barMs ? at - 1 : at;
    const trade = market.sample(at, stampAt, last, point.mark, quantity);
    market.funding.observe(last, point.mark);
    if (at <= this.#silentUntil) return;
    if (trade) sink.traded(market, trade);
    const { symbol, ordinaryVolume: volume } = market;
    sink.input({ type: 'PRICE', at, symbol, last, mark: point.mark, volume });
  }

  /** Even over the bar, its open included; each corner has at least one step, for it did trade there. */
  #quantity({ market, path }: Playing, before: number, offset: number): number {
    const { bar, corners } = path;
    const { text } = market;
    const traded = (until: number): number =>
      until < 0 ? 0 : text.floorQuantity((bar.volume * (until + SECOND)) / (this.#barMs + SECOND));
    const quantity = text.floorQuantity(traded(offset) - traded(before));
    return quantity === 0 && bar.volume > 0 && corners.includes(offset) ? text.step : quantity;
  }

  #shocked(
    playing: Playing,
    point: { readonly last: number; readonly mark: number },
    at: number,
  ): { readonly last: number; readonly mark: number } {
    const shock = this.#shocks.get(playing.market.symbol);
    if (!shock) return point;
    if (at >= shock.untilAt) {
      this.#shocks.delete(playing.market.symbol);
      return point;
    }
    playing.altered = true;
    const { text } = playing.market;
    return {
      last: text.atTick(Math.max(1, text.ticksOf(point.last * shock.factor))),
      mark: Number((point.mark * shock.factor).toPrecision(12)),
    };
  }

  #close(step: MarketStep): void {
    const { sink } = this.#options;
    this.#play(step, step.at);
    for (const { market, path, altered } of this.#playing) {
      const closed = market.close(altered ? undefined : (path.bar satisfies MarketBar));
      if (closed && step.at > this.#silentUntil) sink.closed(market, closed, step.at);
    }
    this.#step = undefined;
    this.#playing = [];
  }

  #settle(step: MarketStep): void {
    const { markets, sink } = this.#options;
    const settle = (market: SymbolMarket, rate: number): void => {
      market.funding.settle(step.at, rate, market.mark);
      if (step.at <= this.#silentUntil) return;
      sink.input({ type: 'FUNDING', at: step.at, symbol: market.symbol, rate, mark: market.mark });
    };
    for (const { symbol, rate } of step.funding) {
      const market = markets.get(symbol);
      if (market) settle(market, rate);
    }
    for (const market of markets.values()) {
      const rate = market.priced ? market.funding.modelledAt(step.at) : undefined;
      if (rate !== undefined) settle(market, rate);
    }
  }
}
