/**
 * What the portfolio tells the breakers: the account's value, the market's moves, funding, trades.
 *
 * Invariant: each told measure is a row of its receiver, so a measure that is far from any limit one could set is
 * told only to a breaker that is not closed.
 */
import { abs, type Decimal, div, gt, lt, mul, sub, sum, toNumber, ZERO } from '../src/core/decimal.ts';
import type { ActorId } from '../src/core/ids.ts';
import type { Emitted } from '../src/domain/events.ts';
import type { Swing } from './breakers/rule.ts';
import { breakerOf, type Trade } from './messages.ts';
import type { PortfolioContext, Swings } from './portfolio-account.ts';
import { send } from './step.ts';

/** The least that the configuration lets a limit be: below it nobody needs to hear. */
export const LEAST_WEEKLY_LOSS_PERCENT = 1;
export const LEAST_MARGIN_NOTIONAL = '2';
export const LEAST_MOVE_PERCENT = 4;
export const LEAST_MEAN_MOVE_PERCENT = 2;
export const LEAST_VOLATILITY_RATIO = 2;
export const LEAST_FUNDING_RATE = 0.0005;

/** A move is measured from one to two of these ago. */
const WINDOW_MS = 15 * 60_000;

const isOpen = ({ breakers }: PortfolioContext, name: string): boolean => breakers[name] !== undefined;

const notionalOf = ({ exposures, marks }: PortfolioContext): Decimal =>
  sum(
    Object.values(exposures).map(({ symbol, quantity, entryPrice }) =>
      abs(mul(quantity, marks[symbol] ?? entryPrice)),
    ),
  );

export function tellEquity(context: PortfolioContext): readonly Emitted[] {
  const { equity, peakEquity, dayStart, weekStart } = context;
  const event = { type: 'EQUITY', equity, peak: peakEquity, dayStart: dayStart.equity, day: dayStart.day };
  const told = context.equityBreakers.map((breaker) => send(breaker, event));
  const floor = mul(weekStart.equity, String(1 - LEAST_WEEKLY_LOSS_PERCENT / 100));
  if (isOpen(context, 'weekly-loss') || lt(equity, floor)) {
    const week = { ...event, weekStart: weekStart.equity, week: weekStart.week };
    told.push(send(breakerOf('weekly-loss'), week));
  }
  const notional = notionalOf(context);
  if (isOpen(context, 'margin') || gt(notional, mul(equity, LEAST_MARGIN_NOTIONAL)))
    told.push(send(breakerOf('margin'), { ...event, notional }));
  return told;
}

/** Whoever measures losses from an equity of its own moves that along, too. */
export function tellMoved({ equity, equityBreakers }: PortfolioContext, moved: Decimal): readonly Emitted[] {
  const breakers = new Set([...equityBreakers, breakerOf('weekly-loss')]);
  return [...breakers].map((breaker) => send(breaker, { type: 'MOVED', equity, moved }));
}

/** The bases that a shock is measured from, as this moment's marks move them on. */
export function moveBases({ bases, marks, at }: PortfolioContext): PortfolioContext['bases'] {
  const newest = bases.at(-1);
  return newest !== undefined && at - newest.at < WINDOW_MS ? bases : [...bases.slice(-1), { at, marks }];
}

/** So much of the newest move goes into the mean of the hour, and of the day. */
const [HOUR_WEIGHT, DAY_WEIGHT] = [0.3, 0.02];
/** Fewer moves say nothing of what is usual: eight hours. */
const LEAST_SWINGS = 32;
/** A step over a silence is no quarter of an hour's. */
const LONGEST_STEP_MS = 2 * WINDOW_MS;

/** As `moveBases` is about to take a new base: what the market did since the last one. */
export function learnSwings(context: PortfolioContext): PortfolioContext['swings'] {
  const { bases, marks, at, swings } = context;
  const newest = bases.at(-1);
  const elapsedMs = newest === undefined ? 0 : at - newest.at;
  if (newest === undefined || elapsedMs < WINDOW_MS || elapsedMs >= LONGEST_STEP_MS) return swings;
  const next: Record<string, Swings> = { ...swings };
  for (const [symbol, mark] of Object.entries(marks)) {
    const base = toNumber(newest.marks[symbol] ?? ZERO);
    if (!(base > 0)) continue;
    const move = Math.abs((100 * (toNumber(mark) - base)) / base);
    const [hour, day, count] = swings[symbol] ?? [move, move, 0];
    // A plain mean at first, so that one beginning does not weigh for a day.
    const weigh = (mean: number, weight: number): number =>
      short(mean + Math.max(weight, 1 / (count + 1)) * (move - mean));
    next[symbol] = [weigh(hour, HOUR_WEIGHT), weigh(day, DAY_WEIGHT), Math.min(count + 1, LEAST_SWINGS)];
  }
  return next;
}

const short = (value: number): number => Number(value.toPrecision(4));

/** Told as the market is measured, and only when something spikes, or a spike may be over. */
export function tellVolatility(
  context: PortfolioContext,
  before: PortfolioContext['swings'],
): readonly Emitted[] {
  const { swings } = context;
  if (swings === before) return [];
  const known = Object.entries(swings).filter(([, [, day, count]]) => count >= LEAST_SWINGS && day > 0);
  if (known.length === 0) return [];
  const mean = (of: 0 | 1): number => known.reduce((total, [, each]) => total + each[of], 0) / known.length;
  const swing = (hour: number, day: number): Swing => ({ ratio: short(hour / day), percent: short(hour) });
  const market = swing(mean(0), mean(1));
  const wild = known.filter(([, [hour, day]]) => hour >= LEAST_VOLATILITY_RATIO * day);
  if (market.ratio < LEAST_VOLATILITY_RATIO && wild.length === 0 && !isOpen(context, 'volatility')) return [];
  const symbols = Object.fromEntries(wild.map(([symbol, [hour, day]]) => [symbol, swing(hour, day)]));
  return [send(breakerOf('volatility'), { type: 'VOLATILITY', market, symbols })];
}

/** Floats and exact moves differ by less. */
const FLOAT_MARGIN = 0.001;

/** Nothing near a shock, in floats: exact moves of everything are then not worth their time. */
function isCalm(marks: PortfolioContext['marks'], from: PortfolioContext['marks']): boolean {
  let [count, sum] = [0, 0];
  for (const [symbol, mark] of Object.entries(marks)) {
    const base = Number(from[symbol] ?? 0);
    if (!(base > 0)) continue;
    const move = Math.abs((100 * (Number(mark) - base)) / base);
    if (!(move < LEAST_MOVE_PERCENT - FLOAT_MARGIN)) return false;
    count += 1;
    sum += move;
  }
  return count > 0 && sum / count < LEAST_MEAN_MOVE_PERCENT - FLOAT_MARGIN;
}

export function tellShock(context: PortfolioContext): readonly Emitted[] {
  const from = context.bases[0]?.marks ?? {};
  if (isCalm(context.marks, from)) return calm(context);
  const moves = Object.entries(context.marks).flatMap(([symbol, mark]) => {
    const base = from[symbol];
    if (base === undefined || !gt(base, ZERO)) return [];
    return [[symbol, 100 * toNumber(div(sub(mark, base), base, 6))] as const];
  });
  if (moves.length === 0) return [];
  const mean = moves.reduce((total, [, move]) => total + Math.abs(move), 0) / moves.length;
  const far = moves.filter(([, move]) => Math.abs(move) >= LEAST_MOVE_PERCENT);
  const breaker = breakerOf('flash-crash');
  if (far.length > 0 || mean >= LEAST_MEAN_MOVE_PERCENT)
    return [send(breaker, { type: 'SHOCK', moves: Object.fromEntries(far), mean })];
  return calm(context);
}

const calm = (context: PortfolioContext): readonly Emitted[] =>
  isOpen(context, 'flash-crash') ? [send(breakerOf('flash-crash'), { type: 'CALM' })] : [];

export function tellFunding(
  context: PortfolioContext,
  rates: { readonly [symbol: string]: number } | undefined,
): readonly Emitted[] {
  if (rates === undefined) return [];
  const large = Object.entries(rates).filter(([, rate]) => Math.abs(rate) >= LEAST_FUNDING_RATE);
  if (large.length === 0 && !isOpen(context, 'funding')) return [];
  return [send(breakerOf('funding'), { type: 'FUNDING', rates: Object.fromEntries(large) })];
}

/** Names of the trade's own symbol and side are made from the trade: `*` and `+` stand for them. */
export function tellTrade({ tradeBreakers }: PortfolioContext, trade: Trade): readonly Emitted[] {
  const nameOf = (breaker: ActorId): ActorId =>
    breaker.replace('*', trade.symbol).replace('+', trade.direction);
  return tradeBreakers.map((breaker) => send(nameOf(breaker), { type: 'TRADE_CLOSED', trade }));
}
