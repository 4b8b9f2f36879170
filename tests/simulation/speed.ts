/**
 * `npm run simulate:speed`: what one core makes of 35 symbols, in times real time, into docs/RELIABILITY.md. Worlds of
 * two hours, one after the other, without faults and with all of them; by processor time, so that what else the
 * machine does bears on it little.
 */
import { cpus } from 'node:os';
import { FAULT_SETS, type FaultSet } from '../../src/app/simulation/fault-plan.ts';
import type { Job } from '../../src/app/simulation/job.ts';
import { simulateAll } from '../../src/app/simulation/simulate-pool.ts';
import { count, measuredOf, record } from '../support/reliability-page.ts';

const COMMAND = 'npm run simulate:speed';
const SEEDS = [1, 2, 3];
const HOURS = 2;
const SYMBOLS = 35;

async function speedOf(faults: readonly FaultSet[]): Promise<string> {
  const jobs = SEEDS.map((seed): Job => ({ seed, hours: HOURS, symbols: SYMBOLS, faults }));
  let cpuMs = 0;
  let hours = 0;
  let rows = 0;
  await simulateAll(jobs.values(), 1, (answer) => {
    if (!('report' in answer)) throw new Error(answer.error);
    const { violations, simulatedHours, seed } = answer.report;
    if (violations.length > 0) throw new Error(`seed ${seed}: ${violations[0]?.text}`);
    cpuMs += answer.cpuMs;
    hours += simulatedHours;
    rows += answer.report.rows;
  });
  return `${count((hours * 3_600_000) / cpuMs)} | ${hours.toFixed(1)} | ${(cpuMs / 1000).toFixed(1)} | ${count(rows)} |`;
}

const lines = [
  `${measuredOf(new Date())}; ${SYMBOLS} symbols, seeds ${SEEDS.join(', ')}, one core of ${cpus()[0]?.model ?? 'a machine'}:`,
  '',
  '| worlds | times real time | simulated hours | processor seconds | rows |',
  '|---|--:|--:|--:|--:|',
  `| without faults | ${await speedOf([])}`,
  `| with every kind of fault | ${await speedOf(FAULT_SETS)}`,
];
record(COMMAND, lines.join('\n'));
console.log(lines.join('\n'));
