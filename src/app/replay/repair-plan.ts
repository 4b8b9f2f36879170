/**
 * A repair plan: what would bring journal and venue together, for a person to approve. Its steps are words that a
 * person may say to a run; executing them leaves these words for the run, which journals them and acts through its
 * executor. Nothing here writes a row or calls a venue.
 *
 * Invariants: a plan is for one journal at one row, and for no other; only steps marked as approved are executed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { ActorMoment } from '../../../supervisors/moments.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import type { Command } from '../../domain/command.ts';
import type { OperatorAnswer } from '../../operator/operator.ts';
import { leaveRequest, requestStanding } from '../requests/person-requests.ts';
import type { VenueDifference } from './against-venue.ts';

export type RepairAct =
  | { readonly do: 'adopt'; readonly symbol: string }
  | { readonly do: 'release'; readonly breaker: string }
  /** Nothing to say: a run sets it right by itself, as soon as it reads the venue. */
  | { readonly do: 'run' };

/** What is said is approved by a person; a run needs no word for what it does by itself. */
export type RepairStep =
  | (Exclude<RepairAct, { do: 'run' }> & { readonly why: string; readonly approved: boolean })
  | (Extract<RepairAct, { do: 'run' }> & { readonly why: string });

export interface RepairPlan {
  readonly format: 'bulkhead-repair';
  readonly version: 1;
  readonly account: string;
  /** The journal's row that it was made at, and that row's hash. */
  readonly n: number;
  readonly hash: string;
  readonly steps: readonly RepairStep[];
}

const step = (act: RepairAct, why: string): RepairStep =>
  act.do === 'run' ? { ...act, why } : { ...act, why, approved: false };

export function repairSteps(
  differences: readonly VenueDifference[],
  actors: readonly ActorMoment[],
): readonly RepairStep[] {
  const steps = differences.map(({ symbol, kind, detail }): RepairStep => {
    const why = symbol === '' ? detail : `${symbol}: ${detail}`;
    return kind === 'foreign' || kind === 'unknown-position'
      ? step({ do: 'adopt', symbol }, why)
      : step({ do: 'run' }, why);
  });
  const grave = differences.filter(({ kind }) => kind !== 'finding');
  const halted = actors.find(
    ({ actor, value }) => actor === 'breaker/reconciliation' && value !== 'closed' && value !== 'half-open',
  );
  if (halted && grave.length === 0)
    steps.push(
      step(
        { do: 'release', breaker: 'reconciliation' },
        `it is ${halted.state}, and journal and venue agree now`,
      ),
    );
  return steps;
}

export function writePlan(path: string, plan: RepairPlan): void {
  try {
    writeFileSync(path, `${JSON.stringify(plan, null, 2)}\n`);
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `${path} cannot be written: ${errorText(error)}`, {
      hint: 'Name a file in a folder that you may write to.',
    });
  }
}

export function readPlan(path: string): RepairPlan {
  let plan: Partial<RepairPlan>;
  try {
    plan = JSON.parse(readFileSync(path, 'utf8')) as Partial<RepairPlan>;
  } catch (error) {
    throw unreadable(path, errorText(error));
  }
  if (plan.format !== 'bulkhead-repair' || plan.version !== 1 || !Array.isArray(plan.steps))
    throw unreadable(path, 'it is no repair plan of this version');
  for (const each of plan.steps as readonly Partial<RepairStep & { symbol: string; breaker: string }>[]) {
    const isKnown =
      (each.do === 'adopt' && typeof each.symbol === 'string') ||
      (each.do === 'release' && typeof each.breaker === 'string') ||
      each.do === 'run';
    if (!isKnown) throw unreadable(path, `it asks for "${String(each.do)}", which nobody can do`);
  }
  return plan as RepairPlan;
}

const unreadable = (path: string, why: string): BulkheadError =>
  new BulkheadError('DATA_INVALID', `${path} cannot be used: ${why}.`, {
    hint: 'Make one with "bulkhead replay --against venue --plan FILE", and set "approved" to true where you agree.',
  });

/** A word that this plan had left already, and what became of it; null: no run has taken it up yet. */
export interface SaidBefore {
  readonly command: Command;
  readonly answer: OperatorAnswer | null;
}

/**
 * Leaves what was approved for the run of this folder. A plan that is applied again leaves nothing anew, but for what
 * was refused then.
 */
export function leaveApproved(
  plan: RepairPlan,
  dataDir: string,
  said: { readonly by: string; readonly at: number },
): { readonly asked: readonly Command[]; readonly before: readonly SaidBefore[] } {
  const { n, hash } = plan;
  const asked: Command[] = [];
  const before: SaidBefore[] = [];
  for (const command of plan.steps.flatMap(commandOf)) {
    const id = ['plan', hash.slice(0, 16), command.kind, aboutOf(command)].join('-');
    const standing = requestStanding(dataDir, id);
    const isRefused = standing !== undefined && standing !== 'waits' && standing.outcome === 'refused';
    if (standing !== undefined && !isRefused) {
      before.push({ command, answer: standing === 'waits' ? null : standing });
      continue;
    }
    leaveRequest(dataDir, { command, ...said, row: { n, hash } }, isRefused ? undefined : id);
    asked.push(command);
  }
  return { asked, before };
}

/** As a part of a file's name, whatever the plan says. */
function aboutOf(command: Command): string {
  const about = 'symbol' in command ? command.symbol : 'breaker' in command ? command.breaker : '';
  return about.replaceAll(/[^A-Za-z0-9-]/g, '_');
}

function commandOf(each: RepairStep): Command[] {
  if (each.do === 'run' || each.approved !== true) return [];
  if (each.do === 'adopt') return [{ kind: 'adopt', symbol: each.symbol }];
  return [{ kind: 'release', breaker: each.breaker, reason: `repair plan: ${each.why}` }];
}
