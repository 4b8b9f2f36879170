/** One number of invariants, wherever one is named. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COMMANDS } from '../../src/app/cli/cli-commands.ts';
import { INVARIANTS } from '../../src/app/simulation/checks/violation.ts';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('the document lists each of them, help and changelog count them', () => {
  const [, list = ''] = read('docs/RELIABILITY.md').split('**Invariants**');
  const [own = ''] = list.split('\n**');
  assert.deepEqual(
    [...own.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number)),
    [...INVARIANTS],
  );
  const { detail = '' } = COMMANDS.find(({ name }) => name === 'simulate') ?? {};
  for (const text of [detail, read('CHANGELOG.md')])
    for (const [, count] of text.matchAll(/(\d+) invariants/g))
      assert.equal(Number(count), INVARIANTS.length);
  assert.match(detail, /\d+ invariants/);
});
