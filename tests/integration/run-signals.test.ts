/** How a run ends when it is asked to, and what it writes meanwhile. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { CliProcess, cli, jsonLines } from '../support/cli-process.ts';
import { ROOT } from '../support/house/source-files.ts';
import { exportsOf, type Outcome, runWithKills } from '../support/kill-run.ts';
import { writeSmallRecording } from '../support/small-recording.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const dir = makeTempDir('signals');
const recording = path.join(dir, 'recording');
let calm: Outcome;

before(async () => {
  await writeSmallRecording(recording);
  calm = await runWithKills(
    { recording, dataDir: path.join(dir, 'calm') },
    { kills: 0, seed: 1, longestMs: 1 },
  );
});
after(() => removeTempDir(dir));

const args = (dataDir: string, ...more: string[]): string[] => [
  ...['run', '--recording', recording, '--speed', 'max', '--data-dir', path.join(dir, dataDir)],
  ...more,
];

function start(t: TestContext, argv: string[]): CliProcess {
  const run = new CliProcess(argv);
  t.after(() => run.reap());
  return run;
}

async function statusOf(dataDir: string): Promise<Record<string, unknown>> {
  const end = await cli(['status', '--json', '--data-dir', path.join(dir, dataDir)]);
  assert.equal(end.code, 0, end.stderr);
  return JSON.parse(end.stdout) as Record<string, unknown>;
}

/** Stops a run in the middle of its trading; returns how many rows it left. */
async function stopped(t: TestContext, signal: NodeJS.Signals, code: number): Promise<number> {
  const run = start(t, args(signal, '--until-end', '--json'));
  await run.said(/"event":"trade"/);
  run.kill(signal);
  const end = await run.ended;
  assert.equal(end.code, code, run.tail());
  const summary = jsonLines(end).at(-1);
  assert.equal(summary?.reason, 'stopped');
  const rows = Number(summary?.rows);
  assert.ok(rows > 0 && rows < Number(calm.summary.rows), `stopped in the middle: ${rows}`);
  const status = await statusOf(signal);
  const { durableN } = status.journal as { durableN: number };
  assert.deepEqual([status.state, status.alive, durableN], ['stopped', false, rows]);
  return rows;
}

test('SIGTERM drains and commits; the same command goes on to the same end', async (t) => {
  const rows = await stopped(t, 'SIGTERM', 143);
  const next = await cli(args('SIGTERM', '--until-end', '--json'));
  assert.equal(next.code, 0, next.stderr);
  const lines = jsonLines(next);
  assert.equal(lines[0]?.event, 'running');
  assert.match(String(lines[0]?.virtualTime), /^2025-01-0\d/, 'a resumed run knows what time it is there');
  const last = lines.at(-1);
  assert.equal(Number(last?.rowsThisRun) + rows, calm.summary.rows);
  assert.equal(last?.wallet, calm.summary.wallet);
  const { texts } = exportsOf({ recording, dataDir: path.join(dir, 'SIGTERM') });
  for (const [kind, text] of Object.entries(calm.texts)) assert.equal(texts[kind], text, `${kind} differ`);
});

test('SIGINT drains and commits', async (t) => void (await stopped(t, 'SIGINT', 130)));

test('a launcher that is killed outright takes its program along, which drains and commits', async (t) => {
  const run = new CliProcess(args('orphan', '--json'), { main: path.join(ROOT, 'run.cjs') });
  t.after(() => run.reap());
  await run.said(/"event":"trade"/);
  run.kill('SIGKILL');
  // The program has the same pipes: this is its end, too.
  const end = await run.ended;
  assert.equal(end.signal, 'SIGKILL');
  assert.equal(jsonLines(end).at(-1)?.reason, 'stopped', run.tail());
  // Whether it is alive depends here on who buries orphans: a container without an init leaves them.
  assert.equal((await statusOf('orphan')).state, 'stopped');
});

test('without --until-end the last state stays up until a signal', async (t) => {
  const run = start(t, args('stays', '--json'));
  await run.said(/the recording is over/, 'stderr');
  assert.equal((await cli(['status', '--health', '--data-dir', path.join(dir, 'stays')])).code, 0);
  run.kill('SIGTERM');
  const end = await run.ended;
  assert.equal(end.code, 143, run.tail());
  assert.equal(jsonLines(end).at(-1)?.rows, calm.summary.rows);
  const again = await cli(args('stays', '--until-end', '--json'));
  assert.equal(again.code, 0, again.stderr);
  const summary = jsonLines(again).at(-1);
  assert.equal(summary?.rows, calm.summary.rows, 'a finished recording has nothing more to say');
  assert.equal(summary?.wallet, calm.summary.wallet);
});

describe('what is written', () => {
  test('--json: every line is JSON, one for each trade', async () => {
    const end = await cli(args('json', '--until-end', '--json'));
    const lines = jsonLines(end);
    const count = (event: string): number => lines.filter((line) => line.event === event).length;
    assert.deepEqual([count('running'), count('summary')], [1, 1]);
    assert.equal(count('trade'), calm.summary.trades);
    assert.equal(lines.length, count('trade') + 2);
    for (const line of end.stderr.split('\n').filter(Boolean)) JSON.parse(line);
  });

  test('--quiet: nothing at all while nothing is wrong', async () => {
    const end = await cli(args('quiet', '--until-end', '--quiet'));
    assert.deepEqual([end.code, end.stdout, end.stderr], [0, '', '']);
    const wrong = await cli(['run', '--quiet', '--recording', path.join(dir, 'none')]);
    assert.equal(wrong.code, 66);
    assert.match(wrong.stderr, /INPUT_MISSING/);
    assert.equal(wrong.stdout, '');
  });

  test('plain: trades as they close and the account at the end', async () => {
    const { code, stdout } = await cli(args('plain', '--until-end'));
    assert.equal(code, 0);
    assert.equal(stdout.match(/ closed \w+USDT (long|short) /g)?.length, calm.summary.trades);
    assert.match(stdout, /Equity 10,\d{3}\.\d\d USDT/);
    assert.match(stdout, /Everything is committed in .*plain; the same command goes on from here\.\n$/);
  });
});
