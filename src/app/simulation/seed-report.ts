/** What came of one seed. */
import type { Violation } from './checks/violation.ts';
import type { CoverageTable } from './coverage.ts';

export interface SeedReport {
  readonly seed: number;
  readonly traceHash: string;
  readonly simulatedHours: number;
  readonly events: number;
  readonly rows: number;
  readonly orders: number;
  readonly trades: number;
  /** Market orders of ours that a thin book filled in part only, and positions of ours that the venue took over. */
  readonly cutShort: number;
  readonly liquidated: number;
  readonly lives: number;
  /** Statements of the first life, and those of them whose rows speak of orders. */
  readonly appends: number;
  readonly busyAppends: readonly number[];
  /** Requests of the first life that change something, in order, with their time since its start. */
  readonly changes: readonly Change[];
  /** How its lives ended, in order. */
  readonly crashes: readonly string[];
  /** How long positions stood without their stop; of time in which all was in order. */
  readonly bare: { readonly count: number; readonly worstMs: number; readonly worstHealthyMs: number };
  /** From the end of all faults until everything agreed. */
  readonly settledMs: number | null;
  readonly faults: Readonly<Record<string, number>>;
  readonly coverage: CoverageTable;
  readonly violations: readonly Violation[];
  readonly tail: readonly string[];
}

export interface Change {
  readonly afterMs: number;
  /** e.g. "POST order SELL reduceOnly". */
  readonly what: string;
}
