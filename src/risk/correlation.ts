/**
 * How alike a candidate's moves are to what is open. A long and a short of two alike symbols hedge each other,
 * so the sign of the directions counts.
 *
 * Invariants: a correlation lies in [−1, 1] and is symmetric; too little history gives undefined, never zero.
 */

import { type Decimal, sum } from '../core/decimal.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { Direction } from '../domain/order.ts';
import type { CorrelationLimits, Exposure, MarketConditions } from '../domain/risk.ts';

/** Pearson's, over the newest returns that both have. */
export function correlation(
  a: readonly number[],
  b: readonly number[],
  minReturns: number,
): number | undefined {
  const n = Math.min(a.length, b.length);
  if (n < minReturns || n < 2) return undefined;
  const offA = a.length - n;
  const offB = b.length - n;
  // One by one: as an array they cost more than the sums.
  let sumA = 0;
  let sumB = 0;
  let sumAA = 0;
  let sumBB = 0;
  let sumAB = 0;
  for (let i = 0; i < n; i++) {
    const x = a[offA + i] ?? 0;
    const y = b[offB + i] ?? 0;
    sumA += x;
    sumB += y;
    sumAA += x * x;
    sumBB += y * y;
    sumAB += x * y;
  }
  const spread = (n * sumAA - sumA * sumA) * (n * sumBB - sumB * sumB);
  if (!(spread > 0)) return undefined;
  return Math.max(-1, Math.min(1, (n * sumAB - sumA * sumB) / Math.sqrt(spread)));
}

/** What is open beside the candidate, as it moves with it. */
export interface Company {
  /** The likest of all; undefined where there is none with enough history. */
  readonly likest: Alike | undefined;
  /** Notional of the candidate's cluster, without the candidate's own symbol. */
  readonly clusterNotional: Decimal;
}

export interface Alike {
  readonly symbol: string;
  /** Positive: gains and loses together with the candidate. */
  readonly together: number;
}

type Bet = { readonly symbol: SymbolName; readonly direction: Direction };

/** Undefined where nothing is judged: the rule is off, or nothing is known of the market. */
export function companyOf(
  candidate: Bet,
  exposures: readonly Exposure[],
  conditions: MarketConditions | undefined,
  limits: CorrelationLimits,
): Company | undefined {
  if (!limits.enabled || !conditions) return undefined;
  const others = betsOf(exposures.filter(({ symbol }) => symbol !== candidate.symbol));
  const alike = new Likeness(conditions, limits.minReturns);
  const hangs = (together: number | undefined): boolean => (together ?? -1) > limits.scaleAbove;
  let likest: Alike | undefined;
  const neighbours: OpenBet[] = [];
  for (const bet of others) {
    const together = alike.of(candidate, bet);
    if (hangs(together)) neighbours.push(bet);
    if (together !== undefined && (likest === undefined || together > likest.together))
      likest = { symbol: bet.symbol, together };
  }
  const inCluster = clusterOf(neighbours, others, (a, b) => hangs(alike.of(a, b)));
  return { likest, clusterNotional: sum(inCluster.flatMap(({ notionals }) => notionals)) };
}

type OpenBet = Bet & { readonly notionals: readonly Decimal[] };

/** One for each symbol and direction, whatever number of positions it has. */
function betsOf(exposures: readonly Exposure[]): OpenBet[] {
  const bets = new Map<string, { symbol: SymbolName; direction: Direction; notionals: Decimal[] }>();
  for (const { symbol, direction, notional } of exposures) {
    const key = `${direction} ${symbol}`;
    const known = bets.get(key);
    if (known) known.notionals.push(notional);
    else bets.set(key, { symbol, direction, notionals: [notional] });
  }
  return [...bets.values()];
}

/** All that hang together with the candidate, directly or through one another: so no order of entries escapes it. */
function clusterOf(
  neighbours: readonly OpenBet[],
  others: readonly OpenBet[],
  hang: (a: Bet, b: Bet) => boolean,
): OpenBet[] {
  const cluster = [...neighbours];
  let rest = others;
  for (let from = neighbours; from.length > 0; ) {
    rest = rest.filter((bet) => !from.includes(bet));
    const joins = rest.filter((bet) => from.some((one) => hang(one, bet)));
    cluster.push(...joins);
    from = joins;
  }
  return cluster;
}

/** Correlations of pairs, each computed once. */
class Likeness {
  readonly #conditions: MarketConditions;
  readonly #minReturns: number;
  readonly #known = new Map<string, number | undefined>();

  constructor(conditions: MarketConditions, minReturns: number) {
    this.#conditions = conditions;
    this.#minReturns = minReturns;
  }

  /** Positive: both gain and lose together. Two directions of one symbol are opposites. */
  of(a: Bet, b: Bet): number | undefined {
    const value = a.symbol === b.symbol ? 1 : this.#correlation(a.symbol, b.symbol);
    return value === undefined || a.direction === b.direction ? value : -value;
  }

  #correlation(a: SymbolName, b: SymbolName): number | undefined {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    if (!this.#known.has(key)) {
      const { returns } = this.#conditions;
      this.#known.set(key, correlation(returns[a] ?? [], returns[b] ?? [], this.#minReturns));
    }
    return this.#known.get(key);
  }
}

/** 1 up to `scaleAbove`, then falling towards a half at `refuseAbove`. */
export function correlationFactor(highest: number, limits: CorrelationLimits): number {
  if (highest <= limits.scaleAbove) return 1;
  const room = limits.refuseAbove - limits.scaleAbove;
  const share = room > 0 ? Math.min(1, (highest - limits.scaleAbove) / room) : 1;
  return 1 - share / 2;
}
