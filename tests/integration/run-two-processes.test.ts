/** One account, one process: the second refuses, or waits; the one that was taken over can write nothing more. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import pg from 'pg';
import { CliProcess, cli, errorOf, jsonLines } from '../support/cli-process.ts';
import { exportsOf, type Outcome, type RunCase, runWithKills } from '../support/kill-run.ts';
import { startPostgres } from '../support/postgres.ts';
import { writeSmallRecording } from '../support/small-recording.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const TTL_MS = 2_000;

const dir = makeTempDir('two');
const recording = path.join(dir, 'recording');
const server = await startPostgres({ durable: true });
let calm: Outcome;

before(async () => {
  await writeSmallRecording(recording);
  calm = await runWithKills(
    { recording, dataDir: path.join(dir, 'calm') },
    { kills: 0, seed: 1, longestMs: 1 },
  );
});
after(async () => {
  if (typeof server !== 'string') await server.stop();
  removeTempDir(dir);
});

const runArgs = (dataDir: string, ...more: string[]): string[] => [
  ...['run', '--recording', recording, '--json', '--data-dir', path.join(dir, dataDir)],
  ...more,
];

function start(t: TestContext, args: string[], env: Record<string, string> = {}): CliProcess {
  const run = new CliProcess(args, { env });
  t.after(() => run.reap());
  return run;
}

test('a data folder in use is refused, with the process that uses it', async (t) => {
  const first = start(t, runArgs('folder', '--speed', '1'));
  await first.said(/"running"/);
  const second = await cli(runArgs('folder', '--speed', '1'));
  assert.equal(second.code, 75);
  const { code, message, hint } = errorOf(second);
  assert.equal(code, 'STORE_LOCKED');
  assert.match(message, new RegExp(`process ${first.pid}\\b`));
  assert.match(hint, /--data-dir/);
  const beside = await cli(['export', 'trades', '--data-dir', path.join(dir, 'folder')]);
  assert.equal(beside.code, 75, 'the embedded store has one reader too');
  const status = await cli(['status', '--health', '--data-dir', path.join(dir, 'folder')]);
  assert.equal(status.code, 0, status.stdout);
});

describe('on one PostgreSQL account', { skip: typeof server === 'string' ? server : false }, () => {
  assert.ok(typeof server !== 'string');
  const newDatabase = (): Promise<string> => server.createDatabase();
  const environment = (databaseUrl: string): Record<string, string> => ({
    BULKHEAD_STORE_ENGINE: 'postgres',
    BULKHEAD_DATABASE_URL: databaseUrl,
    BULKHEAD_LEASE_TTL_MS: String(TTL_MS),
  });
  const toTheEnd = ['--speed', 'max', '--until-end'];

  async function leader(t: TestContext, name: string): Promise<{ run: CliProcess; url: string }> {
    const url = await newDatabase();
    const run = start(t, runArgs(`${name}-leader`, ...toTheEnd), environment(url));
    await run.said(/("event":"trade"[\s\S]*){2}/);
    return { run, url };
  }

  /** Waits beside the leader, in a folder of its own. */
  const standby = (t: TestContext, name: string, url: string): CliProcess =>
    start(t, runArgs(`${name}-standby`, ...toTheEnd, '--standby'), environment(url));

  async function sameEnd(run: CliProcess, runCase: RunCase): Promise<void> {
    const end = await run.ended;
    assert.equal(end.code, 0, run.tail());
    const summary = jsonLines(end).at(-1);
    for (const key of ['rows', 'wallet', 'equity', 'trades'])
      assert.equal(summary?.[key], calm.summary[key], key);
    const { texts } = exportsOf(runCase);
    for (const [kind, text] of Object.entries(calm.texts)) assert.equal(texts[kind], text, `${kind} differ`);
  }

  async function epochs(url: string): Promise<{ epoch: number; first: number; last: number }[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const sql = `select epoch::int, min(n)::int "first", max(n)::int "last" from bulkhead.journal
                 group by epoch order by epoch`;
    const { rows } = await client.query<{ epoch: number; first: number; last: number }>(sql);
    await client.end();
    return rows;
  }

  test('the second is refused', async (t) => {
    const url = await newDatabase();
    const first = start(t, runArgs('held-first', '--speed', '1'), environment(url));
    await first.said(/"running"/);
    const second = await cli(runArgs('held-second', '--speed', '1'), { env: environment(url) });
    assert.equal(second.code, 75, second.stderr);
    const { code, message, hint } = errorOf(second);
    assert.equal(code, 'LEASE_HELD');
    assert.match(message, /Account main is traded by/);
    assert.match(hint, /standby/);
    assert.equal(first.isOver, false);
  });

  test('a standby takes over from a killed leader and comes to the same end', async (t) => {
    const { run, url } = await leader(t, 'killed');
    const other = standby(t, 'killed', url);
    run.kill('SIGKILL');
    await other.said(/"running"/);
    await sameEnd(other, { recording, dataDir: path.join(dir, 'killed-standby'), databaseUrl: url });
    const [first, second] = await epochs(url);
    assert.ok(first && second, 'both wrote');
    assert.equal(second.first, first.last + 1);
  });

  test('a leader that froze and wakes after the takeover writes nothing and says why it ends', async (t) => {
    const { run, url } = await leader(t, 'frozen');
    run.kill('SIGSTOP');
    const other = standby(t, 'frozen', url);
    // It wakes in mid-step while the other one trades; the account must not notice.
    await other.said(/"event":"trade"/);
    run.kill('SIGCONT');
    const end = await run.ended;
    assert.equal(end.code, 75, run.tail());
    const { code, hint } = errorOf(end);
    assert.equal(code, 'FENCED');
    assert.ok(hint);
    await sameEnd(other, { recording, dataDir: path.join(dir, 'frozen-standby'), databaseUrl: url });
    const [first, second, ...more] = await epochs(url);
    assert.ok(first && second);
    assert.deepEqual(more, []);
    assert.equal(second.first, first.last + 1, 'no row of the old epoch after the first of the new');
  });

  test('a standby waits while the leader lives, takes over once it is dead, and leaves when told to', async (t) => {
    const url = await newDatabase();
    const first = start(t, runArgs('idle-leader', '--speed', '1'), environment(url));
    await first.said(/"running"/);
    const args = (name: string): string[] => runArgs(name, '--speed', '1', '--standby');
    const [second, third] = ['idle-second', 'idle-third'].map((name) =>
      start(t, args(name), environment(url)),
    );
    assert.ok(second && third);
    await Promise.all([second, third].map((run) => run.said(/waiting for the account/, 'stderr')));
    third.kill('SIGTERM');
    assert.equal((await third.ended).code, 143, third.tail());
    assert.doesNotMatch(third.stdout, /"running"/);
    assert.equal(first.isOver, false);
    first.kill('SIGKILL');
    await second.said(/"running"/);
    second.kill('SIGTERM');
    assert.equal((await second.ended).code, 143, second.tail());
  });
});
