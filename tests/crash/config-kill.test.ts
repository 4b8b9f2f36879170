/** Real runs, really killed in the middle of a change, on both engines; SIGHUP; and what a restart then goes by. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliProcess, cli } from '../support/cli-process.ts';
import { startPostgres } from '../support/postgres.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const dir = makeTempDir('config');
after(() => removeTempDir(dir));

const KILLS = 2;
const server = await startPostgres({ durable: true });
after(async () => {
  if (typeof server !== 'string') await server.stop();
});

interface Place {
  readonly folder: string;
  readonly file: string;
  readonly env: Record<string, string>;
}

function place(name: string, env: Record<string, string> = {}): Place {
  const one = { folder: path.join(dir, name), file: path.join(dir, `${name}.yaml`), env };
  write(one, '');
  return one;
}

/** Slow enough to be up for as long as the test looks at it. */
const write = ({ file }: Place, more: string): void =>
  writeFileSync(file, `market: { seed: 7, symbols: [BTCUSDT, ETHUSDT], speed: 60, warmUpDays: 1 }\n${more}`);

const words = ({ folder, file }: Place): string[] => ['--data-dir', folder, '--config', file, '--json'];

async function start(t: TestContext, one: Place): Promise<CliProcess> {
  const run = new CliProcess(['run', ...words(one)], { env: one.env });
  t.after(() => run.reap());
  await run.said(/"event":"running"/);
  return run;
}

async function ask(one: Place, ...args: string[]) {
  const end = await cli(['config', ...args, ...words(one)], { env: one.env });
  return {
    ...end,
    lines: end.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  };
}

interface Line {
  readonly version: number;
  readonly by: string;
  readonly channel: string;
  readonly why: string;
  readonly changes: readonly { key: string; before: unknown; after: unknown }[];
}

const versions = async (one: Place): Promise<Line[]> => (await ask(one, 'versions', '500')).lines as Line[];

async function running(one: Place): Promise<number> {
  const end = await cli(['status', ...words(one)], { env: one.env });
  return (JSON.parse(end.stdout) as { configuration: { version: number } }).configuration.version;
}

async function survives(t: TestContext, one: Place): Promise<void> {
  let run = await start(t, one);
  assert.equal(await running(one), 1);
  for (let kill = 1; kill <= KILLS; kill++) {
    const asking = new CliProcess(
      ['config', 'set', `risk.maxLeverage=${10 + kill}`, '--reason', `kill ${kill}`, ...words(one)],
      { env: one.env },
    );
    // From the word's arrival on, at another moment each time.
    const folder = path.join(one.folder, 'requests');
    while (!asking.isOver && !list(folder).some((name) => name.endsWith('.json'))) await sleep(5);
    await sleep(kill * 170);
    run.kill('SIGKILL');
    await run.ended;
    await asking.reap();
    run = await start(t, one);
    // Told again by the file that was left: done once.
    while (list(folder).some((name) => name.endsWith('.json'))) await sleep(20);
    const [newest, ...older] = await versions(one);
    assert.equal(newest?.version, kill + 1, 'one change, one version');
    assert.equal(older.length, kill);
    assert.deepEqual([newest?.channel, newest?.why], ['cli', `kill ${kill}`]);
    while ((await running(one)) !== newest?.version) await sleep(50);
  }
  const rolled = await ask(one, 'rollback', '2', '--reason', 'as it was');
  assert.equal(rolled.code, 0, rolled.stderr);
  const [newest] = await versions(one);
  assert.deepEqual(newest?.changes, [{ key: 'risk.maxLeverage', before: 10 + KILLS, after: 11 }]);
  run.kill('SIGTERM');
  await run.ended;
  assert.equal((await ask(one, 'show')).lines[0]?.config.risk.maxLeverage, 11);
  const verified = await cli(['replay', '--verify', ...words(one)], { env: one.env });
  assert.equal(verified.code, 0, verified.stderr);
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

describe('killed in the middle of a change', () => {
  test('the embedded store', (t) => survives(t, place('embedded')));
  test('PostgreSQL', { skip: typeof server === 'string' ? server : false }, (t) =>
    survives(
      t,
      place('postgres', {
        BULKHEAD_STORE_ENGINE: 'postgres',
        BULKHEAD_DATABASE_URL: typeof server === 'string' ? '' : server.url,
        BULKHEAD_ACCOUNT: `config-${randomUUID().slice(0, 8)}`,
      }),
    ),
  );
});

test('SIGHUP reads the file again; what is wrong or needs a restart changes nothing; what was set stays', async (t) => {
  const one = place('hangup');
  let run = await start(t, one);
  const hangUp = async (more: string, says: RegExp): Promise<void> => {
    write(one, more);
    run.kill('SIGHUP');
    await run.said(says, 'stderr');
  };
  await ask(one, 'set', 'log.level=warn', 'risk.maxLeverage=9', '--reason', 'less talk');
  write(one, 'risk: { maxTotalExposure: 2 }\n');
  run.kill('SIGHUP');
  // Its log is at "warn" now: what it did shows in the versions.
  while ((await running(one)) < 3) await sleep(50);
  const [third] = await versions(one);
  assert.deepEqual([third?.by, third?.channel], ['SIGHUP', 'signal']);
  assert.deepEqual(third?.changes, [{ key: 'risk.maxTotalExposure', before: '3', after: '2' }]);
  await hangUp('risk: { maxTotalExposure: 2000 }\n', /SIGHUP: The configuration is wrong.*maxTotalExposure/);
  await hangUp(
    'risk: { maxTotalExposure: 1 }\nhttp: { port: 9999 }\n',
    /SIGHUP: .*cannot change while it runs.*http\.port/,
  );
  assert.equal((await versions(one)).length, 3);
  run.kill('SIGTERM');
  assert.equal((await run.ended).code, 143);
  // Without a run the words are done at once, and the next start takes up what the file says by then.
  const offline = await ask(one, 'set', 'log.level=info', '--reason', 'talk again');
  assert.equal(offline.code, 0, offline.stderr);
  run = await start(t, one);
  const [newest, fourth] = await versions(one);
  assert.equal(fourth?.why, 'talk again');
  assert.equal(newest?.channel, 'start');
  assert.match(newest?.why ?? '', /started with other risk\.maxTotalExposure, http\.port/);
  const shown = (await ask(one, 'show')).lines[0];
  assert.deepEqual(
    [shown.config.risk.maxTotalExposure, shown.config.risk.maxLeverage, shown.config.http.port],
    ['1', 9, 9999],
    'what was set survives, what was edited counts',
  );
  const refused = await ask(one, 'set', 'account=other', '--reason', 'no');
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /a journal belongs to one account/);
  const secret = await ask(one, 'set', 'telegram.token=110201543:SECRETSECRET', '--reason', 'no');
  assert.equal(secret.code, 78);
  assert.doesNotMatch(secret.stdout + secret.stderr, /SECRETSECRET/);
  run.kill('SIGTERM');
  await run.ended;
});
