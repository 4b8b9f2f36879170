/** A position's plan as the configuration wants it; what is switched off is absent from the plan. */
import type { ExitPlan } from '../../machines/position/exit-rules/plan.ts';
import type { PositionPlan } from '../../machines/position/plan.ts';
import type { Config } from './schema.ts';

/** Waits for a venue's answers: real time, whatever the venue's clock does. */
const ANSWERS = [
  'prepareTimeoutMs',
  'entryTimeoutMs',
  'unknownStopDeadlineMs',
  'unprotectedDeadlineMs',
  'stopRetryMs',
  'closeDeadlineMs',
  'emergencyBackoffMs',
  'emergencyMaxBackoffMs',
  'cancelRetryMs',
] as const;

const whenEnabled = <T extends { readonly enabled: boolean }>({ enabled, ...rest }: T) =>
  enabled ? rest : null;

/** `timeFactor`: how much faster the runtime's clock runs than the network does. */
export function positionPlan({ position }: Config, timeFactor = 1): PositionPlan {
  const { trailing, breakEven, scaleOut, activeTarget, pyramid, timeStop, exits, ...limits } = position;
  const answers = Object.fromEntries(ANSWERS.map((key) => [key, Math.ceil(limits[key] * timeFactor)]));
  return {
    ...limits,
    ...answers,
    trailing: whenEnabled(trailing),
    breakEven: whenEnabled(breakEven),
    scaleOut: scaleOut.enabled ? scaleOut.parts : [],
    restingTargets: scaleOut.resting,
    pyramid: whenEnabled(pyramid),
    activeTarget: whenEnabled(activeTarget),
    exits: exitPlan(exits),
    timeStopMs: timeStop.enabled ? timeStop.afterMs : null,
  };
}

function exitPlan({
  hardCap,
  fallback,
  model,
  opposite,
  regime,
  delisting,
  funding,
}: Config['position']['exits']): ExitPlan {
  const { lossWhenConfident, minConfidence, loss } = fallback;
  const { maxCostRate, keepAboveMultiple } = funding;
  return {
    hardCapLoss: hardCap.enabled ? hardCap.loss : null,
    fallback: fallback.enabled ? { lossWhenConfident, minConfidence, loss } : null,
    model: model.enabled ? { minConfidence: model.minConfidence } : null,
    opinionMaxAgeMs: model.maxAgeMs,
    opposite: opposite.enabled,
    regime: regime.enabled,
    delisting: delisting.enabled,
    funding: funding.enabled ? { maxCostRate, keepAboveMultiple } : null,
  };
}
