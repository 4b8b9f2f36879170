/** How a position is to be run: plain JSON, fixed at its start, all of it configurable. */
import type { Decimal } from '../../src/core/decimal.ts';
import type { TrailingRule } from '../../src/domain/signal.ts';
import { DEFAULT_EXITS, EXITS_BEFORE_RULES, type ExitPlan } from './exit-rules/plan.ts';

/** Numbers of every rule, so that a strategy may choose another one than the configuration's. */
export interface TrailingPlan {
  readonly rule: TrailingRule;
  /** Profit above which the stop trails at all. */
  readonly armProfitPercent: Decimal;
  /** The stop at the venue moves in steps of this, in percent of the average entry price. */
  readonly stepPercent: Decimal;
  /** retrace: the share of the peak profit that is kept, in percent. */
  readonly keepPercent: Decimal;
  /** percent: how far behind the best price, in percent of it. */
  readonly distancePercent: Decimal;
  /** atr: how far behind the best price, in ATRs. */
  readonly atrMultiple: Decimal;
  /** step: for each whole one of these in profit, the stop follows one behind. */
  readonly everyPercent: Decimal;
}

export interface ScaleOutPart {
  /** Unleveraged move from the average entry price, in percent. */
  readonly profitPercent: Decimal;
  /** Of the quantity when the plan was made, in percent. */
  readonly sharePercent: Decimal;
}

/** ATRs are of the 15m bars. */
export interface ActiveTargetPlan {
  /** Profit that must have been reached before the target moves at all. */
  readonly fromPercent: Decimal;
  /** Momentum (the close against its average, in ATRs) at which the target is extended, and at which drawn in. */
  readonly holdMomentum: number;
  readonly fadeMomentum: number;
  /** Extended only when the close is so near to it, and then so far ahead of the close. */
  readonly nearAtrs: number;
  readonly extendAtrs: number;
  /** Drawn in to so far ahead of the close. */
  readonly pullAtrs: number;
  /** Bars to hear before the first move. */
  readonly minBars: number;
  readonly maxPercent: Decimal;
}

export interface PositionPlan {
  readonly trailing: TrailingPlan | null;
  /** Once so far in profit, the stop lies this much beyond the entry, whatever trails. */
  readonly breakEven: { readonly atProfitPercent: Decimal; readonly bufferPercent: Decimal } | null;
  readonly scaleOut: readonly ScaleOutPart[];
  /** Take-profits rest at the venue as reduce-only limits, so that they work while nobody is here to look. */
  readonly restingTargets: boolean;
  readonly pyramid: {
    readonly maxAdds: number;
    /** Each add waits for this further move in the position's favour, in percent. */
    readonly stepPercent: Decimal;
    /** The n-th add is at most the first quantity × sizeFactor^n. */
    readonly sizeFactor: Decimal;
    /** close: a 15m bar must close beyond the level, not against the position's way; touch: the mark is enough. */
    readonly confirm: 'close' | 'touch';
    /** All of the position together, in multiples of the first entry's notional. */
    readonly maxExposure: Decimal;
  } | null;
  /** How the last part's target moves; null: it stays where it was planned. */
  readonly activeTarget: ActiveTargetPlan | null;
  readonly exits: ExitPlan;
  /** The mark may pass a live stop by this much before the position closes itself, in percent. */
  readonly stopOverrunPercent: Decimal;
  readonly timeStopMs: number | null;
  /** How long portfolio and venue may take before an entry that is not sent yet is given up. */
  readonly prepareTimeoutMs: number;
  readonly entryTimeoutMs: number;
  /** An UNKNOWN stop is placed again under a new name after this, and an UNKNOWN closing order followed by another. */
  readonly unknownStopDeadlineMs: number;
  /** Longest time without full protection before the position closes itself. */
  readonly unprotectedDeadlineMs: number;
  readonly stopRetryMs: number;
  readonly maxStopRejections: number;
  /** A closing order without an answer is followed by another after this: it can only reduce. */
  readonly closeDeadlineMs: number;
  readonly emergencyBackoffMs: number;
  readonly emergencyMaxBackoffMs: number;
  readonly cancelRetryMs: number;
  /** A refused partial exit is tried again after this. */
  readonly scaleOutRetryMs: number;
  /** How far the first stop of an adopted position lies behind entry and mark, in percent; absent: 5. */
  readonly adoptedStopPercent?: Decimal;
}

export const DEFAULT_TRAILING: TrailingPlan = {
  rule: 'retrace',
  armProfitPercent: '3',
  stepPercent: '0.2',
  keepPercent: '60',
  distancePercent: '2',
  atrMultiple: '3',
  everyPercent: '1',
};

/** A third at 2 %, a third at 4 %, the rest at 6 %. */
export const THREE_PARTS: readonly ScaleOutPart[] = [
  { profitPercent: '2', sharePercent: '33' },
  { profitPercent: '4', sharePercent: '33' },
  { profitPercent: '6', sharePercent: '34' },
];

export const DEFAULT_ACTIVE_TARGET: ActiveTargetPlan = {
  fromPercent: '4',
  holdMomentum: 1,
  fadeMomentum: 0,
  nearAtrs: 2,
  extendAtrs: 4,
  pullAtrs: 1,
  minBars: 4,
  maxPercent: '30',
};

export const DEFAULT_PLAN: PositionPlan = {
  trailing: DEFAULT_TRAILING,
  breakEven: null,
  scaleOut: THREE_PARTS,
  restingTargets: true,
  activeTarget: DEFAULT_ACTIVE_TARGET,
  pyramid: null,
  exits: DEFAULT_EXITS,
  stopOverrunPercent: '0.5',
  timeStopMs: null,
  prepareTimeoutMs: 10_000,
  entryTimeoutMs: 15_000,
  unknownStopDeadlineMs: 2_000,
  unprotectedDeadlineMs: 30_000,
  stopRetryMs: 500,
  maxStopRejections: 5,
  closeDeadlineMs: 5_000,
  emergencyBackoffMs: 500,
  emergencyMaxBackoffMs: 30_000,
  cancelRetryMs: 5_000,
  scaleOutRetryMs: 60_000,
};

const ADDS_BEFORE_BARS = { confirm: 'touch', maxExposure: '1000' } as const;

/** A plan as an older version wrote it: what it did not know stays as it was, or off. */
export function upgradedPlan(written: object): PositionPlan {
  const plan = written as PositionPlan;
  return {
    ...plan,
    trailing: plan.trailing
      ? { ...DEFAULT_TRAILING, ...plan.trailing, rule: plan.trailing.rule ?? 'strategy' }
      : null,
    breakEven: plan.breakEven ?? null,
    exits: { ...EXITS_BEFORE_RULES, ...(plan as Partial<PositionPlan>).exits },
    restingTargets: plan.restingTargets ?? false,
    activeTarget: plan.activeTarget ?? null,
    pyramid: plan.pyramid ? { ...ADDS_BEFORE_BARS, ...plan.pyramid } : null,
  };
}
