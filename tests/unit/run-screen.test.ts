import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunOptions } from '../../src/app/cli/io.ts';
import { RunScreen } from '../../src/app/status/run-screen.ts';
import { illness } from '../../src/app/status/status.ts';
import { readStatus } from '../../src/app/status/status-file.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import { fakeIo } from '../support/fake-io.ts';
import { tempDir } from '../support/temp.ts';

const options = {
  config: {
    mode: 'demo',
    account: 'test',
    paper: { initialBalance: '10000' },
    status: { intervalMs: 1_000, lastTrades: 8 },
  },
  json: false,
  quiet: true,
} as unknown as RunOptions;

const full = new BulkheadError('STORE_FULL', 'No space left on device.');

test('a status file that cannot be written is said once and ends nothing; it comes back by itself', (t) => {
  const dir = tempDir(t);
  const io = fakeIo();
  const screen = new RunScreen(options, io);
  screen.openFolder(dir);
  // Where the next version of the file would be written first: as good as a full disk.
  const obstacle = join(dir, `status.json.${io.pid}.tmp`);
  mkdirSync(obstacle);
  screen.journal('halted', full);
  screen.journal('halted', full);
  screen.step(1, 0);
  assert.equal(io.err().split('cannot be written').length - 1, 1);
  assert.equal(readStatus(dir).error, null);
  rmdirSync(obstacle);
  screen.journal('halted', full);
  assert.match(readStatus(dir).error ?? '', /journal halted/);
});

test('a run in which nothing happens shows that it lives, until it ends', (t) => {
  const dir = tempDir(t);
  const time = new VirtualTime(0);
  const screen = new RunScreen(options, fakeIo({ time }));
  screen.openFolder(dir);
  const at = (): number => readStatus(dir).updatedAt;
  for (let seconds = 1; seconds <= 90; seconds++) time.advanceTo(seconds * 1_000);
  assert.ok(at() >= 89_000, `written last at ${at()}`);
  assert.equal(illness(readStatus(dir), true, time.now()), undefined);
  screen.finish('stopped');
  const last = at();
  time.advanceTo(600_000);
  assert.equal(at(), last, 'the folder may be another’s by now');
});
