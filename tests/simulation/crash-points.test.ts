/**
 * The whole system killed at statement after statement of its journal: whatever the instant, the process that
 * takes over has the future of one that was never killed.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eq, sum } from '../../src/core/decimal.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { ActorEvent, Cause, Intent } from '../../src/domain/events.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { MemoryDatabase } from '../../src/journal/memory-journal.ts';
import { verifyChain } from '../../src/journal/row-hash.ts';
import type { MarketData } from '../../src/market/market-data.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { inMemory } from '../support/array-market.ts';
import {
  type Append,
  content,
  databaseAfter,
  noting,
  rowsOf,
  runUntilKilled,
  type SystemRun,
  startRun,
} from '../support/system-harness.ts';

const SEED = 6;
const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
const FOUR_HOURS_MS = 14_400_000;
/** Statements killed one by one, at the end of the market, where what follows is short. */
const WINDOW = 110;

let market: MarketData;
let appends: Append[];
let undisturbed: ReturnType<typeof content>;

const eventOf = (row: Pick<JournalRow, 'event'>) => JSON.parse(row.event) as ActorEvent;
const types = (rows: readonly JournalRow[]) => new Set(rows.map((row) => eventOf(row).type));

before(async () => {
  const source = new SyntheticMarketData({ seed: SEED, symbols: SYMBOLS, days: 2, stress: 10 });
  market = await inMemory(source);
  const database = new MemoryDatabase();
  appends = [];
  const run = await startRun({ market, database, faults: noting(database, appends) });
  assert.equal(await run.drive(), 'end');
  await assertSound(run, run.rows());
  undisturbed = content(run.rows());
});

/** Holds at the end of any run, however often it was killed. */
async function assertSound(run: SystemRun, rows: readonly JournalRow[]): Promise<void> {
  assert.deepEqual(run.failures, []);
  assert.deepEqual(run.differences, []);
  assert.deepEqual(run.system.venue.current()?.checkInvariants(), []);
  const report = await run.system.exchange.report();
  for (const { symbol, quantity, direction } of report.positions) {
    const stops = report.openOrders.filter(
      ({ order }) => order.symbol === symbol && order.type === 'STOP_MARKET' && order.reduceOnly,
    );
    assert.ok(
      stops.every(({ order }) => order.side === (direction === 'long' ? 'SELL' : 'BUY')),
      `${symbol}: its stop is on the closing side`,
    );
    assert.ok(eq(sum(stops.map(({ order }) => order.quantity ?? '0')), quantity), `${symbol}: all of it`);
  }
  assertOnce(rows);
  verifyChain(rows);
}

/** Every order has an id of its own, and is taken by the venue exactly once. */
function assertOnce(rows: readonly JournalRow[]): void {
  const submitted: string[] = [];
  const taken: string[] = [];
  for (const row of rows) {
    for (const [i, intent] of (JSON.parse(row.intents) as Intent[]).entries()) {
      if (intent.type === 'order.submit') submitted.push(`${row.n}:${i}:${intent.order.clientOrderId}`);
    }
    const cause = JSON.parse(row.cause) as Cause;
    const { type, order } = eventOf(row) as ActorEvent & { order?: { clientOrderId: string } };
    if (row.actor === 'venue' && type === 'order.submit' && cause.kind === 'intent')
      taken.push(`${cause.n}:${cause.i}:${order?.clientOrderId}`);
  }
  const ids = submitted.map((text) => text.split(':')[2]);
  assert.ok(submitted.length > 0);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(taken.toSorted(), submitted.toSorted());
}

/** Takes the database up, runs to the market's end, and finds nothing that shows it was ever killed. */
async function assertSameFuture(database: MemoryDatabase, where: string): Promise<void> {
  const run = await startRun({ market, database });
  assert.equal(await run.drive(), 'end', where);
  const rows = run.rows();
  const again = content(rows);
  const differing = undisturbed.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(again[i]));
  if (differing >= 0) {
    const at = `${where}: row ${differing + 1} (resumed after ${run.resumedAtN})`;
    assert.deepEqual(again[differing], undisturbed[differing], at);
  }
  assert.equal(again.length, undisturbed.length, where);
  await assertSound(run, rows);
}

test('the same seed gives the same journal, and a market in which all that matters happens', async () => {
  const again = await startRun({ market });
  await again.drive();
  assert.deepEqual(content(again.rows()), undisturbed);
  const seen = types(again.rows());
  for (const type of [
    'ORDER_FILLED',
    'ORDER_TRIGGERED',
    'ORDER_CLOSED',
    'FUNDING_SETTLED',
    'POSITION_CLOSED',
    'ADD_WANTED',
    'EXIT_SIGNAL',
    'PRICE',
  ])
    assert.ok(seen.has(type), type);
});

test('killed after any statement of a window in which positions are opened, moved and closed', async () => {
  const first = appends.length - WINDOW;
  const inWindow = types(appends.slice(first).flatMap(({ rows }) => rows));
  for (const type of ['ORDER_FILLED', 'ORDER_TRIGGERED', 'POSITION_OPENED', 'POSITION_CLOSED', 'PRICE'])
    assert.ok(inWindow.has(type), type);
  for (let k = first; k < appends.length; k++) {
    await assertSameFuture(await databaseAfter(appends, k), `killed after statement ${k}`);
  }
});

test('killed after statements drawn from the whole run, and at every close of a 4h candle', async () => {
  const random = seededRandom('crash-points/sampled');
  const points = new Set(Array.from({ length: 20 }, () => 1 + random.int(appends.length - 1)));
  for (const [index, { rows }] of appends.entries()) {
    const last = rows.at(-1);
    // Before the scanners have seen the candle: the start must show it to them.
    const venueFirst = last?.cause.includes('"phase":"venue"') ?? false;
    if (last && venueFirst && last.at % FOUR_HOURS_MS === 0) points.add(index + 1);
  }
  for (const k of points) {
    await assertSameFuture(await databaseAfter(appends, k), `killed after statement ${k}`);
  }
});

test('a living process killed in its statement, before or after it takes effect, once or twice', async () => {
  const random = seededRandom('crash-points/living');
  for (let round = 0; round < 9; round++) {
    const database = new MemoryDatabase();
    const when = round % 2 === 0 ? 'before' : 'after';
    const k = 1 + random.int(appends.length - 1);
    assert.equal(await runUntilKilled({ market, database }, k, when), 'killed');
    const expected = appends.slice(0, when === 'after' ? k : k - 1).flatMap(({ rows }) => rows).length;
    assert.equal(rowsOf(database).length, expected);
    let where = `killed ${when} statement ${k} took effect`;
    if (round % 3 === 0 && k < appends.length - 30) {
      const again = 1 + random.int(25);
      const other = when === 'before' ? 'after' : 'before';
      assert.equal(await runUntilKilled({ market, database }, again, other), 'killed');
      where += `, then ${other} statement ${again} of its successor`;
    }
    await assertSameFuture(database, where);
  }
});

/** What the venue was asked to do and did, without the names that a longer history changes. */
function trading(rows: readonly JournalRow[]): unknown[] {
  return rows
    .filter(({ actor, kind, cause }) => actor === 'venue' && kind === 'event' && !cause.includes('external'))
    .map((row) => {
      const { order, ...event } = eventOf(row) as ActorEvent & { order?: { clientOrderId: string } };
      return order ? { ...event, order: { ...order, clientOrderId: '' } } : event;
    });
}

test('poisonous messages are quarantined and change nothing that is traded, killed or not', async () => {
  const poison: readonly (readonly [string, ActorEvent])[] = [
    ['scanner/BTCUSDT', { type: 'CANDLES', closed: null }],
    ['portfolio', { type: 'MARK', prices: null }],
    ['venue', { type: 'BAR' }],
    ['nobody/at-all', { type: 'HELLO' }],
    ['entry/ETHUSDT', { type: 'SIGNAL' }],
  ];
  const poisoned = (database: MemoryDatabase) => {
    const random = seededRandom('crash-points/poison');
    return {
      market,
      database,
      onStep: ({ at }: { at: number }, { runtime }: SystemRun['system']) => {
        if (random.next() >= 0.01) return;
        const [to, event] = poison[random.int(poison.length)] ?? ['', { type: '' }];
        runtime.tell({ to, event, cause: { kind: 'external', id: `poison-${at}` } });
      },
    };
  };
  const database = new MemoryDatabase();
  const run = await startRun(poisoned(database));
  await run.drive();
  assert.ok(run.quarantined.length >= 5, `${run.quarantined.length} quarantined`);
  const calm = trading(appends.flatMap(({ rows }) => rows));
  assert.ok(calm.length > 100);
  assert.deepEqual(trading(run.rows()), calm);
  await assertSound(run, run.rows());
  const random = seededRandom('crash-points/poison-kills');
  for (let round = 0; round < 3; round++) {
    const killed = new MemoryDatabase();
    const k = 300 + random.int(600);
    assert.equal(await runUntilKilled(poisoned(killed), k, 'after'), 'killed');
    const survivor = await startRun(poisoned(killed));
    await survivor.drive();
    assert.deepEqual(trading(survivor.rows()), calm, `killed after statement ${k}`);
    await assertSound(survivor, survivor.rows());
  }
});
