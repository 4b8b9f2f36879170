/** Market time: it stands still while something is under way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../machines/messages.ts';
import { configSchema } from '../../src/config/schema.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { forcedSignal } from '../../src/operator/forced-entry.ts';
import { inMemory } from '../support/array-market.ts';
import { startRun } from '../support/system-harness.ts';

const STEP_OF_COMMAND = 240;

test('what a person asks for between two steps is done before time moves on', async () => {
  const market = await inMemory(new SyntheticMarketData({ seed: 2, symbols: ['BTCUSDT'], days: 1 }));
  let step = 0;
  let saidAt = 0;
  const run = await startRun({
    market,
    config: configSchema.parse({}),
    onStep: ({ at, bars: [bar] }, { runtime }) => {
      step += 1;
      if (step !== STEP_OF_COMMAND || !bar) return;
      saidAt = at;
      const command = { kind: 'force-entry', symbol: 'BTCUSDT', direction: 'long' } as const;
      const who = { name: 'Ann', role: 'trader', channel: 'http' };
      const signal = forcedSignal(command, bar.close, { stop: bar.close * 0.03, trail: 1, atr: 100 }, 'Ann');
      const event = { type: 'COMMAND', id: 'command-1', command, who, issuedAt: at, signal };
      runtime.tell({ to: OPERATOR, event, cause: { kind: 'external', id: 'command:command-1' } });
    },
  });
  await run.drive();
  const rows = run.rows();
  const from = rows.findIndex(({ actor, event }) => actor === OPERATOR && event.includes('command-1'));
  const stop = rows.findIndex(
    ({ actor, event }) =>
      actor.startsWith('position/') && event.includes('ORDER_ACKNOWLEDGED') && event.includes('"stop-1"'),
  );
  assert.ok(from >= 0 && stop > from, 'entered, and protected');
  assert.deepEqual(
    [...new Set(rows.slice(from, stop + 1).map(({ at }) => at))],
    [saidAt],
    'all of it in the instant in which it was said',
  );
  assert.ok(!rows.some(({ intents }) => intents.includes('unprotected for too long')));
});
