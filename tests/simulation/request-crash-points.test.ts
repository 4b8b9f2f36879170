/**
 * The live program killed around every request that changes something at the venue: before its bytes leave, once they
 * have left, and once the answer is there and no row has it. Each story is one thing that a position lives through.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from '../../src/app/simulation/job.ts';
import type { Act } from '../../src/app/simulation/script.ts';
import type { SeedReport } from '../../src/app/simulation/seed-report.ts';
import { simulateAll } from '../../src/app/simulation/simulate-pool.ts';
import { nameOf, type RequestPoint } from '../../src/app/simulation/store.ts';

const SECOND = 1_000;
/** The first bar closes, and the strategy enters. */
const ENTRY = 479;
const SYMBOL = 'BTCUSDT';
const MOMENTS = ['unsent', 'sent', 'answered'] as const;

interface Story {
  readonly name: string;
  readonly seed: number;
  /** Seconds from the start between which the requests are killed around. */
  readonly from: number;
  readonly to: number;
  readonly acts?: readonly Act[];
  /** What they must be, in order and among others. */
  readonly what: RegExp;
  readonly hedge?: true;
  readonly marginMode?: 'isolated';
  /** Of market orders that a thin book cut short, and of positions that the venue took over: so many without a crash. */
  readonly cutShort?: number;
  readonly liquidated?: number;
}

const after = (seconds: number) => ({ afterMs: seconds * SECOND });
const closing: Act = { ...after(500), do: 'command', command: { kind: 'close', symbol: SYMBOL } };
const refusedStop: Act = {
  ...after(470),
  do: 'faults',
  rules: [
    {
      ...{ request: 'POST /fapi/v1/algoOrder', nth: 1, do: 'answer', status: 400, code: -2021 },
      ...{ msg: 'Order would immediately trigger.', executed: false },
    },
  ],
};
const halfTaken: Act = { ...after(500), do: 'fill', symbol: SYMBOL, share: '0.5' };
/** Three trades for half of what was wanted; the rest expires. */
const thin: Act = { ...after(470), do: 'thin', symbol: SYMBOL, levels: 3, worth: 60 };
const gap: Act = { ...after(500), do: 'gap' };
const byHand: readonly Act[] = [
  { ...after(60), do: 'trade', symbol: SYMBOL, side: 'BUY', worth: '300' },
  { ...after(90), do: 'command', command: { kind: 'adopt', symbol: SYMBOL } },
];

const STORIES: readonly Story[] = [
  {
    ...{ name: 'an entry with its stop and its targets', seed: 31, from: ENTRY, to: 485 },
    what: /POST order MARKET BUY, POST algoOrder STOP_MARKET.*POST order LIMIT/,
  },
  {
    ...{ name: 'an entry that a thin book fills in part', seed: 31, from: ENTRY, to: 485, acts: [thin] },
    ...{ what: /POST order MARKET BUY, POST algoOrder STOP_MARKET SELL reduceOnly/, cutShort: 1 },
  },
  {
    ...{ name: 'closed by hand into a thin book', seed: 31, from: 499, to: 530 },
    ...{ acts: [{ ...thin, ...after(499) }, closing], cutShort: 2 },
    what: /POST order MARKET SELL reduceOnly, .*POST order MARKET SELL reduceOnly/,
  },
  {
    ...{ name: 'taken over by the venue', seed: 31, from: ENTRY, to: 530, acts: [gap] },
    ...{ marginMode: 'isolated', liquidated: 1, what: /POST order MARKET BUY, POST algoOrder STOP_MARKET/ },
  },
  {
    ...{ name: 'an add, and the stop replaced for it', seed: 31, from: 640, to: 650 },
    what: /POST order MARKET BUY.*POST algoOrder STOP_MARKET.*DELETE algoOrder/,
  },
  {
    ...{ name: 'the ratchet of a trailing stop', seed: 31, from: 690, to: 699 },
    what: /POST algoOrder STOP_MARKET SELL reduceOnly, DELETE algoOrder/,
  },
  {
    ...{ name: 'targets that fill by half', seed: 31, from: 499, to: 530, acts: [halfTaken] },
    what: /POST algoOrder STOP_MARKET SELL reduceOnly.*DELETE algoOrder/,
  },
  {
    ...{ name: 'closed by hand', seed: 31, from: 499, to: 530, acts: [closing] },
    what: /POST order MARKET SELL reduceOnly.*DELETE algoOrder/,
  },
  {
    ...{ name: 'an emergency close', seed: 31, from: ENTRY, to: 500, acts: [refusedStop] },
    what: /POST algoOrder STOP_MARKET SELL reduceOnly.*POST order MARKET SELL reduceOnly/,
  },
  {
    ...{ name: 'killed by a person', seed: 31, from: 499, to: 530, acts: [{ ...after(500), do: 'kill' }] },
    what: /POST order MARKET SELL reduceOnly.*DELETE algoOrder/,
  },
  {
    ...{ name: 'adopted', seed: 31, from: 89, to: 120, acts: byHand },
    what: /POST algoOrder STOP_MARKET SELL reduceOnly/,
  },
  {
    ...{ name: 'hedge mode: an add, and the whole stop replaced', seed: 31, from: 640, to: 650, hedge: true },
    what: /POST order MARKET BUY LONG.*POST algoOrder STOP_MARKET SELL LONG closePosition/,
  },
  {
    ...{
      name: 'hedge mode: an emergency close',
      seed: 31,
      from: ENTRY,
      to: 500,
      acts: [refusedStop],
      hedge: true,
    },
    what: /POST algoOrder STOP_MARKET SELL LONG.*POST order MARKET SELL LONG/,
  },
];

const jobOf = ({ seed, to, acts = [], hedge, marginMode }: Story): Job => ({
  ...{ seed, symbols: 1, faults: [], acts },
  hours: (to + 15) / 3_600,
  ...(hedge ? { positionMode: 'hedge' } : {}),
  ...(marginMode ? { marginMode } : {}),
});

/** Of each job, whatever it was that ended first. */
async function reportsOf(jobs: readonly Job[]): Promise<ReadonlyMap<Job, SeedReport>> {
  const reports = new Map<Job, SeedReport>();
  await simulateAll(jobs, undefined, (answer, job) => {
    if (!('report' in answer)) throw new Error(`seed ${answer.seed}: ${answer.error}`);
    reports.set(job, answer.report);
  });
  return reports;
}

interface Killed {
  readonly point: RequestPoint;
  readonly job: Job;
}

/** The requests of a story, each at each of its moments. */
function pointsOf(story: Story, calm: SeedReport | undefined): { whats: string[]; points: RequestPoint[] } {
  assert.deepEqual([calm?.violations, calm?.crashes.length], [[], 1], `${story.name}: nothing ends it early`);
  const points: RequestPoint[] = [];
  const whats: string[] = [];
  for (const [i, { afterMs, what }] of (calm?.changes ?? []).entries()) {
    if (afterMs < story.from * SECOND || afterMs > story.to * SECOND) continue;
    whats.push(what);
    for (const when of MOMENTS) points.push({ request: i + 1, when });
  }
  assert.match(whats.join(', '), story.what, story.name);
  const { cutShort = 0, liquidated = 0 } = story;
  assert.deepEqual(
    [calm?.cutShort, calm?.liquidated],
    [cutShort, liquidated],
    `${story.name}: as it is told`,
  );
  return { whats, points };
}

test('killed around every request of each story', { timeout: 900_000 }, async (t) => {
  const jobs = STORIES.map(jobOf);
  const calm = await reportsOf(jobs);
  const killed = STORIES.map((story, i): readonly Killed[] => {
    const job = jobs[i] as Job;
    const { whats, points } = pointsOf(story, calm.get(job));
    t.diagnostic(`${story.name}: ${points.length} points: ${whats.join(', ')}`);
    return points.map((point) => ({ point, job: { ...job, crashAt: [point] } }));
  });
  const reports = await reportsOf(killed.flat().map(({ job }) => job));
  for (const [i, { name }] of STORIES.entries())
    await t.test(name, () => {
      for (const { point, job } of killed[i] ?? []) {
        const { crashes = [], violations } = reports.get(job) ?? {};
        assert.equal(crashes[0], nameOf(point), 'it died there');
        assert.deepEqual(violations, [], nameOf(point));
      }
    });
});
