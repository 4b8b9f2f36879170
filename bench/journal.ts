/**
 * Durable rows/s and append latency of the journal writer, rows only (no XState): one JSON line per engine and
 * number of actors, medians over rounds. The baseline is a bare single-statement unnest insert of the same rows
 * in the same run: what the engine itself can do.
 *
 *     BENCH_DATABASE_URL=postgres://… node run.cjs bench/journal.ts
 *
 * Without the variable it starts a PostgreSQL of its own with fsync on, where one is installed.
 */
import path from 'node:path';
import { systemTime } from '../src/core/clock.ts';
import type { JournalHead, JournalStore, Lease, RowDraft } from '../src/journal/journal.ts';
import { JournalWriter } from '../src/journal/journal-writer.ts';
import { PgliteEngine } from '../src/journal/pglite-journal.ts';
import { postgresStore } from '../src/journal/postgres-journal.ts';
import { EMPTY_HEAD, sealRows } from '../src/journal/row-hash.ts';
import { startPostgres } from '../tests/support/postgres.ts';
import { makeTempDir, removeTempDir } from '../tests/support/temp.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const ROUND_MS = Number(process.env.BENCH_ROUND_MS ?? 1_500);
const ACTOR_COUNTS = [1, 35, 500];
const BASELINE_ROWS = 250;

/** About 600 bytes of texts, as a position's row has. */
function row(actor: string, seq: number): RowDraft {
  return {
    actor,
    seq,
    at: 1_750_000_000_000 + seq,
    kind: seq === 1 ? 'start' : 'event',
    machine: 'position@1',
    event: JSON.stringify({
      type: 'fill',
      at: 1_750_000_000_000 + seq,
      price: '64123.5',
      quantity: '0.012',
      fee: '0.31',
    }),
    cause: JSON.stringify({ kind: 'intent', n: seq, i: 0 }),
    snapshot: JSON.stringify({
      status: 'active',
      value: { open: { protection: 'protected', exits: 'scaling' } },
      context: {
        symbol: 'BTCUSDT',
        side: 'long',
        quantity: '0.036',
        entry: '64001.2',
        stop: '63100.0',
        peak: '64410.9',
        fills: ['a', 'b', 'c'],
      },
    }),
    intents: JSON.stringify([{ type: 'order.cancel', ref: 'stop-1', symbol: 'BTCUSDT' }]),
    host: JSON.stringify({ timers: [{ id: 'max-age', due: 1_750_003_600_000 }], postponed: [] }),
    note: null,
    final: false,
  };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.floor(q * (sorted.length - 1))] ?? 0;
const rounded = (value: number, places: number): number => Number(value.toFixed(places));

interface Round {
  readonly rowsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Every actor appends its next row when its last one is durable. */
function produce(writer: JournalWriter, actors: number): Promise<Round> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + ROUND_MS;
  let running = actors;
  return new Promise((resolve) => {
    const next = (actor: string, seq: number): void => {
      const asked = performance.now();
      writer.append(row(actor, seq), () => {
        const now = performance.now();
        latencies.push(now - asked);
        if (now < end) queueMicrotask(() => next(actor, seq + 1));
        else if (--running === 0) resolve(summary(latencies, now - start));
      });
    };
    for (let actor = 0; actor < actors; actor++) next(`position/BENCH${actor}/BOTH/1`, 1);
  });
}

function summary(latencies: readonly number[], elapsedMs: number): Round {
  const sorted = Float64Array.from(latencies).sort();
  return {
    rowsPerSecond: latencies.length / (elapsedMs / 1000),
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  };
}

/** The bare statement, one after another. */
async function baseline(store: JournalStore, lease: Lease): Promise<number> {
  let head: JournalHead = EMPTY_HEAD;
  const start = performance.now();
  while (performance.now() < start + ROUND_MS) {
    const drafts = Array.from({ length: BASELINE_ROWS }, (_, index) => row('baseline', head.n + index + 1));
    const sealed = sealRows(head, lease.epoch, drafts);
    await store.append(lease, sealed, 0);
    head = sealed.at(-1) ?? head;
  }
  return head.n / ((performance.now() - start) / 1000);
}

/** Every measurement writes to an account of its own; rounds of the sizes take turns. */
async function measure(engine: string, open: (account: string) => JournalStore): Promise<void> {
  let accounts = 0;
  const baselines: number[] = [];
  const rounds = new Map<number, Round[]>(ACTOR_COUNTS.map((actors) => [actors, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const actors of [0, ...ACTOR_COUNTS]) {
      const store = open(`bench-${process.pid}-${accounts++}`);
      await store.open();
      const lease = await store.acquireLease('bench', 3_600_000);
      if (actors === 0) {
        baselines.push(await baseline(store, lease));
      } else {
        const writer = new JournalWriter(store, lease, EMPTY_HEAD, { time: systemTime() });
        rounds.get(actors)?.push(await produce(writer, actors));
        await writer.close();
      }
      await store.close();
    }
  }
  for (const [actors, results] of rounds) {
    const rate = median(results.map((result) => result.rowsPerSecond));
    const line = {
      bench: 'journal',
      engine,
      actors,
      rounds: ROUNDS,
      rowsPerSecond: Math.round(rate),
      p50Ms: rounded(median(results.map((result) => result.p50Ms)), 3),
      p99Ms: rounded(median(results.map((result) => result.p99Ms)), 3),
      baselineRowsPerSecond: Math.round(median(baselines)),
      ofBaseline: rounded(rate / median(baselines), 2),
    };
    console.log(JSON.stringify(line));
  }
}

const dir = makeTempDir('bench');
const engine = new PgliteEngine({ dir: path.join(dir, 'journal') });
await measure('pglite', (account) =>
  engine.store(account, { exclusive: true, onClose: async () => undefined }),
);
await engine.stop();
removeTempDir(dir);

const given = process.env.BENCH_DATABASE_URL;
const server = given ? undefined : await startPostgres({ durable: true });
const url = given ?? (typeof server === 'object' ? await server.createDatabase() : undefined);
if (url) await measure('postgres', (account) => postgresStore({ url, account }));
if (typeof server === 'object') await server.stop();
