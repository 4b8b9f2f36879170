/** A run with every secret set and the log at its most talkative tells none of them to anybody. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { CliProcess, cli } from '../support/cli-process.ts';
import { startPostgres } from '../support/postgres.ts';
import { writeSmallRecording } from '../support/small-recording.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const SECRETS = {
  apiKey: 'aPiKeY-4f9c1d7e2b',
  apiSecret: 'aPiSeCrEt-93b7a1c5d0',
  password: 'pAsSwOrD-c81e5f2a',
  redis: 'rEdIsPwD-77aa12b9',
};

const server = await startPostgres({ durable: true });

describe('secrets', { skip: typeof server === 'string' ? server : false }, () => {
  assert.ok(typeof server !== 'string');
  const dir = makeTempDir('secrets');
  const dataDir = path.join(dir, 'data');
  const said = new Map<string, string>();
  let env: Record<string, string>;

  before(async () => {
    const url = new URL(await server.createDatabase());
    url.password = SECRETS.password;
    env = {
      BULKHEAD_STORE_ENGINE: 'postgres',
      BULKHEAD_DATABASE_URL: url.href,
      BULKHEAD_REDIS_URL: `redis://:${SECRETS.redis}@localhost:6379`,
      BULKHEAD_API_KEY: SECRETS.apiKey,
      BULKHEAD_API_SECRET: SECRETS.apiSecret,
      BULKHEAD_LOG_LEVEL: 'trace',
    };
    const recording = await writeSmallRecording(path.join(dir, 'recording'));
    const run = new CliProcess(
      ['run', '--recording', recording, '--speed', 'max', '--json', '--data-dir', dataDir],
      { env },
    );
    try {
      await run.said(/"event":"trade"/);
      // Trouble is when secrets slip out: errors carry connection strings.
      await server.crash?.();
      await run.said(/journal halted/, 'stderr');
      await server.restart?.();
      await run.said(/takes rows again/, 'stderr');
      await run.said(/the recording is over/, 'stderr');
      if (existsSync(`/proc/${run.pid}/cmdline`))
        said.set('the command line', readFileSync(`/proc/${run.pid}/cmdline`, 'utf8'));
      run.kill('SIGTERM');
      assert.equal((await run.ended).code, 143, run.tail());
    } finally {
      await run.reap();
    }
    said.set('standard output of the run', run.stdout);
    said.set('standard error of the run', run.stderr);
    for (const entry of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.endsWith('.lock')) continue;
      const file = path.join(entry.parentPath, entry.name);
      said.set(path.relative(dataDir, file), readFileSync(file, 'utf8'));
    }
  });
  after(async () => {
    await server.stop();
    removeTempDir(dir);
  });

  function assertSilent(what: string, text: string): void {
    assert.notEqual(text, '', `${what} says something at all`);
    for (const [name, secret] of Object.entries(SECRETS))
      assert.equal(text.includes(secret), false, `${what} tells the ${name}`);
  }

  test('not in what a run writes', () => {
    assert.ok(said.has('status.json'), [...said.keys()].join());
    for (const [what, text] of said) assertSilent(what, text);
  });

  for (const kind of ['trades', 'orders', 'fills', 'equity', 'journal']) {
    test(`not in exported ${kind}`, async () => {
      const end = await cli(['export', kind, '--data-dir', dataDir], { env });
      assert.equal(end.code, 0, end.stderr);
      assertSilent(kind, end.stdout + end.stderr);
    });
  }

  for (const argv of [
    ['status'],
    ['status', '--json'],
    ['doctor'],
    ['migrate', '--json'],
    ['replay', '--json'],
  ]) {
    test(`not in ${argv.join(' ')}`, async () => {
      const end = await cli([...argv, '--data-dir', dataDir], { env });
      assert.equal(end.code, 0, end.stdout + end.stderr);
      assertSilent(argv.join(' '), end.stdout + end.stderr);
    });
  }

  test('not in the database', async () => {
    const client = new pg.Client({ connectionString: env.BULKHEAD_DATABASE_URL ?? '' });
    await client.connect();
    const { rows } = await client.query('select key, value from bulkhead.meta');
    await client.end();
    assertSilent('meta', JSON.stringify(rows));
  });

  test('not in errors: a refused connection, a live run without a venue', async () => {
    const refused = new URL(env.BULKHEAD_DATABASE_URL ?? '');
    refused.searchParams.set('host', path.join(dir, 'nobody-here'));
    const unreachable = await cli(['run', '--data-dir', dataDir], {
      env: { ...env, BULKHEAD_DATABASE_URL: refused.href },
    });
    assert.equal(unreachable.code, 69, unreachable.stderr);
    assertSilent('the error', unreachable.stderr);
    const live = await cli(['run', '--mode', 'live', '--data-dir', dataDir], { env });
    assert.equal(live.code, 78);
    assert.doesNotMatch(live.stderr, /BULKHEAD_API_KEY/, 'what is set is not missing');
    assertSilent('the refusal', live.stderr);
  });
});
