/** Days of a run's housekeeping on a virtual clock: backups by the clock and their retention, and old rows that go. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { BackupDesk } from '../../src/app/backup-desk.ts';
import type { Session } from '../../src/app/run-session.ts';
import { backupsOf } from '../../src/backup/backup-place.ts';
import { FolderBackupPlace } from '../../src/backup/folder-backup-place.ts';
import { newIdentity } from '../../src/backup/seal.ts';
import { configSchema } from '../../src/config/schema.ts';
import { turn, VirtualTime } from '../../src/core/clock.ts';
import { readChain } from '../../src/journal/journal-beginning.ts';
import { MemoryJournal } from '../../src/journal/memory-journal.ts';
import { EMPTY_HEAD, sealRows } from '../../src/journal/row-hash.ts';
import { draft } from '../support/journal-rows.ts';
import { tempDir } from '../support/temp.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2025, 4, 4);
const DAYS = 4;

test('four days: a backup every six hours of which five are kept, rows of the last day, and a place that fails', async (t) => {
  const dir = tempDir(t);
  const time = new VirtualTime(START);
  const store = new MemoryJournal({ account: 'main', clock: time });
  await store.open();
  const lease = await store.acquireLease('me', 1e12);
  const config = configSchema.parse({
    backup: { to: 'place', everyMs: 6 * HOUR, keep: 5, verify: false },
    retention: { keepMs: 24 * HOUR, everyMs: 6 * HOUR, archive: true },
  });
  const said: { message: string; fields: Record<string, unknown> }[] = [];
  const note = (message: string, fields: Record<string, unknown> = {}) => void said.push({ message, fields });
  const session = {
    options: { config, secrets: { backupKey: (await newIdentity()).identity } },
    io: { time, cwd: dir },
    folder: { path: dir },
    log: { info: note, warn: note, error: note },
    store,
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
    if (hour === 0) continue;
    const due = Math.floor((at - START) / (6 * HOUR)) + 1;
    // What works in a thread of its own takes real time: the clock waits for it.
    for (let step = 0; step < HOUR; step += 1_000) {
      time.advanceTo(at + step);
      await turn();
      if (step % 60_000 === 0)
        for (let wait = 0; wait < 5 && count('backup taken') < due - 1; wait++) await turn();
    }
    time.advanceTo(at + HOUR);
  }
  // The last of them may still be at work.
  for (let i = 0; i < 2_000 && count('backup taken') < DAYS * 4 - 1; i++) {
    time.advanceTo(time.now() + 10);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(
    count('the backup failed') + count('old rows could not be removed'),
    0,
    JSON.stringify(said.slice(-3)),
  );
  const place = new FolderBackupPlace(path.join(dir, 'place'));
  const kept = await backupsOf(place, 'main');
  assert.equal(kept.length, 5);
  assert.ok(count('backup taken') >= DAYS * 4 - 2, `${count('backup taken')} were taken`);
  const gaps = kept.slice(1).map(({ at }, i) => ((kept[i]?.at ?? 0) - at) / HOUR);
  for (const gap of gaps) assert.ok(Math.abs(gap - 6) < 0.2, `every six hours: ${gaps.join(', ')}`);
  assert.ok(count('old rows removed') >= 8);
  const anchor = await store.anchor();
  assert.ok(anchor.n >= DAYS * 24 - 34 && anchor.n <= DAYS * 24 - 24, `it begins after row ${anchor.n}`);
  assert.deepEqual(await readChain(store), await store.head());
  const pieces = (await place.list()).filter(({ name }) => name.includes('-rows-'));
  assert.equal(pieces.length, count('old rows removed'), 'nothing went that was not put aside');
});
