/**
 * Heap of an open position: in the runtime alone, and in the whole tree with its supervision, its guard band and
 * the read model's copy. Each measurement in a child process with the collector in hand.
 *
 *     node run.cjs bench/memory.ts [positions …]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createPositionMachine } from '../machines/position.ts';
import { composeSystem, startSystem } from '../src/app/compose/compose.ts';
import { ReadModel } from '../src/app/status/read-model.ts';
import { systemTime, VirtualTime } from '../src/core/clock.ts';
import { JournalWriter } from '../src/journal/journal-writer.ts';
import { MemoryJournal } from '../src/journal/memory-journal.ts';
import { EMPTY_HEAD, sealRows } from '../src/journal/row-hash.ts';
import { ActorRuntime } from '../supervisors/actor-runtime.ts';
import type { LiveActor, Recovered } from '../supervisors/recovery.ts';
import { XStateLogic } from '../supervisors/xstate-logic.ts';
import { median, report } from './measure.ts';
import { AT, CONFIG, INSTRUMENTS, openPosition } from './open-positions.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const SELF = fileURLToPath(import.meta.url);
const definition = createPositionMachine();

function heapBytes(): number {
  const { gc } = globalThis;
  if (!gc) throw new Error('needs --expose-gc');
  for (let i = 0; i < 4; i++) gc();
  return process.memoryUsage().heapUsed;
}

async function openWriter(): Promise<JournalWriter> {
  const time = systemTime();
  const store = new MemoryJournal({ account: 'bench', clock: time.clock });
  await store.open();
  const lease = await store.acquireLease('bench', 3_600_000);
  return new JournalWriter(store, lease, EMPTY_HEAD, { time });
}

/** The newest row of each, as recovery reads it: no row is held in a journal in this heap. */
function* liveActors(positions: number): Generator<LiveActor> {
  for (let index = 0; index < positions; index++) {
    const [row] = sealRows(EMPTY_HEAD, 1, openPosition(index).rows.slice(-1));
    if (row?.snapshot) yield { row: { ...row, n: index + 1 }, checkpoint: row.snapshot, eventsSince: [] };
  }
}

async function inRuntime(positions: number): Promise<number> {
  const runtime = new ActorRuntime({
    instance: 'bench',
    clock: systemTime().clock,
    writer: await openWriter(),
    settledN: 0,
    hooks: { startChild: () => {}, crashed: () => {}, finished: () => {} },
  });
  const resume = ({ row, checkpoint, eventsSince }: LiveActor): void =>
    runtime.resumeActor(row, () => new XStateLogic(definition), checkpoint, eventsSince);
  for (const live of liveActors(1)) resume(live);
  const before = heapBytes();
  for (const live of liveActors(positions + 1)) if (!runtime.knows(live.row.actor)) resume(live);
  const bytes = heapBytes() - before;
  if (runtime.actorIds().length !== positions + 1) throw new Error('not all of them are there');
  return bytes / positions;
}

/** The tree of the same instruments with no positions is what it is measured against. */
async function treeBytes(positions: number): Promise<number> {
  const time = new VirtualTime(AT);
  const live = new Map([...liveActors(positions)].map((actor) => [actor.row.actor, actor]));
  const recovered: Recovered = {
    head: EMPTY_HEAD,
    settledN: 0,
    headAt: AT,
    cursor: undefined,
    live,
    deadLetters: undefined,
    pending: [],
    unconsumed: [],
  };
  const writer = await openWriter();
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
  for (const { row } of live.values()) model.seed(row);
  await startSystem(system, recovered);
  live.clear();
  const bytes = heapBytes();
  if (model.positions().length !== positions) throw new Error('not all of them are there');
  if (system.runtime.actorIds().length < positions) throw new Error('not all of them run');
  return bytes;
}

function inChild(what: string, positions: number): number {
  const args = ['--expose-gc', SELF, 'child', what, String(positions)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return Number(stdout);
}

function measure(positions: number): void {
  const rounds = Array.from({ length: ROUNDS }, () => ({
    runtime: inChild('runtime', positions),
    tree: (inChild('tree', positions) - inChild('tree', 0)) / positions,
  }));
  report({
    bench: 'memory',
    positions,
    rounds: ROUNDS,
    runtimeBytesEach: median(rounds.map(({ runtime }) => runtime)),
    treeBytesEach: median(rounds.map(({ tree }) => tree)),
    snapshotBytes: openPosition(0).rows.at(-1)?.snapshot?.length,
  });
}

const args = process.argv.slice(2);
if (args[0] === 'child') {
  const positions = Number(args[2]);
  console.log(args[1] === 'tree' ? await treeBytes(positions) : await inRuntime(positions));
} else {
  for (const positions of args.length > 0 ? args.map(Number) : [1_000, 10_000]) measure(positions);
}
