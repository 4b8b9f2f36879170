/**
 * What every journal store must do. Run by the memory, PostgreSQL and embedded stores alike; a new adapter
 * passes this before anything else.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import type {
  JournalHead,
  JournalRow,
  JournalStore,
  Lease,
  RowDraft,
  RowQuery,
} from '../../src/journal/journal.ts';
import { EMPTY_HEAD, sealRows, verifyChain } from '../../src/journal/row-hash.ts';
import { configVersionsConformance } from './journal-config-conformance.ts';
import { cutConformance } from './journal-conformance-cut.ts';
import { draft, drafts } from './journal-rows.ts';

export interface StoreUnderTest {
  /** A store over the same database at every call; not opened yet. */
  store(account: string): JournalStore;
  /** Lets the store's clock run past `ms`. */
  passTime(ms: number): Promise<void>;
}

interface World {
  readonly account: string;
  readonly store: JournalStore;
  readonly lease: Lease;
  append(...rows: RowDraft[]): Promise<JournalRow[]>;
  head(): JournalHead;
}

const TEXTS = [
  '{"a" : 1,  "b":[ ]}',
  '{"b":1,"a":1,"a":2}',
  '{"n":1.10,"big":12345678901234567890.12345678901234567890}',
  '"\\u0000 \\ud800 \\u00e9"',
  JSON.stringify({ text: 'žluťoučký 🐎 日本語 \u2028 "quoted" \\ back {brace} NULL' }),
  '   [1]  ',
];

export function journalConformance(
  name: string,
  under: () => Promise<StoreUnderTest> | StoreUnderTest,
): void {
  async function world(): Promise<World> {
    const account = `account-${randomUUID()}`;
    const store = (await under()).store(account);
    await store.open();
    const lease = await store.acquireLease('first', 60_000);
    let head: JournalHead = EMPTY_HEAD;
    const append = async (...rows: RowDraft[]): Promise<JournalRow[]> => {
      const sealed = sealRows(head, lease.epoch, rows);
      await store.append(lease, sealed, 0);
      head = sealed.at(-1) ?? head;
      return sealed;
    };
    return { account, store, lease, append, head: () => head };
  }

  describe(`journal store: ${name}`, () => {
    test('a new journal is empty', async () => {
      const { store } = await world();
      assert.deepEqual(await store.head(), EMPTY_HEAD);
      assert.equal(await store.settledN(), 0);
      assert.deepEqual(await store.liveRows(), []);
      assert.deepEqual(await store.rowsAfter(0, 10), []);
      assert.equal(await store.lastCheckpoint('a'), undefined);
      await store.close();
    });

    test('the last row of every actor at a past row, of those over by then, too', async () => {
      const { store, append } = await world();
      await append(...drafts('a', 2), ...drafts('b', 1));
      await append(draft('b', 2, { final: true }), draft('a', 3), draft('c', 1));
      const at = async (n: number, actor?: string) =>
        (await store.rowsAt(n, actor)).map((row) => `${row.n} ${row.actor} ${row.seq}`);
      assert.deepEqual(await at(0), []);
      assert.deepEqual(await at(2), ['2 a 2']);
      assert.deepEqual(await at(4), ['2 a 2', '4 b 2']);
      assert.deepEqual(await at(99), ['4 b 2', '5 a 3', '6 c 1']);
      assert.deepEqual(await at(4, 'a'), ['2 a 2']);
      assert.deepEqual(await at(5, 'c'), []);
      await store.close();
    });

    test('restored elsewhere: rows byte for byte with their epochs, and a journal that goes on', async () => {
      const { store, lease, append } = await world();
      await append(...drafts('a', 3), draft('b', 1), draft('b', 2, { final: true }));
      await store.setMeta(lease, 'instance', 'one');
      const rows = await store.rowsAfter(0, 100);
      const epochs = sealRows(EMPTY_HEAD, 7, rows);
      const other = (await under()).store(`account-${randomUUID()}`);
      await other.open();
      const batches = async function* () {
        yield epochs.slice(0, 2);
        yield epochs.slice(2);
      };
      const meta = { instance: 'two', run: '{}' };
      const content = () => ({ batches: batches(), end: () => ({ settledN: 4, meta }) });
      await other.restore(content());
      assert.deepEqual(await other.rowsAfter(0, 100), epochs);
      assert.deepEqual(
        (await other.liveRows()).map(({ actor, seq }) => [actor, seq]),
        [['a', 3]],
      );
      assert.deepEqual(await other.allMeta(), meta);
      assert.equal(await other.settledN(), 4);
      const next = await other.acquireLease('second', 60_000);
      assert.ok(next.epoch > 7, 'no earlier epoch comes again');
      const more = sealRows(await other.head(), next.epoch, [draft('a', 4)]);
      await other.append(next, more, 4);
      verifyChain(await other.rowsAfter(0, 100));
      await assert.rejects(other.restore(content()), { code: 'STORE_NOT_EMPTY' });
      assert.equal((await other.head()).n, 6);
      await other.close();
      await store.close();
    });

    test('a restore that breaks off leaves nothing', async () => {
      const store = (await under()).store(`account-${randomUUID()}`);
      await store.open();
      const batches = async function* () {
        yield sealRows(EMPTY_HEAD, 1, drafts('a', 3));
        throw new Error('the rest cannot be read');
      };
      const end = () => ({ settledN: 0, meta: {} });
      await assert.rejects(store.restore({ batches: batches(), end }));
      assert.deepEqual(await store.head(), EMPTY_HEAD);
      assert.deepEqual(await store.rowsAfter(0, 10), []);
      assert.deepEqual(await store.liveRows(), []);
      await store.close();
    });

    test('rows come back byte for byte, whatever their texts', async () => {
      const { store, append } = await world();
      const rows = TEXTS.map((text, index) =>
        draft(`position/${index}/ünïcode`, 1, {
          event: text,
          cause: text,
          snapshot: index % 2 === 0 ? text : null,
          intents: text,
          host: text,
          note: index % 2 === 0 ? null : 'a "note" with \\ and {braces}, 日本語, NULL',
          at: Number.MAX_SAFE_INTEGER - index,
        }),
      );
      const sealed = await append(...rows);
      const read = await store.rowsAfter(0, 100);
      assert.deepEqual(read, sealed);
      verifyChain(read);
      await store.close();
    });

    test('an append is found by a second client after the first one closed', async () => {
      const { account, store, append } = await world();
      const sealed = await append(...drafts('a', 3));
      await store.close();
      const again = (await under()).store(account);
      await again.open();
      assert.deepEqual(await again.rowsAfter(0, 10), sealed);
      assert.deepEqual(await again.head(), { n: 3, hash: sealed[2]?.hash });
      await again.close();
    });

    test('scan finds the rows of a stretch by actor, type and text, in either order, without snapshots', async () => {
      const { store, append } = await world();
      const event = (type: string, word: string) => JSON.stringify({ type, word });
      const told = drafts('a', 3).map((each, i) => ({
        ...each,
        event: event(i === 1 ? 'B' : 'A', `it's %w${i}`),
      }));
      await append(...told, ...drafts('b', 2));
      const ns = async (query: Partial<RowQuery>) =>
        (await store.scan({ afterN: 0, uptoN: 99, limit: 9, newestFirst: false, ...query })).map(
          ({ n }) => n,
        );
      assert.deepEqual(await ns({ actor: 'a' }), [1, 2, 3]);
      assert.deepEqual(await ns({ newestFirst: true, limit: 2 }), [5, 4]);
      assert.deepEqual(await ns({ afterN: 1, uptoN: 4 }), [2, 3, 4]);
      assert.deepEqual(await ns({ type: 'B' }), [2]);
      assert.deepEqual(await ns({ text: "it's %w2" }), [3], 'a text is no pattern');
      const [first] = await store.scan({ afterN: 0, uptoN: 1, limit: 1, newestFirst: false });
      const [row] = await store.rowsAfter(0, 1);
      assert.ok(row && first);
      const { snapshot: _, host: __, ...rest } = row;
      assert.deepEqual({ ...first }, rest);
    });

    test('pauses are where an actor was silent for long, or another process went on', async () => {
      const { store, append, head } = await world();
      const at = (seq: number, ms: number) => ({ ...draft('a', seq), at: ms });
      await append(at(1, 1_000), { ...draft('b', 1), at: 1_500 }, at(2, 2_000), at(3, 9_001), at(4, 9_001));
      const next = await store.acquireLease('first', 60_000);
      await store.append(next, sealRows(head(), next.epoch, [at(5, 9_002)]), 0);
      const found = async (afterSeq: number, uptoSeq: number, longerThanMs: number) =>
        (await store.pauses({ actor: 'a', afterSeq, uptoSeq, longerThanMs })).map(
          ({ seq, at, beforeAt, epoch, beforeEpoch }) => [seq, beforeAt, at, epoch - beforeEpoch],
        );
      assert.deepEqual(await found(0, 99, 7_000), [
        [3, 2_000, 9_001, 0],
        [5, 9_001, 9_002, 1],
      ]);
      assert.deepEqual(await found(0, 99, 7_001), [[5, 9_001, 9_002, 1]]);
      assert.deepEqual(await found(2, 4, 7_000), [[3, 2_000, 9_001, 0]], 'with the row before the stretch');
      assert.deepEqual(await found(3, 4, 0), []);
      assert.deepEqual(await found(0, 1, 0), []);
      assert.deepEqual(await store.pauses({ actor: 'none', afterSeq: 0, uptoSeq: 9, longerThanMs: 0 }), []);
      await store.close();
    });

    test('rowsAfter and rowsOf page in order', async () => {
      const { store, append } = await world();
      await append(...drafts('a', 3), ...drafts('b', 2));
      await append(draft('a', 4));
      const ns = async (after: number, limit: number) =>
        (await store.rowsAfter(after, limit)).map((r) => r.n);
      assert.deepEqual(await ns(0, 4), [1, 2, 3, 4]);
      assert.deepEqual(await ns(4, 4), [5, 6]);
      const seqs = async (after: number, limit: number) =>
        (await store.rowsOf('a', after, limit)).map((r) => [r.seq, r.n]);
      assert.deepEqual(await seqs(0, 2), [
        [1, 1],
        [2, 2],
      ]);
      assert.deepEqual(await seqs(2, 9), [
        [3, 3],
        [4, 6],
      ]);
      await store.close();
    });

    test('liveRows is the last row of each actor that is not over, in order of n', async () => {
      const { store, append } = await world();
      await append(draft('a', 1), draft('b', 1), draft('c', 1), draft('brief', 1));
      await append(draft('b', 2), draft('brief', 2, { final: true }));
      await append(draft('flash', 1), draft('flash', 2, { final: true }), draft('solo', 1, { final: true }));
      await append(draft('a', 2), draft('c', 2, { final: true }));
      assert.deepEqual(
        (await store.liveRows()).map((row) => [row.actor, row.seq, row.n]),
        [
          ['b', 2, 5],
          ['a', 2, 10],
        ],
      );
      await store.close();
    });

    test('lastCheckpoint is the newest row with a snapshot', async () => {
      const { store, append } = await world();
      await append(draft('a', 1), draft('a', 2), draft('a', 3, { snapshot: null }));
      assert.equal((await store.lastCheckpoint('a'))?.seq, 2);
      await store.close();
    });

    test('a gap, a repeated seq and a wrong n are refused, and nothing of the append stays', async () => {
      const { store, append, lease, head } = await world();
      await append(...drafts('a', 2));
      const after = head();
      const bad = [
        sealRows({ ...after, n: 3 }, lease.epoch, [draft('b', 1)]),
        sealRows({ ...after, n: 0 }, lease.epoch, [draft('b', 1)]),
        sealRows(after, lease.epoch, [draft('b', 1), draft('a', 2)]),
      ];
      for (const rows of bad) {
        await assert.rejects(store.append(lease, rows, 0), { code: 'STORE_CORRUPT' });
        assert.deepEqual(await store.head(), { n: after.n, hash: after.hash });
        assert.equal((await store.rowsAfter(0, 10)).length, 2);
        assert.equal((await store.liveRows()).length, 1);
      }
      await store.close();
    });

    test('the same append twice is one append', async () => {
      const { store, append, lease } = await world();
      await append(draft('a', 1));
      const rows = await append(draft('a', 2));
      await store.append(lease, rows, 0);
      assert.equal((await store.rowsAfter(0, 10)).length, 2);
      await store.close();
    });

    test('settledN is stored with an append and never runs backwards', async () => {
      const { store, append, lease, head } = await world();
      await append(...drafts('a', 2));
      await store.append(lease, sealRows(head(), lease.epoch, [draft('b', 1)]), 2);
      assert.equal(await store.settledN(), 2);
      await store.close();
    });

    test('the lease: held against others, renewed, released, taken again with a higher epoch', async () => {
      const { account, store, lease } = await world();
      const other = (await under()).store(account);
      await other.open();
      await assert.rejects(other.acquireLease('second', 60_000), { code: 'LEASE_HELD', message: /first/ });
      await store.renewLease(lease, 60_000);
      const state = await store.leaseState();
      assert.deepEqual([state?.owner, state?.epoch], ['first', lease.epoch]);
      const left = state?.leftMs ?? 0;
      assert.ok(left > 30_000 && left <= 60_000, `${left} ms are left`);
      await store.releaseLease(lease);
      assert.equal(await store.leaseState(), undefined);
      const next = await other.acquireLease('second', 60_000);
      assert.equal(next.epoch, lease.epoch + 1);
      await store.releaseLease(lease);
      assert.equal((await other.leaseState())?.owner, 'second', 'a stale release releases nothing');
      await store.close();
      await other.close();
    });

    test('property 31: an expired lease can be taken; its old owner is fenced in everything it writes', async () => {
      const { account, store, append, lease, head } = await world();
      await append(draft('a', 1));
      await store.renewLease(lease, 50);
      await (await under()).passTime(60);
      const other = (await under()).store(account);
      await other.open();
      const next = await other.acquireLease('second', 60_000);
      const stale = sealRows(head(), lease.epoch, [draft('a', 2)]);
      await assert.rejects(store.append(lease, stale, 0), { code: 'FENCED', message: /second/ });
      await assert.rejects(store.renewLease(lease, 60_000), { code: 'FENCED' });
      await assert.rejects(store.setMeta(lease, 'key', 'value'), { code: 'FENCED' });
      assert.equal((await store.head()).n, 1);
      await other.append(next, sealRows(head(), next.epoch, [draft('a', 2)]), 0);
      assert.equal((await other.head()).n, 2);
      await store.close();
      await other.close();
    });

    test('standbys: each one\u2019s newest word with its age; one that leaves is gone; accounts apart', async () => {
      const { store } = await world();
      const elsewhere = await world();
      const word = { owner: 'b', host: 'h', pid: 7, version: '1', followedN: 3, notReady: null };
      assert.deepEqual(await store.standbys(), []);
      await store.reportStandby({ ...word, followedN: 1, notReady: 'starting' });
      await (await under()).passTime(30);
      await store.reportStandby({ ...word, owner: 'c' });
      await store.reportStandby(word);
      const [first, second, ...more] = await store.standbys();
      assert.deepEqual(more, []);
      const { ageMs, ...said } = [first, second].find((state) => state?.owner === 'b') ?? { ageMs: -1 };
      assert.deepEqual(said, word);
      assert.ok(ageMs >= 0 && ageMs < 30_000, `${ageMs} ms old`);
      assert.deepEqual(await elsewhere.store.standbys(), []);
      await store.removeStandby('b');
      assert.deepEqual(
        (await store.standbys()).map(({ owner }) => owner),
        ['c'],
      );
      await store.close();
      await elsewhere.store.close();
    });

    test('an expired lease that nobody took is still good', async () => {
      const { store, append, lease } = await world();
      await store.renewLease(lease, 20);
      await (await under()).passTime(30);
      await append(draft('a', 1));
      await store.renewLease(lease, 60_000);
      await store.close();
    });

    test('the same owner may take its lease again, and fences its former self', async () => {
      const { store, lease, head } = await world();
      const next = await store.acquireLease('first', 60_000);
      assert.equal(next.epoch, lease.epoch + 1);
      await assert.rejects(store.append(lease, sealRows(head(), lease.epoch, [draft('a', 1)]), 0), {
        code: 'FENCED',
      });
      await store.close();
    });

    test('meta values are set, replaced and read back', async () => {
      const { store, lease } = await world();
      assert.equal(await store.getMeta('instance'), undefined);
      await store.setMeta(lease, 'instance', 'one');
      await store.setMeta(lease, 'instance', 'two – 🐎');
      assert.equal(await store.getMeta('instance'), 'two – 🐎');
      await store.close();
    });

    test('accounts do not see each other', async () => {
      const one = await world();
      const two = await world();
      await one.append(draft('a', 1));
      await one.store.setMeta(one.lease, 'key', 'one');
      await two.append(draft('a', 1), draft('a', 2));
      assert.equal((await one.store.rowsAfter(0, 10)).length, 1);
      assert.equal((await two.store.liveRows()).length, 1);
      assert.equal(await two.store.getMeta('key'), undefined);
      await one.store.close();
      await two.store.close();
    });
    cutConformance(under);
    configVersionsConformance(world);
  });
}
