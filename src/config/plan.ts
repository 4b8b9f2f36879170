/** A position's plan as the configuration wants it; what is switched off is absent from the plan. */
import type { PositionPlan } from '../../machines/position/plan.ts';
import type { Config } from './schema.ts';

export function positionPlan({ position }: Config): PositionPlan {
  const { trailing, scaleOut, pyramid, timeStop, ...limits } = position;
  return {
    ...limits,
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
