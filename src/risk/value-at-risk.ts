/**
 * What the whole portfolio may lose in a day, at 99 %: from the returns that were (historical) and from their
 * covariance (parametric), value at risk and the mean of what lies beyond it.
 *
 * Invariants: losses are positive, in quote currency; a hedge lowers them, an equal position doubles them;
 * a symbol without enough history makes the answer larger, never smaller, and so does what may prove not to be there.
 */
import { toNumber } from '../core/decimal.ts';
import type { Exposure, MarketConditions } from '../domain/risk.ts';

export interface Loss {
  readonly historicalVar: number;
  readonly historicalCvar: number;
  readonly parametricVar: number;
  readonly parametricCvar: number;
}

/** Returns come in hundred-thousandths of a 1h move; a day is the square root of 24 of them. */
const UNIT = 1e5;
const DAY_FACTOR = Math.sqrt(24);
const LEVEL = 0.99;
/** Of the standard normal: the 99 % quantile, and the mean beyond it. */
const Z = 2.326347874;
const Z_TAIL = 2.66521422;

/** Symbols of the exposures for which there is too little history. */
export function withoutHistory(
  exposures: readonly Exposure[],
  conditions: MarketConditions,
  minReturns: number,
): string[] {
  const short = ({ symbol }: Exposure): boolean => (conditions.returns[symbol]?.length ?? 0) < minReturns;
  return [...new Set(exposures.filter(short).map(({ symbol }) => symbol))];
}

/**
 * What has too little history counts as the wildest of the others, and as if nothing hedged it. Undefined where no
 * symbol has `minReturns`.
 */
export function portfolioLoss(
  exposures: readonly Exposure[],
  conditions: MarketConditions,
  minReturns: number,
): Loss | undefined {
  const unknown = new Set(withoutHistory(exposures, conditions, minReturns));
  const signed = new Map<string, number>();
  const doubtful: [symbol: string, value: number][] = [];
  let guessed = 0;
  for (const { symbol, direction, notional, uncertain } of exposures) {
    if (unknown.has(symbol)) {
      guessed += toNumber(notional);
      continue;
    }
    const sign = direction === 'long' ? 1 : -1;
    const perhaps = uncertain === undefined ? 0 : toNumber(uncertain);
    signed.set(symbol, (signed.get(symbol) ?? 0) + (toNumber(notional) - perhaps) * sign);
    if (perhaps > 0) doubtful.push([symbol, perhaps * sign]);
  }
  if (signed.size === 0 && unknown.size > 0) return undefined;
  doubtful.sort(([, a], [, b]) => Math.abs(a) - Math.abs(b));
  const known = worst(signed, doubtful, conditions);
  return guessed > 0 ? plus(known, wildest([...signed.keys()], conditions), guessed) : known;
}

const MEASURES = ['historicalVar', 'historicalCvar', 'parametricVar', 'parametricCvar'] as const;

type Doubtful = readonly (readonly [symbol: string, value: number])[];

/** So many of them are tried both ways, each with each: 2³ portfolios. */
const TRIED = 3;

/**
 * The worst of what there may be, with and without each that is doubtful. Where there are many, the smallest count as
 * what they cost alone, on top: more than that they cannot add.
 */
function worst(certain: ReadonlyMap<string, number>, doubtful: Doubtful, conditions: MarketConditions): Loss {
  const [one, ...others] = doubtful;
  if (one === undefined) return lossOf(certain, conditions);
  const without = worst(certain, others, conditions);
  if (doubtful.length > TRIED) return plus(without, lossOf(new Map([one]), conditions), 1);
  const [symbol, value] = one;
  const both = new Map(certain).set(symbol, (certain.get(symbol) ?? 0) + value);
  const there = worst(both, others, conditions);
  return lossBy((measure) => Math.max(without[measure], there[measure]));
}

const plus = (loss: Loss, each: Loss, notional: number): Loss =>
  lossBy((measure) => loss[measure] + notional * each[measure]);

/** The most that one unit of any of them loses. */
function wildest(symbols: readonly string[], conditions: MarketConditions): Loss {
  const ones = symbols.flatMap((symbol) =>
    [1, -1].map((unit) => lossOf(new Map([[symbol, unit]]), conditions)),
  );
  return lossBy((measure) => Math.max(0, ...ones.map((one) => one[measure])));
}

const lossBy = (of: (measure: keyof Loss) => number): Loss =>
  Object.fromEntries(MEASURES.map((measure) => [measure, of(measure)])) as unknown as Loss;

function lossOf(signed: ReadonlyMap<string, number>, conditions: MarketConditions): Loss {
  const series = profits(signed, conditions);
  if (series.length === 0) return lossBy(() => 0);
  const sorted = Float64Array.from(series).sort();
  // At least the worst hour; the remainder of a fraction counts as risk.
  const beyond = Math.max(1, Math.floor((1 - LEVEL) * sorted.length + 1e-9));
  const tail = sorted.subarray(0, beyond);
  const deviation = deviationOf(series);
  return {
    historicalVar: Math.max(0, -(tail.at(-1) ?? 0)) * DAY_FACTOR,
    historicalCvar: Math.max(0, -tail.reduce((sum, value) => sum + value, 0) / beyond) * DAY_FACTOR,
    parametricVar: deviation * Z * DAY_FACTOR,
    parametricCvar: deviation * Z_TAIL * DAY_FACTOR,
  };
}

/** Profit of the portfolio as it is in each of the hours that all its symbols know. */
function profits(signed: ReadonlyMap<string, number>, conditions: MarketConditions): Float64Array {
  const lengths = [...signed.keys()].map((symbol) => conditions.returns[symbol]?.length ?? 0);
  const hours = lengths.length === 0 ? 0 : Math.min(...lengths);
  const series = new Float64Array(hours);
  for (const [symbol, value] of signed) {
    const returns = conditions.returns[symbol] ?? [];
    const from = returns.length - hours;
    const each = value / UNIT;
    for (let i = 0; i < hours; i++) series[i] = (series[i] ?? 0) + each * (returns[from + i] ?? 0);
  }
  return series;
}

function deviationOf(series: Float64Array): number {
  const mean = series.reduce((sum, value) => sum + value, 0) / series.length;
  const squares = series.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, series.length - 1));
}
