/** `bulkhead kill` where it cannot reach the venue itself: the switch is engaged, and who closes what is open is said. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KillOptions } from '../../src/app/cli/io.ts';
import { kill } from '../../src/app/kill/kill.ts';
import { engageKill, lockKill, readKill } from '../../src/app/kill/kill-file.ts';
import { liftKill } from '../../src/app/kill/release.ts';
import { STATUS_FORMAT } from '../../src/app/status/status-file.ts';
import { loadConfig } from '../../src/config/load.ts';
import { fakeIo } from '../support/fake-io.ts';

async function killed(pid: number | undefined): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'bulkhead-kill-'));
  try {
    if (pid !== undefined)
      writeFileSync(
        join(dir, 'status.json'),
        JSON.stringify({ format: STATUS_FORMAT, pid, state: 'running' }),
      );
    const flags = [
      { path: 'data.dir', value: dir, flag: '--data-dir' },
      { path: 'mode', value: 'live', flag: '--mode' },
    ];
    const { config, secrets } = loadConfig({ env: {}, cwd: dir, flags });
    const io = fakeIo({ cwd: dir });
    const options = { config, secrets, accountWide: false, reason: 'a drill', json: false };
    await assert.rejects(kill(options as unknown as KillOptions, io), { code: 'MODE_UNAVAILABLE' });
    assert.equal(readKill(dir)?.reason, 'a drill', 'engaged all the same');
    return io.out();
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('in a folder that no run has used nothing is closed, and nobody is told that it will be', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'bulkhead-kill-'));
  try {
    const flags = [{ path: 'data.dir', value: dir, flag: '--data-dir' }];
    const { config, secrets } = loadConfig({ env: {}, cwd: dir, flags });
    const io = fakeIo({ cwd: dir });
    const options = { config, secrets, accountWide: false, reason: 'a drill', json: false };
    const done = kill(options as unknown as KillOptions, io);
    await assert.rejects(done, { code: 'NOT_FOUND', message: /No run has ever used .*: nothing was closed/ });
    assert.equal(readKill(dir)?.reason, 'a drill', 'engaged all the same');
    assert.doesNotMatch(io.out(), /next start/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a folder that cannot be made is no defect of the program: what to do instead is said', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'bulkhead-kill-'));
  try {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    const flags = [{ path: 'data.dir', value: file, flag: '--data-dir' }];
    const { config, secrets } = loadConfig({ env: {}, cwd: dir, flags });
    const options = { config, secrets, accountWide: false, reason: 'a drill', json: false };
    const done = kill(options as unknown as KillOptions, fakeIo({ cwd: dir }));
    await assert.rejects(done, {
      code: 'CANNOT_WRITE',
      hint: /Make room there.*another folder with --data-dir/,
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a kill that is being carried out is not released, and nobody is told to stop who does it', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bulkhead-kill-'));
  engageKill(dir, { by: 'me', reason: 'a drill', accountWide: false, at: 1 });
  const closing = lockKill(dir);
  try {
    assert.throws(() => liftKill(dir, 'me', 'over', 2), {
      code: 'STORE_LOCKED',
      message: /still being carried out/,
    });
    assert.ok(readKill(dir), 'it stays engaged');
    closing.release();
    assert.match(liftKill(dir, 'me', 'over', 3), /is released/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('without the key of the venue: a run closes, or nobody does', async () => {
  assert.match(await killed(process.pid), /engaged .*\nthe run closes what is open now; from here nothing/);
  assert.match(await killed(undefined), /engaged .*\nnothing is closed before a run starts/);
});
