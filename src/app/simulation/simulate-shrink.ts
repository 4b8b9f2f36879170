/**
 * The shortest way to see a failure again: fewer hours first, then fewer kinds of fault, then fewer symbols; each
 * change is kept only when the same invariant still breaks.
 */
import type { Job } from './job.ts';
import type { SeedReport } from './seed-report.ts';

const HOUR_MS = 3_600_000;
const LEAST_HOURS = 0.05;

export interface Shrunk {
  readonly job: Job;
  readonly report: SeedReport;
}

export async function shrink(
  first: Shrunk,
  simulate: (job: Job) => Promise<SeedReport>,
  beganAt: number,
): Promise<Shrunk> {
  let best = first;
  const invariant = first.report.violations[0]?.invariant;
  const attempt = async (change: Partial<Job>): Promise<boolean> => {
    const job = { ...best.job, ...change };
    const report = await simulate(job);
    if (report.violations[0]?.invariant !== invariant) return false;
    best = { job, report };
    return true;
  };
  // A little more than until it broke: what comes after cannot matter.
  const until = ((best.report.violations[0]?.at ?? 0) - beganAt) / HOUR_MS;
  const hours = Math.max(LEAST_HOURS, Math.ceil(until * 20) / 20);
  if (hours < best.job.hours) await attempt({ hours });
  for (const set of best.job.faults)
    await attempt({ faults: best.job.faults.filter((each) => each !== set) });
  while (best.job.symbols > 1 && (await attempt({ symbols: Math.ceil(best.job.symbols / 2) })));
  return best;
}

export const commandOf = ({ seed, hours, symbols, faults, positionMode }: Job, all: number): string =>
  `bulkhead simulate --seed ${seed} --hours ${hours} --symbols ${symbols} --faults ${
    faults.length === all ? 'all' : faults.length === 0 ? 'none' : faults.join(',')
  }${positionMode === 'hedge' ? ' --hedge' : ''}`;
