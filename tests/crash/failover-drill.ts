/**
 * Failover as a command: `npm run failover:drill -- --rounds 100`. Says of each round what its time was made of, prints
 * one JSON line and exits 1 when something does not hold; `--record` writes it into docs/RELIABILITY.md, too.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type DrillReport, drill, type Round } from '../support/failover-drill.ts';
import { count, measuredOf, record, seconds } from '../support/reliability-page.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    /** What the rounds do, in turn: kill, freeze, handover. */
    what: { type: 'string', default: 'kill' },
    'ttl-ms': { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    speed: { type: 'string', default: '60' },
    symbols: { type: 'string', default: 'BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT,BNBUSDT,DOGEUSDT' },
    'longest-ms': { type: 'string', default: '4000' },
    /** Begins no round after so long. */
    minutes: { type: 'string' },
    keep: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
});

const what = values.what.split(',').map((name): Round => {
  if (name === 'kill' || name === 'freeze' || name === 'handover') return name;
  throw new Error(`--what ${name}: kill, freeze, handover, or several of them with commas`);
});
/** Its place on the page: one for the kills, one for the rest. */
const BLOCK =
  values.what === 'kill' ? 'npm run failover:drill' : `npm run failover:drill -- --what ${values.what}`;
const measured = measuredOf(new Date());

function section(report: DrillReport): string {
  const line = (
    what: string,
    { count: rounds, p50, p99, max }: DrillReport['killToSafeMs'],
  ): readonly string[] =>
    rounds === 0 ? [] : [`| ${what} | ${rounds} | ${seconds(p50)} | ${seconds(p99)} | ${seconds(max)} |`];
  const problems = report.problems.join('; ');
  return [
    `${measured}; lease of ${seconds(Number(values['ttl-ms']))}, ${values.speed} times real time, seed ${values.seed}:`,
    '',
    '| what | rounds | p50 | p99 | longest |',
    '|---|--:|--:|--:|--:|',
    ...line('SIGKILL of the leader → everything protected and reconciled', report.killToSafeMs),
    ...Object.entries(report.phasesMs).flatMap(([phase, times]) => line(`— of that: ${phase}`, times)),
    ...line('frozen, then woken → everything protected and reconciled', report.freezeToSafeMs),
    ...line('handed over: entries paused for', report.handoverPauseMs),
    '',
    problems === ''
      ? 'No second writer, no order without its row, nothing unknown.'
      : `**Found: ${problems}**`,
    `${count(report.epochs)} epochs, ${count(report.orders)} orders, ${count(report.rows)} rows in ${count(report.seconds / 60)} minutes;`,
    `${report.openWhenStruck.p50 ?? 0} positions open at the median strike, ${report.openWhenStruck.max ?? 0} at most.`,
  ].join('\n');
}

const dir = mkdtempSync(join(tmpdir(), 'bulkhead-failover-'));
try {
  const plan = {
    dir,
    speed: Number(values.speed),
    seed: Number(values.seed),
    ttlMs: Number(values['ttl-ms']),
    symbols: values.symbols.split(','),
    longestMs: Number(values['longest-ms']),
    ...(values.minutes === undefined ? {} : { limitMs: Number(values.minutes) * 60_000 }),
  };
  const rounds = Array.from({ length: Number(values.rounds) }, (_, i) => what[i % what.length] ?? 'kill');
  const report = await drill({ ...plan, rounds, onRound: (line) => process.stderr.write(`${line}\n`) });
  if (typeof report === 'string') throw new Error(report);
  const { dir: _dir, ...shown } = plan;
  process.stdout.write(`${JSON.stringify({ drill: 'failover', ...shown, ...report })}\n`);
  if (values.record) record(BLOCK, section(report));
  process.exitCode = report.problems.length === 0 ? 0 : 1;
} finally {
  if (values.keep) process.stderr.write(`kept: ${dir}\n`);
  else rmSync(dir, { recursive: true, force: true });
}
