/** One planted bug in world after world until one shows it. */
import { WORLD_PARTS } from '../../src/app/compose-simulation.ts';
import { type SeedReport, simulateSeed } from '../../src/app/simulation/simulate.ts';
import type { PlantedBug } from './planted-bugs.ts';

const SEEDS = [21, 22, 23, 24];

/** The report of the world that showed it; undefined: none did. */
export async function hunt(
  bug: PlantedBug,
  seeds: readonly number[] = [...(bug.seeds ?? []), ...SEEDS],
): Promise<SeedReport | undefined> {
  for (const seed of seeds) {
    const options = { seed, hours: 0.6, symbols: 3, faults: bug.faults, plant: bug, settleMs: 600_000 };
    const report = await simulateSeed(options, WORLD_PARTS);
    if (report.violations.length > 0) return report;
  }
  return undefined;
}
