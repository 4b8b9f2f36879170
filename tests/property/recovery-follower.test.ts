/** Following a journal that somebody else writes gives what a recovery at the end would read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualTime } from '../../src/core/clock.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { EMPTY_HEAD, sealRows } from '../../src/journal/row-hash.ts';
import { readRecovery } from '../../supervisors/recovery.ts';
import { RecoveryFollower } from '../../supervisors/recovery-follower.ts';
import { draft } from '../support/journal-rows.ts';
import { RandomWriter, randomRow } from '../support/random-journal.ts';

test('whenever it looks, and whatever is written while it reads, it ends with what recovery reads', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(randomRow, { maxLength: 60 }),
      fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 40 }),
      async (steps, rhythm) => {
        const database = new MemoryDatabase();
        const clock = new VirtualTime(0);
        const leaderStore = new MemoryJournal({ account: 'a', clock, database });
        await leaderStore.open();
        const writer = await RandomWriter.over(leaderStore);
        const left = [...steps];
        let beats = 0;
        /** Some rows more, between any two questions of the follower. */
        const write = async (): Promise<void> => {
          for (let count = rhythm[beats++ % rhythm.length] ?? 0; count > 0; count--) {
            const next = left.shift();
            if (next) await writer.write(next);
          }
        };
        const store = new MemoryJournal({ account: 'a', clock, database, faults: { before: write } });
        await store.open();
        const follower = new RecoveryFollower(store);
        for (let look = 0; look < 5; look++) await follower.follow();
        for (const last of left.splice(0)) await writer.write(last);
        const followed = await follower.finish();
        assert.deepEqual(followed, await readRecovery(leaderStore));
        assert.equal(follower.followedN, followed.head.n);
      },
    ),
    { numRuns: 400, seed: 21 },
  );
});

test('a journal that was changed under it is refused, and looked at anew', async () => {
  const database = new MemoryDatabase();
  const clock = new VirtualTime(0);
  const store = new MemoryJournal({ account: 'a', clock, database });
  await store.open();
  const lease = await store.acquireLease('leader', 60_000);
  const rows = sealRows(EMPTY_HEAD, lease.epoch, [draft('toy/a', 1), draft('toy/a', 2), draft('toy/a', 3)]);
  await store.append(lease, rows.slice(0, 1), 0);
  const follower = new RecoveryFollower(store);
  await follower.follow();
  await store.append(lease, rows.slice(1), 0);
  const kept = database.account('a').rows;
  const [good] = kept.splice(1, 1, { ...(rows[1] as (typeof rows)[0]), event: '{"type":"forged"}' });
  await assert.rejects(follower.follow(), { code: 'STORE_CORRUPT', message: /row 2/ });
  kept.splice(1, 1, good as (typeof rows)[0]);
  assert.deepEqual(await follower.finish(), await readRecovery(store));
});
