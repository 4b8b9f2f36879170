/** SIGHUP has the file read again; and what a restart then goes by. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliProcess } from '../support/cli-process.ts';
import { ask, place, running, start, versions, write } from '../support/config-runs.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const dir = makeTempDir('reload');
after(() => removeTempDir(dir));

test('SIGHUP reads the file again; what is wrong or needs a restart changes nothing; what was set stays', async (t) => {
  const one = place(dir, 'hangup');
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

test('a file that was found in the folder and is gone is no wish for the defaults', async (t) => {
  const folder = path.join(dir, 'gone');
  mkdirSync(folder);
  const file = path.join(folder, 'bulkhead.yaml');
  const one = { folder: path.join(folder, 'data'), file, env: {} };
  write(one, 'risk: { maxLeverage: 3 }\n');
  const run = new CliProcess(['run', '--data-dir', one.folder, '--json'], { cwd: folder });
  t.after(() => run.reap());
  await run.said(/"event":"running"/);
  rmSync(file);
  run.kill('SIGHUP');
  await run.said(/SIGHUP: There is no configuration file .*gone\/bulkhead\.yaml/, 'stderr');
  write(one, 'risk: { maxLeverage: 4 }\n');
  run.kill('SIGHUP');
  await run.said(/SIGHUP: configuration: version 2, risk\.maxLeverage 3 → 4/, 'stderr');
});
