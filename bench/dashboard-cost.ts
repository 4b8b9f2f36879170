/**
 * What the dashboard and the metrics cost a run of 35 symbols, and whether its memory stays flat over a day.
 *
 * The definition: the processor seconds that a run uses more for each second of its clock because the overview is open in
 * a browser and Prometheus scrapes every 15 seconds: the share of one processor that they take of a run in real time.
 * The run's whole clock goes BENCH_CLOCK times faster (its status once a second, the page's questions every 5 and 15
 * seconds, the scrapes), so each of them is made and answered as often as in real time, only sooner; and its market
 * BENCH_MARKET times faster than that clock, so that a day of it passes in minutes. For each second of the clock there
 * are thus that many times more rows, trades and what they set off than in real time: the share is an upper bound. The
 * run is measured twice, each time in a process of its own on the embedded store with the same seed: with nobody
 * looking, and with the page and the scrapes, which are asked for by another process. What hears each row whether
 * anybody looks or not is in both (see bench/inspector.ts for what a followed row costs). A run that could not keep up
 * with its own clock fails the bench.
 *
 * Memory is the heap after a collection, at eight moments of the market's day; flat means its slope, in MB an hour.
 *
 *     node run.cjs bench/dashboard-cost.ts                        about 8 minutes
 *     BENCH_HOURS=1 BENCH_CLOCK=30 node run.cjs bench/dashboard-cost.ts      a short trial
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { makeTempDir, removeTempDir } from '../tests/support/temp.ts';
import { DashboardClient } from './dashboard-client.ts';
import { report } from './measure.ts';
import type { ProcessSample } from './process-probe.ts';

const HOURS = Number(process.env.BENCH_HOURS ?? 24);
const CLOCK = Number(process.env.BENCH_CLOCK ?? 120);
const MARKET = Number(process.env.BENCH_MARKET ?? 4);
const CHILD = fileURLToPath(new URL('./dashboard-run.ts', import.meta.url));
const SAMPLES = 8;
const HOUR_MS = 3_600_000;
const KEPT_UP = 0.97;

interface Day {
  readonly last: ProcessSample;
  readonly heaps: readonly { readonly hour: number; readonly mb: number }[];
  readonly client: DashboardClient | undefined;
}

async function day(looks: boolean): Promise<Day> {
  const dir = makeTempDir('bench');
  const child = fork(CHILD, [dir, String(CLOCK), String(MARKET)], { execArgv: ['--expose-gc'] });
  const told = <T>(): Promise<T> =>
    new Promise((resolve, reject) => {
      child.once('message', (word) => resolve(word as T));
      child.once('exit', (code) => reject(new Error(`the run ended with ${String(code)}`)));
    });
  const ask = <T>(question: 'begin' | 'sample'): Promise<T> => {
    const answer = told<T>();
    child.send(question);
    return answer;
  };
  const url = await told<string>();
  await ask('begin');
  const client = looks ? new DashboardClient(url, CLOCK) : undefined;
  const heaps: { hour: number; mb: number }[] = [];
  let last: ProcessSample | undefined;
  for (let i = 1; i <= SAMPLES; i++) {
    await new Promise((resolve) => setTimeout(resolve, (HOURS * HOUR_MS) / CLOCK / MARKET / SAMPLES));
    last = await ask<ProcessSample>('sample');
    heaps.push({ hour: (HOURS * i) / SAMPLES, mb: last.heapMb ?? Number.NaN });
  }
  client?.close();
  child.removeAllListeners();
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  removeTempDir(dir);
  if (!last) throw new Error('nothing was measured');
  return { last, heaps, client };
}

/** By least squares; the first quarter, in which buffers fill, is left out. */
function slope(points: Day['heaps']): number {
  const late = points.slice(Math.floor(points.length / 4));
  const mean = (of: (point: (typeof late)[number]) => number): number =>
    late.reduce((sum, point) => sum + of(point), 0) / late.length;
  const hour = mean((point) => point.hour);
  const mb = mean((point) => point.mb);
  const spread = mean((point) => (point.hour - hour) ** 2);
  return mean((point) => (point.hour - hour) * (point.mb - mb)) / spread;
}

const without = await day(false);
const { last, heaps, client } = await day(true);
if (!client) throw new Error('nobody looked');
// What was measured lasted a little longer than planned, collections and all.
const seconds = last.seconds * CLOCK;
const share = client.statuses / seconds;
if (share < KEPT_UP)
  throw new Error(`the run made ${(share * 100).toFixed(0)} % of its status documents: lower BENCH_CLOCK`);
const extra = last.cpuSeconds / last.seconds - without.last.cpuSeconds / without.last.seconds;
report({
  ...{
    bench: 'dashboard-cost',
    symbols: 35,
    marketHours: (seconds * MARKET) / 3600,
    clockHours: seconds / 3600,
  },
  ...{ statuses: client.statuses, answers: client.answers, scrapes: client.scrapes },
  cpuSecondsAlone: without.last.cpuSeconds,
  cpuSecondsLookedAt: last.cpuSeconds,
  cpuPercent: (extra / CLOCK) * 100,
  cpuPercentOfTheRunAlone: (without.last.cpuSeconds / without.last.seconds / CLOCK) * 100,
  heapMbFirst: heaps[0]?.mb,
  heapMbLast: heaps.at(-1)?.mb,
  heapSlopeMbPerHour: slope(heaps),
  heapSlopeAloneMbPerHour: slope(without.heaps),
});
