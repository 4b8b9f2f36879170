/** Keys of the page, of the backups and of the executor, changed in runs that go on: what they do is other at once. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { leaveRequest } from '../../src/app/requests/person-requests.ts';
import { readStatus } from '../../src/app/status/status-file.ts';
import type { ConfigChanges } from '../../src/config/versions.ts';
import { CliProcess } from '../support/cli-process.ts';
import { PaperWorld } from '../support/paper-world.ts';
import { tempDir } from '../support/temp.ts';

const SYMBOL = 'BTCUSDT';
const BASE = `market: { seed: 7, symbols: [${SYMBOL}], speed: 60, warmUpDays: 1 }\n`;

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 180_000; performance.now() < end; await sleep(20))
    if (await isSo()) return;
  assert.fail(`never: ${what}`);
}

/** One process from the first to the last line; each change is an edit of its file and a hang-up. */
async function demo(t: TestContext) {
  const dir = tempDir(t, 'hot');
  const [folder, file] = [path.join(dir, 'data'), path.join(dir, 'bulkhead.yaml')];
  writeFileSync(file, BASE);
  const env = {
    ...{ BULKHEAD_HTTP_ENABLED: 'true', BULKHEAD_HTTP_PORT: '0' },
    BULKHEAD_BACKUP_PASSPHRASE: 'a passphrase of many words',
  };
  const run = new CliProcess(['run', '--data-dir', folder, '--config', file, '--json'], { env });
  t.after(() => run.reap());
  await run.said(/"event":"running"/);
  const status = () => readStatus(folder);
  await until('the page is there', () => status().http !== undefined);
  const edit = async (more: string): Promise<void> => {
    const before = status().configuration?.version ?? 0;
    writeFileSync(file, BASE + more);
    run.kill('SIGHUP');
    await until(more, () => status().configuration?.version === before + 1);
    assert.equal(run.isOver, false);
  };
  const ask = async (headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`${status().http?.url}/api/version`, { headers })).status;
  return { dir, folder, edit, ask, run };
}

test('the page: who may ask, under which name, how often, how many streams', async (t) => {
  const { folder, edit, ask } = await demo(t);
  assert.equal(await ask(), 200);
  await edit('http: { allowedIps: [10.0.0.0/8] }\n');
  assert.equal(await ask(), 403, 'nobody of this machine any more');
  await edit('http: { allowedIps: [127.0.0.0/8], requestsPerMinute: 10 }\n');
  await until('asked too often', async () => (await ask()) === 429);
  await edit('http: { requestsPerMinute: 1000000, maxStreams: 1 }\n');
  await until('asked often enough', async () => (await ask()) === 200);
  const url = `${readStatus(folder).http?.url}/api/stream`;
  const abort = new AbortController();
  t.after(() => abort.abort());
  const first = await fetch(url, { signal: abort.signal });
  assert.equal(first.status, 200);
  assert.equal((await fetch(url)).status, 503, 'one page alone');
  await edit('http: { maxStreams: 2 }\n');
  assert.equal((await fetch(url, { signal: abort.signal })).status, 200);
});

test('the backups: a schedule that was none, another place, more often and fewer kept', async (t) => {
  const { dir, edit, run } = await demo(t);
  const sealed = (place: string): number => {
    try {
      return readdirSync(path.join(dir, place)).filter((name) => name.endsWith('.age')).length;
    } catch {
      return 0;
    }
  };
  await edit(`backup: { to: ${path.join(dir, 'one')}, everyMs: 3600000, verify: false }\n`);
  await until('the first', () => sealed('one') === 1);
  await edit(`backup: { to: ${path.join(dir, 'two')}, everyMs: 3600000, verify: false }\n`);
  await until('the first elsewhere', () => sealed('two') === 1);
  await edit(`backup: { to: ${path.join(dir, 'two')}, everyMs: 1, keep: 1, verify: false }\n`);
  const taken = (): number => run.stderr.match(/"backup taken"/g)?.length ?? 0;
  await until('several, of which one is kept', () => taken() >= 4 && sealed('two') === 1);
  assert.equal(sealed('one'), 1);
});

test('the executor: how often the venue is read whole, and what becomes of others’ positions', async (t) => {
  const world = await PaperWorld.open(t, {
    ...{ symbols: [SYMBOL], speed: 10 },
    config: { venue: { reconcileEveryMs: 3_600_000, foreign: 'report' } },
  });
  await world.begin();
  const set = async (changes: ConfigChanges): Promise<void> => {
    const before = world.status().configuration?.version ?? 0;
    const command = { kind: 'config-set', changes, reason: 'a test' } as const;
    leaveRequest(world.dataDir, { command, by: 'ann', at: Date.now() });
    await world.until('the version', () => world.status().configuration?.version === before + 1);
    await world.until('the executor', () => world.heard('venue', 'CONFIG').length === before);
  };
  const readings = (): number =>
    world.heard('venue', 'CALL_ENDED').filter((event) => (event as { call?: string }).call === 'report')
      .length;
  const before = readings();
  await set({ 'venue.reconcileEveryMs': 1_000 });
  await world.until('read again and again', () => readings() >= before + 3);
  await world.buyByHand(SYMBOL, '0.02');
  await world.until('seen', () => (world.status().venue?.foreign.length ?? 0) > 0);
  assert.equal(world.heard(`entry/${SYMBOL}`, 'ADOPT').length, 0, 'reported, and left alone');
  await set({ 'venue.foreign': 'adopt' });
  await world.until('taken over', () => world.openStops().length > 0);
});
