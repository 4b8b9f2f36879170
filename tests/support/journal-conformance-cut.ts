/** What every journal store must do when its oldest rows are removed. Part of the stores' conformance. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { JournalRow } from '../../src/journal/journal.ts';
import { readBeginning, readChain } from '../../src/journal/journal-beginning.ts';
import { ORIGIN, planCut } from '../../src/journal/journal-cut.ts';
import { EMPTY_HEAD, GENESIS_HASH, sealRows } from '../../src/journal/row-hash.ts';
import type { StoreUnderTest } from './journal-conformance.ts';
import { draft, drafts } from './journal-rows.ts';

const POSITION = 'position/X/BOTH/1';

export function cutConformance(under: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  /** Nine rows: a position that is over, an engine with a checkpoint in between, two charts. */
  async function filled(settledN = 9) {
    const store = (await under()).store(`account-${randomUUID()}`);
    await store.open();
    const lease = await store.acquireLease('first', 60_000);
    const rows = sealRows(EMPTY_HEAD, lease.epoch, [
      draft(POSITION, 1, { event: '{"type":"actor.start" ,"input":{}}' }),
      draft('venue', 1),
      draft('a', 1),
      draft('venue', 2, { snapshot: null }),
      draft(POSITION, 2, { final: true, note: 'over' }),
      draft('portfolio', 1, { event: '{"type":"ASSESS","at":5,"entry":{"symbol":"X"},"market":[1,2,3]}' }),
      draft('a', 2),
      draft('venue', 3, { snapshot: null }),
      draft('a', 3),
    ]);
    await store.append(lease, rows, settledN);
    return { store, lease, rows };
  }
  const shown = (rows: readonly JournalRow[]) => rows.map(({ n, actor, seq }) => `${n} ${actor} ${seq}`);

  test('hashesBefore gives what each row’s hash covers, and nothing for what has nothing before it', async () => {
    const { store, rows } = await filled();
    assert.deepEqual([...(await store.hashesBefore([]))], []);
    const before = await store.hashesBefore([3, 1, 2, 3, 99]);
    assert.deepEqual(
      [1, 2, 3, 99].map((n) => before.get(n)),
      [GENESIS_HASH, rows[0]?.hash, rows[1]?.hash, undefined],
    );
    await store.close();
  });

  test('rows are removed up to an anchor, but for those that the state there consists of', async () => {
    const { store, lease, rows } = await filled();
    assert.deepEqual(await store.anchor(), ORIGIN);
    assert.deepEqual(await store.carried(), []);
    const live = await store.liveRows();
    const { cut, carried } = planCut(ORIGIN, [], rows.slice(0, 7), 1234);
    assert.equal(await store.cut(cut), true);
    assert.deepEqual(await store.anchor(), cut.to);
    assert.deepEqual(await store.carried(), carried);
    assert.deepEqual(shown(await store.rowsAfter(0, 99)), [
      ...['2 venue 1', '4 venue 2', '6 portfolio 1', '7 a 2', '8 venue 3', '9 a 3'],
    ]);
    assert.deepEqual(await store.rowsAfter(7, 99), rows.slice(7));
    assert.deepEqual(await store.liveRows(), live);
    assert.deepEqual(shown(await store.rowsOf('a', 0, 9)), ['7 a 2', '9 a 3']);
    assert.equal((await store.lastCheckpoint('venue'))?.n, 2);
    assert.deepEqual(shown(await store.rowsAt(8)), ['6 portfolio 1', '7 a 2', '8 venue 3']);
    assert.deepEqual((await readBeginning(store)).rows.length, 4);
    assert.deepEqual(await readChain(store), await store.head());
    const before = await store.hashesBefore(rows.map(({ n }) => n));
    const known = rows.filter(({ n }) => before.has(n)).map(({ n }) => n);
    assert.deepEqual(known, [2, 3, 4, 5, 6, 7, 8, 9], 'of what came before the first one nothing is known');
    for (const n of known) assert.equal(before.get(n), rows[n - 2]?.hash);
    assert.equal(await store.cut(cut), false, 'a cut is made once');
    const second = planCut(cut.to, carried, rows.slice(7, 8), 1235);
    assert.equal(await store.cut(second.cut), true);
    const more = sealRows(await store.head(), lease.epoch, [draft('a', 4), draft('venue', 4)]);
    await store.append(lease, more, 9);
    await readChain(store);
    await store.close();
  });

  test('what is kept of removed rows is found, and their actors’ names are not given again', async () => {
    const { store, lease, rows } = await filled();
    await store.cut(planCut(ORIGIN, [], rows.slice(0, 7), 1).cut);
    const [start, over, asked] = await store.kept(0, 99);
    assert.deepEqual(start, { ...rows[0], snapshot: null, host: '{}' });
    assert.deepEqual(over, { ...rows[4], host: '{}' });
    assert.equal(asked?.event, '{"type":"ASSESS","at":5,"entry":{"symbol":"X"}}');
    assert.deepEqual(shown(await store.kept(0, 1)), [`1 ${POSITION} 1`]);
    assert.deepEqual(shown(await store.kept(1, 9, POSITION)), [`5 ${POSITION} 2`]);
    const found = async (query: object) =>
      (await store.scan({ afterN: 0, uptoN: 99, limit: 9, newestFirst: false, ...query })).map(({ n }) => n);
    assert.deepEqual(await found({}), [1, 2, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(await found({ actor: POSITION, newestFirst: true }), [5, 1]);
    assert.deepEqual(await found({ afterN: 4, uptoN: 6 }), [5, 6]);
    const again = sealRows(await store.head(), lease.epoch, [draft(POSITION, 1)]);
    await assert.rejects(store.append(lease, again, 9), { message: /position\/X/ });
    assert.equal((await store.head()).n, 9);
    await store.append(lease, sealRows(await store.head(), lease.epoch, drafts('position/X/BOTH/2', 1)), 9);
    await store.close();
  });

  test('nothing is removed that is not settled, or from another anchor than was planned', async () => {
    const { store, rows } = await filled(7);
    assert.equal(await store.cut(planCut(ORIGIN, [], rows.slice(0, 7), 1).cut), false);
    const small = planCut(ORIGIN, [], rows.slice(0, 3), 1);
    const [one, two] = await Promise.all([store.cut(small.cut), store.cut(small.cut)]);
    assert.deepEqual([one, two].sort(), [false, true]);
    assert.equal((await store.rowsAfter(0, 99)).length, 9, 'all three are carried');
    const { bytes } = await store.size();
    assert.ok(bytes >= 0);
    await store.close();
  });

  test('a journal that was cut is restored as it is', async () => {
    const { store, rows } = await filled();
    const { cut, carried } = planCut(ORIGIN, [], rows.slice(0, 7), 1);
    await store.cut(cut);
    const other = (await under()).store(`account-${randomUUID()}`);
    await other.open();
    const start = {
      ...{ anchor: cut.to, carried, rows: (await readBeginning(store)).rows },
      kept: await store.kept(0, 99),
    };
    const batches = async function* () {
      yield rows.slice(7);
    };
    await other.restore({ start, batches: batches(), end: () => ({ settledN: 9, meta: {} }) });
    assert.deepEqual(await other.rowsAfter(0, 99), await store.rowsAfter(0, 99));
    assert.deepEqual(await other.kept(0, 99), start.kept);
    assert.deepEqual(await other.liveRows(), await store.liveRows());
    assert.deepEqual(await readBeginning(other), await readBeginning(store));
    assert.deepEqual(await readChain(other), await store.head());
    await other.close();
    await store.close();
  });
}
