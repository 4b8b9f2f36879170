/** A few classes of fault struck for real, and the page that holds them all. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FAULT_CLASSES } from '../support/fault-classes.ts';
import { DirectedWorld } from '../support/fault-directed.ts';
import { emptyCells, filled } from '../support/fault-page.ts';
import { faultTable, HASTY, STATES, TABLE_SYMBOLS } from '../support/fault-table.ts';
import type { Directed } from '../support/fault-targets.ts';
import { tempDir } from '../support/temp.ts';

const PAGE = new URL('../../docs/FAULTS.md', import.meta.url);
/** One of a symbol, one of the whole account. */
const ON_PURPOSE = ['reset-after', 'all sockets cut'];
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

test('positions are struck on purpose in each of their states', { timeout: 120_000 }, async (t) => {
  const world = await DirectedWorld.open(t);
  const wanted = FAULT_CLASSES.filter(({ name }) => ON_PURPOSE.includes(name)).map((fault) => ({
    fault,
    states: STATES,
  }));
  const found: Directed[] = [];
  await world.strikeAll(wanted, (_, struck) => void found.push(...struck));
  assert.deepEqual(await world.end(), []);
  assert.deepEqual(
    found.map(({ fault, state }) => `${fault}: ${state}`).sort(),
    ON_PURPOSE.flatMap((name) => STATES.map((state) => `${name}: ${state}`)).sort(),
  );
});

test('what was struck on purpose fills empty cells, and only those', () => {
  const row = '| **fill-first, whole**: late | – | 2: stayed (2) | † 1: old (1) | – | – | – | – | 7 |';
  const page = `a\n<!-- table -->\n\n${row}\n\n<!-- /table -->\nb`;
  assert.deepEqual(emptyCells(page, 'fill-first, whole', false).length, 5);
  const cell = { hits: 1, after: new Map([['closed', 1]]) };
  const full = filled(page, [
    { fault: 'fill-first, whole', state: 'open, exposed', cell },
    { fault: 'fill-first, whole', state: 'settling', cell },
  ]);
  assert.ok(
    full.includes(
      'late | n/a 1 | 2: stayed (2) | † 1: old (1) | n/a 1 | n/a 1 | n/a 1 | † 1: closed (1) | 7 |',
    ),
    full,
  );
  assert.match(full, /\n\nn\/a 1: .+\n\n<!-- \/table -->\nb$/);
});
