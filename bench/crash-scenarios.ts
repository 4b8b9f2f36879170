/**
 * Eight recorded crashes, each traded with all rules and then without each one of them: docs/SCENARIOS.md is made
 * here and never by hand.
 *
 *     node run.cjs bench/crash-scenarios.ts --data ../shared/data --out docs/SCENARIOS.md
 *     node run.cjs bench/crash-scenarios.ts luna ftx                  only these, one JSON line each
 *     node run.cjs bench/crash-scenarios.ts --only position --keep scenarios.jsonl
 *
 * --commit NAME says on the page what was measured. --keep FILE takes what it has not to run from that file, and adds what it ran.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { rulesChoice } from '../src/app/rules/rule-flags.ts';
import type { RuleReport } from '../src/app/rules/rule-report.ts';
import { compareRules } from '../src/app/rules/rules.ts';
import { loadConfig } from '../src/config/load.ts';
import { systemTime } from '../src/core/clock.ts';
import { CRASHES, type Crash } from './crashes.ts';
import { scenariosPage } from './scenarios-page.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: '../shared/data' },
    only: { type: 'string' },
    jobs: { type: 'string' },
    keep: { type: 'string' },
    out: { type: 'string' },
    commit: { type: 'string', default: '' },
  },
});

interface Line {
  readonly crash: string;
  readonly report: RuleReport;
}

async function run(crash: Crash): Promise<Line> {
  const recording = path.resolve(values.data, crash.recording);
  const flags = [
    { path: 'market.source', value: 'recorded', flag: 'recording' },
    { path: 'market.recording', value: recording, flag: 'recording' },
    { path: 'market.symbols', value: crash.symbols, flag: 'symbols' },
    { path: 'paper.initialBalance', value: crash.balance, flag: 'balance' },
  ];
  const { config, secrets } = loadConfig({ env: {}, cwd: '/', flags });
  const { stdout, stderr, pid } = process;
  const io = {
    stdout,
    stderr,
    env: {},
    cwd: '/',
    isTty: false,
    stderrIsTty: false,
    columns: 100,
    rows: 40,
    time: systemTime(),
    pid,
  };
  const choice = rulesChoice(
    new Map([
      ['from', crash.from],
      ['to', crash.to],
      ['timeframe', crash.timeframe],
      ...(values.only === undefined ? [] : [['only', values.only] as const]),
      ...(values.jobs === undefined ? [] : [['jobs', values.jobs] as const]),
    ]),
  );
  const report = await compareRules(
    { config, secrets, configFile: undefined, json: true, quiet: true, ...choice },
    io,
  );
  return {
    crash: crash.name,
    report: { ...report, market: crash.recording === '.' ? 'candles/binance-um' : crash.recording },
  };
}

const { keep } = values;
const kept: Line[] =
  keep !== undefined && existsSync(keep)
    ? readFileSync(keep, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line)
    : [];

const lines = new Map(kept.map((line) => [line.crash, line]));
for (const crash of CRASHES) {
  if (positionals.length > 0 ? !positionals.includes(crash.name) : lines.has(crash.name)) continue;
  console.error(`${crash.name} …`);
  const line = await run(crash);
  lines.set(crash.name, line);
  console.log(
    JSON.stringify({
      bench: 'crash-scenarios',
      crash: crash.name,
      net: line.report.all.net,
      trades: line.report.all.trades,
    }),
  );
  if (keep !== undefined)
    writeFileSync(keep, [...lines.values()].map((each) => `${JSON.stringify(each)}\n`).join(''));
}
if (values.out !== undefined) {
  const done = CRASHES.flatMap((crash) => {
    const line = lines.get(crash.name);
    return line ? [{ crash, report: line.report }] : [];
  });
  writeFileSync(values.out, scenariosPage(done, values.commit));
}
