/** One planted bug in world after world until one shows it. */
import { WORLD_PARTS } from '../../src/app/compose/compose-simulation.ts';
import type { SeedReport } from '../../src/app/simulation/seed-report.ts';
import { simulateSeed } from '../../src/app/simulation/simulate.ts';
import type { PlantedBug } from './planted-bugs.ts';

const SEEDS = [21, 22, 23, 24];

/** The report of the world that showed it; undefined: none did. */
export async function hunt(
  bug: PlantedBug,
  seeds: readonly number[] = [...(bug.seeds ?? []), ...SEEDS],
): Promise<SeedReport | undefined> {
  for (const seed of seeds) {
    const report = await simulateSeed({ ...worldOf(seed, bug.faults), plant: bug }, WORLD_PARTS);
    if (report.violations.length > 0) return report;
  }
  return undefined;
}

/** What the same world shows without a bug; worlds are the same for many bugs. */
export function without(bug: PlantedBug, seed: number): Promise<SeedReport> {
  const world = worldOf(seed, bug.faults);
  const key = JSON.stringify(world);
  const report = sound.get(key) ?? simulateSeed(world, WORLD_PARTS);
  sound.set(key, report);
  return report;
}

const sound = new Map<string, Promise<SeedReport>>();

const worldOf = (seed: number, faults: PlantedBug['faults']) => ({
  ...{ seed, hours: 0.6, symbols: 3, faults },
  settleMs: 600_000,
});
