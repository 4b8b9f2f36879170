/**
 * `npm run golden:mint`: writes the golden journals of this version into tests/golden: a demo that is killed and
 * goes on, a paper run against the local venue that is stopped and goes on, and two simulated worlds in which much
 * befalls it, one of them in hedge mode. Done for each release, right before it, and for machines that a release has
 * not seen yet; what stands there is never written again.
 */
import assert from 'node:assert/strict';
import { WORLD_PARTS } from '../../src/app/compose/compose-simulation.ts';
import { ACCOUNT as SIMULATED_ACCOUNT } from '../../src/app/simulation/config.ts';
import { type SimulateOptions, simulateSeed } from '../../src/app/simulation/simulate.ts';
import type { SimDatabase, WorldParts } from '../../src/app/simulation/world.ts';
import { VERSION } from '../../src/app/version.ts';
import { systemTime } from '../../src/core/clock.ts';
import type { JournalStore } from '../../src/journal/journal.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
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

const [BTC, ETH, SOL] = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
const after = (seconds: number) => ({ afterMs: seconds * 1_000 });
/** One is adopted; one closes in an emergency; one is taken by half, added to, trails, and is killed by a person. */
const TROUBLED: SimulateOptions = {
  ...{ seed: 31, hours: 1_510 / 3_600, symbols: 3, faults: [], crashAt: [{ request: 23, when: 'sent' }] },
  acts: [
    { ...after(60), do: 'trade', symbol: SOL, side: 'BUY', worth: '300' },
    { ...after(90), do: 'command', command: { kind: 'adopt', symbol: SOL } },
    {
      ...after(470),
      do: 'faults',
      rules: [
        {
          ...{
            request: 'POST /fapi/v1/algoOrder',
            where: { symbol: BTC },
            nth: 1,
            do: 'answer',
            status: 400,
          },
          ...{ code: -2021, msg: 'Order would immediately trigger.', executed: false },
        },
      ],
    },
    { ...after(500), do: 'fill', symbol: ETH, share: '0.5' },
    { ...after(1_500), do: 'kill' },
  ],
};
/** A long that is taken by half, added to and trails, beside an adopted short of the same symbol; three are left open. */
const HEDGED: SimulateOptions = {
  ...{ seed: 31, hours: 0.45, symbols: 2, faults: [], positionMode: 'hedge' },
  crashAt: [{ request: 20, when: 'answered' }],
  acts: [
    { ...after(500), do: 'fill', symbol: ETH, share: '0.5' },
    { ...after(520), do: 'trade', symbol: ETH, side: 'SELL', positionSide: 'SHORT', worth: '300' },
    { ...after(530), do: 'command', command: { kind: 'adopt', symbol: ETH } },
  ],
};

async function mintWorld(kind: string, options: SimulateOptions): Promise<void> {
  let database: SimDatabase | undefined;
  const connect: WorldParts['database'] = (instance) => {
    database = WORLD_PARTS.database(instance);
    return database;
  };
  const { violations, crashes } = await simulateSeed(options, { ...WORLD_PARTS, database: connect });
  assert.deepEqual(violations, []);
  assert.match(crashes[0] ?? '', /^killed with request/);
  const calm = { before: async () => {}, after: async () => {} };
  assert.ok(database);
  await write(kind, database.connect(systemTime().clock, calm), SIMULATED_ACCOUNT);
}

async function keep(kind: string, database: MemoryDatabase, account: string): Promise<void> {
  await write(kind, new MemoryJournal({ account, clock: systemTime().clock, database }), account);
}

async function write(kind: string, store: JournalStore, account: string): Promise<void> {
  const name: Golden['name'] = `${VERSION}-${kind}`;
  await store.open();
  const bytes = await writeGolden(name, store, { bulkhead: VERSION, account });
  console.log(`${name}: ${(await store.head()).n} rows, ${bytes} bytes`);
}

const KINDS: Readonly<Record<string, () => Promise<void>>> = {
  demo: mintDemo,
  paper: mintPaper,
  'troubled-paper': () => mintWorld('troubled-paper', TROUBLED),
  'hedge-paper': () => mintWorld('hedge-paper', HEDGED),
};

const there = new Set(goldenNames());
const missing = Object.entries(KINDS).filter(([kind]) => !there.has(`${VERSION}-${kind}`));
if (missing.length === 0) {
  console.error(`All of ${VERSION} stand there already: each is minted once.`);
  process.exitCode = 1;
} else {
  for (const [, mint] of missing) await mint();
  // The paper world's process-wide timers may hold the process.
  process.exit(0);
}
