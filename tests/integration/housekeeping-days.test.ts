/** Days of a run's housekeeping on a virtual clock: backups by the clock and their retention, and old rows that go. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunOptions } from '../../src/app/cli/io.ts';
import type { Version } from '../../src/app/config/config-history.ts';
import { RunningConfig } from '../../src/app/config/running-config.ts';
import type { Session } from '../../src/app/run/run-session.ts';
import { BackupDesk } from '../../src/app/store/backup-desk.ts';
import { backupsOf } from '../../src/backup/backup-place.ts';
import { FolderBackupPlace } from '../../src/backup/folder-backup-place.ts';
import { newIdentity } from '../../src/backup/seal.ts';
import { configSchema } from '../../src/config/schema.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import { readChain } from '../../src/journal/journal-beginning.ts';
import { MemoryJournal } from '../../src/journal/memory-journal.ts';
import { EMPTY_HEAD, sealRows } from '../../src/journal/row-hash.ts';
import { draft } from '../support/journal-rows.ts';
import { tempDir } from '../support/temp.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2025, 4, 4);
const DAYS = 3;

/** A run's housekeeping, and an hour after the other of its journal. */
async function house(t: TestContext, first: object) {
  const dir = tempDir(t);
  const time = new VirtualTime(START);
  const store = new MemoryJournal({ account: 'main', clock: time });
  await store.open();
  const lease = await store.acquireLease('me', 1e12);
  const said: { message: string; fields: Record<string, unknown> }[] = [];
  const note = (message: string, fields: Record<string, unknown> = {}) => void said.push({ message, fields });
  const config = configSchema.parse(first);
  const running = new RunningConfig({ config } as Version);
  const options = running.options({ secrets: { backupKey: (await newIdentity()).identity } } as RunOptions);
  const desk = new BackupDesk({
    ...{ options, running, store, io: { time, cwd: dir }, folder: { path: dir } },
    log: { info: note, warn: note, error: note },
  } as unknown as Session);
  await desk.start();
  t.after(() => desk.stop());
  const count = (message: string) => said.filter((line) => line.message === message).length;

  let head = EMPTY_HEAD;
  let hour = 0;
  const pass = async (hours: number): Promise<void> => {
    for (const end = hour + hours; hour < end; ) {
      const at = time.now();
      const rows = sealRows(head, lease.epoch, [
        draft('feed', hour + 1, { at, cause: JSON.stringify({ kind: 'input', phase: 'market', at }) }),
      ]);
      hour += 1;
      await store.append(lease, rows, hour);
      head = rows[0] ?? head;
      time.advanceTo(START + hour * HOUR);
      // What works in threads of its own takes real time: the clock waits for it.
      while (desk.isWorking) {
        time.advanceTo(time.now() + 5);
        await delay(2);
      }
    }
  };
  const change = (next: object): void => running.take({ config: configSchema.parse(next) } as Version);
  return { dir, store, said, count, pass, change };
}

test('a retention that is set, lowered and taken back while it runs', async (t) => {
  const { store, count, pass, change } = await house(t, {});
  const begins = async (): Promise<number> => (await store.anchor()).n;
  await pass(40);
  assert.equal(await begins(), 0, 'every row is kept');
  change({ retention: { keepMs: 24 * HOUR, everyMs: 12 * HOUR } });
  await pass(1);
  const first = await begins();
  assert.ok(first >= 14 && first <= 17, `it begins after row ${first}`);
  change({ retention: { keepMs: 2 * HOUR, everyMs: 12 * HOUR } });
  await pass(1);
  const lowered = await begins();
  assert.ok(lowered >= 37 && lowered <= 40, `it begins after row ${lowered}`);
  change({ log: { level: 'warn' } });
  await pass(40);
  assert.equal(await begins(), lowered, 'none goes any more');
  assert.equal(count('old rows could not be removed'), 0);
});

test('three days: a backup every twelve hours of which three are kept, and the rows of the last day', async (t) => {
  const { dir, store, said, count, pass } = await house(t, {
    backup: { to: 'place', everyMs: 12 * HOUR, keep: 3, verify: false },
    retention: { keepMs: 24 * HOUR, everyMs: 12 * HOUR, archive: true },
  });
  await pass(DAYS * 24);
  assert.equal(
    count('the backup failed') + count('old rows could not be removed'),
    0,
    JSON.stringify(said.slice(-3)),
  );
  const place = new FolderBackupPlace(path.join(dir, 'place'));
  const kept = await backupsOf(place, 'main');
  assert.equal(kept.length, 3);
  assert.equal(count('backup taken'), DAYS * 2 + 1, 'at the start, and then by the clock');
  const gaps = kept.slice(1).map(({ at }, i) => ((kept[i]?.at ?? 0) - at) / HOUR);
  for (const gap of gaps) assert.ok(Math.abs(gap - 12) < 0.01, `every twelve hours: ${gaps.join(', ')}`);
  assert.ok(count('old rows removed') >= 3, `${count('old rows removed')} times`);
  const anchor = await store.anchor();
  assert.ok(anchor.n >= DAYS * 24 - 38 && anchor.n <= DAYS * 24 - 24, `it begins after row ${anchor.n}`);
  assert.deepEqual(await readChain(store), await store.head());
  const pieces = (await place.list()).filter(({ name }) => name.includes('-rows-'));
  assert.ok(pieces.length >= count('old rows removed'), 'nothing went that was not put aside');
});
