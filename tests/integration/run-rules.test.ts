/** `bulkhead rules` on a recorded crash, as its user runs it, against the same runs counted from their journals. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { PortfolioContext } from '../../machines/portfolio.ts';
import { exitStatistics } from '../../src/app/results/statistics.ts';
import { rulesOf, withSwitched } from '../../src/app/rules/rule-list.ts';
import type { RuleReport } from '../../src/app/rules/rule-report.ts';
import { rules } from '../../src/app/rules/rules.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { readSecrets } from '../../src/config/secrets.ts';
import { cmp, type Decimal, div, max, mul, sub } from '../../src/core/decimal.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { openRecording } from '../../src/market/recorded/recorded-market-data.ts';
import { cli } from '../support/cli-process.ts';
import { fakeIo } from '../support/fake-io.ts';
import { sharedData } from '../support/shared-data.ts';
import { startRun } from '../support/system-harness.ts';

const data = sharedData();
const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
const WINDOW = { from: Date.UTC(2020, 2, 1), to: Date.UTC(2020, 2, 16), timeframe: '1h' } as const;

/** March 2020 as the journal of an ordinary run has it. */
async function counted(config: Config, folder: string) {
  const market = openRecording({ path: folder, symbols: SYMBOLS, ...WINDOW });
  const run = await startRun({ market, config });
  await run.drive();
  const rows = run.rows();
  const { total } = await exitStatistics(each(rows));
  const accounts = rows
    .filter(({ actor, snapshot }) => actor === 'portfolio' && snapshot !== null)
    .map(({ event, snapshot }) => ({
      isMark: event.includes('"MARK"'),
      context: (JSON.parse(snapshot ?? '') as { context: PortfolioContext }).context,
    }));
  const last = accounts.at(-1)?.context;
  let [peak, deepest]: [Decimal, Decimal] = ['0', '0'];
  for (const { isMark, context } of accounts) {
    if (!isMark) continue;
    peak = max(peak, context.equity);
    deepest = max(deepest, mul(div(sub(peak, context.equity), peak, 8), '100'));
  }
  return { total, deepest, net: sub(last?.equity ?? '0', config.paper.initialBalance) };
}

async function* each(rows: readonly JournalRow[]): AsyncGenerator<JournalRow> {
  yield* rows;
}

describe('bulkhead rules', { skip: data === undefined ? 'no market data' : false }, () => {
  test('March 2020: each run is the run that its configuration makes, and the differences add up', async () => {
    const folder = data ?? '';
    const rule = 'risk.volatility';
    const market = { source: 'recorded', recording: folder, symbols: SYMBOLS };
    const config = configSchema.parse({ market, paper: { initialBalance: '300' } });
    const only = [rule, 'breakers.weekly-loss'];
    const io = fakeIo();
    const choice = { window: WINDOW, only, jobs: 2, json: true, quiet: true };
    const code = await rules({ config, secrets: readSecrets({}), configFile: undefined, ...choice }, io);
    assert.equal(code, 0, io.err());
    const report = JSON.parse(io.out()) as RuleReport;
    const all = await counted(config, folder);
    assert.ok(all.total.trades > 5, 'the crash was traded');
    assert.equal(report.all.trades, all.total.trades);
    assert.equal(report.all.closedNet, all.total.net);
    assert.equal(report.all.net, all.net);
    assert.equal(cmp(report.all.maxDrawdownPercent, all.deepest), 0);
    const effect = report.rules.find((one) => one.rule === rule);
    const trailing = rulesOf(config).find(({ name }) => name === rule);
    const without = await counted(withSwitched(config, trailing?.switched ?? {}), folder);
    assert.equal(effect?.switched.net, without.net);
    assert.equal(effect?.switched.trades, without.total.trades);
    assert.equal(effect?.saved, sub(all.net, without.net));
    assert.notEqual(effect?.saved, '0');
    // It never opened, so nothing was run: the run without it is the run with it.
    const idle = report.rules.find((one) => one.rule === 'breakers.weekly-loss');
    assert.deepEqual([idle?.matters, idle?.saved, idle?.switched], [false, '0', report.all]);
  });

  test('says what is wrong before it runs anything', async () => {
    const folder = data ?? '';
    const cases: readonly (readonly [args: string[], code: number, says: RegExp])[] = [
      [['--recording', folder, '--only', 'position.trialing'], 64, /position\.trailing/],
      [['--recording', folder, '--from', '2020-03-16', '--to', '2020-03-01'], 64, /--to is not after --from/],
      [['--recording', folder, '--from', 'march'], 64, /neither a day nor a time/],
      [['--recording', path.join(folder, 'nothing')], 66, /no recording/],
      [['--recording', folder, '--timeframe', '7m'], 64, /One of: 1m, /],
      [[], 64, /--recording PATH/],
    ];
    for (const [args, code, says] of cases) {
      const result = await cli(['rules', ...args]);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, says);
    }
  });
});
