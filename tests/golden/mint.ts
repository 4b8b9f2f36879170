/**
 * `npm run golden:mint`: writes the golden journals of this version into tests/golden: a demo that is killed and
 * goes on, and a paper run against the local venue that is stopped and goes on. Done once for each release, right
 * before it; what stands there is never written again.
 */
import assert from 'node:assert/strict';
import { VERSION } from '../../src/app/version.ts';
import { systemTime } from '../../src/core/clock.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { SyntheticMarketData } from '../../src/market/synthetic-market-data.ts';
import { inMemory } from '../support/array-market.ts';
import { type Golden, goldenDemo, goldenNames, writeGolden } from '../support/golden.ts';
import { PaperWorld, pause } from '../support/paper-world.ts';
import { BUSY_CONFIG, INSTANCE, rowsOf, runUntilKilled, startRun } from '../support/system-harness.ts';

const HARNESS_ACCOUNT = 'test';
const PAPER_ACCOUNT = 'paper';

async function mintDemo(): Promise<void> {
  const source = new SyntheticMarketData(goldenDemo);
  const market = await inMemory(source);
  const database = new MemoryDatabase();
  await runUntilKilled({ market, database }, 300, 'after');
  const killedAt = rowsOf(database).length;
  const run = await startRun({ market, database });
  assert.equal(await run.drive(), 'end');
  const { paper, strategy, risk, entry, position, breakers } = BUSY_CONFIG;
  const identity = {
    market: { source: 'synthetic', seed: goldenDemo.seed, recording: null, symbols: goldenDemo.symbols },
    ...{ paper, strategy, limits: { risk, entry, position, breakers } },
    instruments: market.instruments(),
  };
  const { meta } = database.account(HARNESS_ACCOUNT);
  meta.set('run', JSON.stringify(identity));
  meta.set('instance', INSTANCE);
  await keep('demo', database, HARNESS_ACCOUNT);
  console.error(`the demo was killed after row ${killedAt}`);
}

/** Somebody buys by hand, the runtime adopts it, protects it, is stopped and goes on; its strategy trades, too. */
async function mintPaper(): Promise<void> {
  const undo: (() => Promise<void> | void)[] = [];
  const context = { after: (fn: () => Promise<void> | void) => undo.push(fn) };
  const { strategy } = BUSY_CONFIG;
  const config = { strategy, entry: { coolDownMs: 60_000 }, venue: { foreign: 'adopt' } };
  const world = await PaperWorld.open(context as unknown as Parameters<typeof PaperWorld.open>[0], {
    symbols: ['BTCUSDT', 'ETHUSDT'],
    speed: 60,
    config,
  });
  try {
    await world.begin();
    await world.buyByHand('BTCUSDT', '0.02');
    await world.until('a stop', () => world.openStops().length >= 1);
    await world.until('a position', () => world.status().positions.length >= 1);
    await world.stop();
    await world.begin();
    await pause(25_000);
  } finally {
    for (const end of undo.reverse()) await end();
  }
  await keep('paper', world.database, PAPER_ACCOUNT);
}

async function keep(kind: string, database: MemoryDatabase, account: string): Promise<void> {
  const name: Golden['name'] = `${VERSION}-${kind}`;
  const store = new MemoryJournal({ account, clock: systemTime().clock, database });
  await store.open();
  const bytes = await writeGolden(name, store, { bulkhead: VERSION, account });
  console.log(`${name}: ${(await store.head()).n} rows, ${bytes} bytes`);
}

const there = goldenNames().filter((name) => name.startsWith(`${VERSION}-`));
if (there.length > 0) {
  console.error(`${there.join(' and ')} stand there already: a release is minted once.`);
  process.exitCode = 1;
} else {
  await mintDemo();
  await mintPaper();
  // The paper world's process-wide timers may hold the process.
  process.exit(0);
}
