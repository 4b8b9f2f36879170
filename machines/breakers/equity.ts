/** Breakers on the account's value. Deposits and withdrawals are no profit and no loss: the portfolio sees to it. */
import {
  type Decimal,
  div,
  fromNumber,
  gt,
  gte,
  lt,
  mul,
  sub,
  toNumber,
  ZERO,
} from '../../src/core/decimal.ts';
import { movedAlong } from '../../src/domain/wallet.ts';
import type { BreakerClosing } from '../messages.ts';
import { type BreakerEvent, type BreakerRule, type Counters, nothing, type Observation } from './rule.ts';
import type { BreakerSettings } from './settings.ts';

type Equity = Extract<BreakerEvent, { type: 'EQUITY' }>;

const lossPercent = (from: Decimal, to: Decimal): Decimal =>
  gt(from, ZERO) ? mul(div(sub(from, to), from, 8), '100') : ZERO;

/** What money that was moved makes of what a rule remembers of the account's value. */
function carriedOver(counters: Counters, event: BreakerEvent): Observation {
  if (event.type !== 'MOVED') return nothing(counters);
  const along = (base: Decimal | null): Decimal | null =>
    base === null ? null : movedAlong(base, event.equity, event.moved);
  const { baseline, lastEquity, lastDayStart } = counters;
  return nothing({
    ...counters,
    baseline: along(baseline),
    lastEquity: along(lastEquity),
    lastDayStart: along(lastDayStart),
  });
}

/**
 * From the peak of equity. The day's start is never above the peak, so a drawdown from it is one from the peak,
 * too. Stays open until a person resets it.
 */
export const drawdownRule = (maxPercent: Decimal): BreakerRule => ({
  kind: 'drawdown',
  coolDownMs: null,
  reset: (counters) => ({ ...counters, baseline: counters.lastEquity }),
  observe(counters, event) {
    if (event.type !== 'EQUITY') return carriedOver(counters, event);
    const { equity } = event;
    // A reset starts a new measure: the old peak would trip it again at once.
    const from =
      counters.baseline === null ? event.peak : gt(equity, counters.baseline) ? equity : counters.baseline;
    const next = {
      ...counters,
      lastEquity: equity,
      baseline: counters.baseline === null ? null : from,
    };
    const down = lossPercent(from, equity);
    return gte(down, maxPercent)
      ? { counters: next, verdict: { trip: 'halted', cause: `drawdown ${down} % of ${from}` } }
      : { counters: next, verdict: 'fine' };
  },
});

const FADE = 0.2;

/** How much equity moves from one day's start to the next, learnt as the days begin. */
function learnVolatility(counters: Counters, { dayStart }: Equity): Partial<Counters> {
  const { lastDayStart, volatility } = counters;
  if (lastDayStart === null) return { lastDayStart: dayStart };
  const moved = Math.abs(toNumber(lossPercent(lastDayStart, dayStart)));
  return {
    lastDayStart: dayStart,
    volatility: volatility === null ? moved : volatility + FADE * (moved - volatility),
  };
}

const atLeastHalf = (factor: number): number => Math.min(1, Math.max(0.5, factor));

/** Never above what is configured: less for much capital, and less in days that move much. */
export function dailyLimit(capital: Decimal, volatility: number | null, settings: BreakerSettings): Decimal {
  const ofCapital = atLeastHalf(
    Math.sqrt(toNumber(settings.fullLimitCapital) / Math.max(1, toNumber(capital))),
  );
  const ofDays = volatility ? atLeastHalf(settings.calmDayPercent / volatility) : 1;
  return mul(settings.maxDailyLossPercent, fromNumber(Number((ofCapital * ofDays).toFixed(4))));
}

/** From the equity at the start of the UTC day; the next day is a new one. */
export const dailyLossRule = (settings: BreakerSettings): BreakerRule => ({
  kind: 'daily-loss',
  coolDownMs: null,
  reset: (counters) => ({ ...counters, baseline: counters.lastEquity }),
  observe(counters, event) {
    if (event.type !== 'EQUITY') return carriedOver(counters, event);
    const newDay = counters.openedDay !== null && event.day > counters.openedDay;
    const learned = newDay || counters.lastDayStart === null ? learnVolatility(counters, event) : {};
    const baseline = newDay ? null : counters.baseline;
    const from = baseline ?? event.dayStart;
    const next = { ...counters, ...learned, baseline, lastEquity: event.equity, openedDay: event.day };
    const down = lossPercent(from, event.equity);
    const limit = dailyLimit(event.dayStart, next.volatility, settings);
    if (gte(down, limit)) {
      const cause = `lost ${down} % of ${from} today, of ${limit} % allowed`;
      return { counters: next, verdict: { trip: 'reducing', cause } };
    }
    return { counters: next, verdict: newDay ? 'over' : 'fine' };
  },
});

/** From the equity at the start of the UTC week, which begins on Monday. */
export const weeklyLossRule = (maxPercent: Decimal): BreakerRule => ({
  kind: 'weekly-loss',
  coolDownMs: null,
  reset: (counters) => ({ ...counters, baseline: counters.lastEquity }),
  observe(counters, event) {
    if (event.type !== 'EQUITY' || event.week === undefined || event.weekStart === undefined)
      return carriedOver(counters, event);
    const newWeek = counters.openedDay !== null && event.week > counters.openedDay;
    const baseline = newWeek ? null : counters.baseline;
    const from = baseline ?? event.weekStart;
    const next = { ...counters, baseline, lastEquity: event.equity, openedDay: event.week };
    const down = lossPercent(from, event.equity);
    if (gte(down, maxPercent))
      return { counters: next, verdict: { trip: 'halted', cause: `lost ${down} % of ${from} this week` } };
    return { counters: next, verdict: newWeek ? 'over' : 'fine' };
  },
});

/** Far enough below the first stage that it does not flap. */
const CALM_SHARE = '0.8';

/**
 * Maintenance margin against equity, in stages: no entries; the largest position closed, again while it does not
 * help; everything closed. The venue's own word counts as it is; between two of those the account's own measure, whose
 * maintenance rate is the highest of the instruments, so it errs on the safe side.
 */
export const marginRule = (settings: BreakerSettings): BreakerRule => ({
  kind: 'margin',
  coolDownMs: null,
  reset: (counters) => ({ ...counters, closedAt: null }),
  observe(counters, event) {
    if (event.type === 'MARGIN')
      return judgeMargin(counters, event.at, event.ratioPercent, 'at the venue', settings);
    if (event.type !== 'EQUITY' || event.notional === undefined) return nothing(counters);
    const needed = mul(event.notional, settings.maintenanceRate);
    const ratio = gt(event.equity, ZERO)
      ? mul(div(needed, event.equity, 8), '100')
      : gt(needed, ZERO)
        ? '100'
        : ZERO;
    return judgeMargin(counters, event.at, ratio, 'of equity', settings);
  },
});

function judgeMargin(
  counters: Counters,
  at: number,
  ratio: Decimal,
  of: string,
  settings: BreakerSettings,
): Observation {
  const cause = `maintenance margin is ${ratio} % ${of}`;
  const halt = (closing: BreakerClosing): Observation => ({
    counters: { ...counters, closedAt: at },
    verdict: { trip: 'halted', cause, closing },
  });
  if (gte(ratio, settings.marginFlattenPercent)) return halt('all');
  if (gte(ratio, settings.marginDeleveragePercent)) {
    const { closedAt } = counters;
    const isDue = closedAt === null || at - closedAt >= settings.deleverageEveryMs;
    return isDue ? halt('largest') : nothing(counters);
  }
  if (gte(ratio, settings.marginReducePercent)) return { counters, verdict: { trip: 'reducing', cause } };
  const isCalm = lt(ratio, mul(settings.marginReducePercent, CALM_SHARE));
  return { counters: isCalm ? { ...counters, closedAt: null } : counters, verdict: isCalm ? 'over' : null };
}
