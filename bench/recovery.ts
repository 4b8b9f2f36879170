/**
 * Recovery: from opening the store to messages flowing again, all that `run` does in between, in a fresh process
 * over the journal of one that was killed. The first start on each journal is not counted.
 *
 *     BENCH_DATABASE_URL=postgres://… node run.cjs bench/recovery.ts [positions …]
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { composeSystem, reconcileSystem, startSystem } from '../src/app/compose/compose.ts';
import { ReadModel } from '../src/app/status/read-model.ts';
import { systemTime, VirtualTime } from '../src/core/clock.ts';
import type { JournalStore, RowDraft } from '../src/journal/journal.ts';
import { JournalWriter } from '../src/journal/journal-writer.ts';
import { pgliteStore } from '../src/journal/pglite-journal.ts';
import { postgresStore } from '../src/journal/postgres-journal.ts';
import { EMPTY_HEAD, sealRows } from '../src/journal/row-hash.ts';
import { readRecovery } from '../supervisors/recovery.ts';
import { startPostgres } from '../tests/support/postgres.ts';
import { makeTempDir, removeTempDir } from '../tests/support/temp.ts';
import { median, report } from './measure.ts';
import { AT, accountRows, CONFIG, INSTRUMENTS } from './open-positions.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const BATCH_ROWS = 250;
const SELF = fileURLToPath(import.meta.url);
const TARGET_MS: Readonly<Record<number, number>> = { 1000: 2_000, 10000: 15_000 };

function storeOf(engine: string, where: string, account: string): JournalStore {
  return engine === 'postgres'
    ? postgresStore({ url: where, account })
    : pgliteStore({ dir: where, account });
}

async function build(store: JournalStore, positions: number): Promise<void> {
  await store.open();
  const lease = await store.acquireLease('bench', 60_000);
  let head = EMPTY_HEAD;
  let batch: RowDraft[] = [];
  const flush = async (): Promise<void> => {
    const sealed = sealRows(head, lease.epoch, batch);
    head = sealed.at(-1) ?? head;
    // All but the last batch's intents count as consumed.
    await store.append(lease, sealed, head.n);
    batch = [];
  };
  for (const row of accountRows(positions)) {
    batch.push(row);
    if (batch.length === BATCH_ROWS) await flush();
  }
  await flush();
}

/** What `run` does, in its order, with the time of each part. */
async function recover(store: JournalStore): Promise<Record<string, number>> {
  const start = performance.now();
  const marks: [string, number][] = [];
  const mark = (name: string): unknown => marks.push([name, performance.now()]);
  await store.open();
  const lease = await store.acquireLease('bench', 60_000);
  mark('openMs');
  const recovered = await readRecovery(store);
  mark('readMs');
  const time = new VirtualTime(recovered.headAt ?? AT);
  const writer = new JournalWriter(store, lease, recovered.head, {
    time: systemTime(),
    initialSettledN: recovered.settledN,
  });
  const system = composeSystem({
    config: CONFIG,
    instance: 'bench',
    instruments: INSTRUMENTS,
    timeframe: '1m',
    recovered,
    writer,
    time,
  });
  const model = new ReadModel();
  system.runtime.observe((committed) => model.observe(committed));
  for (const { row } of recovered.live.values()) model.seed(row);
  mark('composeMs');
  await startSystem(system, recovered);
  mark('startMs');
  const differences = await reconcileSystem(system);
  mark('reconcileMs');
  const ends = [start, ...marks.map(([, at]) => at)];
  return {
    ms: performance.now() - start,
    ...Object.fromEntries(marks.map(([name, at], index) => [name, at - (ends[index] ?? at)])),
    positions: system.runtime.actorIds().filter((id) => id.startsWith('position/')).length,
    watched: system.audience.prices() ? model.positions().length : 0,
    differences: differences.length,
    rows: recovered.head.n,
  };
}

/** Ends by SIGKILL, as a crash would: nothing is closed. */
async function asChild([engine, where, account, positions]: string[]): Promise<void> {
  const store = storeOf(String(engine), String(where), String(account));
  const result = positions === undefined ? await recover(store) : await build(store, Number(positions));
  process.stdout.write(`${JSON.stringify(result ?? {})}\n`, () => process.kill(process.pid, 'SIGKILL'));
}

function inChild(args: readonly string[]): Record<string, number> {
  const { stdout, stderr } = spawnSync(process.execPath, [SELF, 'child', ...args], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, number>;
}

function measure(engine: string, where: string, positions: number): void {
  const account = `bench-${positions}`;
  inChild([engine, where, account, String(positions)]);
  const rounds: Record<string, number>[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const result = inChild([engine, where, account]);
    if (result.positions !== positions) throw new Error(`${result.positions} of ${positions} positions`);
    if (round > 0) rounds.push(result);
  }
  const of = (key: string): number => median(rounds.map((round) => round[key] ?? Number.NaN));
  const parts = ['ms', 'openMs', 'readMs', 'composeMs', 'startMs', 'reconcileMs', 'differences', 'rows'];
  report({
    bench: 'recovery',
    engine,
    positions,
    rounds: ROUNDS,
    targetMs: TARGET_MS[positions],
    ...Object.fromEntries(parts.map((part) => [part, of(part)])),
  });
}

async function main(counts: readonly number[]): Promise<void> {
  const given = process.env.BENCH_DATABASE_URL;
  const server = given ? undefined : await startPostgres({ durable: true });
  const url = given ?? (typeof server === 'object' ? await server.createDatabase() : undefined);
  if (url) for (const positions of counts) measure('postgres', url, positions);
  if (typeof server === 'object') await server.stop();
  for (const positions of counts) {
    const dir = makeTempDir('bench');
    measure('pglite', path.join(dir, 'journal'), positions);
    removeTempDir(dir);
  }
}

const args = process.argv.slice(2);
if (args[0] === 'child') await asChild(args.slice(1));
else await main(args.length > 0 ? args.map(Number) : [1_000, 10_000]);
