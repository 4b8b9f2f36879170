/**
 * What each kind of breaker watches and when it opens. Pure: counters in, counters and a verdict out.
 *
 * Invariants: a rule looks only at the events of its own measure; counters are plain JSON; 'fine' is said only
 * on evidence (an event that shows the measure within its limit), never for lack of news.
 */
import { type Decimal, div, gt, gte, lt, mul, sub, ZERO } from '../src/core/decimal.ts';
import type { SymbolName } from '../src/domain/instrument.ts';
import type { Timed, Trade } from './messages.ts';

export type BreakerLevel = 'reducing' | 'halted';

export type BreakerEvent =
  | ({
      readonly type: 'EQUITY';
      readonly equity: Decimal;
      readonly peak: Decimal;
      readonly dayStart: Decimal;
      readonly day: number;
    } & Timed)
  | ({ readonly type: 'TRADE_CLOSED'; readonly trade: Trade } & Timed)
  /** Something the breaker counts went wrong, or right. */
  | ({ readonly type: 'FAULT'; readonly reason: string } & Timed)
  | ({ readonly type: 'OK' } & Timed)
  | ({ readonly type: 'STALE'; readonly symbol: SymbolName } & Timed)
  | ({ readonly type: 'LIVE'; readonly symbol: SymbolName } & Timed)
  | RemoteMeasure
  | ({ readonly type: 'OPERATOR_TRIP'; readonly by: string; readonly reason: string } & Timed)
  | ({ readonly type: 'OPERATOR_RESET'; readonly by: string; readonly reason: string } & Timed);

/** What a remote venue's interface shows of itself. */
export type RemoteMeasure =
  /** The venue wants quiet until then, or (418) has banned us: nothing at all gets through. */
  | ({ readonly type: 'THROTTLED'; readonly until: number; readonly banned: boolean } & Timed)
  /** A full reading that contradicts the books, and one that does not. */
  | ({ readonly type: 'FINDINGS'; readonly count: number; readonly detail: string } & Timed)
  | ({ readonly type: 'CLEAN' } & Timed)
  /** Our clock against the venue's, signed. */
  | ({ readonly type: 'SKEW'; readonly ms: number } & Timed)
  /** How long one call took. Worth telling when slow, and once when it is quick again. */
  | ({ readonly type: 'LATENCY'; readonly ms: number } & Timed);

export interface Counters {
  /** Losses in a row, or faults in the window. */
  readonly streak: number;
  /** Equity that a drawdown is measured from after an operator's reset; null: the account's peak. */
  readonly baseline: Decimal | null;
  readonly lastEquity: Decimal | null;
  readonly openedDay: number | null;
  readonly faultTimes: readonly number[];
  readonly stale: readonly SymbolName[];
}

export const NO_COUNTS: Counters = {
  streak: 0,
  baseline: null,
  lastEquity: null,
  openedDay: null,
  faultTimes: [],
  stale: [],
};

export type Verdict =
  /** `until`: where the pause's end is the venue's to say, and not the rule's. */
  | { readonly trip: BreakerLevel; readonly cause: string; readonly until?: number }
  | 'fine'
  /** Reason to try again at once, before any pause is over. */
  | 'easing'
  /** The reason it opened is over by itself: no trial needed. */
  | 'over'
  | null;

export interface Observation {
  readonly counters: Counters;
  readonly verdict: Verdict;
}

export type BreakerKind =
  | 'drawdown'
  | 'daily-loss'
  | 'consecutive-losses'
  | 'api-errors'
  | 'journal'
  | 'stale-data'
  | 'rate-limit'
  | 'reconciliation'
  | 'clock'
  | 'latency';

export interface BreakerRule {
  readonly kind: BreakerKind;
  /** `trial`: the breaker is half-open, so a single fault is too many. */
  readonly observe: (counters: Counters, event: BreakerEvent, trial: boolean) => Observation;
  /** After this it is tried half-open; null: only an operator, or the rule's own 'over', closes it. */
  readonly coolDownMs: number | null;
  readonly reset: (counters: Counters) => Counters;
}

const LONGEST_LIST = 64;

const nothing = (counters: Counters): Observation => ({ counters, verdict: null });

const lossPercent = (from: Decimal, to: Decimal): Decimal =>
  gt(from, ZERO) ? mul(div(sub(from, to), from, 8), '100') : ZERO;

/** From the peak of equity (adjusted for transfers). Stays open until a person resets it. */
const drawdownRule = (maxPercent: Decimal): BreakerRule => ({
  kind: 'drawdown',
  coolDownMs: null,
  reset: (counters) => ({ ...counters, baseline: counters.lastEquity }),
  observe(counters, event) {
    if (event.type !== 'EQUITY') return nothing(counters);
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

/** From the equity at the start of the UTC day; the next day is a new one. */
const dailyLossRule = (maxPercent: Decimal): BreakerRule => ({
  kind: 'daily-loss',
  coolDownMs: null,
  reset: (counters) => ({ ...counters, baseline: counters.lastEquity }),
  observe(counters, event) {
    if (event.type !== 'EQUITY') return nothing(counters);
    const newDay = counters.openedDay !== null && event.day > counters.openedDay;
    const baseline = newDay ? null : counters.baseline;
    const from = baseline ?? event.dayStart;
    const next = { ...counters, baseline, lastEquity: event.equity, openedDay: event.day };
    const down = lossPercent(from, event.equity);
    if (gte(down, maxPercent))
      return { counters: next, verdict: { trip: 'reducing', cause: `lost ${down} % of ${from} today` } };
    return { counters: next, verdict: newDay ? 'over' : 'fine' };
  },
});

const consecutiveLossesRule = (limit: number, coolDownMs: number): BreakerRule => ({
  kind: 'consecutive-losses',
  coolDownMs,
  reset: (counters) => ({ ...counters, streak: 0 }),
  observe(counters, event) {
    if (event.type !== 'TRADE_CLOSED') return nothing(counters);
    if (!lt(event.trade.netPnl, ZERO)) return { counters: { ...counters, streak: 0 }, verdict: 'fine' };
    const streak = counters.streak + 1;
    return {
      counters: { ...counters, streak },
      verdict: streak >= limit ? { trip: 'reducing', cause: `${streak} losing trades in a row` } : null,
    };
  },
});

const inWindow = (times: readonly number[], at: number, windowMs: number): readonly number[] =>
  [...times.filter((time) => at - time < windowMs), at].slice(-LONGEST_LIST);

/** Counts faults in a sliding window: the venue's interface, or the journal with a limit of one. */
const faultRule = (
  kind: 'api-errors' | 'journal',
  limit: number,
  windowMs: number,
  coolDownMs: number,
): BreakerRule => ({
  kind,
  coolDownMs,
  reset: (counters) => ({ ...counters, faultTimes: [] }),
  observe(counters, event, trial) {
    if (event.type === 'OK') return { counters, verdict: 'fine' };
    if (event.type !== 'FAULT') return nothing(counters);
    const faultTimes = inWindow(counters.faultTimes, event.at, windowMs);
    return {
      counters: { ...counters, faultTimes },
      verdict:
        faultTimes.length >= (trial ? 1 : limit)
          ? { trip: 'halted', cause: `${faultTimes.length} × in ${windowMs} ms, last: ${event.reason}` }
          : null,
    };
  },
});

/** Opens when too many symbols are without data at once: then it is not one symbol's trouble. */
const staleDataRule = (symbols: number, maxShare: number): BreakerRule => ({
  kind: 'stale-data',
  coolDownMs: null,
  reset: (counters) => ({ ...counters, stale: [] }),
  observe(counters, event) {
    if (event.type !== 'STALE' && event.type !== 'LIVE') return nothing(counters);
    const others = counters.stale.filter((symbol) => symbol !== event.symbol);
    const stale = event.type === 'STALE' ? [...others, event.symbol] : others;
    const tooMany = stale.length > 0 && stale.length >= symbols * maxShare;
    return {
      counters: { ...counters, stale },
      verdict: tooMany
        ? { trip: 'reducing', cause: `${stale.length} of ${symbols} symbols have no data` }
        : 'over',
    };
  },
});

/** The venue says how long; a margin goes on top, as its clock is not ours. Half-open until a call has gone well. */
const rateLimitRule = (marginMs: number): BreakerRule => ({
  kind: 'rate-limit',
  coolDownMs: marginMs,
  reset: (counters) => counters,
  observe(counters, event) {
    if (event.type === 'OK') return { counters, verdict: 'fine' };
    if (event.type !== 'THROTTLED') return nothing(counters);
    const until = Math.max(event.until, event.at) + marginMs;
    const cause = event.banned ? `banned until ${event.until}` : `throttled until ${event.until}`;
    return { counters, verdict: { trip: event.banned ? 'halted' : 'reducing', cause, until } };
  },
});

/** Books that the venue contradicts decide nothing; the first clean reading tries, the second one closes. */
const reconciliationRule: BreakerRule = {
  kind: 'reconciliation',
  coolDownMs: null,
  reset: (counters) => counters,
  observe(counters, event, trial) {
    if (event.type === 'CLEAN') return { counters, verdict: trial ? 'fine' : 'easing' };
    if (event.type !== 'FINDINGS') return nothing(counters);
    if (event.count <= 0) return { counters, verdict: trial ? 'fine' : 'easing' };
    return { counters, verdict: { trip: 'halted', cause: `${event.count} findings: ${event.detail}` } };
  },
};

/** Orders with a wrong time are refused, or worse, late ones taken. Over at half the bound, so that it does not flap. */
const clockRule = (maxSkewMs: number): BreakerRule => ({
  kind: 'clock',
  coolDownMs: null,
  reset: (counters) => counters,
  observe(counters, event) {
    if (event.type !== 'SKEW') return nothing(counters);
    const skewMs = Math.abs(event.ms);
    if (skewMs > maxSkewMs)
      return { counters, verdict: { trip: 'halted', cause: `clocks differ by ${event.ms} ms` } };
    return { counters, verdict: skewMs * 2 <= maxSkewMs ? 'over' : null };
  },
});

/** Slow calls in a sliding window: an entry would be sent into a market that has moved on. */
const latencyRule = (
  maxLatencyMs: number,
  limit: number,
  windowMs: number,
  coolDownMs: number,
): BreakerRule => ({
  kind: 'latency',
  coolDownMs,
  reset: (counters) => ({ ...counters, faultTimes: [] }),
  observe(counters, event, trial) {
    if (event.type !== 'LATENCY') return nothing(counters);
    if (event.ms <= maxLatencyMs) return { counters, verdict: 'fine' };
    const faultTimes = inWindow(counters.faultTimes, event.at, windowMs);
    const trip = {
      trip: 'reducing',
      cause: `${faultTimes.length} slow calls, the last of ${event.ms} ms`,
    } as const;
    return {
      counters: { ...counters, faultTimes },
      verdict: faultTimes.length >= (trial ? 1 : limit) ? trip : null,
    };
  },
});

export interface BreakerSettings {
  readonly maxDrawdownPercent: Decimal;
  readonly maxDailyLossPercent: Decimal;
  readonly maxLossesInARow: number;
  readonly lossCoolDownMs: number;
  readonly maxApiErrors: number;
  readonly apiErrorWindowMs: number;
  readonly apiErrorCoolDownMs: number;
  readonly journalCoolDownMs: number;
  /** How many symbols are traded, and which share of them may be without data. */
  readonly symbols: number;
  readonly maxStaleShare: number;
  /** On top of the moment until which the venue wants quiet. */
  readonly throttleMarginMs: number;
  readonly maxClockSkewMs: number;
  readonly maxLatencyMs: number;
  readonly maxSlowCalls: number;
  readonly latencyWindowMs: number;
  readonly latencyCoolDownMs: number;
}

export const DEFAULT_BREAKER_SETTINGS: BreakerSettings = {
  maxDrawdownPercent: '20',
  maxDailyLossPercent: '5',
  maxLossesInARow: 5,
  lossCoolDownMs: 4 * 3_600_000,
  maxApiErrors: 5,
  apiErrorWindowMs: 60_000,
  apiErrorCoolDownMs: 60_000,
  journalCoolDownMs: 10_000,
  symbols: 1,
  maxStaleShare: 0.5,
  throttleMarginMs: 2_000,
  maxClockSkewMs: 1_000,
  maxLatencyMs: 5_000,
  maxSlowCalls: 5,
  latencyWindowMs: 60_000,
  latencyCoolDownMs: 60_000,
};

export const BREAKER_KINDS: readonly BreakerKind[] = [
  'drawdown',
  'daily-loss',
  'consecutive-losses',
  'api-errors',
  'journal',
  'stale-data',
];

/** Those that watch a remote venue's interface; a venue in the process has none to watch. */
export const REMOTE_BREAKER_KINDS: readonly BreakerKind[] = [
  'rate-limit',
  'reconciliation',
  'clock',
  'latency',
];

const JOURNAL_WINDOW_MS = 60_000;

export function ruleOf(kind: BreakerKind, settings: BreakerSettings): BreakerRule {
  switch (kind) {
    case 'drawdown':
      return drawdownRule(settings.maxDrawdownPercent);
    case 'daily-loss':
      return dailyLossRule(settings.maxDailyLossPercent);
    case 'consecutive-losses':
      return consecutiveLossesRule(settings.maxLossesInARow, settings.lossCoolDownMs);
    case 'api-errors':
      return faultRule(kind, settings.maxApiErrors, settings.apiErrorWindowMs, settings.apiErrorCoolDownMs);
    case 'journal':
      return faultRule(kind, 1, JOURNAL_WINDOW_MS, settings.journalCoolDownMs);
    case 'stale-data':
      return staleDataRule(settings.symbols, settings.maxStaleShare);
    case 'rate-limit':
      return rateLimitRule(settings.throttleMarginMs);
    case 'reconciliation':
      return reconciliationRule;
    case 'clock':
      return clockRule(settings.maxClockSkewMs);
    case 'latency':
      return latencyRule(
        settings.maxLatencyMs,
        settings.maxSlowCalls,
        settings.latencyWindowMs,
        settings.latencyCoolDownMs,
      );
  }
}
