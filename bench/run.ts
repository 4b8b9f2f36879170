/**
 * Candles a second of a whole recorded run through the real tree: on the memory journal in this process, and on
 * the embedded store through the CLI as a person would start it (start-up included in `processSeconds`).
 *
 *     node run.cjs bench/run.ts [memory] [pglite] [postgres]
 *
 * The recording is BULKHEAD_DATA or ../shared/data; without one the generated market runs for some seconds.
 * `digest` is over the content of all rows: the same recording gives the same digest, however fast the run was.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { runCli } from '../src/app/cli/cli.ts';
import type { CreateStore, Io } from '../src/app/cli/io.ts';
import { run } from '../src/app/run/run.ts';
import { systemTime } from '../src/core/clock.ts';
import { MemoryDatabase, MemoryJournal } from '../src/journal/memory-journal.ts';
import { startPostgres } from '../tests/support/postgres.ts';
import { sharedData } from '../tests/support/shared-data.ts';
import { makeTempDir, removeTempDir } from '../tests/support/temp.ts';
import { median, report } from './measure.ts';
import { OTHER_COMMANDS } from './other-commands.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const GENERATED_MS = Number(process.env.BENCH_RUN_MS ?? 10_000);
const MAIN = fileURLToPath(new URL('../src/app/main.ts', import.meta.url));
const ACCOUNT = 'main';

interface Round {
  readonly summary: {
    readonly candles: number;
    readonly rows: number;
    readonly trades: number;
    readonly wallet: string;
    readonly seconds: number;
  };
  readonly processSeconds: number;
  readonly digest?: string;
}

const recording = sharedData();

function args(dataDir: string): string[] {
  const market = recording ? ['--recording', recording, '--until-end'] : ['--seed', '7'];
  return ['run', '--mode', 'demo', ...market, '--speed', 'max', '--json', '--data-dir', dataDir];
}

const summaryOf = (stdout: string): Round['summary'] => {
  const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Round['summary'] & { event: string };
  if (last.event !== 'summary') throw new Error(`the run ended without a summary: ${stdout.slice(-500)}`);
  return last;
};

/** A fixed instance, so that order ids and with them all rows are the same in every round. */
async function memoryStore(): Promise<{ create: CreateStore; digest: () => Promise<string> }> {
  const { clock } = systemTime();
  const database = new MemoryDatabase();
  const open = (): MemoryJournal => new MemoryJournal({ account: ACCOUNT, clock, database });
  const store = open();
  await store.open();
  const lease = await store.acquireLease('bench', 1_000);
  await store.setMeta(lease, 'instance', 'bench');
  await store.releaseLease(lease);
  const digest = async (): Promise<string> => {
    const hash = createHash('sha256');
    const contents = (await store.rowsAfter(0, Number.MAX_SAFE_INTEGER)).map(
      ({ actor, seq, at, kind, event, cause, snapshot, intents, host }) =>
        [actor, seq, at, kind, event, cause, snapshot, intents, host].join('\n'),
    );
    for (const content of contents) hash.update(content);
    return hash.digest('hex').slice(0, 16);
  };
  return { create: async () => open(), digest };
}

async function inProcess(): Promise<Round> {
  const dataDir = makeTempDir('bench');
  const { create, digest } = await memoryStore();
  let stdout = '';
  const io: Io = {
    stdout: { write: (text) => (stdout += text) },
    stderr: process.stderr,
    env: { BULKHEAD_LOG_LEVEL: 'warn' },
    cwd: process.cwd(),
    isTty: false,
    stderrIsTty: false,
    columns: 100,
    rows: 40,
    time: systemTime(),
    pid: process.pid,
  };
  const stopping = recording
    ? undefined
    : setTimeout(() => process.kill(process.pid, 'SIGTERM'), GENERATED_MS);
  const start = performance.now();
  await runCli(args(dataDir), io, { ...OTHER_COMMANDS, run: (options) => run(options, io, { create }) });
  const processSeconds = (performance.now() - start) / 1000;
  clearTimeout(stopping);
  removeTempDir(dataDir);
  return { summary: summaryOf(stdout), processSeconds, ...(recording ? { digest: await digest() } : {}) };
}

/** The CLI, as a process of its own. */
async function asProcess(env: NodeJS.ProcessEnv): Promise<Round> {
  const dataDir = makeTempDir('bench');
  const start = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args(dataDir)], {
    env: { ...process.env, BULKHEAD_LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stopping = recording ? undefined : setTimeout(() => child.kill('SIGTERM'), GENERATED_MS);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  await new Promise<void>((resolve) => child.once('close', () => resolve()));
  const processSeconds = (performance.now() - start) / 1000;
  clearTimeout(stopping);
  removeTempDir(dataDir);
  return { summary: summaryOf(stdout), processSeconds };
}

async function measure(journal: string, round: () => Promise<Round>): Promise<void> {
  const rounds: Round[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round());
  const of = (value: (round: Round) => number): number => median(rounds.map(value));
  const first = rounds[0] as Round;
  report({
    bench: 'run',
    journal,
    market: recording ? 'recorded' : 'generated',
    rounds: ROUNDS,
    candlesPerSecond: of(({ summary }) => summary.candles / summary.seconds),
    rowsPerSecond: of(({ summary }) => summary.rows / summary.seconds),
    seconds: of(({ summary }) => summary.seconds),
    processSeconds: of(({ processSeconds }) => processSeconds),
    candles: first.summary.candles,
    rows: first.summary.rows,
    trades: first.summary.trades,
    wallet: first.summary.wallet,
    digest: first.digest,
  });
}

const wanted = process.argv.slice(2);
const isWanted = (journal: string): boolean => wanted.length === 0 || wanted.includes(journal);

if (isWanted('memory')) await measure('memory', inProcess);
if (isWanted('pglite')) await measure('pglite', () => asProcess({}));
if (isWanted('postgres')) {
  const server = await startPostgres({ durable: true });
  if (typeof server === 'object') {
    await measure('postgres', async () =>
      asProcess({ BULKHEAD_STORE_ENGINE: 'postgres', BULKHEAD_DATABASE_URL: await server.createDatabase() }),
    );
    await server.stop();
  }
}
