/** A breaker that cannot be restored, in the real system: what it would have forbidden nobody knows, so nothing is entered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PortfolioContext } from '../../machines/portfolio.ts';
import { ReadModel } from '../../src/app/status/read-model.ts';
import { initialProgress, statusDocument } from '../../src/app/status/run-status.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import { GUARDIAN, PORTFOLIO } from '../../src/domain/events.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { previewBreaker } from '../../src/operator/breaker-preview.ts';
import { MachineRegistry } from '../../supervisors/machine-registry.ts';
import { startRun } from '../support/system-harness.ts';

const BREAKER = 'breaker/drawdown';
const BAR = `guardian/${BREAKER}`;

test('bars every entry, wakes no desk that is not there, and a person’s word lets entries in again', async (t) => {
  const market = new SyntheticMarketData({ seed: 3, days: 1, symbols: ['BTCUSDT', 'ETHUSDT'] });
  const first = await startRun({ market });
  await first.writer.close();
  const { migrate } = MachineRegistry.prototype;
  t.mock.method(MachineRegistry.prototype, 'migrate', function (this: MachineRegistry, ...given) {
    if (given[0].startsWith('breaker@') && given[1].includes('"name":"drawdown"'))
      throw new BulkheadError('ACTOR_UNRESTORABLE', `${BREAKER} was written by a newer program`);
    return migrate.apply(this, given);
  } as typeof migrate);
  const { system, rows, writer, database } = await startRun({ market, database: first.database });
  t.after(() => writer.close());
  const contextOf = (actor: string) =>
    (JSON.parse(system.runtime.actor(actor)?.snapshotText ?? '{}') as { context: unknown }).context;
  const breakers = () => (contextOf(PORTFOLIO) as PortfolioContext).breakers;
  const lost = () =>
    rows()
      .filter(({ actor }) => actor === 'dead-letters')
      .map(({ event }) => event);

  assert.deepEqual(
    system.host.unrestorable.map(({ actor }) => actor),
    [BREAKER],
  );
  assert.deepEqual(lost(), []);
  assert.match(breakers()[BAR]?.cause ?? '', /written by a newer program/);
  assert.equal(breakers()[BAR]?.state, 'halted');
  // Whoever looks finds it among the breakers, under the name that releases it.
  const shown = () => {
    const model = new ReadModel();
    for (const row of rows()) model.seed(row);
    const facts = { pid: 1, mode: 'demo', accountName: 'a', startedAt: 0, lastTrades: 1, intervalMs: 1 };
    return statusDocument(facts, initialProgress('1'), model, 0).breakers;
  };
  const { state, reason } = shown().find(({ name }) => name === BAR) ?? {};
  assert.equal(state, 'open');
  assert.match(reason ?? '', /written by a newer program/);
  const sights = {
    actorIds: () => system.runtime.actorIds(),
    snapshot: (actor: string) => system.runtime.actor(actor)?.snapshotText,
  };
  assert.match(
    previewBreaker({ kind: 'release', breaker: 'api-errors', reason: 'a test' }, sights, []),
    /closed already/,
  );
  assert.match(
    previewBreaker({ kind: 'release-kill', reason: 'a test' }, sights, []),
    /but for what the bar guardian\/breaker\/drawdown still holds back/,
  );

  const release = (n: number) =>
    system.runtime.tell({
      to: 'operator',
      event: {
        type: 'COMMAND',
        id: `release-${n}`,
        command: { kind: 'release', breaker: BAR, reason: 'looked into' },
        who: { name: 'ann', role: 'admin', channel: 'cli' },
        issuedAt: 1,
      },
      cause: { kind: 'external', id: `release-${n}` },
    });
  release(1);
  await system.runtime.quiescent();
  assert.equal(breakers()[BAR], undefined);
  assert.ok(!shown().some(({ name }) => name === BAR));
  assert.deepEqual((contextOf(GUARDIAN) as { cases: unknown[] }).cases, []);
  release(2);
  await system.runtime.quiescent();
  assert.deepEqual(lost(), []);
  assert.ok(database);
});
