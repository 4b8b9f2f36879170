/** A short fuzz of every parser: its corpus, and some hundred inputs each; the long one is `npm run fuzz`. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { closeDoors } from './doors.ts';
import { complaint, corpusOf, fuzz } from './engine.ts';
import { type FuzzTarget, never } from './fuzz-target.ts';
import { TARGETS } from './targets.ts';

const SEED = 20_260;

after(closeDoors);

for (const target of TARGETS)
  test(`${target.name} takes whatever comes`, async () => {
    assert.ok(corpusOf(target.name).length > 0, 'it has a corpus');
    assert.equal(await fuzz(target, { seed: SEED, inputs: target.isSlow ? 25 : 250 }), undefined);
  });

test('every folder of the corpus is a target\u2019s', () => {
  const folders = readdirSync(new URL('./corpus/', import.meta.url)).sort();
  assert.deepEqual(folders, TARGETS.map(({ name }) => name).sort());
});

test('the engine finds what it looks for', async () => {
  const target = (eat: FuzzTarget['eat']): FuzzTarget => ({
    name: 'market-frames',
    structure: fc.uint8Array(),
    eat,
    mayThrow: never,
  });
  const bytes = Buffer.from('abc');
  const throwing = target(() => {
    throw new TypeError('oops');
  });
  assert.match((await complaint(throwing, bytes)) ?? '', /it threw TypeError: oops/);
  assert.match(
    (await complaint(
      target(() => 'x'.repeat(1_000_000)),
      bytes,
    )) ?? '',
    /1000002 characters of 3 bytes/,
  );
  assert.match(
    (await complaint(
      target((given) => given.fill(0)),
      bytes,
    )) ?? '',
    /changed what it was given/,
  );
  assert.equal(
    await complaint(
      target(() => 1),
      bytes,
    ),
    undefined,
  );
  const onlyMutation = target((given) => {
    if (given.includes('\\ud800')) throw new Error('a lone surrogate');
    return 0;
  });
  assert.match((await fuzz(onlyMutation, { seed: 1, inputs: 2_000 }))?.what ?? '', /lone surrogate/);
});
