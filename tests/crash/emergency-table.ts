/** Writes the table of docs/EMERGENCIES.md: every emergency path under every kind of trouble. `npm run emergencies` */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DAYS, type DayOfFaults, KILL_PATH, MARGIN_PATH, PATHS } from '../support/emergency-paths.ts';
import { EmergencyWorld, type Outcome } from '../support/emergency-world.ts';
import { withTable } from '../support/fault-page.ts';

const PAGE = fileURLToPath(new URL('../../docs/EMERGENCIES.md', import.meta.url));

const { values } = parseArgs({
  options: { only: { type: 'string' }, out: { type: 'string', default: PAGE } },
});
const days = DAYS.filter(({ name }) => values.only === undefined || name === values.only);
if (days.length === 0) throw new Error(`--only is one of ${DAYS.map(({ name }) => name).join(', ')}`);

function tableOf(found: readonly Outcome[], columns: readonly DayOfFaults[]): string {
  const rows = [...PATHS.map(({ name }) => name), MARGIN_PATH, KILL_PATH].map((path) => {
    const cells = columns.map(({ name }) => {
      const one = found.find((outcome) => outcome.path === path && outcome.day === name);
      return one ? `${one.flatMs ?? '–'} / ${one.bareMs}` : '';
    });
    return `| ${[path, ...cells].join(' | ')} |`;
  });
  const what = columns.map(({ name, what }) => `- **${name}**: ${what}`);
  return [
    `| flat / bare, ms | ${columns.map(({ name }) => name).join(' | ')} |`,
    `|---|${'--:|'.repeat(columns.length)}`,
    ...rows,
    '',
    ...what,
  ].join('\n');
}

const found: Outcome[] = [];
const problems: string[] = [];
for (const day of days) {
  const ends: (() => unknown)[] = [];
  try {
    const world = await EmergencyWorld.open({
      after: (end: () => unknown) => void ends.unshift(end),
    } as never);
    const outcomes = await world.day(day);
    found.push(...outcomes);
    problems.push(...(await world.end()));
    process.stderr.write(`${day.name}: ${outcomes.length}\n`);
  } catch (error) {
    problems.push(`${day.name}: ${error instanceof Error ? error.message.slice(0, 1_000) : String(error)}`);
  } finally {
    for (const end of ends) await end();
  }
}
if (days.length === DAYS.length && problems.length === 0)
  writeFileSync(values.out, withTable(readFileSync(values.out, 'utf8'), tableOf(found, days)));
process.stdout.write(`${JSON.stringify({ outcomes: found, problems })}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
