/**
 * The soak through sockets, as a command: `npm run soak:venue -- --kills 200 --seed 1 --store postgres`.
 * Prints one JSON line and exits 1 when an invariant does not hold.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sharedData } from '../support/shared-data.ts';
import { type SoakPlan, type SoakReport, soak } from '../support/venue-soak.ts';
import { differencesOf } from '../support/venue-soak-compare.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    store: { type: 'string', default: 'embedded' },
    speed: { type: 'string', default: '60' },
    faults: { type: 'string', default: 'realistic' },
    'longest-ms': { type: 'string', default: '8000' },
    symbols: { type: 'string' },
    recording: { type: 'string' },
    synthetic: { type: 'boolean', default: false },
    /** The same market beside it, without kills and faults: what differs is explained. */
    calm: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

const { store } = values;
if (store !== 'embedded' && store !== 'postgres') throw new Error(`--store ${store}: embedded or postgres`);
const recording = values.synthetic ? undefined : (values.recording ?? sharedData());
const dir = mkdtempSync(join(tmpdir(), 'bulkhead-venue-'));
const plan: SoakPlan = {
  dir: join(dir, 'killed'),
  store,
  speed: Number(values.speed),
  faults: values.faults,
  seed: Number(values.seed),
  recording,
  ...(values.symbols ? { symbols: values.symbols.split(',') } : {}),
  kills: Number(values.kills),
  longestMs: Number(values['longest-ms']),
  onRound: (line) => process.stderr.write(`${line}\n`),
};

function printed(report: SoakReport) {
  const { facts: _facts, downtimes: _downtimes, ...shown } = report;
  return shown;
}

const reportOf = (report: SoakReport | string): SoakReport => {
  if (typeof report === 'string') throw new Error(report);
  return report;
};

try {
  let isOver = false;
  const calm = values.calm
    ? soak({
        ...plan,
        dir: join(dir, 'calm'),
        faults: 'none',
        kills: 0,
        onRound: () => undefined,
        until: async () => isOver,
      })
    : undefined;
  const killed = reportOf(await soak(plan).finally(() => (isOver = true)));
  const calmReport = calm && reportOf(await calm);
  const line = {
    soak: 'venue',
    store,
    seed: plan.seed,
    speed: plan.speed,
    faultsPreset: plan.faults,
    ...printed(killed),
    ...(calmReport ? { calm: { trades: calmReport.trades, ...differencesOf(calmReport, killed) } } : {}),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  process.exitCode = killed.problems.length === 0 ? 0 : 1;
} finally {
  if (values.keep) process.stderr.write(`kept: ${dir}\n`);
  else rmSync(dir, { recursive: true, force: true });
}
