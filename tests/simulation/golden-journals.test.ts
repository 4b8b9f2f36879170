/**
 * What every release wrote is carried over by the machines of today: each row of its journals, and the whole system
 * taken up where a process of that release might have died. A machine change that breaks recovery fails here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineDefinition, PersistedSnapshot } from '../../machines/definition.ts';
import type { PositionContext } from '../../machines/position.ts';
import { machineRegistry } from '../../src/app/compose/compose.ts';
import { composeLive, remoteRegistry } from '../../src/app/compose/compose-live.ts';
import { type RemoteIdentity, type RunIdentity, readIdentity } from '../../src/app/run/run-identity.ts';
import { definitionsOf, startSystem } from '../../src/app/run/system.ts';
import { VERSION } from '../../src/app/version.ts';
// The strategy of simulated worlds.
import '../../src/app/compose/compose-simulation.ts';
import { configSchema } from '../../src/config/schema.ts';
import { systemTime, VirtualTime } from '../../src/core/clock.ts';
import { add, eq, sum, ZERO } from '../../src/core/decimal.ts';
import { actorType } from '../../src/core/ids.ts';
import { type Message, VENUE } from '../../src/domain/events.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import type { MemoryJournal } from '../../src/journal/memory-journal.ts';
import type { MarketData } from '../../src/market/market-data.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { MachineRegistry } from '../../supervisors/machine-registry.ts';
import { readRecovery } from '../../supervisors/recovery.ts';
import { Replay } from '../../supervisors/replay.ts';
import { inMemory } from '../support/array-market.ts';
import { type Golden, goldenDatabase, goldenDemo, goldenNames, readGolden } from '../support/golden.ts';
import { startRun } from '../support/system-harness.ts';

const INSTANCE = 'test-instance';
const ACCOUNT = 'test';
/** Crash points of one journal at most: each costs a run to the market's end. */
const MOST_CUTS = 12;

const names = goldenNames();
let market: MarketData | undefined;

test('there are golden journals of a release, of a demo and of a paper run', () => {
  assert.ok(names.some((name) => name.endsWith('-demo')));
  assert.ok(names.some((name) => name.endsWith('-paper')));
});

test('between them they hold what befalls a position', async () => {
  const held = new Set<string>();
  for (const name of names)
    for (const row of (await readGolden(name)).rows) for (const what of befallen(row)) held.add(what);
  for (const what of [
    ...['LONG', 'SHORT', 'BOTH', 'adopted', 'trailing-stop', 'KILL', 'ORDER_UNKNOWN', 'ORDER_TRIGGERED'],
    ...['entry in one', 'add in one', 'exit in parts', 'emergency in one', 'position@9'],
  ])
    assert.ok(held.has(what), what);
});

function* befallen({ actor, machine, kind, event, snapshot }: JournalRow): Generator<string> {
  yield machine;
  if (actorType(actor) !== 'position' || kind === 'dead-letter') return;
  yield actor.split('/')[2] ?? '';
  const { type, ref, complete, input } = JSON.parse(event) as Readonly<Record<string, unknown>>;
  yield String(type);
  if (type === 'ORDER_FILLED')
    yield `${String(ref).split('-')[0]} ${complete === true ? 'in one' : 'in parts'}`;
  if ((input as { adopted?: unknown } | undefined)?.adopted) yield 'adopted';
  const { context } = JSON.parse(snapshot ?? '{}') as { context?: Partial<PositionContext> };
  if (context?.stopReason !== undefined) yield context.stopReason;
}

/** What differs when the golden journal is run by these machines. */
function partedBy(machines: MachineRegistry, { header, rows }: Golden) {
  const replay = new Replay(machines, () => header.meta.instance ?? '', { carry: true });
  const parted = rows.flatMap((row) => replay.take(row));
  // A newer machine may decide otherwise; what is open and what is over it may not see otherwise.
  const grave = parted.filter(
    ({ what, detail }) => what === 'error' || what === 'final' || /context\.quantity:/.test(detail),
  );
  return { parted, grave, foreignRows: replay.foreignRows };
}

async function identityOf({ header, rows }: Golden): Promise<RunIdentity> {
  const { store } = await goldenDatabase({ name: '', header, rows }, ACCOUNT, 0);
  const identity = await readIdentity(store);
  assert.ok(identity);
  return identity;
}

for (const name of names) {
  test(`${name}: every row is what the machines of today make of its event, or parts in nothing grave`, async () => {
    const golden = await readGolden(name);
    const identity = await identityOf(golden);
    const { registry } = identity.venue
      ? remoteRegistry(identity as RemoteIdentity)
      : machineRegistry(identity, identity.instruments);
    const { parted, grave, foreignRows } = partedBy(registry, golden);
    assert.deepEqual(grave, []);
    if (golden.header.bulkhead === VERSION && foreignRows === 0)
      assert.deepEqual(parted, [], 'byte for byte');
  });
}

test('a version without its migration is noticed, and a migration that loses what is open', async () => {
  const golden = await readGolden(names.find((name) => name.endsWith('-demo')) ?? '');
  const identity = await identityOf(golden);
  const raised = (migration?: (snapshot: PersistedSnapshot) => PersistedSnapshot) => {
    const definitions = definitionsOf(identity).map((definition): MachineDefinition => {
      if (definition.type !== 'position') return definition;
      const { version, migrations } = definition;
      const all = migration ? { ...migrations, [version]: migration } : migrations;
      return { ...definition, version: version + 1, migrations: all };
    });
    return partedBy(new MachineRegistry(definitions), {
      ...golden,
      rows: golden.rows.filter(({ actor }) => actorType(actor) === 'position'),
    });
  };
  assert.ok(raised().grave.every(({ what, detail }) => what === 'error' && /no migration/.test(detail)));
  assert.ok(raised().grave.length > 100);
  const losing = raised(({ context, ...rest }) => ({
    ...rest,
    context: { ...(context as object), quantity: '0' },
  }));
  assert.ok(losing.grave.length > 0);
  assert.deepEqual(raised((snapshot) => snapshot).grave, [], 'and one that changes nothing passes');
});

for (const name of names.filter((each) => each.endsWith('-demo'))) {
  test(`${name}: killed at any of its states, today's program goes on to the market's end`, async () => {
    const golden = await readGolden(name);
    market ??= await inMemory(new SyntheticMarketData(goldenDemo));
    for (const n of cutsOf(golden.rows)) {
      const where = `taken up after row ${n}`;
      const { database, store } = await goldenDatabase(golden, ACCOUNT, n);
      const before = await openPositions(store);
      const run = await startRun({ market, database });
      assert.equal(await run.drive(), 'end', where);
      assert.deepEqual(run.failures, [], where);
      assert.deepEqual(run.quarantined, [], where);
      assert.deepEqual(run.system.host.unrestorable, [], where);
      assert.deepEqual(
        run.differences.filter(({ kind }) => kind !== 'unprotected'),
        [],
        where,
      );
      assert.deepEqual(run.system.venue.current()?.checkInvariants(), [], where);
      for (const { actor } of n === golden.rows.length ? [] : before)
        assert.ok(
          run.rows().some((row) => row.n > n && row.actor === actor),
          `${where}: ${actor} goes on`,
        );
      await assertProtected(run, where);
    }
  });
}

for (const name of names.filter((each) => each.endsWith('-paper'))) {
  test(`${name}: killed at any of its states, today's program takes every actor up`, async () => {
    const golden = await readGolden(name);
    for (const n of cutsOf(golden.rows)) await takeUp(golden, n);
  });
}

/** After the first row of each state of each machine, and some between. */
function cutsOf(rows: readonly JournalRow[]): number[] {
  const seen = new Set<string>();
  const firsts = rows.flatMap(({ n, machine, snapshot, cause }) => {
    const state = `${machine} ${snapshot === null ? '' : JSON.stringify((JSON.parse(snapshot) as { value: unknown }).value)}`;
    // Rows of one input are committed together: a process dies before or after them.
    if (seen.has(state) || !cause.includes('"intent"')) return [];
    seen.add(state);
    return [n];
  });
  const every = Math.ceil(firsts.length / MOST_CUTS);
  return [...firsts.filter((_, i) => i % every === 0), rows.length];
}

const openPositions = async (store: MemoryJournal): Promise<JournalRow[]> =>
  (await store.liveRows()).filter(({ actor }) => actorType(actor) === 'position');

async function assertProtected(run: Awaited<ReturnType<typeof startRun>>, where: string): Promise<void> {
  const report = await run.system.exchange.report();
  for (const { symbol, quantity } of report.positions) {
    const stops = report.openOrders.filter(
      ({ order }) => order.symbol === symbol && order.type === 'STOP_MARKET' && order.reduceOnly,
    );
    const covered = sum(stops.map(({ order }) => order.quantity ?? '0'));
    assert.ok(eq(covered, quantity), `${where}: ${symbol} ${covered} of ${quantity}`);
  }
}

/** A start against a remote venue that does not answer yet: everybody is up, and knows what it knew. */
async function takeUp(golden: Golden, n: number): Promise<void> {
  const where = `taken up after row ${n}`;
  const { store } = await goldenDatabase(golden, ACCOUNT, n);
  const before = await openPositions(store);
  const identity = (await readIdentity(store)) as RemoteIdentity;
  const lease = await store.acquireLease('golden', 60_000);
  const recovered = await readRecovery(store);
  const failures: unknown[] = [];
  const writer = new JournalWriter(store, lease, recovered.head, {
    time: systemTime(),
    initialSettledN: recovered.settledN,
    onError: (error) => failures.push(error),
  });
  const quarantined: Message[] = [];
  const system = composeLive({
    config: configSchema.parse({ mode: 'paper', ...identity.limits }),
    identity,
    instance: INSTANCE,
    recovered,
    writer,
    time: new VirtualTime(recovered.headAt ?? 0),
    onQuarantine: (_actor, message) => quarantined.push(message),
  });
  const restarted: Message = {
    to: VENUE,
    event: { type: 'RESTARTED', epoch: lease.epoch },
    cause: { kind: 'external', id: `restarted:${lease.epoch}` },
  };
  await startSystem(system, recovered, [restarted]);
  assert.deepEqual([failures, quarantined, system.host.unrestorable], [[], [], []], where);
  let held = ZERO;
  for (const row of before) {
    const was = quantityOf(row.snapshot);
    const taken = system.runtime.actor(row.actor)?.snapshotText;
    // An entry that was about to leave is not sent by a program that does not know the account yet: it ends.
    const is = taken === undefined ? ZERO : quantityOf(taken);
    assert.equal(is, was, `${where}: ${row.actor}`);
    held = add(held, was);
  }
  if (before.length > 0 && n === golden.rows.length) assert.notEqual(held, ZERO, 'something was open');
  await system.root.stop();
}

const quantityOf = (snapshot: string | null): string =>
  (JSON.parse(snapshot ?? '{}') as { context: PositionContext }).context.quantity;
