/** A position's whole life, from asking to enter to the last order gone. */
import type { MachineDefinition } from './definition.ts';
import { positionMachine } from './position/chart.ts';

export type { PositionContext, PositionEvent, PositionInput } from './position/context.ts';
export { type PriceBand, positionBand } from './position/levels.ts';
export { DEFAULT_PLAN, type PositionPlan, THREE_PARTS } from './position/plan.ts';

export const createPositionMachine = (): MachineDefinition => ({
  type: 'position',
  version: 1,
  machine: positionMachine,
  migrations: {},
});
