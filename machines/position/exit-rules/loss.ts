/**
 * Exits by what is lost: the hard cap, and the fallback for a model that is silent or wrong.
 *
 * Invariant: the levels that decide are the levels of the guard band (`lossLevels`), so no loss goes unseen.
 */
import { type Decimal, gte, lte, neg } from '../../../src/core/decimal.ts';
import type { PositionContext } from '../context.ts';
import { isFlat } from '../ledger.ts';
import { freshOpinion } from './opinion.ts';
import { type ExitRule, gainPercent, lossPrice, type Verdict } from './rule.ts';

const beyond = (context: PositionContext, mark: Decimal, level: Decimal): boolean =>
  !isFlat(context) && (context.direction === 'long' ? lte(mark, level) : gte(mark, level));

export const hardCap: ExitRule = (context, { mark }): Verdict | null => {
  const { hardCapLoss } = context.plan.exits;
  if (hardCapLoss === null || mark === null || !beyond(context, mark, lossPrice(context, hardCapLoss)))
    return null;
  const lost = neg(gainPercent(context, mark));
  return {
    rule: 'hard-cap',
    act: 'emergency',
    reason: `hard-cap: lost ${lost} per 100 at mark ${mark}, ${hardCapLoss} at most`,
    numbers: { mark, lost, limit: hardCapLoss },
  };
};

export const emergencyFallback: ExitRule = (context, { mark }): Verdict | null => {
  const { fallback } = context.plan.exits;
  if (fallback === null || mark === null) return null;
  const lost = neg(gainPercent(context, mark));
  if (beyond(context, mark, lossPrice(context, fallback.loss)))
    return {
      rule: 'emergency-fallback',
      act: 'emergency',
      reason: `emergency-fallback: lost ${lost} per 100 at mark ${mark}, ${fallback.loss} at most whatever the model says`,
      numbers: { mark, lost, limit: fallback.loss },
    };
  const confidence = confidenceFor(context, fallback.minConfidence);
  if (confidence === null || !beyond(context, mark, lossPrice(context, fallback.lossWhenConfident)))
    return null;
  return {
    rule: 'emergency-fallback',
    act: 'emergency',
    reason:
      `emergency-fallback: lost ${lost} per 100 at mark ${mark}, ${fallback.lossWhenConfident} at most ` +
      `where the model would exit (confidence ${confidence})`,
    numbers: {
      mark,
      lost,
      limit: fallback.lossWhenConfident,
      confidence,
      minConfidence: fallback.minConfidence,
    },
  };
};

/** The model's confidence in an exit, where that is fresh and enough. */
function confidenceFor(context: PositionContext, minConfidence: number): number | null {
  const opinion = freshOpinion(context);
  return opinion !== null && opinion.confidence >= minConfidence ? opinion.confidence : null;
}

/** The marks at which losses make the position act, the stop's own aside. */
export function lossLevels(context: PositionContext): readonly Decimal[] {
  const { hardCapLoss, fallback } = context.plan.exits;
  const losses = [
    hardCapLoss,
    fallback?.loss ?? null,
    fallback && confidenceFor(context, fallback.minConfidence) !== null ? fallback.lossWhenConfident : null,
  ];
  return losses.flatMap((loss) => (loss === null ? [] : [lossPrice(context, loss)]));
}
