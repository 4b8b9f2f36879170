/**
 * The full count of kills, as a command: `npm run soak:kill -- --kills 100 --store embedded`.
 * Prints one JSON line and exits 1 when the killed run differs from the uninterrupted one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type RunCase, runWithKills } from '../support/kill-run.ts';
import { startPostgres } from '../support/postgres.ts';
import { sharedData } from '../support/shared-data.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    store: { type: 'string', default: 'embedded' },
    seed: { type: 'string', default: '1' },
    symbols: { type: 'string' },
    recording: { type: 'string' },
    'longest-ms': { type: 'string', default: '900' },
  },
});

const recording = values.recording ?? sharedData();
if (recording === undefined) throw new Error('name a recording with --recording, or set BULKHEAD_DATA');
const dir = mkdtempSync(join(tmpdir(), 'bulkhead-kill-'));
const server = values.store === 'postgres' ? await startPostgres({ durable: true }) : undefined;
if (typeof server === 'string') throw new Error(server);
const symbols = values.symbols?.split(',');

const caseOf = async (name: string): Promise<RunCase> => ({
  recording,
  dataDir: join(dir, name),
  ...(symbols ? { symbols } : {}),
  ...(server ? { databaseUrl: await server.createDatabase() } : {}),
});

try {
  const startedAt = performance.now();
  const seed = Number(values.seed);
  const calm = await runWithKills(await caseOf('calm'), { kills: 0, seed, longestMs: 1 });
  const killed = await runWithKills(await caseOf('killed'), {
    kills: Number(values.kills),
    seed,
    longestMs: Number(values['longest-ms']),
    onKill: (kill) => {
      if (kill % 10 === 0) process.stderr.write(`${kill} kills\n`);
    },
  });
  const differing = Object.keys(calm.digests).filter((kind) => calm.digests[kind] !== killed.digests[kind]);
  const { wallet, trades, rows } = killed.summary;
  const line = {
    soak: 'kill',
    store: values.store,
    seed,
    kills: killed.kills,
    starts: killed.starts,
    wallet,
    calmWallet: calm.summary.wallet,
    trades,
    rows,
    calmRows: calm.summary.rows,
    differing,
    same: differing.length === 0 && wallet === calm.summary.wallet && rows === calm.summary.rows,
    digests: killed.digests,
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  process.exitCode = line.same ? 0 : 1;
} finally {
  await server?.stop();
  rmSync(dir, { recursive: true, force: true });
}
