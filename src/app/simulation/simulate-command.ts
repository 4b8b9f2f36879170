/**
 * `bulkhead simulate`: seeds in, verdicts out. Every line says what repeats it.
 *
 * Invariant: the exit code is 0 only when every seed ran to its end without a violation.
 */

import { errorText } from '../../core/errors.ts';
import { moded, modeOf } from '../../domain/position-key.ts';
import type { Io } from '../cli/io.ts';
import { simulateTimed, WORLD_PARTS } from '../compose/compose-simulation.ts';
import { mergeTables, pairsOf } from './coverage.ts';
import { FAULT_SETS } from './fault-plan.ts';
import type { Answer, Job, Timed } from './job.ts';
import type { SimulateCommand } from './simulate-flags.ts';
import { simulateAll } from './simulate-pool.ts';
import { commandOf, shrink } from './simulate-shrink.ts';

const TAIL_LINES = 30;

type SimulateOne = typeof simulateTimed;

export async function simulate(
  options: SimulateCommand,
  io: Io,
  one: SimulateOne = simulateTimed,
): Promise<number> {
  const { seeds, hours, symbols, faults, trace } = options;
  const jobs = seeds.map((seed): Job => ({ seed, hours, symbols, faults, ...moded(modeOf(options)) }));
  const began = io.time.monotonic.now();
  const done: Timed[] = [];
  const failed: Answer[] = [];
  const take = (answer: Answer): void => {
    if ('report' in answer) done.push(answer);
    if (!('report' in answer) || answer.report.violations.length > 0) failed.push(answer);
    sayAnswer(answer, options, io);
  };
  const [only] = jobs;
  if (only && jobs.length === 1) {
    const print = trace ? (line: string) => io.stdout.write(`${line}\n`) : undefined;
    take(
      await one({ ...only, ...(print ? { print } : {}) }).catch(
        (error): Answer => ({ seed: only.seed, error: errorText(error) }),
      ),
    );
  } else await simulateAll(jobs, options.workers, take);
  for (const answer of failed) await sayFailure(answer, options, io);
  saySummary(done, failed.length, io.time.monotonic.now() - began, options, io);
  return failed.length === 0 ? 0 : 1;
}

function sayAnswer(answer: Answer, { json, trace }: SimulateCommand, io: Io): void {
  if (!('report' in answer)) {
    const line = json ? JSON.stringify(answer) : `seed ${answer.seed}: the world broke: ${answer.error}`;
    io.stdout.write(`${line}\n`);
    return;
  }
  const { report, cpuMs } = answer;
  const { tail: _, coverage, busyAppends: __, crashes: ___, ...rest } = report;
  const perSecond = report.simulatedHours / (cpuMs / 1000);
  if (json) {
    io.stdout.write(
      `${JSON.stringify({ ...rest, pairs: pairsOf({ ...coverage }), cpuMs: Math.round(cpuMs), hoursPerSecond: round(perSecond), timesRealTime: Math.round(perSecond * 3600), ...(trace ? { coverage } : {}) })}\n`,
    );
    return;
  }
  const { seed, traceHash, simulatedHours, lives, rows, orders, trades, violations } = report;
  const faults = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  const verdict = violations.length === 0 ? 'holds' : `BROKEN (${violations[0]?.invariant})`;
  io.stdout.write(
    `seed ${seed}  ${verdict}  trace ${traceHash.slice(0, 16)}  ${simulatedHours.toFixed(2)} h at ${Math.round(perSecond * 3600)}x  ${lives} lives, ${faults} faults, ${rows} rows, ${orders} orders, ${trades} trades\n`,
  );
}

async function sayFailure(answer: Answer, options: SimulateCommand, io: Io): Promise<void> {
  const { hours, symbols, faults, json } = options;
  const job: Job = {
    seed: 'report' in answer ? answer.report.seed : answer.seed,
    ...{ hours, symbols, faults, ...moded(modeOf(options)) },
  };
  if (!('report' in answer)) {
    sayBroken(job, answer.error, json, io);
    return;
  }
  const { seed, violations } = answer.report;
  let shortest = { job, report: answer.report };
  if (options.shrink)
    shortest = await shrink(shortest, async (job) => (await simulateTimed(job)).report, WORLD_PARTS.startAt);
  const command = commandOf(shortest.job, FAULT_SETS.length);
  if (json) {
    io.stdout.write(`${JSON.stringify({ failed: seed, reproduce: command, violations })}\n`);
    return;
  }
  io.stdout.write(`\nseed ${seed} breaks\n`);
  for (const { invariant, at, text } of violations)
    io.stdout.write(`  invariant ${invariant} at ${new Date(at).toISOString()}: ${text}\n`);
  io.stdout.write(`  again: ${command}   (--trace shows all of it)\n  what came before:\n`);
  for (const line of shortest.report.tail.slice(-TAIL_LINES)) io.stdout.write(`    ${line.slice(0, 200)}\n`);
}

/** Nothing to shorten: a world that throws has no invariant by which a shorter one would be the same. */
function sayBroken(job: Job, error: string, json: boolean, io: Io): void {
  const reproduce = commandOf(job, FAULT_SETS.length);
  io.stdout.write(
    json
      ? `${JSON.stringify({ failed: job.seed, reproduce, error })}\n`
      : `\nthe world of seed ${job.seed} broke\n  again: ${reproduce}   (--trace shows all of it)\n`,
  );
}

function saySummary(
  done: readonly Timed[],
  failed: number,
  ms: number,
  options: SimulateCommand,
  io: Io,
): void {
  const table = mergeTables(done.map(({ report }) => report.coverage));
  const faults: Record<string, number> = {};
  for (const { report } of done)
    for (const [what, count] of Object.entries(report.faults)) faults[what] = (faults[what] ?? 0) + count;
  const hours = done.reduce((sum, { report }) => sum + report.simulatedHours, 0);
  const cpuMs = done.reduce((sum, timed) => sum + timed.cpuMs, 0);
  const sum = (of: (timed: Timed) => number): number => done.reduce((total, timed) => total + of(timed), 0);
  const summary = {
    summary: true,
    seeds: options.seeds.length,
    symbols: options.symbols,
    failed,
    simulatedHours: round(hours),
    seconds: round(ms / 1000),
    cpuSeconds: round(cpuMs / 1000),
    hoursPerSecond: round(hours / Math.max(cpuMs / 1000, 1e-9)),
    timesRealTime: Math.round((hours * 3_600_000) / Math.max(cpuMs, 1e-9)),
    lives: sum(({ report }) => report.lives),
    rows: sum(({ report }) => report.rows),
    orders: sum(({ report }) => report.orders),
    worstBareMs: Math.round(Math.max(0, ...done.map(({ report }) => report.bare.worstMs))),
    worstBareInOrderMs: Math.round(Math.max(0, ...done.map(({ report }) => report.bare.worstHealthyMs))),
    worstSettledMs: Math.round(Math.max(0, ...done.map(({ report }) => report.settledMs ?? 0))),
    pairs: pairsOf(table),
    faults: Object.fromEntries(Object.entries(faults).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ ...summary, coverage: table })}\n`);
    return;
  }
  io.stdout.write(
    `\n${summary.seeds} seeds of ${summary.symbols} symbols, ${failed} broken; ${summary.simulatedHours} h simulated in ${summary.seconds} s, ${summary.timesRealTime}x real time a core\n`,
  );
  io.stdout.write(`${summary.pairs} pairs of fault and state:\n`);
  for (const [fault, states] of Object.entries(table))
    io.stdout.write(
      `  ${fault.padEnd(28)} ${String(faults[fault] ?? 0).padStart(6)}  in ${Object.keys(states).length} states\n`,
    );
}

const round = (value: number): number => Math.round(value * 100) / 100;
