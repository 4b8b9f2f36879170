/**
 * Size by what trading has really made: capped fractional Kelly, and factors by symbol and hour. Floats: these
 * scale a size and are bounded; what is sent is rounded to lots from decimals.
 *
 * Invariants: without enough trades the answer is 1; a measured edge of zero or less gives 0; every factor lies
 * between its bounds; results pull the factor away from 1 only as far as their number warrants.
 */
import type { KellyLimits, Learned, LearningLimits, Results } from '../domain/risk.ts';

export const meanReturn = ({ trades, won, lost }: Results): number =>
  trades > 0 ? (won - lost) / trades : 0;

/** f* = p − (1 − p) ÷ b with b the average win over the average loss; 1 when nothing was ever lost. */
export function kellyFraction({ trades, wins, won, lost }: Results): number {
  if (trades <= 0 || wins <= 0) return trades > 0 ? -1 : 0;
  const losses = trades - wins;
  if (lost <= 0 || losses <= 0) return 1;
  const odds = won / wins / (lost / losses);
  return wins / trades - losses / trades / odds;
}

export function kellyFactor(results: Results, limits: KellyLimits): number {
  if (!limits.enabled || results.trades < limits.minTrades) return 1;
  const fraction = kellyFraction(results);
  if (fraction <= 0) return 0;
  const measured = Math.min(limits.maxFactor, fraction / limits.referenceFraction);
  return shrunk(measured, results.trades, limits.priorTrades);
}

/** One group's results against all of them, in units of the average size of a result. */
export function learnedFactor(group: Results | undefined, all: Results, limits: LearningLimits): number {
  if (!limits.enabled || !group || group.trades <= 0 || all.trades <= 0) return 1;
  const scale = (all.won + all.lost) / all.trades;
  if (!(scale > 0)) return 1;
  const raw = 1 + (meanReturn(group) - meanReturn(all)) / scale;
  const bounded = Math.min(limits.maxFactor, Math.max(limits.minFactor, raw));
  return shrunk(bounded, group.trades, limits.priorTrades);
}

const shrunk = (measured: number, trades: number, priorTrades: number): number =>
  1 + (measured - 1) * (trades / (trades + priorTrades));

const DAY_MS = 86_400_000;

/** Results with one more trade; what was known before has aged since. */
export function withTrade(before: Results, netReturn: number, keep: number): Results {
  return {
    trades: before.trades * keep + 1,
    wins: before.wins * keep + (netReturn > 0 ? 1 : 0),
    won: before.won * keep + Math.max(0, netReturn),
    lost: before.lost * keep + Math.max(0, -netReturn),
  };
}

/** What is left of a result's weight after so long. */
export const weightAfter = (elapsedMs: number, halfLifeDays: number): number =>
  0.5 ** (Math.max(0, elapsedMs) / (halfLifeDays * DAY_MS));

export const aged = (results: Results, keep: number): Results => ({
  trades: results.trades * keep,
  wins: results.wins * keep,
  won: results.won * keep,
  lost: results.lost * keep,
});

export const hourOf = (at: number): string => String(new Date(at).getUTCHours());

/** How much results weigh now, when nothing has come in for a while. */
export const weightNow = (known: Learned, at: number | undefined, halfLifeDays: number): number =>
  known.at === 0 ? 1 : weightAfter((at ?? known.at) - known.at, halfLifeDays);
