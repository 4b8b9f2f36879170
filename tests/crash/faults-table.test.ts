/** A few classes of fault struck for real, and the page that holds them all. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FAULT_CLASSES } from '../support/fault-classes.ts';
import { faultTable, HASTY, STATES, TABLE_SYMBOLS } from '../support/fault-table.ts';
import { tempDir } from '../support/temp.ts';

const PAGE = new URL('../../docs/FAULTS.md', import.meta.url);
const STRUCK = ['drop-after', 'drop-before', 'missed event'];

test('positions live through lost answers, lost requests and lost events', {
  timeout: 180_000,
}, async (t) => {
  const table = await faultTable({
    dir: path.join(tempDir(t, 'faults'), 'world'),
    store: 'embedded',
    faults: 'none',
    speed: 120,
    seed: 3,
    recording: undefined,
    symbols: TABLE_SYMBOLS,
    eachMs: 8_000,
    classes: FAULT_CLASSES.filter(({ name }) => STRUCK.includes(name)),
    config: HASTY,
  });
  assert.ok(typeof table !== 'string');
  assert.deepEqual(table.problems, []);
  assert.deepEqual(
    table.rows.map(({ fault }) => fault.name),
    STRUCK,
  );
  for (const { fault, cells } of table.rows) {
    const hits = STATES.reduce((sum, state) => sum + cells[state].hits, 0);
    assert.ok(hits > 0, `${fault.name} struck nobody`);
  }
  assert.ok(table.orders > 10, `${table.orders} orders`);
});

test('docs/FAULTS.md has a row for each class of fault', () => {
  const page = readFileSync(PAGE, 'utf8');
  for (const { name } of FAULT_CLASSES)
    assert.ok(page.includes(`| **${name}**: `), `${name}: run npm run faults:table`);
});
