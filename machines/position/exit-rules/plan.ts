/** Which exits by rule a position has, and their numbers: plain JSON; what is switched off is null or false. */
import type { Decimal } from '../../../src/core/decimal.ts';

export interface ExitPlan {
  /** The most that may ever be lost, per 100 of entry notional. */
  readonly hardCapLoss: Decimal | null;
  /** For when the model that should have judged is silent, or wrong; losses per 100 of entry notional. */
  readonly fallback: {
    /** Enough where the model's own opinion for an exit is at least `minConfidence`. */
    readonly lossWhenConfident: Decimal;
    readonly minConfidence: number;
    /** Enough whatever the model says, or if it says nothing. */
    readonly loss: Decimal;
  } | null;
  /** An opinion or exit signal of at least this confidence closes. */
  readonly model: { readonly minConfidence: number } | null;
  /** An older opinion is none: the model is silent. */
  readonly opinionMaxAgeMs: number;
  /** An entry signal for the other side closes. */
  readonly opposite: boolean;
  /** A regime that does not suit the position's side closes it. */
  readonly regime: boolean;
  /** A symbol that is to be delisted is left at the first word of it. */
  readonly delisting: boolean;
  /** A settlement ahead that costs so much of the notional closes, unless the profit is worth it. */
  readonly funding: {
    readonly maxCostRate: Decimal;
    /** A position whose profit is so many times the cost stays. */
    readonly keepAboveMultiple: Decimal;
  } | null;
}

export const DEFAULT_EXITS: ExitPlan = {
  hardCapLoss: '10',
  fallback: { lossWhenConfident: '5', minConfidence: 0.6, loss: '8' },
  model: { minConfidence: 0.8 },
  opinionMaxAgeMs: 7_200_000,
  opposite: true,
  regime: true,
  delisting: true,
  funding: { maxCostRate: '0.001', keepAboveMultiple: '10' },
};

/** What positions of older versions went by: every exit signal and every opposite one, and nothing else. */
export const EXITS_BEFORE_RULES: ExitPlan = {
  hardCapLoss: null,
  fallback: null,
  model: { minConfidence: 0 },
  opinionMaxAgeMs: 0,
  opposite: true,
  regime: false,
  delisting: false,
  funding: null,
};
