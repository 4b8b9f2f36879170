/**
 * The whole program in simulated worlds: a fixed set of seeds and fresh ones, printed so that they can be run again;
 * and the same seed twice does the same twice, byte for byte.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WORLD_PARTS } from '../../src/app/compose/compose-simulation.ts';
import { FAULT_SETS } from '../../src/app/simulation/fault-plan.ts';
import type { Answer, Job } from '../../src/app/simulation/job.ts';
import { simulateSeed } from '../../src/app/simulation/simulate.ts';
import { simulateAll } from '../../src/app/simulation/simulate-pool.ts';
import { commandOf } from '../../src/app/simulation/simulate-shrink.ts';
import type { SimDatabase } from '../../src/app/simulation/world.ts';
import { freshSeed } from '../../src/core/random.ts';
import { PORTFOLIO } from '../../src/domain/events.ts';

/** One is killed in the midst of its faults, with positions open; in one the venue takes positions over; one is thin. */
const FIXED = [1, 2, 3, 5, 35, 41, 60];
const FRESH = Number(process.env.SIMULATE_FRESH ?? 3);

const job = (seed: number, more: Partial<Job> = {}): Job => ({
  seed,
  hours: 0.75,
  symbols: 4,
  faults: FAULT_SETS,
  ...more,
});

async function simulate(jobs: readonly Job[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  await simulateAll(jobs, undefined, (answer) => answers.push(answer));
  return answers;
}

/** What a failing seed says, with the command that shows it again. */
function complaints(answers: readonly Answer[], of: (seed: number) => Job): string[] {
  return answers.flatMap((answer) => {
    if (!('report' in answer)) return [`${answer.seed}: ${answer.error}`];
    const { seed, violations } = answer.report;
    const command = commandOf(of(seed), FAULT_SETS.length);
    return violations.map(({ invariant, text }) => `${command}: invariant ${invariant}: ${text}`);
  });
}

test('every invariant holds in fixed and in fresh worlds', async (t) => {
  const seeds = [...FIXED, ...Array.from({ length: FRESH }, () => freshSeed())];
  t.diagnostic(`seeds: ${seeds.join(', ')}`);
  const answers = await simulate(seeds.map((seed) => job(seed)));
  assert.deepEqual(
    complaints(answers, (seed) => job(seed)),
    [],
  );
  const reports = answers.flatMap((answer) => ('report' in answer ? [answer.report] : []));
  assert.equal(reports.length, seeds.length);
  const count = (of: (report: (typeof reports)[number]) => number): number =>
    reports.reduce((sum, report) => sum + of(report), 0);
  assert.ok(count(({ trades }) => trades) > 40, 'the worlds trade');
  assert.ok(count(({ lives }) => lives) > 2 * seeds.length, 'processes die and come back');
  const faults = new Set(reports.flatMap((report) => Object.keys(report.faults)));
  assert.ok(faults.has('person:kill-in-trouble'), 'one of them is killed while its database is away');
  assert.ok(
    faults.has('venue:liquidation') && count(({ liquidated }) => liquidated) > 0,
    'the venue liquidates',
  );
  assert.ok(
    faults.has('venue:thin-book') && count(({ cutShort }) => cutShort) > 0,
    'orders fill in part only',
  );
  for (const set of FAULT_SETS)
    assert.ok(
      [...faults].some((fault) => fault.startsWith(set)),
      `${set} faults`,
    );
});

test('in hedge mode, too: longs and shorts of one symbol, each with its stop', async () => {
  const hedged = (seed: number): Job => job(seed, { positionMode: 'hedge', hours: 0.5 });
  const answers = await simulate([1, 2, 108].map(hedged));
  assert.deepEqual(complaints(answers, hedged), []);
  const trades = answers.map((answer) => ('report' in answer ? answer.report.trades : 0));
  assert.ok(trades.reduce((sum, count) => sum + count, 0) > 10, 'the worlds trade');
  assert.match(commandOf(hedged(1), FAULT_SETS.length), /--hedge$/);
});

test('the same seed twice is the same trace; another is another', async () => {
  const short = (seed: number): Job => job(seed, { hours: 0.4 });
  const answers = await simulate([short(11), short(11), short(12), short(12)]);
  const hashes = new Map<number, Set<string>>();
  for (const answer of answers) {
    assert.ok('report' in answer, JSON.stringify(answer));
    const { seed, traceHash } = answer.report;
    hashes.set(seed, (hashes.get(seed) ?? new Set()).add(traceHash));
  }
  assert.deepEqual(
    [...hashes.values()].map(({ size }) => size),
    [1, 1],
  );
  assert.equal(new Set([...hashes.values()].flatMap((set) => [...set])).size, 2);
});

test('a world has as many symbols as it is asked for: each with its scanner, its candles and its mark', async () => {
  const databases: SimDatabase[] = [];
  const database = (instance: string): SimDatabase => {
    const made = WORLD_PARTS.database(instance);
    databases.push(made);
    return made;
  };
  const symbols = 35;
  await simulateSeed({ seed: 1, hours: 0.3, symbols, faults: [] }, { ...WORLD_PARTS, database });
  const rows = databases.flatMap((one) => one.rows());
  const shown = rows.filter(({ actor, event }) => /^scanner\//.test(actor) && /"type":"CANDLES"/.test(event));
  assert.equal(new Set(shown.map(({ actor }) => actor)).size, symbols);
  const marks = rows.filter(({ actor, event }) => actor === PORTFOLIO && /"type":"MARK"/.test(event)).at(-1);
  const { prices } = JSON.parse(marks?.event ?? '{}') as { prices: Record<string, number> };
  assert.equal(Object.keys(prices).length, symbols);
});
