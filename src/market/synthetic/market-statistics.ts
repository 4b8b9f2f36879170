/**
 * The stylised facts of a market in numbers: fat tails, clustered volatility, leverage effect, correlation,
 * jumps, drawdown, funding. Measured the same way on recordings and on synthetic markets, so that the two can
 * be held against each other (statistics-report.ts).
 *
 * Invariants: pure; returns are logarithmic, close to close, and none is taken across a gap.
 */
import { type Candle, TIMEFRAME_MS } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { FundingRate, MarketData } from '../market-data.ts';

/** Lags, in bars, at which the clustering of volatility is measured. */
export const CLUSTERING_LAGS = [1, 5, 15, 60, 240] as const;

export interface SymbolStatistics {
  readonly symbol: SymbolName;
  readonly bars: number;
  /** Standard deviation of the bars' returns, in basis points. */
  readonly volatilityBps: number;
  readonly excessKurtosis: number;
  /** Hill's estimate on the largest 1 % of absolute returns: the smaller, the fatter the tails. */
  readonly tailIndex: number;
  /** 99.9 % quantile of absolute returns ÷ their standard deviation (3.29 for a normal distribution). */
  readonly extremeRatio: number;
  /** Autocorrelation of absolute returns at CLUSTERING_LAGS. */
  readonly clustering: readonly number[];
  /** Autocorrelation of the returns themselves at lag 1: near zero in a liquid market. */
  readonly returnMemory: number;
  /** Correlation of a return with the mean absolute return of the next 60 bars: below zero is leverage. */
  readonly leverage: number;
  /** Correlation of the logarithms of volume and range. */
  readonly volumeToRange: number;
  /** Mean of (high − low) ÷ mean of |close − open|. */
  readonly rangeToBody: number;
  /** Bars a day that moved more than 8 times the median absolute return of the last day. */
  readonly jumpsPerDay: number;
  readonly maxDrawdown: number;
}

export interface FundingStatistics {
  readonly settlements: number;
  readonly mean: number;
  readonly deviation: number;
  readonly positiveShare: number;
  readonly largest: number;
}

export interface MarketStatistics {
  readonly symbols: readonly SymbolStatistics[];
  /** Pairwise, of the returns of bars that closed together; in the order of `symbols`. */
  readonly correlations: readonly (readonly number[])[];
  /** Mean over distinct pairs; NaN for a single symbol. */
  readonly meanCorrelation: number;
  readonly funding: FundingStatistics;
}

const mean = (values: Float64Array): number => {
  let total = 0;
  for (const value of values) total += value;
  return total / values.length;
};

/** Pearson's correlation of x[i] and y[i + lag]. */
function correlation(x: Float64Array, y: Float64Array, lag = 0): number {
  const count = Math.min(x.length, y.length) - lag;
  const meanX = mean(x.subarray(0, count));
  const meanY = mean(y.subarray(lag, lag + count));
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < count; i++) {
    const dx = (x[i] as number) - meanX;
    const dy = (y[i + lag] as number) - meanY;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

const DAY_MS = 86_400_000;
const NEXT_BARS = 60;
const JUMP = 8;

/** Returns between neighbouring bars; NaN where bars are missing between them. */
function returnsOf(candles: readonly Candle[]): Float64Array {
  const stepMs = candles[0] ? TIMEFRAME_MS[candles[0].timeframe] : 0;
  return Float64Array.from({ length: Math.max(0, candles.length - 1) }, (_, i) => {
    const [before, after] = [candles[i], candles[i + 1]];
    const adjacent = before && after && after.openTime - before.openTime === stepMs;
    return adjacent ? Math.log(after.close / before.close) : NaN;
  });
}

function tails(returns: Float64Array) {
  const centre = mean(returns);
  let square = 0;
  let fourth = 0;
  for (const value of returns) {
    const deviation = (value - centre) ** 2;
    square += deviation;
    fourth += deviation * deviation;
  }
  const variance = square / returns.length;
  const ordered = returns.map(Math.abs).sort().reverse();
  const top = Math.max(2, Math.floor(returns.length / 100));
  const threshold = ordered[top] ?? NaN;
  let hill = 0;
  for (let i = 0; i < top; i++) hill += Math.log((ordered[i] as number) / threshold);
  return {
    deviation: Math.sqrt(variance),
    excessKurtosis: fourth / returns.length / variance ** 2 - 3,
    tailIndex: top / hill,
    extremeRatio: (ordered[Math.floor(returns.length / 1000)] ?? NaN) / Math.sqrt(variance),
  };
}

/** corr(r[t], mean |r| over the next bars). */
function leverageEffect(returns: Float64Array, absolute: Float64Array): number {
  const count = returns.length - NEXT_BARS;
  if (count < 2) return NaN;
  const following = new Float64Array(count);
  let total = 0;
  for (let i = 1; i <= NEXT_BARS; i++) total += absolute[i] as number;
  for (let i = 0; i < count; i++) {
    following[i] = total;
    total += (absolute[i + NEXT_BARS + 1] ?? 0) - (absolute[i + 1] as number);
  }
  return correlation(returns.subarray(0, count), following);
}

/** Jumps against the median of the day before, so that a turbulent day does not count as one long jump. */
function countJumps(absolute: Float64Array, dayBars: number): number {
  let jumps = 0;
  for (let from = dayBars; from < absolute.length; from += dayBars) {
    const before = absolute.slice(from - dayBars, from).sort();
    const limit = JUMP * (before[before.length >> 1] as number);
    for (let i = from; i < Math.min(from + dayBars, absolute.length); i++)
      if ((absolute[i] as number) > limit) jumps++;
  }
  return jumps;
}

function volumeAndRange(candles: readonly Candle[]) {
  const traded = candles.filter((bar) => bar.volume > 0 && bar.high > bar.low);
  const volume = Float64Array.from(traded, (bar) => Math.log(bar.volume));
  const range = Float64Array.from(traded, (bar) => Math.log(Math.log(bar.high / bar.low)));
  let ranges = 0;
  let bodies = 0;
  for (const bar of candles) {
    ranges += bar.high / bar.low - 1;
    bodies += Math.abs(bar.close / bar.open - 1);
  }
  return { volumeToRange: correlation(volume, range), rangeToBody: ranges / bodies };
}

function drawdown(candles: readonly Candle[]): number {
  let peak = 0;
  let deepest = 0;
  for (const { close } of candles) {
    if (close > peak) peak = close;
    if (1 - close / peak > deepest) deepest = 1 - close / peak;
  }
  return deepest;
}

/** One symbol's candles, in ascending order. */
export function symbolStatistics(candles: readonly Candle[]): SymbolStatistics {
  const returns = returnsOf(candles).filter((value) => !Number.isNaN(value));
  const absolute = returns.map(Math.abs);
  const { deviation, ...rest } = tails(returns);
  const dayBars = Math.max(1, Math.round(DAY_MS / TIMEFRAME_MS[candles[0]?.timeframe ?? '1m']));
  const judgedDays = Math.max(1, absolute.length - dayBars) / dayBars;
  return {
    symbol: candles[0]?.symbol ?? '',
    bars: candles.length,
    volatilityBps: deviation * 10_000,
    ...rest,
    clustering: CLUSTERING_LAGS.map((lag) => correlation(absolute, absolute, lag)),
    returnMemory: correlation(returns, returns, 1),
    leverage: leverageEffect(returns, absolute),
    ...volumeAndRange(candles),
    jumpsPerDay: countJumps(absolute, dayBars) / judgedDays,
    maxDrawdown: drawdown(candles),
  };
}

/** Correlation of the returns of bars that two symbols have in common. */
function pairCorrelation(a: readonly Candle[], b: readonly Candle[]): number {
  const other = new Map(b.map((bar) => [bar.openTime, bar]));
  const common = a.filter((bar) => other.has(bar.openTime));
  const x = returnsOf(common);
  const y = returnsOf(common.map((bar) => other.get(bar.openTime) ?? bar));
  const keep = (_: number, i: number): boolean => !Number.isNaN(x[i]) && !Number.isNaN(y[i]);
  return correlation(x.filter(keep), y.filter(keep));
}

function fundingStatistics(funding: readonly FundingRate[]): FundingStatistics {
  const rates = Float64Array.from(funding, ({ rate }) => rate);
  const centre = mean(rates);
  return {
    settlements: rates.length,
    mean: centre,
    deviation: Math.sqrt(mean(rates.map((rate) => (rate - centre) ** 2))),
    positiveShare: rates.filter((rate) => rate > 0).length / rates.length,
    largest: rates.reduce((most, rate) => Math.max(most, Math.abs(rate)), 0),
  };
}

/** Each symbol's candles in ascending order, and the funding of all of them. */
export function candleStatistics(
  bySymbol: readonly (readonly Candle[])[],
  funding: readonly FundingRate[] = [],
): MarketStatistics {
  const correlations = bySymbol.map((a, i) => bySymbol.map((b, k) => (i === k ? 1 : pairCorrelation(a, b))));
  const pairs = correlations.flatMap((row, i) => row.slice(i + 1));
  return {
    symbols: bySymbol.map(symbolStatistics),
    correlations,
    meanCorrelation: pairs.reduce((sum, value) => sum + value, 0) / pairs.length,
    funding: fundingStatistics(funding),
  };
}

/** All of a market, or its steps up to and including `until`, which an endless market needs. */
export async function marketStatistics(market: MarketData, until = Infinity): Promise<MarketStatistics> {
  const bySymbol = new Map<SymbolName, Candle[]>(market.instruments().map(({ symbol }) => [symbol, []]));
  const funding: FundingRate[] = [];
  reading: for await (const chunk of market.steps(undefined)) {
    for (const step of chunk) {
      if (step.at > until) break reading;
      for (const bar of step.bars) bySymbol.get(bar.symbol)?.push(bar);
      funding.push(...step.funding);
    }
  }
  return candleStatistics(
    [...bySymbol.values()].filter((bars) => bars.length > 0),
    funding,
  );
}
