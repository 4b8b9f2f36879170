/**
 * What every rule of a breaker is made of. A rule is pure: counters in, counters and a verdict out.
 *
 * Invariants: a rule looks only at the events of its own measure; counters are plain JSON; 'fine' is said only
 * on evidence (an event that shows the measure within its limit), never for lack of news.
 */
import type { Decimal } from '../../src/core/decimal.ts';
import type { SymbolName } from '../../src/domain/instrument.ts';
import type { BreakerClosing, Timed, Trade } from '../messages.ts';

export type BreakerLevel = 'reducing' | 'halted';

export type BreakerEvent =
  | ({
      readonly type: 'EQUITY';
      readonly equity: Decimal;
      readonly peak: Decimal;
      readonly dayStart: Decimal;
      readonly day: number;
      /** Of the UTC week, which begins on Monday. */
      readonly weekStart?: Decimal;
      readonly week?: number;
      /** All that is open, at mark. */
      readonly notional?: Decimal;
    } & Timed)
  /** Money was moved in or out while equity was so much. */
  | ({ readonly type: 'MOVED'; readonly equity: Decimal; readonly moved: Decimal } & Timed)
  | ({ readonly type: 'TRADE_CLOSED'; readonly trade: Trade } & Timed)
  /** Something the breaker counts went wrong, or right. */
  | ({ readonly type: 'FAULT'; readonly reason: string } & Timed)
  | ({ readonly type: 'OK' } & Timed)
  | ({ readonly type: 'STALE'; readonly symbol: SymbolName } & Timed)
  | ({ readonly type: 'LIVE'; readonly symbol: SymbolName } & Timed)
  | RemoteMeasure
  /** The venue's own word on the account: maintenance margin against margin balance, in percent. */
  | ({ readonly type: 'MARGIN'; readonly ratioPercent: Decimal } & Timed)
  | MarketMeasure
  /** One intent of an emergency log, brought into the journal. */
  | ({
      readonly type: 'EMERGENCY';
      readonly kill: string;
      readonly seq: number;
      readonly entry: unknown;
    } & Timed)
  | ({
      readonly type: 'OPERATOR_TRIP';
      readonly by: string;
      readonly reason: string;
      readonly closing?: BreakerClosing;
    } & Timed)
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

/** What the market itself does. */
export type MarketMeasure =
  /** Moves within the window, in percent, signed: of those that moved far, and the mean size of all. */
  | ({
      readonly type: 'SHOCK';
      readonly moves: Readonly<Record<SymbolName, number>>;
      readonly mean: number;
    } & Timed)
  | ({ readonly type: 'CALM' } & Timed)
  /** Rates of the next settlement, of those that are not small. */
  | ({ readonly type: 'FUNDING'; readonly rates: Readonly<Record<SymbolName, number>> } & Timed)
  /** How much more wildly than usual things move: the whole market, and those symbols that do. */
  | ({
      readonly type: 'VOLATILITY';
      readonly market: Swing;
      readonly symbols: Readonly<Record<SymbolName, Swing>>;
    } & Timed);

export interface Swing {
  /** Of the last hour against the last day. */
  readonly ratio: number;
  /** Mean move within a quarter of an hour in the last hour, in percent. */
  readonly percent: number;
}

export interface Counters {
  /** Losses in a row, or faults in the window. */
  readonly streak: number;
  /** Equity that a loss is measured from after an operator's reset; null: the account's peak, or its day's start. */
  readonly baseline: Decimal | null;
  readonly lastEquity: Decimal | null;
  readonly openedDay: number | null;
  readonly faultTimes: readonly number[];
  readonly stale: readonly SymbolName[];
  /** Net returns of the newest trades, the newest last. */
  readonly results: readonly number[];
  /** Of equity from day to day, in percent: an average of sizes in which older days fade. */
  readonly volatility: number | null;
  readonly lastDayStart: Decimal | null;
  /** When it last had a position closed. */
  readonly closedAt: number | null;
  /** The newest intent of an emergency log that is in the journal. */
  readonly merged: { readonly kill: string; readonly seq: number } | null;
}

export const NO_COUNTS: Counters = {
  streak: 0,
  baseline: null,
  lastEquity: null,
  openedDay: null,
  faultTimes: [],
  stale: [],
  results: [],
  volatility: null,
  lastDayStart: null,
  closedAt: null,
  merged: null,
};

export type Verdict =
  /** `until`: where the pause's end is the venue's to say, and not the rule's. */
  | {
      readonly trip: BreakerLevel;
      readonly cause: string;
      readonly until?: number;
      /** Only entries on these. */
      readonly symbols?: readonly SymbolName[];
      readonly closing?: BreakerClosing;
      /** A person's: it stands until a person takes it back. */
      readonly byHand?: true;
    }
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
  | 'kill'
  | 'drawdown'
  | 'daily-loss'
  | 'weekly-loss'
  | 'margin'
  | 'win-rate'
  | 'flash-crash'
  | 'volatility'
  | 'funding'
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

export const nothing = (counters: Counters): Observation => ({ counters, verdict: null });

const LONGEST_LIST = 64;

export const inWindow = (times: readonly number[], at: number, windowMs: number): readonly number[] =>
  [...times.filter((time) => at - time < windowMs), at].slice(-LONGEST_LIST);
