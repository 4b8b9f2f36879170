import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ccxtStreams, conformanceTable, sdkStreams } from '../support/conformance/conformance-table.ts';

test('docs/CONFORMANCE.md holds the table that the conformance tests keep', () => {
  const text = readFileSync('docs/CONFORMANCE.md', 'utf8');
  assert.ok(text.includes(conformanceTable()), conformanceTable());
  for (const stream of [...ccxtStreams(), ...sdkStreams()]) assert.ok(text.includes(`\`${stream}\``), stream);
});
