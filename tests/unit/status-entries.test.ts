/** What risk decided stands in the status: how often, by which rule, why at last, what made each size, and what breakers do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BreakerContext, createBreakerMachine } from '../../machines/breaker.ts';
import { ReadModel } from '../../src/app/status/read-model.ts';
import { breakerEffect, initialProgress, statusDocument } from '../../src/app/status/run-status.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { inMemory } from '../support/array-market.ts';
import { MachineBench } from '../support/machine-bench.ts';
import { BUSY_CONFIG, startRun } from '../support/system-harness.ts';

test('entries that were approved and refused, and how open positions were sized', async () => {
  const source = new SyntheticMarketData({ seed: 6, symbols: ['BTCUSDT', 'ETHUSDT'], days: 1, stress: 10 });
  const risk = { ...BUSY_CONFIG.risk, maxSymbolExposure: '0.01', maxTotalExposure: '0.015' };
  const config = { ...BUSY_CONFIG, risk };
  const run = await startRun({ market: await inMemory(source), config });
  const model = new ReadModel();
  const facts = { pid: 1, mode: 'demo', accountName: 'a', startedAt: 0, lastTrades: 1, intervalMs: 1 };
  const shown = () => statusDocument(facts, initialProgress('1'), model, 0);
  assert.equal(shown().entries, undefined);
  const sizes: string[] = [];
  run.system.runtime.observe(({ row }) => {
    model.seed(row);
    for (const { sizedBy } of shown().positions) sizes.push(...(sizedBy ?? ['nothing']));
  });
  assert.equal(await run.drive(), 'end');
  const { approved, refused, refusedRules, lastRefused } = shown().entries ?? {};
  assert.ok(Number(approved) > 0 && Number(refused) > 0);
  const events = run.rows().map(({ intents }) => intents);
  const said = (type: string) => events.filter((text) => text.includes(`"type":"${type}"`)).length;
  assert.deepEqual([approved, refused], [said('APPROVED'), said('REFUSED')]);
  assert.ok(Object.values(refusedRules ?? {}).reduce((total, times) => total + times, 0) >= Number(refused));
  assert.ok(lastRefused?.length && lastRefused.length <= 5);
  for (const { refusals } of lastRefused)
    for (const { rule, detail } of refusals)
      assert.ok(rule !== '' && /\d/.test(detail), `${rule}: ${detail}`);
  assert.ok(sizes.some((note) => /^leverage 20$/.test(note)) && !sizes.includes('nothing'));
});

test('what an open breaker does to trading', () => {
  const after = (
    kind: string,
    type: string,
    data: Record<string, unknown>,
    more: Record<string, unknown> = {},
  ) => {
    const bench = new MachineBench(createBreakerMachine(), { kind, ...more });
    bench.send(type, data);
    return breakerEffect(bench.context<BreakerContext>());
  };
  const lost = { equity: '700', peak: '1000', dayStart: '1000', day: 1 };
  assert.equal(after('drawdown', 'EQUITY', lost), 'halted');
  assert.equal(
    after('drawdown', 'EQUITY', lost, { settings: { flatten: ['drawdown'] } }),
    'halted, closes everything',
  );
  assert.equal(after('margin', 'MARGIN', { ratioPercent: '75' }), 'halted, closes the largest');
  assert.equal(after('daily-loss', 'EQUITY', lost), 'reducing');
  assert.equal(
    after('flash-crash', 'SHOCK', { moves: { AUSDT: 20, BUSDT: -30 }, mean: 1 }),
    'reducing for AUSDT, BUSDT',
  );
  assert.equal(
    after('rate-limit', 'OPERATOR_TRIP', { by: 'ann', reason: 'x' }, { scope: { direction: 'long' } }),
    'halted for longs',
  );
});
