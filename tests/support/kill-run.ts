/**
 * Runs the recorded demo as a process of its own, kills it with SIGKILL at random moments, starts it again, and
 * says what came out. Order ids carry the installation's own identity, so they are masked before comparing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/core/random.ts';

const MAIN = fileURLToPath(new URL('../../src/app/main.ts', import.meta.url));

export interface RunCase {
  readonly recording: string;
  readonly dataDir: string;
  readonly symbols?: readonly string[];
  /** PostgreSQL instead of the embedded store. */
  readonly databaseUrl?: string;
  readonly account?: string;
}

export interface Outcome {
  readonly summary: Record<string, unknown>;
  /** sha256 of each export, order ids masked. */
  readonly digests: Readonly<Record<string, string>>;
  readonly texts: Readonly<Record<string, string>>;
  readonly kills: number;
  readonly starts: number;
}

export function environment({ databaseUrl, account }: RunCase): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, BULKHEAD_LOG_LEVEL: 'warn' };
  delete env.DATABASE_URL;
  if (databaseUrl !== undefined)
    Object.assign(env, { BULKHEAD_STORE_ENGINE: 'postgres', BULKHEAD_DATABASE_URL: databaseUrl });
  if (account !== undefined) env.BULKHEAD_ACCOUNT = account;
  return env;
}

function runArgs({ recording, dataDir, symbols }: RunCase): string[] {
  const args = [
    MAIN,
    'run',
    '--mode',
    'demo',
    '--recording',
    recording,
    '--speed',
    'max',
    '--until-end',
    '--json',
  ];
  return [...args, '--data-dir', dataDir, ...(symbols ? ['--symbols', symbols.join(',')] : [])];
}

interface Attempt {
  readonly killed: boolean;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the run; kills it `killAfterMs` after it says that it is running (or after its start, when `early`). */
function attempt(run: RunCase, killAfterMs: number | undefined, early: boolean): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, runArgs(run), {
      env: environment(run),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let timer: NodeJS.Timeout | undefined;
    let killed = false;
    const arm = (): void => {
      if (killAfterMs === undefined || timer) return;
      timer = setTimeout(() => {
        killed = child.kill('SIGKILL');
      }, killAfterMs);
    };
    if (early) arm();
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      if (chunk.includes('"running"')) arm();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-4_000);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ killed: killed && signal === 'SIGKILL', code, stdout, stderr });
    });
  });
}

export interface KillPlan {
  readonly kills: number;
  readonly seed: number;
  /** Longest time a run may live after it is up, ms. */
  readonly longestMs: number;
  readonly onKill?: (kill: number) => void;
}

/** Runs to the end of the recording, through as many kills as planned. */
export async function runWithKills(run: RunCase, plan: KillPlan): Promise<Outcome> {
  const random = seededRandom(plan.seed);
  let kills = 0;
  for (let starts = 1; ; starts++) {
    const early = random.next() < 0.15;
    const killAfterMs = kills < plan.kills ? random.int(early ? 1_500 : plan.longestMs) : undefined;
    const { killed, code, stdout, stderr } = await attempt(run, killAfterMs, early);
    if (killed) {
      kills += 1;
      plan.onKill?.(kills);
      continue;
    }
    if (code !== 0) throw new Error(`start ${starts} ended with ${code}: ${stderr}`);
    const last = stdout.trim().split('\n').at(-1) ?? '';
    return { summary: JSON.parse(last) as Record<string, unknown>, ...exportsOf(run), kills, starts };
  }
}

const KINDS = ['trades', 'orders', 'fills', 'equity'] as const;

/** What a finished run exports. */
export function exportsOf(run: RunCase): Pick<Outcome, 'digests' | 'texts'> {
  const digests: Record<string, string> = {};
  const texts: Record<string, string> = {};
  for (const kind of KINDS) {
    const args = [MAIN, 'export', kind, '--format', 'json', '--data-dir', run.dataDir];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      env: environment(run),
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    if (status !== 0) throw new Error(`export ${kind}: ${stderr}`);
    const text = stdout.replaceAll(/bh-[a-z2-7]{25}/g, 'bh-…');
    texts[kind] = text;
    digests[kind] = createHash('sha256').update(text).digest('hex');
  }
  return { digests, texts };
}
