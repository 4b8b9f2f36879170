/**
 * Where the protective stop of an entry belongs: the tightest of the adaptive stop, the hard cap and the
 * liquidation price with its buffer. Pure.
 *
 * The adaptive stop gives room to a side that wins and little to one that loses, so that being wrong is cheap; the
 * market's own volatility bounds it from both sides, so that noise does not take it out and a calm market does not
 * leave it far away.
 *
 * Invariants: never farther than the hard cap, never at or beyond the entry price, on a tick, rounded towards the
 * entry; an add keeps the stop of what it adds to.
 */
import { add, ceilTo, type Decimal, div, floorTo, fromNumber, gt, lt, mul, sub } from '../core/decimal.ts';
import type { Direction } from '../domain/order.ts';
import {
  type Entry,
  NOTHING_LEARNED,
  type PortfolioView,
  type Results,
  type RiskLimits,
  type StopLimits,
} from '../domain/risk.ts';
import { aged, weightNow } from './edge.ts';

export const sideOf = (symbol: string, direction: Direction): string => `${symbol}/${direction}`;

/** Of this symbol and side, drawn towards one half while there are few trades. */
export function winRateOf(results: Results | undefined, priorTrades: number): number {
  const { trades, wins } = results ?? { trades: 0, wins: 0 };
  return trades + priorTrades > 0 ? (wins + priorTrades / 2) / (trades + priorTrades) : 0.5;
}

/** In percent of the entry price. */
export function adaptivePercent(winRate: number, atrPercent: number, limits: StopLimits): number {
  const { minPercent, maxPercent, lowWinRate, highWinRate, minAtrs, maxAtrs } = limits;
  const span = Math.max(highWinRate - lowWinRate, Number.EPSILON);
  const earned = Math.min(1, Math.max(0, (winRate - lowWinRate) / span));
  const byResults = minPercent + earned * (maxPercent - minPercent);
  const byMarket = Math.min(maxAtrs * atrPercent, Math.max(minAtrs * atrPercent, byResults));
  return Math.min(maxPercent, Math.max(minPercent, byMarket));
}

/** The price `percent` behind the entry, on a tick, towards the entry. */
function stopAt(entry: Entry, percent: Decimal, tick: Decimal): Decimal {
  const distance = mul(entry.referencePrice, div(percent, '100'));
  return entry.direction === 'long'
    ? ceilTo(sub(entry.referencePrice, distance), tick)
    : floorTo(add(entry.referencePrice, distance), tick);
}

export const tighter = (direction: Direction, a: Decimal, b: Decimal): boolean =>
  direction === 'long' ? gt(a, b) : lt(a, b);

export const distancePercent = (entry: Entry, stop: Decimal): number =>
  Math.abs(100 * (Number(stop) / Number(entry.referencePrice) - 1));

/** The entry with its stop where it belongs, and why it lies there. */
export function withStop(
  entry: Entry,
  tick: Decimal,
  view: PortfolioView,
  limits: RiskLimits,
): { readonly entry: Entry; readonly note: string | null } {
  const { stop } = limits;
  if (entry.add) return { entry, note: null };
  const { symbol, direction } = entry;
  const known = view.learned ?? NOTHING_LEARNED;
  const learned = known.sides[sideOf(symbol, direction)];
  const results = learned && aged(learned, weightNow(known, view.at, limits.learning.halfLifeDays));
  const winRate = winRateOf(results, stop.priorTrades);
  const percent = adaptivePercent(winRate, entry.atrPercent, stop);
  const wanted = stop.adaptive
    ? stopAt(entry, fromNumber(Number(percent.toFixed(4))), tick)
    : entry.stopPrice;
  const cap = stopAt(entry, stop.hardCapPercent, tick);
  const capped = tighter(direction, cap, wanted);
  const stopPrice = capped ? cap : wanted;
  const weight = (results?.trades ?? 0).toFixed(1);
  const trades = `${direction} trades in ${symbol}`;
  const won = `${(100 * winRate).toFixed(0)} %`;
  const learnt = weight === '0.0' ? `no ${trades} yet, ${won} assumed` : `${won} of ${weight} ${trades} won`;
  const adaptive = `adaptive ${percent.toFixed(2)} % (${learnt}, ATR ${entry.atrPercent.toFixed(2)} %)`;
  const why = `${stop.adaptive ? adaptive : 'the strategy’s'}${capped ? `, capped at ${stop.hardCapPercent} %` : ''}`;
  return { entry: { ...entry, stopPrice }, note: `stop ${stopPrice}: ${why}` };
}
