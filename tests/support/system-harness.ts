/**
 * The whole system in this process at full speed: the real composition over a memory journal, that can be
 * killed at any append and taken up again over the same database, as a killed process would be.
 */
import { composeSystem, reconcileSystem, type System, startSystem } from '../../src/app/compose/compose.ts';
import { type DriveEnd, MarketDriver } from '../../src/app/drive/market-driver.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { systemTime, VirtualTime } from '../../src/core/clock.ts';
import type { Message } from '../../src/domain/events.ts';
import type { Difference } from '../../src/execution/reconciliation.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { MemoryDatabase, type MemoryFaults, MemoryJournal } from '../../src/journal/memory-journal.ts';
import type { MarketData, MarketStep } from '../../src/market/market-data.ts';
import { readRecovery } from '../../supervisors/recovery.ts';
import type { TreeEvent } from '../../supervisors/tree.ts';

const ACCOUNT = 'test';
export const INSTANCE = 'test-instance';

/** Periods so short that a day or two of market has many trades. */
export const BUSY_CONFIG: Config = configSchema.parse({
  strategy: {
    options: {
      slowFrame: { fast: 2, slow: 3 },
      fastFrame: { fast: 2, slow: 3 },
      adxPeriod: 2,
      minAdx: 1,
      atrPeriod: 3,
      channelBars: 2,
      minExpansion: 0.5,
      stopAtrs: 0.6,
      trailAtrs: 0.8,
      restBars: 2,
    },
  },
  entry: { coolDownMs: 60_000 },
  // Stops and profits as near as the strategy's, so that all of them are met within two days.
  risk: { stop: { adaptive: false } },
  position: {
    trailing: { armProfitPercent: '0.6', stepPercent: '0.1' },
    scaleOut: {
      parts: [
        { profitPercent: '0.5', sharePercent: '33' },
        { profitPercent: '1', sharePercent: '33' },
        { profitPercent: '2', sharePercent: '34' },
      ],
    },
    // By touch: two days hold too few bars that close beyond a level.
    pyramid: { enabled: true, stepPercent: '0.3', confirm: 'touch' },
    activeTarget: { fromPercent: '0.2', holdMomentum: 0.3, minBars: 1 },
  },
});

export interface SystemRunOptions {
  readonly market: MarketData;
  readonly config?: Config;
  readonly database?: MemoryDatabase;
  readonly faults?: MemoryFaults;
  /** After the step; may tell actors things. */
  readonly onStep?: (step: MarketStep, system: System) => void;
}

export interface SystemRun {
  readonly system: System;
  readonly driver: MarketDriver;
  readonly writer: JournalWriter;
  readonly database: MemoryDatabase;
  readonly differences: readonly Difference[];
  readonly treeEvents: readonly TreeEvent[];
  readonly quarantined: readonly Message[];
  /** Failures that the run would have ended on. */
  readonly failures: readonly unknown[];
  readonly resumedAtN: number;
  /** To the market's end. */
  readonly drive: () => Promise<DriveEnd>;
  readonly rows: () => readonly JournalRow[];
}

/** Takes the account over, recovers and starts; `drive` then trades. */
export async function startRun(options: SystemRunOptions): Promise<SystemRun> {
  const { market, config = BUSY_CONFIG, database = new MemoryDatabase(), faults } = options;
  const realTime = systemTime();
  const store = new MemoryJournal({
    account: ACCOUNT,
    clock: realTime.clock,
    database,
    ...(faults ? { faults } : {}),
  });
  await store.open();
  const lease = await store.acquireLease('harness', 60_000);
  const recovered = await readRecovery(store);
  const time = new VirtualTime(recovered.headAt ?? market.range().from);
  const failures: unknown[] = [];
  const writer = new JournalWriter(store, lease, recovered.head, {
    time: realTime,
    limits: { firstRetryMs: 1, longestRetryMs: 2 },
    initialSettledN: recovered.settledN,
    onError: (error) => failures.push(error),
  });
  const treeEvents: TreeEvent[] = [];
  const quarantined: Message[] = [];
  const system = composeSystem({
    config,
    instance: INSTANCE,
    instruments: market.instruments(),
    timeframe: market.timeframe,
    recovered,
    writer,
    time,
    onTreeEvent: (event) => treeEvents.push(event),
    onQuarantine: (_actor, message) => quarantined.push(message),
    onRootExit: (reason) => failures.push(reason),
  });
  const driver = new MarketDriver({
    market,
    runtime: system.runtime,
    audience: system.audience,
    time,
    realTime,
    speed: () => 'max',
    ...(options.onStep ? { onStep: (step) => options.onStep?.(step, system) } : {}),
  });
  if (recovered.cursor) await driver.rewind(recovered.cursor);
  await startSystem(system, recovered);
  const differences = await reconcileSystem(system);
  return {
    system,
    driver,
    writer,
    database,
    differences,
    treeEvents,
    quarantined,
    failures,
    resumedAtN: recovered.head.n,
    drive: () => driver.run(recovered.cursor),
    rows: () => rowsOf(database),
  };
}

export const rowsOf = (database: MemoryDatabase): readonly JournalRow[] => database.account(ACCOUNT).rows;

/** One statement of the journal: its rows, and the low-water mark that it stored. */
export interface Append {
  readonly rows: readonly JournalRow[];
  readonly settledN: number;
}

/** Faults that note every statement as it took effect. */
export function noting(database: MemoryDatabase, appends: Append[]): MemoryFaults {
  return {
    after: (operation, rows) => {
      if (operation === 'append') appends.push({ rows, settledN: database.account(ACCOUNT).settledN });
    },
  };
}

/** The database as the first `count` statements left it. */
export async function databaseAfter(appends: readonly Append[], count: number): Promise<MemoryDatabase> {
  const database = new MemoryDatabase();
  const store = new MemoryJournal({ account: ACCOUNT, clock: systemTime().clock, database });
  await store.open();
  const lease = await store.acquireLease('harness', 0);
  for (const { rows, settledN } of appends.slice(0, count)) await store.append(lease, rows, settledN);
  return database;
}

/**
 * Runs until the k-th statement (from 1) and kills the system there: before it takes effect, or after it did
 * but before anybody hears of it. Whatever the dead system still had in mind never happens.
 */
export async function runUntilKilled(
  options: SystemRunOptions,
  k: number,
  when: 'before' | 'after',
): Promise<'killed' | DriveEnd> {
  let appends = 0;
  let die: () => void = () => {};
  const killed = new Promise<'killed'>((resolve) => {
    die = () => resolve('killed');
  });
  const strike = (): Promise<void> => {
    die();
    return new Promise(() => {});
  };
  const faults: MemoryFaults = {
    before: (operation) => {
      if (operation !== 'append') return undefined;
      appends += 1;
      return when === 'before' && appends === k ? strike() : undefined;
    },
    after: (operation) =>
      operation === 'append' && when === 'after' && appends === k ? strike() : undefined,
  };
  const life = startRun({ ...options, faults }).then((run) => run.drive());
  return Promise.race([killed, life]);
}

/** What two runs must agree on: everything but who wrote it and the chain over that. */
export const content = (rows: readonly JournalRow[]) =>
  rows.map(({ epoch: _epoch, hash: _hash, ...rest }) => rest);
