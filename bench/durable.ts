/**
 * Durable transitions a second: real XState actors through the real runtime, snapshot and intents in each row,
 * and nothing counted before it is committed. One JSON line per engine and number of actors; the baseline is the
 * journal writer alone on rows of the same texts in the same run.
 *
 *     BENCH_DATABASE_URL=postgres://… node run.cjs bench/durable.ts
 */
import path from 'node:path';
import { systemTime } from '../src/core/clock.ts';
import type { JournalStore, RowDraft } from '../src/journal/journal.ts';
import { JournalWriter } from '../src/journal/journal-writer.ts';
import { PgliteEngine } from '../src/journal/pglite-journal.ts';
import { postgresStore } from '../src/journal/postgres-journal.ts';
import { EMPTY_HEAD } from '../src/journal/row-hash.ts';
import { ActorRuntime } from '../supervisors/actor-runtime.ts';
import { XStateLogic } from '../supervisors/xstate-logic.ts';
import { startPostgres } from '../tests/support/postgres.ts';
import { makeTempDir, removeTempDir } from '../tests/support/temp.ts';
import { CYCLE, cycleMachine } from './cycle-machine.ts';
import { median, report } from './measure.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const ROUND_MS = Number(process.env.BENCH_ROUND_MS ?? 2_000);
const ACTOR_COUNTS = [1, 35, 500];
const BOOT = { kind: 'external', id: 'bench' } as const;

interface Round {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly sample: RowDraft;
}

async function opened(store: JournalStore): Promise<JournalWriter> {
  await store.open();
  const lease = await store.acquireLease('bench', 3_600_000);
  return new JournalWriter(store, lease, EMPTY_HEAD, { time: systemTime() });
}

/** Every actor is told the next event of its cycle when its last row is durable. */
async function transitions(store: JournalStore, actors: number): Promise<Round> {
  const writer = await opened(store);
  const runtime: ActorRuntime = new ActorRuntime({
    instance: 'bench',
    clock: systemTime().clock,
    writer,
    settledN: 0,
    hooks: { startChild: () => {}, crashed: () => {}, finished: () => {} },
  });
  const definition = cycleMachine();
  const told = new Map<string, { turn: number; at: number }>();
  for (let i = 0; i < actors; i++) {
    runtime.startActor(`cycle/${i}`, () => new XStateLogic(definition), {}, BOOT);
    told.set(`cycle/${i}`, { turn: 0, at: 0 });
  }
  runtime.open();
  await runtime.quiescent();
  const latencies: number[] = [];
  let sample: RowDraft | undefined;
  const tell = (actor: string): void => {
    const state = told.get(actor);
    if (!state) return;
    const event = CYCLE[state.turn++ % CYCLE.length];
    state.at = performance.now();
    if (event) runtime.tell({ to: actor, event, cause: BOOT });
  };
  const start = performance.now();
  const end = start + ROUND_MS;
  runtime.observe(({ row }) => {
    const state = told.get(row.actor);
    if (!state) throw new Error(`a row of ${row.actor} was not asked for`);
    const now = performance.now();
    latencies.push(now - state.at);
    sample = row;
    if (now < end) tell(row.actor);
  });
  for (const actor of told.keys()) tell(actor);
  await runtime.quiescent();
  const seconds = (performance.now() - start) / 1000;
  await writer.close();
  await store.close();
  const sorted = Float64Array.from(latencies).sort();
  if (!sample) throw new Error('nothing was committed');
  return {
    perSecond: latencies.length / seconds,
    p50Ms: sorted[sorted.length >> 1] ?? 0,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    sample,
  };
}

/** The writer alone: the same texts, no machine. */
async function rowsOnly(store: JournalStore, actors: number, sample: RowDraft): Promise<number> {
  const writer = await opened(store);
  const start = performance.now();
  const end = start + ROUND_MS;
  let rows = 0;
  await new Promise<void>((resolve) => {
    let running = actors;
    const next = (actor: string, seq: number): void => {
      writer.append({ ...sample, actor, seq, kind: 'event' }, () => {
        rows += 1;
        if (performance.now() < end) queueMicrotask(() => next(actor, seq + 1));
        else if (--running === 0) resolve();
      });
    };
    for (let i = 0; i < actors; i++) next(`rows/${i}`, 1);
  });
  const seconds = (performance.now() - start) / 1000;
  await writer.close();
  await store.close();
  return rows / seconds;
}

async function measure(engine: string, open: (account: string) => JournalStore): Promise<void> {
  let accounts = 0;
  const account = (): string => `bench-${process.pid}-${accounts++}`;
  for (const actors of ACTOR_COUNTS) {
    const rounds: Round[] = [];
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const result = await transitions(open(account()), actors);
      rounds.push(result);
      ratios.push(result.perSecond / (await rowsOnly(open(account()), actors, result.sample)));
    }
    const { sample } = rounds[0] as Round;
    report({
      bench: 'durable-transitions',
      engine,
      actors,
      rounds: ROUNDS,
      transitionsPerSecond: median(rounds.map((round) => round.perSecond)),
      best: Math.max(...rounds.map((round) => round.perSecond)),
      p50Ms: median(rounds.map((round) => round.p50Ms)),
      p99Ms: median(rounds.map((round) => round.p99Ms)),
      rowBytes:
        sample.event.length + (sample.snapshot?.length ?? 0) + sample.intents.length + sample.host.length,
      ofWriterAlone: median(ratios),
    });
  }
}

const given = process.env.BENCH_DATABASE_URL;
const server = given ? undefined : await startPostgres({ durable: true });
const url = given ?? (typeof server === 'object' ? await server.createDatabase() : undefined);
if (url) await measure('postgres', (account) => postgresStore({ url, account }));
if (typeof server === 'object') await server.stop();

const dir = makeTempDir('bench');
const embedded = new PgliteEngine({ dir: path.join(dir, 'journal') });
await measure('pglite', (account) =>
  embedded.store(account, { exclusive: true, onClose: async () => undefined }),
);
await embedded.stop();
removeTempDir(dir);
