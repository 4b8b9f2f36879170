/** Following a journal that somebody else writes gives what a recovery at the end would read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualTime } from '../../src/core/clock.ts';
import type { Lease, RowDraft } from '../../src/journal/journal.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { EMPTY_HEAD, sealRows } from '../../src/journal/row-hash.ts';
import { readRecovery } from '../../supervisors/recovery.ts';
import { RecoveryFollower } from '../../supervisors/recovery-follower.ts';
import { draft } from '../support/journal-rows.ts';

const ACTORS = ['toy/a', 'toy/b', 'venue', 'dead-letters'];

const step = fc.record({
  actor: fc.constantFrom(...ACTORS),
  /** A row without a snapshot, where the actor has one already. */
  bare: fc.boolean(),
  final: fc.boolean(),
  sends: fc.integer({ min: 0, max: 2 }),
  /** Which of the open intents this row consumes; beyond them: an input or a timer. */
  cause: fc.nat({ max: 5 }),
  /** Whether everything so far counts as settled as far as it is consumed. */
  settles: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A writer whose rows are in order, whatever the steps say. */
class Writer {
  readonly #store: MemoryJournal;
  readonly #lease: Lease;
  #head = EMPTY_HEAD;
  #settledN = 0;
  readonly #seq = new Map<string, number>();
  readonly #over = new Set<string>();
  #open: { n: number; i: number }[] = [];

  private constructor(store: MemoryJournal, lease: Lease) {
    this.#store = store;
    this.#lease = lease;
  }

  static async over(store: MemoryJournal): Promise<Writer> {
    return new Writer(store, await store.acquireLease('leader', 60_000));
  }

  async write({ actor, bare, final, sends, cause, settles }: Step): Promise<void> {
    if (this.#over.has(actor)) return;
    const seq = (this.#seq.get(actor) ?? 0) + 1;
    this.#seq.set(actor, seq);
    const isFinal = final && actor.startsWith('toy/') && seq > 2;
    if (isFinal) this.#over.add(actor);
    const [row] = sealRows(this.#head, this.#lease.epoch, [
      draft(actor, seq, {
        ...(bare && seq > 1 && actor === 'venue' ? { snapshot: null } : {}),
        cause: JSON.stringify(this.#cause(cause)),
        intents: JSON.stringify(
          Array.from({ length: sends }, (_, i) => ({ type: 'send', to: 'toy/a', event: { type: `E${i}` } })),
        ),
        final: isFinal,
      } satisfies Partial<RowDraft>),
    ]);
    assert.ok(row);
    this.#head = { n: row.n, hash: row.hash };
    for (let i = 0; i < sends; i++) this.#open.push({ n: row.n, i });
    if (settles) this.#settledN = Math.min(row.n - 1, ...this.#open.map(({ n }) => n - 1));
    await this.#store.append(this.#lease, [row], this.#settledN);
  }

  #cause(pick: number): object {
    const [consumed] = this.#open.splice(pick, 1);
    if (consumed) return { kind: 'intent', ...consumed };
    if (pick === 4) return { kind: 'timer', id: 't', due: 1 };
    if (pick === 5) return { kind: 'input', phase: 'market', at: this.#head.n * 10 };
    return { kind: 'external', id: 'x' };
  }
}

test('whenever it looks, and whatever is written while it reads, it ends with what recovery reads', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 40 }),
      async (steps, rhythm) => {
        const database = new MemoryDatabase();
        const clock = new VirtualTime(0);
        const leaderStore = new MemoryJournal({ account: 'a', clock, database });
        await leaderStore.open();
        const writer = await Writer.over(leaderStore);
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
