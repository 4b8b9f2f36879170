/**
 * Are the simulated worlds any good? Bugs put in on purpose, one at a time, must each be shown by one of a few of
 * them, by an invariant that is there for it; the same world without it shows nothing; and the program itself has no
 * way to switch one on.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';
import { INVARIANTS, type Invariant } from '../../src/app/simulation/checks/violation.ts';
import { PRODUCTION, sourceFiles } from '../support/house/source-files.ts';
import { PLANTED } from '../support/planted-bugs.ts';
import { hunt, without } from '../support/planted-run.ts';

/** Those whose checkers no planted bug reaches, and the tests that fail them. */
const BY_UNIT_TEST: Readonly<Partial<Record<Invariant, string>>> = {
  6: 'simulation-orders-check',
  12: 'simulation-settled-check',
};

for (const bug of PLANTED)
  test(`shown: ${bug.name}`, async (t) => {
    const report = await hunt(bug);
    const [first] = report?.violations ?? [];
    assert.ok(report && first, 'no world shows it');
    t.diagnostic(`seed ${report.seed}, invariant ${first.invariant}: ${first.text.slice(0, 160)}`);
    assert.ok(
      bug.expects.includes(first.invariant),
      `${bug.expects.join(' or ')} is there for it; what showed it is ${first.invariant}: ${first.text}`,
    );
    const { violations } = await without(bug, report.seed);
    assert.deepEqual(violations, [], 'the same world holds without it');
  });

test('there are enough of them, and no invariant is held by a checker that was never seen to fail', () => {
  assert.ok(PLANTED.length >= 15);
  const only = PLANTED.filter(({ expects }) => expects.length === 1).flatMap(({ expects }) => expects);
  const [byBug, byTest] = [new Set(only), Object.keys(BY_UNIT_TEST).map(Number)];
  assert.deepEqual(
    INVARIANTS.filter((invariant) => !byBug.has(invariant)),
    byTest,
  );
  for (const name of Object.values(BY_UNIT_TEST))
    assert.ok(existsSync(new URL(`../unit/${name}.test.ts`, import.meta.url)), name);
});

test('nothing but a simulated world lays anything around the program', () => {
  const files = sourceFiles(PRODUCTION);
  const main = files.find(({ path }) => path === 'src/app/main.ts');
  assert.ok(main?.text.includes(').run(options, io)'), '`bulkhead run` hands in nothing of its own');
  const givers = files.filter(({ path, imports }) =>
    imports.some(({ specifier }) => posix.join(posix.dirname(path), specifier) === 'src/app/run/run.ts'),
  );
  assert.deepEqual(givers.map(({ path }) => path).toSorted(), [
    'src/app/main.ts',
    'src/app/simulation/world.ts',
  ]);
});
