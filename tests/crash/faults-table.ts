/**
 * Strikes a running installation with each class of fault in turn and writes docs/FAULTS.md: in which states of a
 * position each struck, and what the runtime did. `npm run faults:table -- --each 20`
 *
 * With `--directed` it reads the page instead and fills its empty cells: positions are brought into the states on
 * purpose. `--again` does so too where an earlier directed run has been.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FAULT_CLASSES } from '../support/fault-classes.ts';
import { DirectedWorld } from '../support/fault-directed.ts';
import { emptyCells, filled, withTable } from '../support/fault-page.ts';
import { possible } from '../support/fault-recipes.ts';
import { faultTable, HASTY, STATES, TABLE_SYMBOLS, written } from '../support/fault-table.ts';
import type { Directed } from '../support/fault-targets.ts';

const PAGE = fileURLToPath(new URL('../../docs/FAULTS.md', import.meta.url));

const { values } = parseArgs({
  options: {
    each: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    speed: { type: 'string', default: '60' },
    out: { type: 'string', default: PAGE },
    directed: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
  },
});
const classes = FAULT_CLASSES.filter(({ name }) => values.only === undefined || name.includes(values.only));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function report(result: { readonly problems: readonly string[] } & Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.problems.length === 0 ? 0 : 1;
}

async function atRandom(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'bulkhead-faults-'));
  try {
    const table = await faultTable({
      dir: join(dir, 'world'),
      store: 'embedded',
      faults: 'none',
      speed: Number(values.speed),
      seed: Number(values.seed),
      recording: undefined,
      symbols: TABLE_SYMBOLS,
      eachMs: Number(values.each) * 1_000,
      classes,
      config: HASTY,
      onClass: say,
    });
    if (typeof table === 'string') throw new Error(table);
    writeFileSync(values.out, withTable(readFileSync(values.out, 'utf8'), written(table)));
    const missed = table.rows.flatMap(({ fault, cells }) =>
      STATES.filter((state) => cells[state].hits === 0).map((state) => `${fault.name} while ${state}`),
    );
    const { trades, orders, problems } = table;
    report({ faults: table.rows.length, trades, orders, problems, missed });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function onPurpose(): Promise<void> {
  const ends: (() => unknown)[] = [];
  const found: Directed[] = [];
  const missed: string[] = [];
  let problems: readonly string[] = [];
  try {
    const world = await DirectedWorld.open({
      after: (end: () => unknown) => void ends.unshift(end),
    } as never);
    const page = readFileSync(values.out, 'utf8');
    const wanted = classes
      .map((fault) => {
        const empty = emptyCells(page, fault.name, values.again);
        return { fault, states: empty.filter((state) => possible(fault).includes(state)) };
      })
      .filter(({ states }) => states.length > 0);
    await world.strikeAll(wanted, (batch, struck) => {
      found.push(...struck);
      for (const { fault, states } of batch) {
        const not = states.filter(
          (state) => !struck.some((one) => one.fault === fault.name && one.state === state),
        );
        missed.push(...not.map((state) => `${fault.name} while ${state}`));
        say(`${fault.name}: ${states.length - not.length} of ${states.length}`);
      }
      writeFileSync(values.out, filled(readFileSync(values.out, 'utf8'), found));
    });
    problems = await world.end();
  } finally {
    for (const end of ends) await end();
  }
  report({ struck: found.length, problems, missed });
}

await (values.directed ? onPurpose() : atRandom());
