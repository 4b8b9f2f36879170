import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import { JournalWriter, type JournalWriterOptions } from '../../src/journal/journal-writer.ts';
import { MemoryDatabase, type MemoryFaults, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { EMPTY_HEAD, verifyChain } from '../../src/journal/row-hash.ts';
import { draft, drafts } from '../support/journal-rows.ts';

const away = () => new BulkheadError('STORE_UNAVAILABLE', 'connection lost');

async function setup(faults: MemoryFaults = {}, options: Partial<JournalWriterOptions> = {}) {
  const time = new VirtualTime(0);
  const database = new MemoryDatabase();
  const batches: number[] = [];
  const store = new MemoryJournal({
    account: 'test',
    clock: time,
    database,
    faults: {
      before: async (operation, rows) => {
        if (operation === 'append') batches.push(rows.length);
        await faults.before?.(operation, rows);
      },
      after: (operation, rows) => faults.after?.(operation, rows),
    },
  });
  await store.open();
  const lease = await store.acquireLease('me', 1e9);
  const states: string[] = [];
  const writer = new JournalWriter(store, lease, EMPTY_HEAD, {
    time,
    onState: (state, error) => states.push(error ? `${state}:${error.code}` : state),
    ...options,
  });
  return { time, database, store, lease, writer, batches, states, released: [] as number[] };
}

/** Lets every promise callback that is due run. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a row gets its n at once and its callback only after the commit', async () => {
  const { writer, released } = await setup();
  assert.deepEqual(
    writer.append(draft('a', 1), (row) => released.push(row.n)),
    { n: 1 },
  );
  assert.deepEqual([writer.durableN, writer.pendingRows, released.length], [0, 1, 0]);
  await writer.idle();
  assert.deepEqual([writer.durableN, writer.pendingRows], [1, 0]);
  assert.deepEqual(released, [1]);
});

test('one synchronous turn is one statement, however large; later turns are grouped up to the limit', async () => {
  let open: (() => void) | undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { writer, batches } = await setup(
    { before: (operation) => (operation === 'append' ? gate : undefined) },
    { limits: { maxBatchRows: 4 } },
  );
  for (const row of drafts('a', 9)) writer.append(row, () => {});
  await settle();
  for (let turn = 0; turn < 5; turn++) {
    for (const row of drafts(`b${turn}`, 2)) writer.append(row, () => {});
    await settle();
  }
  open?.();
  await writer.idle();
  assert.deepEqual(batches, [9, 4, 4, 2]);
});

test('callbacks run in order of n, and their own appends make the next statement', async () => {
  const { writer, store, batches } = await setup();
  const order: number[] = [];
  for (const actor of ['a', 'b', 'c']) {
    writer.append(draft(actor, 1), (row) => {
      order.push(row.n);
      writer.append(draft(actor, 2), (next) => order.push(next.n));
    });
  }
  await settle();
  await writer.idle();
  assert.deepEqual(order, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(batches, [3, 3]);
  assert.equal(verifyChain(await store.rowsAfter(0, 100)).n, 6);
});

test('inFlight tells rows already sent from rows still queued', async () => {
  const { writer } = await setup();
  writer.append(draft('a', 1), () => {});
  assert.equal(writer.inFlight(1), false);
  await Promise.resolve();
  assert.equal(writer.inFlight(1), true);
  assert.equal(writer.inFlight(2), false);
  await writer.idle();
  assert.equal(writer.inFlight(1), false);
});

test('settledN travels with the next append and never runs backwards', async () => {
  const { writer, store } = await setup();
  writer.append(draft('a', 1), () => writer.setSettled(1));
  await writer.idle();
  assert.equal(await store.settledN(), 0);
  writer.append(draft('a', 2), () => {});
  await writer.idle();
  assert.equal(await store.settledN(), 1);
  assert.throws(() => writer.setSettled(0), /out of order/);
  assert.throws(() => writer.setSettled(99), /out of order/);
});

test('a gap in an actor’s seq is refused before it can be written', async () => {
  const { writer } = await setup();
  writer.append(draft('a', 1), () => {});
  assert.throws(() => writer.append(draft('a', 3), () => {}), /seq 3 after 1/);
  await writer.idle();
  assert.equal(writer.durableN, 1);
});

for (const moment of ['before', 'after'] as const) {
  test(`a connection lost ${moment} the commit: halted, looked up, released once, ok again`, async () => {
    let failures = 2;
    const fail = (operation: string) => {
      if (operation === 'append' && failures-- > 0) throw away();
    };
    const world = await setup({ [moment]: fail });
    for (const row of drafts('a', 3)) world.writer.append(row, (done) => world.released.push(done.n));
    await settle();
    assert.deepEqual(world.states, ['halted:STORE_UNAVAILABLE']);
    assert.deepEqual(world.released, []);
    while (world.writer.pendingRows > 0) {
      world.time.advanceTo(world.time.now() + 20);
      await settle();
    }
    assert.deepEqual(world.released, [1, 2, 3]);
    assert.deepEqual(world.states, ['halted:STORE_UNAVAILABLE', 'ok']);
    assert.equal((await world.store.rowsAfter(0, 10)).length, 3);
    assert.equal(world.batches.length, moment === 'before' ? 3 : 1, 'a batch that landed is not sent again');
  });
}

test('a full disk halts; rows keep queueing up to the limit, then JOURNAL_OVERLOADED; all resume', async () => {
  let full = true;
  const world = await setup(
    {
      before: (operation) => {
        if (operation === 'append' && full) throw new BulkheadError('STORE_FULL', 'no space left');
      },
    },
    { limits: { maxQueuedRows: 5 } },
  );
  for (const row of drafts('a', 5)) {
    world.writer.append(row, (done) => world.released.push(done.n));
    await settle();
  }
  assert.throws(() => world.writer.append(draft('a', 6), () => {}), { code: 'JOURNAL_OVERLOADED' });
  assert.deepEqual(world.states, ['halted:STORE_FULL']);
  full = false;
  world.time.advanceTo(10_000);
  await world.writer.idle();
  assert.deepEqual(world.released, [1, 2, 3, 4, 5]);
  world.writer.append(draft('a', 6), () => {});
  await world.writer.idle();
});

test('retries back off exponentially up to the cap', async () => {
  const world = await setup(
    {
      before: (operation) => {
        if (operation === 'append') throw away();
      },
    },
    { limits: { firstRetryMs: 10, longestRetryMs: 50 } },
  );
  world.writer.append(draft('a', 1), () => {});
  const waits: number[] = [];
  for (let attempt = 0; attempt < 5; attempt++) {
    await settle();
    const due = world.time.nextDeadline();
    assert(due !== undefined);
    waits.push(due - world.time.now());
    world.time.advanceTo(due);
  }
  assert.deepEqual(waits, [10, 20, 40, 50, 50]);
});

test('fenced: nothing is released ever again and every call says so', async () => {
  const world = await setup();
  const other = new MemoryJournal({ account: 'test', clock: world.time, database: world.database });
  await other.open();
  world.time.advanceTo(2e9);
  const thief = await other.acquireLease('thief', 1000);
  assert.equal(thief.epoch, world.lease.epoch + 1);
  world.writer.append(draft('a', 1), (row) => world.released.push(row.n));
  await assert.rejects(world.writer.idle(), { code: 'FENCED' });
  assert.deepEqual(world.states, ['fenced:FENCED']);
  assert.throws(() => world.writer.append(draft('a', 2), () => {}), { code: 'FENCED' });
  await assert.rejects(world.writer.idle(), { code: 'FENCED' });
  assert.deepEqual([world.released.length, (await other.head()).n], [0, 0]);
  await world.writer.close();
});

test('an error nobody can retry ends the writer as failed', async () => {
  const world = await setup({
    before: (operation) => {
      if (operation === 'append') throw new TypeError('a defect');
    },
  });
  world.writer.append(draft('a', 1), () => assert.fail('released'));
  await assert.rejects(world.writer.idle(), { code: 'INTERNAL' });
  assert.deepEqual(world.states, ['failed:INTERNAL']);
});

test('a throwing callback is reported and does not keep the others from running', async () => {
  const reported: [string, number | undefined][] = [];
  const world = await setup({}, { onError: (error, row) => reported.push([String(error), row?.n]) });
  world.writer.append(draft('a', 1), () => {
    throw new Error('boom');
  });
  world.writer.append(draft('b', 1), (row) => world.released.push(row.n));
  await world.writer.idle();
  assert.deepEqual(reported, [['Error: boom', 1]]);
  assert.deepEqual(world.released, [2]);
});

test('a throwing state listener keeps neither the retry nor the release from happening', async () => {
  const reported: string[] = [];
  let attempts = 0;
  const world = await setup(
    {
      before: (operation) => {
        if (operation === 'append' && ++attempts === 1) throw away();
      },
    },
    {
      onState: (state) => {
        throw new Error(`no room to note "${state}"`);
      },
      onError: (error) => reported.push(String(error)),
    },
  );
  world.writer.append(draft('a', 1), (row) => world.released.push(row.n));
  await settle();
  world.time.advanceTo(1_000);
  await world.writer.idle();
  assert.deepEqual(world.released, [1]);
  assert.deepEqual(reported, ['Error: no room to note "halted"', 'Error: no room to note "ok"']);
});

test('close drains what is queued; while the store is away it gives up instead of hanging', async () => {
  const healthy = await setup();
  healthy.writer.append(draft('a', 1), (row) => healthy.released.push(row.n));
  await healthy.writer.close();
  assert.deepEqual(healthy.released, [1]);
  assert.throws(() => healthy.writer.append(draft('a', 2), () => {}), { code: 'STORE_UNAVAILABLE' });

  const broken = await setup({
    before: (operation) => {
      if (operation === 'append') throw away();
    },
  });
  broken.writer.append(draft('a', 1), () => assert.fail('released'));
  await broken.writer.close();
  assert.equal(broken.time.nextDeadline(), undefined, 'no retry is left armed');
  assert.equal(broken.writer.state, 'closed');
});

test('a note that PostgreSQL could not store is cleaned before it is hashed', async () => {
  const { writer, store } = await setup();
  writer.append(draft('a', 1, { note: 'bad \0 and \uD800 bytes' }), () => {});
  await writer.idle();
  const rows = await store.rowsAfter(0, 1);
  assert.equal(rows[0]?.note, 'bad \uFFFD and \uFFFD bytes');
  verifyChain(rows);
});
