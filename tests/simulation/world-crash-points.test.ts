/**
 * The live program killed at every statement of its journal that speaks of orders, before it takes effect and after: whatever
 * the instant, the next life makes everything right, and no invariant is ever broken on the way.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer, Job } from '../../src/app/simulation/job.ts';
import { simulateAll } from '../../src/app/simulation/simulate-pool.ts';
import { type CrashPoint, nameOf } from '../../src/app/simulation/store.ts';
import { seededRandom } from '../../src/core/random.ts';

/** Eleven minutes with a bar in them: positions are opened, protected, added to, reduced and closed. */
const SCENARIOS: readonly Job[] = [{ seed: 27, hours: 0.18, symbols: 2, faults: [] }];
const DOUBLES = 8;

const named = ({ seed, crashAt = [] }: Job): string => `seed ${seed}, ${crashAt.map(nameOf).join(', then ')}`;

async function check(jobs: readonly Job[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const complaints: string[] = [];
  await simulateAll(jobs, undefined, (answer) => {
    answers.push(answer);
    if (!('report' in answer)) complaints.push(`${answer.seed}: ${answer.error}`);
    else
      for (const { invariant, text } of answer.report.violations)
        complaints.push(`${answer.report.crashes.join(', then ')}: invariant ${invariant}: ${text}`);
  });
  assert.deepEqual(complaints, [], jobs.map(named).slice(0, 3).join('; '));
  return answers;
}

for (const scenario of SCENARIOS)
  test(`every statement of the scenario of seed ${scenario.seed}`, async (t) => {
    const [calm] = await check([scenario]);
    assert.ok(calm && 'report' in calm);
    const { appends, busyAppends, trades } = calm.report;
    assert.ok(trades > 1, 'it trades');
    const points: CrashPoint[] = [];
    for (const append of busyAppends)
      for (const when of ['before', 'after'] as const) points.push({ append, when });
    t.diagnostic(`${points.length} crash points of ${appends} statements`);
    assert.ok(points.length >= 60);
    const answers = await check(points.map((point) => ({ ...scenario, crashAt: [point] })));
    for (const answer of answers)
      assert.ok('report' in answer && answer.report.lives > 1, 'it died and came back');
  });

test('two crashes, the second while the first is being made good', async () => {
  const random = seededRandom('world-crash-points/doubles');
  const jobs = SCENARIOS.flatMap((scenario) =>
    Array.from({ length: DOUBLES / SCENARIOS.length }, (): Job => {
      const first: CrashPoint = {
        append: 20 + random.int(60),
        when: random.next() < 0.5 ? 'before' : 'after',
      };
      const second: CrashPoint = {
        append: 1 + random.int(12),
        when: random.next() < 0.5 ? 'before' : 'after',
      };
      return { ...scenario, crashAt: [first, second] };
    }),
  );
  await check(jobs);
});
