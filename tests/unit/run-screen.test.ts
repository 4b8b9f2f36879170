import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunOptions } from '../../src/app/cli/io.ts';
import { renderStatus } from '../../src/app/status/render-status.ts';
import { RunScreen } from '../../src/app/status/run-screen.ts';
import { illness } from '../../src/app/status/status.ts';
import { readStatus, type StatusDocument, writeStatus } from '../../src/app/status/status-file.ts';
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

/** A status of a run that has a position, and knows of one that is not its own. */
function told(dir: string, more: Partial<StatusDocument> = {}): StatusDocument {
  const screen = new RunScreen(options, fakeIo({ time: new VirtualTime(1_000) }));
  screen.openFolder(dir);
  const whole: StatusDocument = {
    ...readStatus(dir),
    state: 'running',
    positions: [
      {
        ...{ actor: 'position/BTCUSDT/BOTH/3', symbol: 'BTCUSDT', direction: 'long', quantity: '0.5' },
        ...{ entryPrice: '100', markPrice: '101', stopPrice: null, openPnl: '0.5' },
        ...{ liquidationPrice: null, state: 'open' },
      },
    ],
    venue: {
      foreign: [{ symbol: 'ETHUSDT', amount: '2' }],
      unknownOrders: [{ symbol: 'SOLUSDT', owner: 'position/SOLUSDT/BOTH/1', ref: 'entry' }],
    } as unknown as NonNullable<StatusDocument['venue']>,
    ...more,
  };
  writeStatus(dir, whole);
  return whole;
}

test('a start that comes to nothing leaves what the run before it told, and says whose word that is', (t) => {
  const dir = tempDir(t);
  const before = told(dir);
  const time = new VirtualTime(61_000);
  const screen = new RunScreen(options, fakeIo({ time }));
  screen.openFolder(dir);
  screen.fail(new BulkheadError('STORE_UNAVAILABLE', 'the database is away'));
  const now = readStatus(dir);
  assert.deepEqual([now.state, now.error], ['failed', 'BulkheadError: the database is away']);
  assert.deepEqual(now.positions, before.positions);
  assert.deepEqual(now.venue?.foreign, before.venue?.foreign);
  assert.deepEqual(now.venue?.unknownOrders, before.venue?.unknownOrders);
  assert.equal(now.toldAt, 1_000);
  const text = renderStatus(now, { colour: false, width: 200, now: 61_000, alive: false });
  assert.match(text, /the run before this one told \(1970-01-01 00:00 UTC, 1m 0s ago\)/);
  assert.match(text, /BTCUSDT +long +0\.5/);
  const third = new RunScreen(options, fakeIo({ time: new VirtualTime(120_000) }));
  third.openFolder(dir);
  assert.deepEqual([readStatus(dir).positions, readStatus(dir).toldAt], [before.positions, 1_000]);
});

test('what stands by, and what another account told, is not taken for its own', (t) => {
  const dir = tempDir(t);
  told(dir);
  const standby = new RunScreen(options, fakeIo());
  standby.openFolder(dir);
  standby.standby({ owner: 'o', host: 'h', pid: 1, version: '1', followedN: 1, notReady: null });
  standby.to('standby');
  assert.deepEqual([readStatus(dir).positions, readStatus(dir).toldAt], [[], undefined]);
  told(dir, { accountName: 'another' });
  new RunScreen(options, fakeIo()).openFolder(dir);
  assert.deepEqual(readStatus(dir).positions, []);
});
