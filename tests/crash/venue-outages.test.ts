/**
 * The runtime lives on while something it needs is away: the exchange killed and started again, a venue that nobody
 * reaches while stops fire there, a journal that takes nothing. Afterwards it trades on, and the books agree.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { JournalFacts, type SoakLedger, withoutStop } from '../../src/app/simulation/ledger-checks.ts';
import { readStatus } from '../../src/app/status/status-file.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { tempDir } from '../support/temp.ts';
import { soak } from '../support/venue-soak.ts';
import { SoakWorld, type WorldOptions } from '../support/venue-soak-world.ts';

const SPEED = 120;
const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'BNBUSDT', 'DOGEUSDT'];
const LIMIT = { timeout: 180_000 };

async function begin(t: TestContext, options: Partial<WorldOptions> = {}): Promise<SoakWorld | string> {
  const dir = tempDir(t, 'outage');
  const usual = { dir, store: 'embedded', speed: SPEED, faults: 'none', seed: 11 } as const;
  const world = await SoakWorld.begin({ ...usual, recording: undefined, symbols: SYMBOLS, ...options });
  if (typeof world !== 'string') t.after(() => world.end());
  return world;
}

async function beginEmbedded(t: TestContext, options: Partial<WorldOptions> = {}): Promise<SoakWorld> {
  const world = await begin(t, options);
  assert.ok(typeof world !== 'string');
  return world;
}

const ordersOf = ({ orders, algoOrders }: SoakLedger): number => orders.length + algoOrders.length;

/** Open positions, by symbol, signed. */
const held = ({ positions }: SoakLedger): Record<string, number> =>
  Object.fromEntries(
    positions
      .map(({ symbol, quantity }) => [symbol, Number(quantity)] as const)
      .filter(([, quantity]) => quantity !== 0)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const believed = (world: SoakWorld): Record<string, number> =>
  Object.fromEntries(
    (world.status()?.positions ?? [])
      .map((p) => [p.symbol, p.direction === 'long' ? Number(p.quantity) : -Number(p.quantity)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

async function until<T>(what: string, look: () => Promise<T | undefined>, limitMs = 60_000): Promise<T> {
  for (const end = performance.now() + limitMs; performance.now() < end; await pause(50)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`not in ${limitMs} ms: ${what}`);
}

/** What the venue holds and what the runtime believes come to be the same, each position with its stop. */
async function agree(world: SoakWorld): Promise<void> {
  let apart = '';
  await until(`the books agree: ${apart}`, async () => {
    const ledger = await world.ledger();
    const at = Date.now();
    await world.until('a newer status', ({ updatedAt }) => updatedAt > at);
    const status = world.status();
    apart = JSON.stringify([held(ledger), believed(world), ledger.wallet, status?.account.wallet]);
    const same =
      JSON.stringify(held(ledger)) === JSON.stringify(believed(world)) &&
      Number(ledger.wallet) === Number(status?.account.wallet) &&
      status?.venue?.unknownOrders.length === 0 &&
      withoutStop(ledger).length === 0;
    return same ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(apart, { cause: error });
  });
  const { violations } = await world.admin<{ violations: string[] }>('GET', '/violations');
  assert.deepEqual(violations, []);
  assert.equal(world.status()?.venue?.strayRejections, 0, 'a promise was left alone');
}

const firstPositions = (world: SoakWorld): Promise<SoakLedger> =>
  until('a position with its stop', async () => {
    const ledger = await world.ledger();
    return Object.keys(held(ledger)).length > 0 && withoutStop(ledger).length === 0 ? ledger : undefined;
  });

test(
  'the exchange is killed and started again: the runtime finds it, settles, trades on',
  LIMIT,
  async (t) => {
    const world = await beginEmbedded(t);
    await world.untilSafe(0);
    await firstPositions(world);
    await world.kill('exchange');
    // At this speed ten minutes of the venue, which go by for its stops as well.
    await pause(5_000);
    await world.start('exchange');
    const { venueNow } = world;
    const before = await world.ledger();
    await world.untilSafe(venueNow);
    world.isUp();
    await until('new orders', async () =>
      ordersOf(await world.ledger()) > ordersOf(before) ? true : undefined,
    );
    await agree(world);
    assert.equal(await world.stopRuntime(), 143);
  },
);

test('nobody reaches the venue for two minutes while a stop fires there', LIMIT, async (t) => {
  const world = await beginEmbedded(t, { speed: 60 });
  await world.untilSafe(0);
  const ledger = await firstPositions(world);
  const [symbol = '', quantity = 0] = Object.entries(held(ledger))[0] ?? [];
  const away = { time: true, times: 1, do: 'maintenance', forMs: 2_000 };
  await world.admin('POST', '/faults', [away]);
  await world.until('the outage', ({ venue }) => venue?.stream.state !== 'up');
  await world.admin('POST', '/price', {
    symbol,
    fraction: quantity > 0 ? -0.03 : 0.03,
    forMs: 600_000,
  });
  await until('its stop has fired', async () =>
    held(await world.ledger())[symbol] === undefined ? true : undefined,
  );
  await world.untilSafe(world.venueNow);
  // Flat is not over yet: the ends of its take-profits were told into the outage, too, and are asked for.
  let why = '';
  await world.until('the end of its trade', ({ trades }) => {
    why = trades.last.find((trade) => trade.symbol === symbol)?.reason ?? '';
    return why !== '';
  });
  assert.match(why, /stop/, 'it learnt what closed it');
  await agree(world);
  assert.equal(await world.stopRuntime(), 143);
  const facts = new JournalFacts();
  for await (const row of world.rows()) facts.take(row);
  const closed = facts.closed.find(({ actor }) => actor.includes(symbol));
  assert.equal(closed?.trade?.reason, why);
});

test(
  'PostgreSQL is away under a live run: no entry then, nor until the breaker is over',
  LIMIT,
  async (t) => {
    const world = await begin(t, { store: 'postgres', speed: 20 });
    if (typeof world === 'string') return t.skip(world);
    await world.untilSafe(0);
    await world.kill('postgres');
    await world.runtime?.said(/journal halted/, 'stderr');
    await pause(2_000);
    const whileAway = ordersOf(await world.ledger());
    await pause(1_000);
    assert.equal(ordersOf(await world.ledger()), whileAway, 'without a journal nothing leaves');
    await world.start('postgres');
    await world.runtime?.said(/breaker journal: halted/, 'stderr');
    await world.untilSafe(world.venueNow);
    world.isUp();
    await world.until('all breakers closed', ({ breakers }) =>
      breakers.every(({ name, state }) => name !== 'journal' || state === 'closed'),
    );
    await agree(world);
    assert.equal(await world.stopRuntime(), 143);
    const rows: JournalRow[] = [];
    for await (const row of world.rows()) rows.push(row);
    const states = rows
      .filter(({ actor }) => actor === 'breaker/journal')
      .map((row) => ({
        at: row.at,
        value: JSON.stringify((JSON.parse(row.snapshot ?? '{}') as { value?: unknown }).value),
      }));
    assert.deepEqual(
      states.map(({ value }) => value),
      ['"closed"', '{"open":"halted"}', '"halfOpen"', '"closed"'],
    );
    const [, open, tried] = states;
    assert.ok((tried?.at ?? 0) - (open?.at ?? 0) >= 10_000, 'the pause ran from when it was back');
    const entries = rows.filter(
      ({ actor, at, intents }) =>
        actor === 'venue' &&
        at > (open?.at ?? 0) &&
        at < (tried?.at ?? 0) &&
        intents.includes('"ref":"entry'),
    );
    assert.deepEqual(
      entries.map(({ n }) => n),
      [],
      'no entry left before the breaker was tried',
    );
  },
);

/** Two minutes of everything that can go wrong, for whoever has three: BULKHEAD_STORM is the seed, above 0. */
const storm = Number(process.env.BULKHEAD_STORM ?? 0);

async function weatherStorm(t: TestContext): Promise<void> {
  const end = performance.now() + 120_000;
  const dir = tempDir(t, 'storm');
  const report = await soak({
    ...{ dir, store: 'embedded', speed: 60, faults: 'storm', seed: storm },
    ...{ recording: undefined, symbols: SYMBOLS, kills: 0, firstMs: 0, longestMs: 0 },
    until: async () => performance.now() > end,
    onRound: (line) => t.diagnostic(line),
  });
  assert.ok(typeof report !== 'string');
  t.diagnostic(JSON.stringify({ ...report, facts: undefined }));
  assert.deepEqual(report.problems, []);
  assert.ok(report.orders > 0);
  assert.equal(readStatus(path.join(dir, 'data')).venue?.strayRejections, 0);
}

if (storm > 0) test('a storm of two minutes', { timeout: 600_000 }, weatherStorm);
