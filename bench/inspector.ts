/**
 * What it costs the actors that somebody looks at all of them: transitions a second of 35 actors, as many as the runtime
 * makes on a memory journal, where no disk hides anything; with nobody looking, and with an inspector that follows every
 * one of them. That is a page in a process of its own: it reads the live stream of all rows and asks, for each actor that
 * took a step, the page's own three questions (new rows, the newest moment, the one before), as fast as the server's
 * default pace of an address lets it. Both halves of a round run one after the other; the ratio is the median of rounds.
 * At such rates the pages' questions are few and the stream is all of them; `usEach` is what a followed transition
 * costs more, which is what remains at the rates of a real market.
 *
 *     node run.cjs bench/inspector.ts        about half a minute
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ReadModel } from '../src/app/status/read-model.ts';
import { RunViews, type ViewSources } from '../src/app/views/run-views.ts';
import { systemTime } from '../src/core/clock.ts';
import { SILENT } from '../src/core/logger.ts';
import { HttpServer } from '../src/http/http-server.ts';
import { JournalWriter } from '../src/journal/journal-writer.ts';
import { MemoryJournal } from '../src/journal/memory-journal.ts';
import { EMPTY_HEAD } from '../src/journal/row-hash.ts';
import { Feed } from '../src/operator/feed.ts';
import type { Operator } from '../src/operator/operator.ts';
import { ActorRuntime } from '../supervisors/actor-runtime.ts';
import { XStateLogic } from '../supervisors/xstate-logic.ts';
import { CYCLE, cycleMachine } from './cycle-machine.ts';
import type { Followed } from './inspector-client.ts';
import { median, report } from './measure.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const ROUND_MS = Number(process.env.BENCH_ROUND_MS ?? 2_000);
const ACTORS = 35;
const BOOT = { kind: 'external', id: 'bench' } as const;
const TOKEN = 'a-token-that-nobody-asks-for';
/** http.requestsPerMinute, as it is where nobody sets it. */
const DEFAULT_PACE = 1_200;
const NOBODY: Operator = {
  execute: () => Promise.reject(new Error('nobody speaks here')),
  preview: () => '',
};

const time = systemTime();
const definition = cycleMachine();

/** A runtime whose rows the model and the feed hear, as in a run; and the server of what they say. */
async function world() {
  const store = new MemoryJournal({ account: 'bench', clock: time.clock });
  await store.open();
  const lease = await store.acquireLease('bench', 3_600_000);
  const writer = new JournalWriter(store, lease, EMPTY_HEAD, { time });
  const runtime: ActorRuntime = new ActorRuntime({
    ...{ instance: 'bench', clock: time.clock, writer, settledN: 0 },
    hooks: { startChild: () => {}, crashed: () => {}, finished: () => {} },
  });
  const model = new ReadModel();
  const feed = new Feed();
  runtime.observe((committed) => {
    model.observe(committed);
    feed.observe(committed);
  });
  const sources: Partial<ViewSources> = {
    ...{ model, store, head: () => writer.durableN, definitions: [definition], versions: () => ({}) },
  };
  const server = new HttpServer({
    ...{ host: '127.0.0.1', port: 0, token: TOKEN, allowedHosts: [], allowedIps: [], log: SILENT },
    ...{ requestsPerMinute: DEFAULT_PACE, maxStreams: 4, feed, time, operator: NOBODY },
    views: new RunViews(sources as ViewSources),
    file: async () => undefined,
  });
  const close = async (): Promise<void> => {
    await server.close();
    await writer.close();
    await store.close();
  };
  return { runtime, server, close };
}

/**
 * Every actor is told the next event of its cycle when all have taken the last; in between the process looks up, as a
 * run does that waits for its disk: else nobody's request would be read before the end.
 */
async function drive(runtime: ActorRuntime): Promise<{ rows: number; perSecond: number }> {
  for (let i = 0; i < ACTORS; i++)
    runtime.startActor(`cycle/${i}`, () => new XStateLogic(definition), {}, BOOT);
  runtime.open();
  await runtime.quiescent();
  let rows = 0;
  runtime.observe(() => {
    rows += 1;
  });
  const start = performance.now();
  for (let turn = 0; performance.now() < start + ROUND_MS; turn++) {
    const event = CYCLE[turn % CYCLE.length];
    for (let i = 0; event && i < ACTORS; i++) runtime.tell({ to: `cycle/${i}`, event, cause: BOOT });
    await runtime.quiescent();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { rows, perSecond: (rows * 1000) / (performance.now() - start) };
}

async function alone(): Promise<number> {
  const { runtime, close } = await world();
  const { perSecond } = await drive(runtime);
  await close();
  return perSecond;
}

async function followed(): Promise<{ perSecond: number; heard: number; questions: number }> {
  const { runtime, server, close } = await world();
  const url = await server.listen(1);
  const client = fork(fileURLToPath(new URL('./inspector-client.ts', import.meta.url)), [
    url,
    String(DEFAULT_PACE),
  ]);
  await new Promise((resolve) => client.once('message', resolve));
  const { perSecond, rows } = await drive(runtime);
  if (server.streams.dropped > 0) throw new Error('the page could not keep up and was cut off');
  const said = await new Promise<Followed>((resolve) => {
    client.once('message', (word) => resolve(word as Followed));
    client.send(rows);
  });
  await close();
  return { perSecond, heard: said.rows / (rows + ACTORS), questions: said.answers };
}

const bases: number[] = [];
const withPage: number[] = [];
const heard: number[] = [];
let questions = 0;
for (let round = 0; round < ROUNDS; round++) {
  bases.push(await alone());
  const result = await followed();
  withPage.push(result.perSecond);
  heard.push(result.heard);
  questions += result.questions;
}
report({
  ...{ bench: 'inspector', actors: ACTORS, rounds: ROUNDS },
  alonePerSecond: median(bases),
  followedPerSecond: median(withPage),
  ratio: median(withPage.map((each, round) => each / (bases[round] ?? Number.NaN))),
  usEach: median(withPage.map((each, round) => 1e6 / each - 1e6 / (bases[round] ?? Number.NaN))),
  heard: median(heard),
  questions: questions / ROUNDS,
});
