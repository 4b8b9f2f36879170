/** docs/RECONCILIATION.md names tests: they must exist, and every case and pain must be there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

const page = read('docs/RECONCILIATION.md');
const sources = [
  'tests/unit/executor-orders.test.ts',
  'tests/unit/executor-reconciliation.test.ts',
  'tests/unit/executor-running-cases.test.ts',
  'tests/unit/executor-causes.test.ts',
  'tests/unit/executor-foreign.test.ts',
  'tests/unit/executor-outrun.test.ts',
  'tests/property/executor-world.test.ts',
]
  .map(read)
  .join('\n');

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');

test('every test that the page names exists', () => {
  const named = [...page.matchAll(/(?<![*\w])\*([^*]+)\*(?!\*)/g)].map(([, name = '']) => oneLine(name));
  const tests = named.filter((name) => name !== 'italics');
  assert.ok(tests.length > 40, `only ${tests.length} names found`);
  const missing = tests.filter((name) => !sources.includes(`test('${name}'`));
  assert.deepEqual(missing, []);
});

test('every case and every pain has its row', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('|'));
  const cases = [
    ...Array.from({ length: 14 }, (_, i) => `S${i + 1}`),
    ...Array.from({ length: 12 }, (_, i) => `R${i + 1}`),
    ...Array.from({ length: 25 }, (_, i) => `${i + 1}`),
  ];
  const missing = cases.filter((name) => !rows.some((row) => row.startsWith(`| ${name} |`)));
  assert.deepEqual(missing, []);
});
