/** A change of the configuration over the whole system in this process: it is a row before it works, and it replays. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { PortfolioContext } from '../../machines/portfolio.ts';
import { machineRegistry } from '../../src/app/compose/compose.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { PORTFOLIO } from '../../src/domain/events.ts';
import { MemoryDatabase } from '../../src/journal/memory-journal.ts';
import type { MarketData } from '../../src/market/market-data.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { Replay } from '../../supervisors/replay.ts';
import { inMemory } from '../support/array-market.ts';
import { BUSY_CONFIG, INSTANCE, type SystemRun, startRun } from '../support/system-harness.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
let market: MarketData;

before(async () => {
  market = await inMemory(new SyntheticMarketData({ seed: 2, symbols: SYMBOLS, days: 1, stress: 10 }));
});

const LOWERED: Config = configSchema.parse({
  ...BUSY_CONFIG,
  risk: { ...BUSY_CONFIG.risk, capitalPerPosition: '1000000000' },
  breakers: { ...BUSY_CONFIG.breakers, maxDrawdownPercent: '7' },
  entry: { ...BUSY_CONFIG.entry, coolDownMs: 61_000 },
  position: { ...BUSY_CONFIG.position, stopRetryMs: 777 },
});

const told = (config: Config) => ({ config, version: 2, telling: 'test' });

const contextOf = (run: SystemRun, actor: string): Record<string, Record<string, unknown>> =>
  (
    JSON.parse(run.system.runtime.actor(actor)?.snapshotText ?? '{}') as {
      context: Record<string, Record<string, unknown>>;
    }
  ).context;

function replays({ system: _, rows }: SystemRun): void {
  const { registry } = machineRegistry(BUSY_CONFIG, market.instruments());
  const replay = new Replay(registry, () => INSTANCE);
  for (const row of rows()) assert.deepEqual(replay.take(row), [], `row ${row.n}`);
}

describe('a change while it trades', () => {
  test('a lowered limit refuses the very next entry, and every later one; the journal replays', async () => {
    let steps = 0;
    let changedN = 0;
    const run = await startRun({
      market,
      onStep: (_, { runtime, unheard }) => {
        steps += 1;
        const approvals = (
          JSON.parse(runtime.actor(PORTFOLIO)?.snapshotText ?? '{}') as { context: PortfolioContext }
        ).context.counts.approved;
        if (changedN > 0 || steps < 40 || (approvals ?? 0) < 3) return;
        changedN = run.writer.durableN;
        for (const message of unheard(told(LOWERED))) runtime.tell(message);
      },
    });
    assert.equal(await run.drive(), 'end');
    assert.ok(changedN > 0);
    const rows = run.rows().filter(({ actor }) => actor === PORTFOLIO);
    const change = rows.find(({ event }) => event.includes('"CONFIG"'));
    assert.ok(change && change.n > changedN);
    assert.match(
      change.event,
      /"settings":\{"capitalPerPosition":"1000000000"\}/,
      'what is other, and nothing else',
    );
    assert.match(change.cause, /"external","id":"config:2:test"/);
    // An add is no position of its own.
    const asked = rows.filter(({ event }) => event.includes('"ASSESS"') && !event.includes('"add":true'));
    const [earlier, later] = [asked.filter(({ n }) => n < change.n), asked.filter(({ n }) => n > change.n)];
    assert.ok(earlier.some(({ intents }) => intents.includes('"APPROVED"')));
    assert.ok(later.length > 0);
    for (const { intents } of later) assert.match(intents, /"REFUSED".*position-count/);
    assert.equal(contextOf(run, 'breaker/drawdown').settings?.maxDrawdownPercent, '7');
    assert.equal(contextOf(run, 'breaker/win-rate/long').settings?.maxDrawdownPercent, '7');
    assert.equal(contextOf(run, 'entry/BTCUSDT').plan?.stopRetryMs, 777);
    assert.equal(contextOf(run, 'entry/BTCUSDT').coolDownMs, 61_000);
    assert.deepEqual(run.system.unheard(told(LOWERED)), [], 'all have heard');
    assert.deepEqual(run.failures, []);
    replays(run);
  });

  test('who died before all had heard tells the rest at the next start, and nobody twice', async () => {
    const database = new MemoryDatabase();
    const first = await startRun({ market, database });
    const [one] = first.system.unheard(told(LOWERED));
    assert.equal(one?.to, PORTFOLIO, 'who judges the next entry hears first');
    first.system.runtime.tell(one);
    await first.system.runtime.quiescent();
    const second = await startRun({ market, database });
    const rest = second.system.unheardAtStart(told(LOWERED));
    assert.ok(rest.length > SYMBOLS.length && rest.every(({ to }) => to !== PORTFOLIO));
    assert.deepEqual(
      rest.map(({ to }) => to).sort(),
      second.system
        .unheard(told(LOWERED))
        .map(({ to }) => to)
        .sort(),
      'as the journal left them is as they are taken up',
    );
    for (const message of rest) second.system.runtime.tell(message);
    await second.system.runtime.quiescent();
    const third = await startRun({ market, database });
    assert.deepEqual(third.system.unheardAtStart(told(LOWERED)), []);
    replays(third);
  });

  test('the configuration that it began with tells nobody anything', async () => {
    const database = new MemoryDatabase();
    const { system } = await startRun({ market, database });
    assert.deepEqual(system.unheard(told(BUSY_CONFIG)), []);
    assert.deepEqual((await startRun({ market, database })).system.unheardAtStart(told(BUSY_CONFIG)), []);
  });
});
