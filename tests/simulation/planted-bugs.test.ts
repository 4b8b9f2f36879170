/**
 * Are the simulated worlds any good? Bugs put in on purpose, one at a time, must each be shown by one of a few of
 * them; the same worlds without a bug show nothing; and the program itself has no way to switch one on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRODUCTION, sourceFiles } from '../support/house/source-files.ts';
import { PLANTED } from '../support/planted-bugs.ts';
import { hunt } from '../support/planted-run.ts';

for (const bug of PLANTED)
  test(`shown: ${bug.name}`, async (t) => {
    const report = await hunt(bug);
    const [first] = report?.violations ?? [];
    assert.ok(report && first, 'no world shows it');
    if (bug.shownBy !== undefined) assert.equal(first.invariant, bug.shownBy, first.text);
    t.diagnostic(`seed ${report.seed}, invariant ${first.invariant}: ${first.text.slice(0, 160)}`);
  });

test('there are enough of them, and without one the same worlds hold', async () => {
  assert.ok(PLANTED.length >= 15);
  const sets = [...new Set(PLANTED.map(({ faults }) => faults.join()))];
  for (const set of sets.slice(0, 3)) {
    const faults = PLANTED.find((bug) => bug.faults.join() === set)?.faults ?? [];
    const report = await hunt({ name: 'none', faults }, [21]);
    assert.deepEqual(report?.violations ?? [], [], set);
  }
});

test('nothing but a simulated world lays anything around the program', () => {
  const files = sourceFiles(PRODUCTION);
  const main = files.find(({ path }) => path === 'src/app/main.ts');
  assert.ok(main?.text.includes(').run(options, io)'), '`bulkhead run` hands in nothing of its own');
  const givers = files.filter(({ imports }) =>
    imports.some(({ specifier }) => /^\.{1,2}\/run\.ts$/.test(specifier)),
  );
  assert.deepEqual(givers.map(({ path }) => path).toSorted(), [
    'src/app/main.ts',
    'src/app/simulation/world.ts',
  ]);
});
