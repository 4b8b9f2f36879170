/** The kill switch while a run goes on: what its file says its breaker is, whoever moved the breaker. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { before, type TestContext, test } from 'node:test';
import { breakerOf } from '../../machines/messages.ts';
import { engageKill, killPath, releaseKill } from '../../src/app/kill/kill-file.ts';
import { KillWatch } from '../../src/app/kill/kill-watch.ts';
import { openBreakerOf } from '../../src/app/live/gate-word.ts';
import { systemTime } from '../../src/core/clock.ts';
import { SILENT } from '../../src/core/logger.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import type { MarketData } from '../../src/market/market-data.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { inMemory } from '../support/array-market.ts';
import { startRun } from '../support/system-harness.ts';
import { tempDir } from '../support/temp.ts';

const KILL = breakerOf('kill');
let market: MarketData;

before(async () => {
  market = await inMemory(new SyntheticMarketData({ seed: 2, symbols: ['BTCUSDT'], days: 1 }));
});

/** A run whose kill switch is looked at when the test says so. */
async function watched(t: TestContext) {
  const dataDir = tempDir(t, 'kill-watch');
  const { system, writer, rows } = await startRun({ market });
  const { runtime } = system;
  const watch = new KillWatch({
    dataDir,
    realTime: systemTime(),
    log: SILENT,
    runtime: () => runtime,
    isJournalOk: () => writer.state === 'ok',
  });
  return {
    dataDir,
    look: async () => {
      watch.look();
      await runtime.quiescent();
    },
    byHand: async (event: ActorEvent) => {
      runtime.tell({ to: KILL, event, cause: { kind: 'external', id: 'somebody' } });
      await runtime.quiescent();
    },
    isShut: () => openBreakerOf(runtime.actor(KILL)?.snapshotText)?.state === 'halted',
    heard: () => rows().filter(({ actor }) => actor === KILL).length,
  };
}

const engage = (dataDir: string) =>
  engageKill(dataDir, { by: 'alice', reason: 'key leaked', accountWide: false, at: 1 });
const RESET = { type: 'OPERATOR_RESET', by: 'bob', reason: 'in the way' };

test('a reset of its breaker opens nothing while the kill switch stands, however often it is said', async (t) => {
  const { dataDir, look, byHand, isShut, heard } = await watched(t);
  engage(dataDir);
  await look();
  assert.ok(isShut());
  for (let again = 0; again < 3; again++) {
    await byHand(RESET);
    assert.ok(!isShut());
    await look();
    assert.ok(isShut(), 'opened again by what stands in the folder');
    const rows = heard();
    await look();
    assert.equal(heard(), rows, 'and told so once');
  }
});

test('a release closes it; a deleted file does not, and engaging and releasing again does', async (t) => {
  const { dataDir, look, byHand, isShut } = await watched(t);
  engage(dataDir);
  await look();
  await byHand(RESET);
  await look();
  releaseKill(dataDir, 'alice', 'key replaced', 2);
  await look();
  assert.ok(!isShut());
  engage(dataDir);
  await look();
  rmSync(killPath(dataDir));
  await look();
  assert.ok(isShut(), 'an accident');
  engage(dataDir);
  await look();
  releaseKill(dataDir, 'alice', 'it was meant', 3);
  await look();
  assert.ok(!isShut());
});
