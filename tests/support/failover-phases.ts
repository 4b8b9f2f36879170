/** What the time of a takeover is made of: the lease's rest, then the new leader's own stages, then its word's way here. */
import type { StartStage } from '../../src/app/run/start-stages.ts';

export type Stages = Readonly<Partial<Record<StartStage, number>>>;

/** ms each, in the order in which they come. */
export type Phases = Readonly<Record<string, number>>;

export interface Takeover {
  /** All by the machine's clock, on which both processes are. */
  readonly struckAt: number;
  readonly leadingAt: number;
  readonly safeHeardAt: number;
  /** From the account being taken on. */
  readonly stages: Stages;
}

export function phasesOf({ struckAt, leadingAt, safeHeardAt, stages }: Takeover): Phases {
  const phases: Record<string, number> = { lease: leadingAt - struckAt };
  let before = 0;
  const inOrder = Object.entries(stages).sort(([, a], [, b]) => a - b);
  for (const [stage, at] of inOrder) {
    phases[stage] = at - before;
    before = at;
  }
  phases.heard = safeHeardAt - leadingAt - before;
  return phases;
}

export const phasesText = (phases: Phases): string =>
  Object.entries(phases)
    .map(([phase, ms]) => `${phase} ${Math.round(ms)}`)
    .join(', ');

/** Each phase's times over all rounds. */
export function byPhase(rounds: readonly Phases[]): Record<string, number[]> {
  const names = new Set(rounds.flatMap((round) => Object.keys(round)));
  return Object.fromEntries(
    [...names].map((name) => [name, rounds.flatMap(({ [name]: ms }) => (ms === undefined ? [] : [ms]))]),
  );
}
