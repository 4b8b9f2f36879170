/**
 * A synthetic market held against a real one: each stylised fact with the range that the real symbols span, the
 * band around it that counts as alike, and where the synthetic symbols fall. As data for scripts, as a table for
 * people.
 */
import type { MarketData } from '../market-data.ts';
import {
  CLUSTERING_LAGS,
  type MarketStatistics,
  marketStatistics,
  type SymbolStatistics,
} from './market-statistics.ts';

export interface ComparedFact {
  readonly fact: string;
  /** Lowest and highest over the real symbols. */
  readonly real: readonly [number, number];
  readonly synthetic: { readonly low: number; readonly median: number; readonly high: number };
  /** Where the synthetic median must lie. */
  readonly band: readonly [number, number];
  readonly within: boolean;
}

export interface StatisticsReport {
  readonly facts: readonly ComparedFact[];
  readonly alike: boolean;
  readonly real: MarketStatistics;
  readonly synthetic: MarketStatistics;
}

/** How far outside the real range still counts: by a factor, or by a distance. */
type Tolerance = { readonly factor: number } | { readonly distance: number };

interface Fact {
  readonly name: string;
  readonly read: (statistics: SymbolStatistics) => number;
  readonly tolerance: Tolerance;
}

const FACTS: readonly Fact[] = [
  { name: 'volatility, bps a bar', read: (s) => s.volatilityBps, tolerance: { factor: 1.5 } },
  // One extreme minute decides a fourth moment; the tail index and the extreme ratio are the steady measures.
  { name: 'excess kurtosis', read: (s) => s.excessKurtosis, tolerance: { factor: 3 } },
  { name: 'tail index', read: (s) => s.tailIndex, tolerance: { factor: 1.25 } },
  { name: 'extreme ratio', read: (s) => s.extremeRatio, tolerance: { factor: 1.25 } },
  ...CLUSTERING_LAGS.map((lag, i) => ({
    name: `clustering at lag ${lag}`,
    read: (s: SymbolStatistics) => s.clustering[i] ?? NaN,
    tolerance: { distance: 0.09 },
  })),
  { name: 'memory of returns', read: (s) => s.returnMemory, tolerance: { distance: 0.03 } },
  { name: 'leverage effect', read: (s) => s.leverage, tolerance: { distance: 0.03 } },
  { name: 'volume to range', read: (s) => s.volumeToRange, tolerance: { distance: 0.1 } },
  { name: 'range to body', read: (s) => s.rangeToBody, tolerance: { distance: 0.2 } },
  { name: 'jumps a day', read: (s) => s.jumpsPerDay, tolerance: { factor: 2 } },
  { name: 'maximum drawdown', read: (s) => s.maxDrawdown, tolerance: { factor: 2.5 } },
];

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

function compare(
  fact: string,
  real: readonly number[],
  synthetic: readonly number[],
  tolerance: Tolerance,
): ComparedFact {
  const [least = NaN, ...others] = ascending(real);
  const most = others.at(-1) ?? least;
  const drawn = ascending(synthetic);
  const median = drawn[drawn.length >> 1] ?? NaN;
  const band: [number, number] =
    'factor' in tolerance
      ? [least / tolerance.factor, most * tolerance.factor]
      : [least - tolerance.distance, most + tolerance.distance];
  return {
    fact,
    real: [least, most],
    synthetic: { low: drawn[0] ?? NaN, median, high: drawn.at(-1) ?? NaN },
    band,
    within: median >= band[0] && median <= band[1],
  };
}

const pairsOf = ({ correlations }: MarketStatistics): number[] =>
  correlations.flatMap((row, i) => row.slice(i + 1));

/** Both measured on bars of the same timeframe, and preferably over about as many days. */
export function compareStatistics(real: MarketStatistics, synthetic: MarketStatistics): StatisticsReport {
  const facts = FACTS.map(({ name, read, tolerance }) =>
    compare(name, real.symbols.map(read), synthetic.symbols.map(read), tolerance),
  );
  facts.push(compare('correlation of pairs', pairsOf(real), pairsOf(synthetic), { distance: 0.1 }));
  if (real.funding.settlements > 0 && synthetic.funding.settlements > 0) {
    const { funding: a } = real;
    const { funding: b } = synthetic;
    facts.push(compare('funding, mean', [a.mean], [b.mean], { distance: 0.00015 }));
    facts.push(compare('funding, deviation', [a.deviation], [b.deviation], { factor: 4 }));
  }
  return { facts, alike: facts.every(({ within }) => within), real, synthetic };
}

/** A synthetic market of 1m bars held against a recorded one; `until` bounds an endless one. */
export async function compareMarkets(
  real: MarketData,
  synthetic: MarketData,
  until = Infinity,
): Promise<StatisticsReport> {
  return compareStatistics(await marketStatistics(real), await marketStatistics(synthetic, until));
}

const figure = (value: number): string => (Math.abs(value) >= 0.01 ? value.toFixed(2) : value.toPrecision(2));
const span = (low: number, high: number): string =>
  low === high ? figure(low) : `${figure(low)} … ${figure(high)}`;

/** The report as aligned text. */
export function statisticsTable(report: StatisticsReport): string {
  const rows = [
    ['fact', 'real', 'synthetic', 'allowed', ''],
    ...report.facts.map(({ fact, real, synthetic, band, within }) => [
      fact,
      span(...real),
      `${figure(synthetic.median)} (${span(synthetic.low, synthetic.high)})`,
      span(...band),
      within ? 'alike' : 'DIFFERS',
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
