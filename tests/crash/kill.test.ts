/** A run killed with SIGKILL at random moments ends exactly as one that nobody touched, on both stores. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type Outcome, type RunCase, runWithKills } from '../support/kill-run.ts';
import { startPostgres } from '../support/postgres.ts';
import { writeSmallRecording } from '../support/small-recording.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const KILLS = 6;
const SEED = 20_250_504;

const dir = makeTempDir('kill');
after(() => removeTempDir(dir));
const recording = path.join(dir, 'recording');
let calm: Outcome;

before(async () => {
  await writeSmallRecording(recording);
  calm = await runWithKills({ recording, dataDir: path.join(dir, 'calm') }, { ...NO_KILLS });
});

const NO_KILLS = { kills: 0, seed: SEED, longestMs: 1 };

/** So short that a run cannot reach its end before the last kill, on however fast a machine. */
const longestMs = (): number => Math.max(20, Math.floor((Number(calm.summary.seconds) * 1000) / (KILLS + 2)));

async function sameThroughKills(run: RunCase): Promise<void> {
  const killed = await runWithKills(run, { kills: KILLS, seed: SEED, longestMs: longestMs() });
  assert.equal(killed.kills, KILLS, `seed ${SEED}`);
  for (const [kind, text] of Object.entries(calm.texts))
    assert.equal(killed.texts[kind], text, `${kind} differ, seed ${SEED}`);
  for (const key of ['rows', 'wallet', 'equity', 'trades', 'openPositions', 'virtualTime'])
    assert.equal(killed.summary[key], calm.summary[key], `${key} differs, seed ${SEED}`);
}

test('the undisturbed run trades, so that there is something to lose', () => {
  assert.ok(Number(calm.summary.trades) >= 3);
  assert.ok(Number(calm.summary.rows) > 1_000);
  for (const [kind, text] of Object.entries(calm.texts)) assert.notEqual(text, '', kind);
});

test(`${KILLS} kills on the embedded store change nothing`, () =>
  sameThroughKills({ recording, dataDir: path.join(dir, 'embedded') }));

test(`${KILLS} kills on PostgreSQL change nothing`, async (t) => {
  const server = await startPostgres({ durable: true });
  if (typeof server === 'string') return t.skip(server);
  t.after(() => server.stop());
  await sameThroughKills({
    recording,
    dataDir: path.join(dir, 'postgres'),
    databaseUrl: await server.createDatabase(),
  });
});
