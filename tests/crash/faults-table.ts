/**
 * Strikes a running installation with each class of fault in turn and writes docs/FAULTS.md: in which states of a
 * position each struck, and what the runtime did. `npm run faults:table -- --each 20`
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FAULT_CLASSES } from '../support/fault-classes.ts';
import { faultTable, HASTY, STATES, TABLE_SYMBOLS, written } from '../support/fault-table.ts';

const PAGE = fileURLToPath(new URL('../../docs/FAULTS.md', import.meta.url));
const BEGIN = '<!-- table -->';
const END = '<!-- /table -->';

const { values } = parseArgs({
  options: {
    each: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    speed: { type: 'string', default: '60' },
    out: { type: 'string', default: PAGE },
  },
});

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
    classes: FAULT_CLASSES.filter(({ name }) => values.only === undefined || name.includes(values.only)),
    config: HASTY,
    onClass: (line) => process.stderr.write(`${line}\n`),
  });
  if (typeof table === 'string') throw new Error(table);
  const page = readFileSync(values.out, 'utf8');
  const [before = '', rest = ''] = page.split(BEGIN);
  const after = rest.split(END)[1] ?? '';
  writeFileSync(values.out, `${before}${BEGIN}\n\n${written(table)}\n\n${END}${after}`);
  const missed = table.rows.flatMap(({ fault, cells }) =>
    STATES.filter((state) => cells[state].hits === 0).map((state) => `${fault.name} while ${state}`),
  );
  const { trades, orders, problems } = table;
  process.stdout.write(
    `${JSON.stringify({ faults: table.rows.length, trades, orders, problems, missed })}\n`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
