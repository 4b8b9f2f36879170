/** What trades teach, and the judge that the portfolio asks. Pure. */
import {
  type Learned,
  type LearnFromTrade,
  NO_RESULTS,
  type Results,
  type RiskJudge,
} from '../domain/risk.ts';
import { aged, hourOf, weightAfter, withTrade } from './edge.ts';
import { assessEntry } from './risk-manager.ts';
import { sideOf } from './stop.ts';

type Group = { readonly [key: string]: Results };

/** A group that weighs less than this has nothing left to say. */
const FORGOTTEN_BELOW = 0.01;

/** Short numbers: the row of every later portfolio event carries them. */
const short = ({ trades, wins, won, lost }: Results): Results => ({
  trades: Number(trades.toPrecision(6)),
  wins: Number(wins.toPrecision(6)),
  won: Number(won.toPrecision(6)),
  lost: Number(lost.toPrecision(6)),
});

function grown(groups: Group, key: string, netReturn: number, keep: number): Group {
  const next: Record<string, Results> = {};
  for (const [name, results] of Object.entries(groups)) {
    const older = aged(results, keep);
    if (name !== key && older.trades >= FORGOTTEN_BELOW) next[name] = short(older);
  }
  next[key] = short(withTrade(groups[key] ?? NO_RESULTS, netReturn, keep));
  return next;
}

export const learnFromTrade: LearnFromTrade = (known, result, limits): Learned => {
  const { symbol, direction, netReturn, openedAt, closedAt } = result;
  const keep = known.at === 0 ? 1 : weightAfter(closedAt - known.at, limits.halfLifeDays);
  return {
    at: Math.max(known.at, closedAt),
    all: short(withTrade(known.all, netReturn, keep)),
    symbols: grown(known.symbols, symbol, netReturn, keep),
    sides: grown(known.sides, sideOf(symbol, direction), netReturn, keep),
    hours: grown(known.hours, hourOf(openedAt), netReturn, keep),
  };
};

export const riskJudge: RiskJudge = { assess: assessEntry, learn: learnFromTrade };
