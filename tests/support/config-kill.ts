/** One change of the configuration after the other, the run killed at another moment of each. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { leaveRequest } from '../../src/app/requests/person-requests.ts';
import type { ConfigCommand } from '../../src/operator/command.ts';
import { type CliProcess, cli, jsonLines } from './cli-process.ts';
import { ask, at, type Place, running, start, versions, words } from './config-runs.ts';

const MAIN = fileURLToPath(new URL('./config-kill-main.ts', import.meta.url));

/** What was stated before, is on its way, or was answered; files before and after they appear. */
const MOMENTS = [
  ...['version, before', 'version, sent', 'version, after', 'copy, after'],
  ...[
    'CONFIG, before',
    'CONFIG, sent',
    'CONFIG, after',
    'COMMAND, before',
    'COMMAND, sent',
    'COMMAND, after',
  ],
  ...['answer, before', 'answer, after', 'request gone'],
];

const startedFor = (t: TestContext, one: Place, moment = 'none'): Promise<CliProcess> =>
  start(t, one, { main: MAIN, env: { KILL_AT: moment } });

/** One change for each moment, killed there; and one that is left alone. */
export async function survives(t: TestContext, one: Place): Promise<void> {
  const requests = path.join(one.folder, 'requests');
  let run = await startedFor(t, one, MOMENTS[0]);
  for (const [i, moment] of [...MOMENTS, 'none'].entries()) {
    run.kill('SIGUSR2');
    await run.said(/^armed$/m, 'stderr');
    leaveRequest(one.folder, { command: change(i), by: 'ann', at: Date.now() });
    if (moment === 'none') break;
    // Whoever dies says nothing more.
    const isDone = await run.said(/^all done$/m, 'stderr').then(
      () => true,
      () => false,
    );
    assert.ok(!isDone && run.isOver, `never there: ${moment}`);
    assert.equal((await run.ended).signal, 'SIGKILL', moment);
    run = await startedFor(t, one, MOMENTS[i + 1]);
    // Told again by the file that was left: done once.
    while (list(requests).some((name) => name.endsWith('.json'))) await sleep(20);
  }
  await run.said(/^all done$/m, 'stderr');
  const [newest, ...older] = await versions(one);
  assert.equal(older.length, MOMENTS.length + 1, 'one change, one version');
  assert.deepEqual([newest?.by, newest?.channel, newest?.why], ['ann', 'cli', `change ${MOMENTS.length}`]);
  while ((await running(one)) !== newest?.version) await sleep(50);
  const rolled = await ask(one, 'rollback', '2', '--reason', 'as it was');
  assert.equal(rolled.code, 0, rolled.stderr);
  run.kill('SIGTERM');
  await run.ended;
  assert.equal((await ask(one, 'show')).lines[0]?.config.risk.maxLeverage, 10);
  const verified = await cli(['replay', '--verify', ...words(one)], { env: one.env });
  assert.equal(verified.code, 0, verified.stderr);
  const exported = await cli(['export', 'journal', '--format', 'json', ...at(one)], { env: one.env });
  everyActorHeard(jsonLines(exported), MOMENTS.length + 3);
}

/** Of each version whoever goes by it has one row: whatever died, nobody missed one or heard it twice. */
function everyActorHeard(rows: readonly Record<string, unknown>[], newest: number): void {
  const heard = new Map<number, string[]>();
  for (const { event, actor } of rows) {
    const { type, version } = (typeof event === 'string' ? JSON.parse(event) : event) as Record<
      string,
      unknown
    >;
    if (type === 'CONFIG') heard.set(Number(version), [...(heard.get(Number(version)) ?? []), String(actor)]);
  }
  const wanted = ['entry/BTCUSDT', 'entry/ETHUSDT', 'portfolio'];
  for (let version = 2; version <= newest; version++)
    assert.deepEqual(heard.get(version)?.toSorted(), wanted, `version ${version}`);
}

/** For the portfolio and for every desk. */
const change = (i: number): ConfigCommand => ({
  kind: 'config-set',
  changes: { 'risk.maxLeverage': 10 + i, 'position.stopRetryMs': 500 + i + 1 },
  reason: `change ${i}`,
});

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};
