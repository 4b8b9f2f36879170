/**
 * What the last 24 hours were like, as the tickers tell it: kept up bar by bar, looked up without a walk.
 * Invariant: together with the bar under way it covers at most a day, to the bar.
 */
import type { BarHistory, Kline } from './bar-history.ts';

const DAY = 86_400_000;

export interface DaySummary {
  readonly openTime: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly quoteVolume: number;
  readonly trades: number;
}

export class DayStatistics {
  readonly #history: BarHistory;
  #closed: Kline | undefined;
  #stale = true;

  constructor(history: BarHistory) {
    this.#history = history;
  }

  absorb(_closed: Kline): void {
    this.#stale = true;
  }

  summary(at: number, forming: Kline | undefined): DaySummary | undefined {
    if (this.#stale) {
      this.#closed = this.#history.since(at - DAY);
      this.#stale = false;
    }
    const closed = this.#closed;
    if (!closed) return forming;
    if (!forming) return closed;
    return {
      openTime: closed.openTime,
      open: closed.open,
      high: Math.max(closed.high, forming.high),
      low: Math.min(closed.low, forming.low),
      close: forming.close,
      volume: closed.volume + forming.volume,
      quoteVolume: closed.quoteVolume + forming.quoteVolume,
      trades: closed.trades + forming.trades,
    };
  }
}
