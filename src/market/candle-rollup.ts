/**
 * 1m candles into 5m, 15m, 1h and 4h, exactly: prices by comparison only, volume summed in the order of the bars.
 *
 * Invariants: a rolled bar is given out once, with the bar that closes it, and only when none of its minutes is
 * missing (else it is reported incomplete, once, and withheld); boundaries are UTC multiples of the timeframe.
 * The state is that of the minutes since the last 4h boundary: replaying those rebuilds it.
 */
import { type Candle, closeTime, TIMEFRAME_MS, type Timeframe } from '../domain/candle.ts';

export interface IncompleteBar {
  readonly timeframe: Timeframe;
  readonly openTime: number;
  readonly missingBars: number;
}

export interface Rolled {
  readonly closed: readonly Candle[];
  readonly incomplete: readonly IncompleteBar[];
}

/** A bar being formed; `bars` base bars are in it so far. */
interface Forming {
  readonly timeframe: Timeframe;
  openTime: number;
  bars: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

const NOTHING: Rolled = { closed: [], incomplete: [] };

export class CandleRollup {
  readonly #baseMs: number;
  readonly #forming: readonly Forming[];

  /** `targets` must be multiples of `base`. */
  constructor(base: Timeframe = '1m', targets: readonly Timeframe[] = ['5m', '15m', '1h', '4h']) {
    this.#baseMs = TIMEFRAME_MS[base];
    this.#forming = targets
      .filter((timeframe) => TIMEFRAME_MS[timeframe] > this.#baseMs)
      .map((timeframe) => ({
        timeframe,
        openTime: -1,
        bars: 0,
        open: 0,
        high: 0,
        low: 0,
        close: 0,
        volume: 0,
      }));
  }

  /** From this open time on, replayed bars rebuild the state as it stands after the bar opening at `openTime`. */
  static replayFrom(openTime: number): number {
    return openTime - (openTime % TIMEFRAME_MS['4h']);
  }

  /** Bars of one symbol in ascending order; anything else is the quality gate's business. */
  push(bar: Candle): Rolled {
    const closesAt = closeTime(bar);
    let closed: Candle[] | undefined;
    let incomplete: IncompleteBar[] | undefined;
    for (const forming of this.#forming) {
      const spanMs = TIMEFRAME_MS[forming.timeframe];
      const openTime = bar.openTime - (bar.openTime % spanMs);
      if (openTime !== forming.openTime) {
        if (forming.bars > 0) {
          incomplete ??= [];
          incomplete.push(this.#shortfall(forming, spanMs));
        }
        begin(forming, openTime, bar);
      } else extend(forming, bar);
      if (closesAt !== openTime + spanMs) continue;
      if (forming.bars * this.#baseMs === spanMs) {
        closed ??= [];
        closed.push(asCandle(forming, bar.symbol));
      } else {
        incomplete ??= [];
        incomplete.push(this.#shortfall(forming, spanMs));
      }
      forming.bars = 0;
    }
    return closed || incomplete ? { closed: closed ?? [], incomplete: incomplete ?? [] } : NOTHING;
  }

  #shortfall(forming: Forming, spanMs: number): IncompleteBar {
    const { timeframe, openTime, bars } = forming;
    return { timeframe, openTime, missingBars: spanMs / this.#baseMs - bars };
  }
}

function begin(forming: Forming, openTime: number, bar: Candle): void {
  forming.openTime = openTime;
  forming.bars = 1;
  forming.open = bar.open;
  forming.high = bar.high;
  forming.low = bar.low;
  forming.close = bar.close;
  forming.volume = bar.volume;
}

function extend(forming: Forming, bar: Candle): void {
  forming.bars++;
  if (bar.high > forming.high) forming.high = bar.high;
  if (bar.low < forming.low) forming.low = bar.low;
  forming.close = bar.close;
  forming.volume += bar.volume;
}

function asCandle(forming: Forming, symbol: string): Candle {
  const { timeframe, openTime, open, high, low, close, volume } = forming;
  return { symbol, timeframe, openTime, open, high, low, close, volume };
}
