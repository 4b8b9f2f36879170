/** What the whole program does when its PostgreSQL goes away in mid-run, and comes back, or does not. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CliProcess, jsonLines } from '../support/cli-process.ts';
import { exportsOf, type Outcome, type RunCase, runWithKills } from '../support/kill-run.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { PostgresProxy } from '../support/postgres-proxy.ts';
import { writeSmallRecording } from '../support/small-recording.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const server: PostgresServer | string = await startPostgres({ durable: true });

describe('PostgreSQL in trouble', { skip: typeof server === 'string' ? server : false }, () => {
  assert.ok(typeof server !== 'string');
  const { crash, restart } = server;
  assert.ok(crash && restart, 'a server of our own');
  const dir = makeTempDir('database');
  const recording = path.join(dir, 'recording');
  let calm: Outcome;

  before(async () => {
    await writeSmallRecording(recording);
    const run = { recording, dataDir: path.join(dir, 'calm') };
    calm = await runWithKills(run, { kills: 0, seed: 1, longestMs: 1 });
  });
  after(async () => {
    await server.stop();
    removeTempDir(dir);
  });

  const caseOf = async (name: string): Promise<RunCase & { databaseUrl: string }> => ({
    recording,
    dataDir: path.join(dir, name),
    databaseUrl: await server.createDatabase(),
  });

  function start(
    t: TestContext,
    { dataDir }: RunCase,
    url: string,
    env: Record<string, string> = {},
  ): CliProcess {
    const args = ['run', '--recording', recording, '--speed', 'max', '--until-end', '--json'];
    const run = new CliProcess([...args, '--data-dir', dataDir], {
      env: { BULKHEAD_STORE_ENGINE: 'postgres', BULKHEAD_DATABASE_URL: url, ...env },
    });
    t.after(() => run.reap());
    return run;
  }

  async function sameEnd(run: CliProcess, runCase: RunCase): Promise<void> {
    const end = await run.ended;
    assert.equal(end.code, 0, run.tail());
    const summary = jsonLines(end).at(-1);
    for (const key of ['rows', 'wallet', 'equity', 'trades'])
      assert.equal(summary?.[key], calm.summary[key], key);
    const { texts } = exportsOf(runCase);
    for (const [kind, text] of Object.entries(calm.texts)) assert.equal(texts[kind], text, `${kind} differ`);
  }

  test('a server that crashes twice in mid-run costs nothing but time', async (t) => {
    const runCase = await caseOf('crashed');
    const run = start(t, runCase, runCase.databaseUrl);
    for (const crashes of [1, 2]) {
      await run.said(new RegExp(`("event":"trade"[^]*){${crashes}}`));
      await crash();
      await run.said(new RegExp(`(journal halted[^]*){${crashes}}`), 'stderr');
      await restart();
      await run.said(new RegExp(`(the journal takes rows again[^]*){${crashes}}`), 'stderr');
    }
    await sameEnd(run, runCase);
  });

  for (const cut of ['before', 'after'] as const) {
    test(`a connection cut ${cut} a commit loses nothing and doubles nothing`, async (t) => {
      const runCase = await caseOf(`cut-${cut}`);
      const proxy = new PostgresProxy(server.url);
      t.after(() => proxy.stop());
      const run = start(t, runCase, await proxy.start(runCase.databaseUrl));
      await run.said(/"running"/);
      // An order on its way out, then the fill that follows it.
      for (const [cuts, text] of [
        [1, 'order.submit'],
        [2, 'ORDER_FILLED'],
      ] as const) {
        proxy.cutAt(cut, text);
        await run.said(new RegExp(`(the journal takes rows again[^]*){${cuts}}`), 'stderr');
        assert.equal(proxy.cuts, cuts);
      }
      await sameEnd(run, runCase);
    });
  }

  describe('while it is away', () => {
    /** A run whose server is gone, so that it cannot drain. */
    async function stranded(t: TestContext, name: string, deadlineMs: string) {
      const runCase = await caseOf(name);
      const env = { BULKHEAD_SHUTDOWN_DEADLINE_MS: deadlineMs };
      const run = start(t, runCase, runCase.databaseUrl, env);
      await run.said(/"event":"trade"/);
      await crash?.();
      await run.said(/journal halted/, 'stderr');
      run.kill('SIGTERM');
      await run.said(/SIGTERM: draining/, 'stderr');
      return { run, runCase };
    }

    test('a drain that cannot succeed ends with its deadline; a restart goes on', async (t) => {
      const { run, runCase } = await stranded(t, 'deadline', '400');
      assert.equal((await run.ended).code, 143, run.tail());
      assert.match(run.stderr, /the shutdown deadline is over/);
      await restart();
      await sameEnd(start(t, runCase, runCase.databaseUrl), runCase);
    });

    test('a second signal ends it at once; a restart goes on', async (t) => {
      const { run, runCase } = await stranded(t, 'second', '600000');
      // Within a second of the first it would count as the terminal's echo of it.
      await delay(1_200);
      assert.equal(run.isOver, false, run.tail());
      run.kill('SIGTERM');
      assert.equal((await run.ended).code, 143, run.tail());
      assert.doesNotMatch(run.stderr, /the shutdown deadline is over/);
      await restart();
      await sameEnd(start(t, runCase, runCase.databaseUrl), runCase);
    });

    test('a run that cannot reach it says so, and what to do', async (t) => {
      const runCase = await caseOf('unreachable');
      await crash();
      t.after(restart);
      const run = start(t, runCase, runCase.databaseUrl);
      assert.equal((await run.ended).code, 69, run.tail());
      assert.match(run.stderr, /STORE_UNAVAILABLE/);
      assert.match(run.stderr, /Check that the database runs/);
    });
  });
});
