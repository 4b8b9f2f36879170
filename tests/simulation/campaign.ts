/**
 * `npm run simulate:campaign [MINUTES [FIRST_SEED]]`: seed after seed on all cores for so long, and what came of it
 * into docs/RELIABILITY.md: seeds, hours, commit, faults and the states they struck.
 */

import { mergeTables, pairsOf } from '../../src/app/simulation/coverage.ts';
import { FAULT_SETS } from '../../src/app/simulation/fault-plan.ts';
import type { Answer, Job } from '../../src/app/simulation/job.ts';
import type { SeedReport } from '../../src/app/simulation/seed-report.ts';
import { simulateAll } from '../../src/app/simulation/simulate-pool.ts';
import { commandOf } from '../../src/app/simulation/simulate-shrink.ts';
import { freshSeed } from '../../src/core/random.ts';
import { count, measuredOf, record } from '../support/reliability-page.ts';

const COMMAND = 'npm run simulate:campaign';
/** A world with many symbols is slower and no richer in states: both kinds have their turn. */
const SHAPES = [
  { hours: 2, symbols: 6 },
  { hours: 1, symbols: 3 },
  { hours: 3, symbols: 12 },
  { hours: 2, symbols: 35 },
] as const;

const minutes = Number(process.argv[2] ?? 30);
const firstSeed = Number(process.argv[3] ?? freshSeed());
const endsAt = performance.now() + minutes * 60_000;
const measured = measuredOf(new Date());

const jobOf = (seed: number): Job => ({
  seed,
  ...(SHAPES[(seed - firstSeed) % SHAPES.length] ?? SHAPES[0]),
  faults: FAULT_SETS,
});

function* jobs(): Generator<Job> {
  for (let seed = firstSeed; performance.now() < endsAt; seed++) yield jobOf(seed);
}

const reports: SeedReport[] = [];
const failures: string[] = [];
let cpuMs = 0;

function take(answer: Answer): void {
  if (!('report' in answer)) {
    failures.push(`${commandOf(jobOf(answer.seed), FAULT_SETS.length)}: ${answer.error}`);
    console.log(failures.at(-1));
    return;
  }
  cpuMs += answer.cpuMs;
  reports.push(answer.report);
  const { seed, violations, simulatedHours, lives } = answer.report;
  console.log(
    `seed ${seed} ${violations.length === 0 ? 'holds' : 'BROKEN'} ${simulatedHours.toFixed(1)} h ${lives} lives`,
  );
  for (const { invariant, text } of violations) {
    failures.push(`${commandOf(jobOf(seed), FAULT_SETS.length)}: invariant ${invariant}: ${text}`);
    console.log(failures.at(-1));
  }
}

const sum = (of: (report: SeedReport) => number): number =>
  reports.reduce((total, report) => total + of(report), 0);
const most = (of: (report: SeedReport) => number): number => Math.max(0, ...reports.map(of));

function section(): string {
  const table = mergeTables(reports.map(({ coverage }) => coverage));
  const hours = sum(({ simulatedHours }) => simulatedHours);
  const broken = reports.filter(({ violations }) => violations.length > 0).length;
  const faults = sum((report) => Object.values(report.faults).reduce((all, each) => all + each, 0));
  const rows = Object.entries(table).map(([fault, states]) => {
    const struck = sum((report) => report.faults[fault] ?? 0);
    return `| ${fault} | ${count(struck)} | ${Object.keys(states).length} |`;
  });
  return [
    `${measured}; seeds ${firstSeed} to ${firstSeed + reports.length - 1}, ${FAULT_SETS.length} sets of faults:`,
    `${count(reports.length)} worlds, ${count(hours)} simulated hours in ${count(cpuMs / 1000)} s of processor time (${count((hours * 3_600_000) / cpuMs)} times real time a core), ${count(sum(({ lives }) => lives))} lives`,
    `of the program, ${count(faults)} faults in ${count(pairsOf(table))} pairs of fault and state, ${count(sum(({ rows: each }) => each))} journal rows, ${count(sum(({ orders }) => orders))} orders, ${count(sum(({ trades }) => trades))} trades.`,
    `**${broken === 0 ? 'None broke an invariant.' : `${broken} broke an invariant.`}** Longest that a position stood without its stop, crashes and outages included: ${count(most(({ bare }) => bare.worstMs) / 1000)} s,`,
    `and of one such time while everything that a stop needs was in order: ${(most(({ bare }) => bare.worstHealthyMs) / 1000).toFixed(1)} s;`,
    `longest from the end of all faults until everything agreed: ${count(most(({ settledMs }) => settledMs ?? 0) / 1000)} s (two minutes are always waited).`,
    '',
    ...failures.map((line) => `- ${line}`),
    ...(failures.length > 0 ? [''] : []),
    '| fault | struck | in states |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

await simulateAll(jobs(), undefined, take);
record(COMMAND, section());
console.log(section());
process.exitCode = failures.length === 0 ? 0 : 1;
