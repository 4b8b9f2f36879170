/**
 * For any plan of faults: what is released is durable, in order and once; what is durable has no gap; and once
 * the faults end, everything that was appended is there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualTime } from '../../src/core/clock.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { EMPTY_HEAD, verifyChain } from '../../src/journal/row-hash.ts';
import { draft } from '../support/journal-rows.ts';

const SEED = 20_250_504;

type Fault = 'none' | 'lost-before' | 'lost-after' | 'full' | 'head-lost';

const faultPlan = fc.array(fc.constantFrom<Fault>('none', 'lost-before', 'lost-after', 'full', 'head-lost'), {
  maxLength: 12,
});
/** Turns of appends: each number is an actor. */
const turns = fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 });

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function faultyStore(database: MemoryDatabase, time: VirtualTime, plan: readonly Fault[]): MemoryJournal {
  const left = [...plan];
  let current: Fault = 'none';
  return new MemoryJournal({
    account: 'test',
    clock: time,
    database,
    faults: {
      before: (operation) => {
        if (operation === 'head' && current === 'head-lost') {
          current = 'none';
          throw new BulkheadError('STORE_UNAVAILABLE', 'lost at head');
        }
        if (operation !== 'append') return;
        current = left.shift() ?? 'none';
        if (current === 'full') throw new BulkheadError('STORE_FULL', 'full');
        if (current === 'lost-before') throw new BulkheadError('STORE_UNAVAILABLE', 'lost before');
      },
      after: (operation) => {
        if (operation === 'append' && (current === 'lost-after' || current === 'head-lost')) {
          throw new BulkheadError('STORE_UNAVAILABLE', 'lost after');
        }
      },
    },
  });
}

test('no fault plan makes a gap, a duplicate or a release of what is not durable', async () => {
  await fc.assert(
    fc.asyncProperty(faultPlan, turns, async (plan, turnPlan) => {
      const time = new VirtualTime(0);
      const database = new MemoryDatabase();
      const durable = database.account('test').rows;
      const store = faultyStore(database, time, plan);
      await store.open();
      const writer = new JournalWriter(store, await store.acquireLease('me', 1e12), EMPTY_HEAD, { time });
      const seqs = new Map<number, number>();
      const released: number[] = [];
      let appended = 0;
      for (const turn of turnPlan) {
        for (const actor of turn) {
          const seq = (seqs.get(actor) ?? 0) + 1;
          seqs.set(actor, seq);
          appended += 1;
          writer.append(draft(`a${actor}`, seq), (row) => {
            assert.equal(durable[row.n - 1]?.hash, row.hash, 'released before it was durable');
            released.push(row.n);
          });
        }
        await settle();
        verifyChain(durable);
        time.advanceTo(time.now() + 20);
      }
      for (let round = 0; writer.pendingRows > 0; round++) {
        assert(round < 100, 'the writer does not recover');
        time.advanceTo(time.now() + 10_000);
        await settle();
      }
      assert.deepEqual(
        released,
        Array.from({ length: appended }, (_, index) => index + 1),
      );
      assert.equal(verifyChain(durable).n, appended);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('fenced at any position: no gap, and exactly the durable rows of the old owner were released', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(10), fc.integer({ min: 11, max: 20 }), async (position, total) => {
      const time = new VirtualTime(0);
      const database = new MemoryDatabase();
      const store = new MemoryJournal({ account: 'test', clock: time, database });
      const successor = new MemoryJournal({ account: 'test', clock: time, database });
      await store.open();
      await successor.open();
      const writer = new JournalWriter(store, await store.acquireLease('old', 1), EMPTY_HEAD, { time });
      const released: number[] = [];
      for (let seq = 1; seq <= total; seq++) {
        if (seq === position + 1) {
          time.advanceTo(time.now() + 2);
          await successor.acquireLease('new', 1000);
        }
        if (writer.state === 'fenced') break;
        writer.append(draft('a', seq), (row) => released.push(row.n));
        await settle();
      }
      assert.equal(writer.state, 'fenced');
      assert.equal(released.length, position);
      assert.equal(verifyChain(database.account('test').rows).n, position);
    }),
    { seed: SEED, numRuns: 100 },
  );
});
