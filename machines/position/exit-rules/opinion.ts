/**
 * What a model thinks of an open position. Whoever judges (a strategy, later a learnt model) says how sure it is
 * that the position should be closed now; the newest word stands until it is too old, and then the model is silent.
 */
import type { PositionContext } from '../context.ts';
import type { Opinion } from './records.ts';
import type { ExitRule, Verdict } from './rule.ts';

export const freshOpinion = ({ opinion, at, plan }: PositionContext): Opinion | null =>
  opinion !== null && at - opinion.at <= plan.exits.opinionMaxAgeMs ? opinion : null;

/** An exit signal is an opinion without a doubt, unless it says how sure it is. */
const CERTAIN = 1;

export const modelExit: ExitRule = (context, { event }): Verdict | null => {
  const { model } = context.plan.exits;
  if (model === null) return null;
  const signal = event.type === 'EXIT_SIGNAL' && event.signal !== 'opposite';
  const said = signal
    ? { confidence: event.confidence ?? CERTAIN, reason: event.reason, at: context.at }
    : freshOpinion(context);
  if (said === null || !(said.confidence >= model.minConfidence)) return null;
  return {
    rule: 'model',
    act: 'close',
    reason: signal ? said.reason : `model: ${said.reason} (confidence ${said.confidence})`,
    numbers: { confidence: said.confidence, minConfidence: model.minConfidence, ageMs: context.at - said.at },
  };
};
