/** What goes to a worker and what comes back. */
import type { SeedReport } from './seed-report.ts';
import type { SimulateOptions } from './simulate.ts';

/** What a worker can be told: no functions. */
export type Job = Pick<
  SimulateOptions,
  'seed' | 'hours' | 'symbols' | 'faults' | 'crashAt' | 'acts' | 'positionMode' | 'marginMode'
>;

export interface Timed {
  readonly report: SeedReport;
  /** Of the worker's own core. */
  readonly cpuMs: number;
}

export type Answer = Timed | { readonly seed: number; readonly error: string };
