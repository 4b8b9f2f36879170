/** A position's plan as the configuration wants it; what is switched off is absent from the plan. */
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

/** `timeFactor`: how much faster the runtime's clock runs than the network does. */
export function positionPlan({ position }: Config, timeFactor = 1): PositionPlan {
  const { trailing, scaleOut, pyramid, timeStop, ...limits } = position;
  const answers = Object.fromEntries(ANSWERS.map((key) => [key, Math.ceil(limits[key] * timeFactor)]));
  return {
    ...limits,
    ...answers,
    trailing: trailing.enabled
      ? { stepPercent: trailing.stepPercent, armProfitPercent: trailing.armProfitPercent }
      : null,
    scaleOut: scaleOut.enabled ? scaleOut.parts : [],
    pyramid: pyramid.enabled
      ? { maxAdds: pyramid.maxAdds, stepPercent: pyramid.stepPercent, sizeFactor: pyramid.sizeFactor }
      : null,
    timeStopMs: timeStop.enabled ? timeStop.afterMs : null,
  };
}
