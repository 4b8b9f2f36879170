/** The first thing anybody does: `npm start` in an empty folder, nothing configured, nothing installed beside. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { CliProcess, cli } from '../support/cli-process.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const FIRST_TRADE_MS = 60_000;

interface Status {
  readonly state: string;
  readonly alive: boolean;
  readonly virtualTime: number;
  readonly market: { readonly name: string; readonly seed: number; readonly symbols: readonly string[] };
  readonly journal: { readonly durableN: number };
  readonly trades: { readonly count: number };
  readonly tree: object | null;
}

describe('npm start', () => {
  const cwd = makeTempDir('demo');
  after(() => removeTempDir(cwd));
  const status = async (): Promise<Status> =>
    JSON.parse((await cli(['status', '--json'], { cwd })).stdout) as Status;
  let first: Status;

  test('trades within a minute, and says where its data lies', async () => {
    const startedAt = Date.now();
    const run = new CliProcess(['run'], { cwd });
    try {
      await run.said(/^\d{4}-\d\d-\d\d \d\d:\d\d.* closed \w+ (long|short) .* USDT \(.+\)$/m);
      assert.ok(Date.now() - startedAt < FIRST_TRADE_MS, `${Date.now() - startedAt} ms`);
      const health = await cli(['status', '--health'], { cwd });
      assert.deepEqual([health.code, health.stdout], [0, 'healthy\n']);
      const live = await status();
      assert.deepEqual([live.state, live.alive], ['running', true]);
      assert.ok(live.tree, 'the supervisor tree');
      run.kill('SIGTERM');
      const end = await run.ended;
      assert.equal(end.code, 143, run.tail());
      assert.match(end.stdout, /Everything is committed in .*\.bulkhead; the same command goes on from here/);
      assert(!end.stdout.includes('\u001b'), 'no screen codes where no terminal is');
    } finally {
      await run.reap();
    }
    assert.deepEqual(readdirSync(cwd), ['.bulkhead'], 'nothing is written anywhere else');
    assert.ok(existsSync(path.join(cwd, '.bulkhead', 'status.json')));
  });

  test('its status outlives it', async () => {
    first = await status();
    assert.deepEqual([first.state, first.alive], ['stopped', false]);
    assert.ok(first.trades.count >= 1 && first.journal.durableN > 0);
    assert.equal(first.market.name, 'synthetic');
    const text = await cli(['status'], { cwd });
    assert.equal(text.code, 0);
    assert.match(text.stdout, /Bulkhead .* demo · stopped/);
    assert.match(text.stdout, new RegExp(`seed ${first.market.seed}`));
    assert.match(text.stdout, /root /);
    const health = await cli(['status', '--health'], { cwd });
    assert.deepEqual([health.code, health.stdout], [1, 'stopped\n']);
    assert.equal((await cli(['doctor'], { cwd })).code, 0);
  });

  test('started again it goes on: the same market, later', async () => {
    const run = new CliProcess(['run', '--json'], { cwd });
    try {
      const [, seed] = await run.said(/"event":"running".*"seed":(\d+)/);
      assert.equal(Number(seed), first.market.seed);
      run.kill('SIGTERM');
      assert.equal((await run.ended).code, 143, run.tail());
    } finally {
      await run.reap();
    }
    const second = await status();
    assert.ok(second.virtualTime >= first.virtualTime, `${second.virtualTime} after ${first.virtualTime}`);
    assert.ok(second.journal.durableN >= first.journal.durableN);
    assert.ok(second.trades.count >= first.trades.count);
    const verified = await cli(['replay', '--verify', '--json'], { cwd });
    assert.equal(verified.code, 0, verified.stderr);
  });
});
