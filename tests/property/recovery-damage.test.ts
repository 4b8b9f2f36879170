/** A start never builds on a damaged row: it does not need it, or it says which one it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualTime } from '../../src/core/clock.ts';
import { isBulkheadError } from '../../src/core/errors.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { planCut } from '../../src/journal/journal-cut.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { type Recovered, readRecovery } from '../../supervisors/recovery.ts';
import { RecoveryFollower } from '../../supervisors/recovery-follower.ts';
import { RandomWriter, randomRow } from '../support/random-journal.ts';

/** What one changed byte may look like; each leaves JSON that can be read, for what cannot is found anyway. */
const DAMAGE: readonly ((row: JournalRow) => Partial<JournalRow>)[] = [
  ({ snapshot }) => ({ snapshot: snapshot?.replace(/\d/, '9') ?? '{"value":"made up"}' }),
  () => ({ event: '{"type":"tick","price":"64123.6"}' }),
  () => ({ cause: '{"kind":"input","phase":"market","at":9999999}' }),
  () => ({ intents: '[{"type":"send","to":"toy/a","event":{"type":"FORGED"}}]' }),
  () => ({ host: '{"timers":[]}' }),
  ({ at }) => ({ at: at + 1 }),
  ({ epoch }) => ({ epoch: epoch + 1 }),
  ({ machine }) => ({ machine: `${machine}9` }),
  ({ kind }) => ({ kind: kind === 'event' ? 'start' : 'event' }),
  () => ({ note: 'x' }),
  ({ hash }) => ({ hash: `${hash.slice(0, -1)}${hash.endsWith('0') ? '1' : '0'}` }),
];

async function outcome(read: () => Promise<Recovered>): Promise<Recovered | string> {
  try {
    return await read();
  } catch (error) {
    assert.ok(isBulkheadError(error), String(error));
    assert.equal(error.code, 'STORE_CORRUPT');
    return error.message;
  }
}

test('one changed field of any row: recovery is what it was, or names the damage; a standby’s, too', async () => {
  let found = 0;
  let notNeeded = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(randomRow, { minLength: 100, maxLength: 200 }),
      fc.nat(),
      fc.constantFrom(...DAMAGE),
      fc.boolean(),
      async (steps, pick, damage, cuts) => {
        const database = new MemoryDatabase();
        const store = new MemoryJournal({ account: 'a', clock: new VirtualTime(0), database });
        await store.open();
        const writer = await RandomWriter.over(store);
        for (const step of steps) await writer.write(step);
        const settled = (await store.settledN()) - 1;
        const page = (await store.rowsAfter(0, 1_000)).slice(0, Math.max(0, Math.floor(settled / 2)));
        if (cuts && page.length > 0) await store.cut(planCut(await store.anchor(), [], page, 1).cut);
        const sound = await readRecovery(store);
        const { rows } = database.account('a');
        const row = rows[pick % rows.length];
        if (!row) return;
        Object.assign(row, damage(row));
        const recovered = await outcome(() => readRecovery(store));
        const followed = await outcome(() => new RecoveryFollower(store).finish());
        for (const result of [recovered, followed]) {
          if (typeof result === 'string') found += 1;
          else {
            notNeeded += 1;
            assert.deepEqual(result, sound);
          }
        }
      },
    ),
    { numRuns: 400, seed: 5 },
  );
  assert.ok(found > 100 && notNeeded > 30, `${found} found, ${notNeeded} not needed`);
});
