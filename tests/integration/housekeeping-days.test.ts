/** Days of a run's housekeeping on a virtual clock: backups by the clock and their retention, and old rows that go. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { BackupDesk } from '../../src/app/backup-desk.ts';
import type { Session } from '../../src/app/run-session.ts';
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

test('three days: a backup every twelve hours of which three are kept, and the rows of the last day', async (t) => {
  const dir = tempDir(t);
  const time = new VirtualTime(START);
  const store = new MemoryJournal({ account: 'main', clock: time });
  await store.open();
  const lease = await store.acquireLease('me', 1e12);
  const config = configSchema.parse({
    backup: { to: 'place', everyMs: 12 * HOUR, keep: 3, verify: false },
    retention: { keepMs: 24 * HOUR, everyMs: 12 * HOUR, archive: true },
  });
  const said: { message: string; fields: Record<string, unknown> }[] = [];
  const note = (message: string, fields: Record<string, unknown> = {}) => void said.push({ message, fields });
  const session = {
    options: { config, secrets: { backupKey: (await newIdentity()).identity } },
    io: { time, cwd: dir },
    folder: { path: dir },
    log: { info: note, warn: note, error: note },
    store,
    running: { follow: (take: (now: typeof config) => void) => take(config) },
  } as unknown as Session;
  const desk = new BackupDesk(session);
  await desk.start();
  t.after(() => desk.stop());
  const count = (message: string) => said.filter((line) => line.message === message).length;

  let head = EMPTY_HEAD;
  for (let hour = 0; hour < DAYS * 24; hour++) {
    const at = time.now();
    const rows = sealRows(head, lease.epoch, [
      draft('feed', hour + 1, { at, cause: JSON.stringify({ kind: 'input', phase: 'market', at }) }),
    ]);
    await store.append(lease, rows, hour + 1);
    head = rows[0] ?? head;
    time.advanceTo(START + (hour + 1) * HOUR);
    // What works in threads of its own takes real time: the clock waits for it.
    while (desk.isWorking) {
      time.advanceTo(time.now() + 5);
      await delay(2);
    }
  }
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
