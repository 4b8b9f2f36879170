/**
 * Trend with volatility breakout. Trend on 4h and 1h, entry on 15m, stop and trail from the 1h ATR.
 *
 * - Trend: on both frames the close and the fast EMA stand on the same side of the slow EMA, and on 1h the ADX
 *   says that there is a trend and the directional indicators agree with its side.
 * - Breakout: a 15m close beyond the Donchian channel of the bars before it, on a true range that is wide
 *   against the ATR before it: a channel crept out of on a quiet tape is no breakout.
 * - After a signal the same direction rests for a while: a run of new highs is one entry, not ten.
 * - The trend an entry was made in ends when the fast EMA crosses back on 1h: that is the exit signal.
 * - While it rides a trend, each hour it says how much of the evidence stands against it, if any: its
 *   exit opinion.
 * - The regime is the 1h trend by ADX and directional indicators; it changes only when another one is plain.
 *
 * Invariants: the state is small plain JSON (it stands in a journal row at every 15m close); a hole in the
 * data longer than a day starts the warm-up anew, because averages over a hole mean nothing.
 */
import type { Json } from '../core/json.ts';
import { type Candle, closeTime, TIMEFRAME_MS } from '../domain/candle.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { Direction } from '../domain/order.ts';
import type {
  ClosedCandles,
  Distances,
  ExitOpinion,
  Signal,
  Strategy,
  StrategyStep,
} from '../domain/signal.ts';
import { Ema, type EmaState } from '../indicators/averages.ts';
import { Adx, type AdxState } from '../indicators/trend.ts';
import { Atr, type AtrState, Donchian, type DonchianState, trueRange } from '../indicators/volatility.ts';

export interface TrendBreakoutOptions {
  /** Bars of the EMAs on 4h and on 1h. */
  readonly slowFrame: { readonly fast: number; readonly slow: number };
  readonly fastFrame: { readonly fast: number; readonly slow: number };
  readonly adxPeriod: number;
  /** Below this ADX there is no trend to follow. */
  readonly minAdx: number;
  readonly atrPeriod: number;
  /** 15m bars of the channel that must break. */
  readonly channelBars: number;
  /** The breaking bar's true range as a multiple of the 15m ATR before it. */
  readonly minExpansion: number;
  /** Multiples of the 1h ATR. */
  readonly stopAtrs: number;
  readonly trailAtrs: number;
  /** 15m bars for which a direction rests after its signal. */
  readonly restBars: number;
}

export const TREND_BREAKOUT_DEFAULTS: TrendBreakoutOptions = {
  slowFrame: { fast: 8, slow: 21 },
  fastFrame: { fast: 20, slow: 50 },
  adxPeriod: 14,
  minAdx: 20,
  atrPeriod: 14,
  channelBars: 20,
  minExpansion: 1.2,
  stopAtrs: 2,
  trailAtrs: 3,
  restBars: 32,
};

/** An average has forgotten where it began after so many times its bars: six per cent of it are left. */
const FORGETS_AFTER = 2.8;

/** The longest hole that indicators may span. */
const MAX_GAP_MS = 86_400_000;

type State = {
  readonly symbol: SymbolName;
  /** Close of the last 15m bar; 0 before the first. */
  readonly at: number;
  readonly slow4h: EmaState;
  readonly fast4h: EmaState;
  readonly close4h: number;
  readonly slow1h: EmaState;
  readonly fast1h: EmaState;
  readonly close1h: number;
  readonly adx1h: AdxState;
  readonly atr1h: AtrState;
  readonly atr15m: AtrState;
  readonly channel: DonchianState;
  readonly close15m: number;
  /** 15m bars that each direction still rests. */
  readonly rest: { readonly long: number; readonly short: number };
  /** The direction of the last entry signal, until its trend ended. */
  readonly riding: Direction | null;
  /** Absent in states of the first version, and before there is one. */
  readonly regime?: RegimeName;
  /** It last said that something stands against its ride. */
  readonly doubts?: boolean;
};

/** The indicators of one symbol, rebuilt from a state at each step. */
class Gauges {
  readonly fast4h: Ema;
  readonly slow4h: Ema;
  readonly fast1h: Ema;
  readonly slow1h: Ema;
  readonly adx1h: Adx;
  readonly atr1h: Atr;
  readonly atr15m: Atr;
  readonly channel: Donchian;
  close4h = 0;
  close1h = 0;
  close15m = 0;

  constructor(options: TrendBreakoutOptions) {
    this.fast4h = new Ema(options.slowFrame.fast);
    this.slow4h = new Ema(options.slowFrame.slow);
    this.fast1h = new Ema(options.fastFrame.fast);
    this.slow1h = new Ema(options.fastFrame.slow);
    this.adx1h = new Adx(options.adxPeriod);
    this.atr1h = new Atr(options.atrPeriod);
    this.atr15m = new Atr(options.atrPeriod);
    this.channel = new Donchian(options.channelBars);
  }

  load(state: State): this {
    this.fast4h.load(state.fast4h);
    this.slow4h.load(state.slow4h);
    this.close4h = state.close4h;
    this.fast1h.load(state.fast1h);
    this.slow1h.load(state.slow1h);
    this.close1h = state.close1h;
    this.adx1h.load(state.adx1h);
    this.atr1h.load(state.atr1h);
    this.atr15m.load(state.atr15m);
    this.channel.load(state.channel);
    this.close15m = state.close15m;
    return this;
  }

  save() {
    return {
      fast4h: this.fast4h.save(),
      slow4h: this.slow4h.save(),
      close4h: this.close4h,
      fast1h: this.fast1h.save(),
      slow1h: this.slow1h.save(),
      close1h: this.close1h,
      adx1h: this.adx1h.save(),
      atr1h: this.atr1h.save(),
      atr15m: this.atr15m.save(),
      channel: this.channel.save(),
      close15m: this.close15m,
    };
  }

  commitHour(candle: Candle): void {
    this.fast1h.update(candle.close);
    this.slow1h.update(candle.close);
    this.adx1h.update(candle);
    this.atr1h.update(candle);
    this.close1h = candle.close;
  }

  commitFourHours(candle: Candle): void {
    this.fast4h.update(candle.close);
    this.slow4h.update(candle.close);
    this.close4h = candle.close;
  }

  commitQuarter(candle: Candle): void {
    this.atr15m.update(candle);
    this.channel.update(candle);
    this.close15m = candle.close;
  }
}

/** Which way 4h and 1h agree that the market trends, if they do. NaN while warming up agrees with nothing. */
function trend(gauges: Gauges, minAdx: number): Direction | undefined {
  const { fast4h, slow4h, close4h, fast1h, slow1h, close1h, adx1h } = gauges;
  if (!(adx1h.value >= minAdx)) return undefined;
  const up4h = fast4h.value > slow4h.value && close4h > slow4h.value;
  const up1h = fast1h.value > slow1h.value && close1h > slow1h.value;
  if (up4h && up1h && adx1h.plusDi > adx1h.minusDi) return 'long';
  const down4h = fast4h.value < slow4h.value && close4h < slow4h.value;
  const down1h = fast1h.value < slow1h.value && close1h < slow1h.value;
  if (down4h && down1h && adx1h.minusDi > adx1h.plusDi) return 'short';
  return undefined;
}

const REGIMES = {
  'trend-up': ['long'],
  'trend-down': ['short'],
  range: ['long', 'short'],
} as const satisfies Readonly<Record<string, readonly Direction[]>>;
type RegimeName = keyof typeof REGIMES;

/** Below so much of the ADX that makes a trend there is plainly none; in between the last regime stands. */
const RANGE_SHARE = 0.75;

function regimeOf({ adx1h }: Gauges, minAdx: number, last: RegimeName | undefined): RegimeName | undefined {
  if (adx1h.value < minAdx * RANGE_SHARE) return 'range';
  if (!(adx1h.value >= minAdx)) return last;
  return adx1h.plusDi > adx1h.minusDi ? 'trend-up' : 'trend-down';
}

/** What can stand against a ride, and how much of the whole each is. */
const EVIDENCE: readonly {
  readonly share: number;
  readonly what: string;
  readonly holds: (gauges: Gauges, sign: 1 | -1, minAdx: number) => boolean;
}[] = [
  {
    share: 0.35,
    what: '1h close beyond its slow EMA',
    holds: (g, sign) => sign * (g.close1h - g.slow1h.value) < 0,
  },
  {
    share: 0.2,
    what: '1h close beyond its fast EMA',
    holds: (g, sign) => sign * (g.close1h - g.fast1h.value) < 0,
  },
  {
    share: 0.25,
    what: 'directional movement against it',
    holds: ({ adx1h }, sign) => sign * (adx1h.plusDi - adx1h.minusDi) < 0,
  },
  { share: 0.1, what: 'ADX weak', holds: ({ adx1h }, _sign, minAdx) => adx1h.value < minAdx },
  {
    share: 0.1,
    what: '4h close beyond its slow EMA',
    holds: (g, sign) => sign * (g.close4h - g.slow4h.value) < 0,
  },
];

function opinionOf(gauges: Gauges, riding: Direction, minAdx: number): ExitOpinion {
  const sign = riding === 'long' ? 1 : -1;
  const against = EVIDENCE.filter(({ holds }) => holds(gauges, sign, minAdx));
  const percent = against.reduce((sum, { share }) => sum + Math.round(share * 100), 0);
  const reason = against.length === 0 ? 'the trend holds' : against.map(({ what }) => what).join(', ');
  return { direction: riding, confidence: percent / 100, reason };
}

/** Which way this bar breaks out of the bars before it; call before the bar is committed. */
function breakout(gauges: Gauges, bar: Candle, minExpansion: number): Direction | undefined {
  const { atr15m, channel, close15m } = gauges;
  if (!(trueRange(bar, close15m) >= minExpansion * atr15m.value)) return undefined;
  if (bar.close > channel.upper) return 'long';
  if (bar.close < channel.lower) return 'short';
  return undefined;
}

/** What its slowest gauge needs; 9.8 days of the defaults, which is one page of a venue's history. */
function historyOf({
  slowFrame,
  fastFrame,
  adxPeriod,
  atrPeriod,
  channelBars,
}: TrendBreakoutOptions): number {
  const { '4h': four, '1h': one, '15m': quarter } = TIMEFRAME_MS;
  // Directional movement is smoothed twice, and Wilder's average forgets half as fast as an exponential one.
  const bars: readonly (readonly [spanMs: number, periods: number])[] = [
    [four, Math.max(slowFrame.fast, slowFrame.slow) * FORGETS_AFTER],
    [one, Math.max(fastFrame.fast, fastFrame.slow) * FORGETS_AFTER],
    [one, adxPeriod * 2 * FORGETS_AFTER],
    [one, atrPeriod * 2 * FORGETS_AFTER],
    [quarter, atrPeriod * 2 * FORGETS_AFTER],
    [quarter, channelBars + 1],
  ];
  return Math.max(...bars.map(([spanMs, periods]) => spanMs * Math.ceil(periods)));
}

/** The 1h averages have crossed back against the direction ridden. */
const trendEnded = (gauges: Gauges, riding: Direction): boolean =>
  riding === 'long' ? gauges.fast1h.value < gauges.slow1h.value : gauges.fast1h.value > gauges.slow1h.value;

export class TrendBreakout implements Strategy {
  readonly name = 'trend-breakout';
  readonly version = 2;
  readonly warmUpMs: number;
  readonly #options: TrendBreakoutOptions;

  constructor(options: TrendBreakoutOptions = TREND_BREAKOUT_DEFAULTS) {
    this.#options = options;
    this.warmUpMs = historyOf(options);
  }

  initial(symbol: SymbolName): State {
    return {
      symbol,
      at: 0,
      ...new Gauges(this.#options).save(),
      rest: { long: 0, short: 0 },
      riding: null,
    };
  }

  step(json: Json, closed: ClosedCandles): StrategyStep {
    const quarter = closed['15m'];
    if (!quarter) return { state: json };
    const state = this.#stateAt(json, quarter);
    const gauges = new Gauges(this.#options).load(state);

    if (closed['4h']) gauges.commitFourHours(closed['4h']);
    if (closed['1h']) gauges.commitHour(closed['1h']);
    const broken = breakout(gauges, quarter, this.#options.minExpansion);
    gauges.commitQuarter(quarter);

    const signal = this.#decide(state, gauges, quarter, broken);
    const regime = closed['1h'] ? regimeOf(gauges, this.#options.minAdx, state.regime) : state.regime;
    const opinion =
      state.riding && closed['1h'] && !signal
        ? opinionOf(gauges, state.riding, this.#options.minAdx)
        : undefined;
    const next: State = {
      ...state,
      at: closeTime(quarter),
      ...gauges.save(),
      ...this.#after(state, signal),
      ...(regime ? { regime } : {}),
      ...(opinion ? { doubts: opinion.confidence > 0 } : {}),
    };
    // That nothing stands against it is said once: nobody's silence is worse than that.
    const isNews = opinion !== undefined && (opinion.confidence > 0 || state.doubts === true);
    return {
      state: next,
      ...(signal ? { signal } : {}),
      ...(isNews ? { opinion } : {}),
      ...(regime ? { regime: { name: regime, suits: REGIMES[regime] } } : {}),
    };
  }

  distances(json: Json): Distances | undefined {
    const atr = new Gauges(this.#options).load(json as State).atr1h.value;
    if (!(atr > 0)) return undefined;
    return { stop: this.#options.stopAtrs * atr, trail: this.#options.trailAtrs * atr, atr };
  }

  #stateAt(json: Json, quarter: Candle): State {
    const state = json as State;
    const gapMs = quarter.openTime - state.at;
    return state.at === 0 || gapMs <= MAX_GAP_MS ? state : this.initial(state.symbol);
  }

  #decide(state: State, gauges: Gauges, quarter: Candle, broken: Direction | undefined): Signal | undefined {
    const { symbol, riding, rest } = state;
    if (riding && trendEnded(gauges, riding))
      return { kind: 'exit', direction: riding, symbol, reason: '1h trend ended' };
    if (!broken || rest[broken] > 0 || trend(gauges, this.#options.minAdx) !== broken) return undefined;
    const atr = gauges.atr1h.value;
    const price = quarter.close;
    if (!(atr > 0)) return undefined;
    const stopDistance = this.#options.stopAtrs * atr;
    return {
      kind: 'enter',
      direction: broken,
      symbol,
      price,
      stopPrice: broken === 'long' ? price - stopDistance : price + stopDistance,
      trailDistance: this.#options.trailAtrs * atr,
      atrPercent: (100 * atr) / price,
      reason: `${this.#options.channelBars}-bar breakout with the 4h and 1h trend, ADX ${gauges.adx1h.value.toFixed(0)}`,
    };
  }

  #after(state: State, signal: Signal | undefined): Pick<State, 'rest' | 'riding'> {
    const rested = { long: Math.max(0, state.rest.long - 1), short: Math.max(0, state.rest.short - 1) };
    if (!signal) return { rest: rested, riding: state.riding };
    if (signal.kind === 'exit') return { rest: rested, riding: null };
    return { rest: { ...rested, [signal.direction]: this.#options.restBars }, riding: signal.direction };
  }
}
