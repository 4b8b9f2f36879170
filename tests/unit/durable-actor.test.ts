import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BulkheadError } from '../../src/core/errors.ts';
import type { Cause } from '../../src/domain/events.ts';
import { Harness, MemoryDatabase } from '../support/runtime-harness.ts';

const external: Cause = { kind: 'external', id: 'x' };

test('property 26: nothing of a row is visible before it is durable', async () => {
  let release: () => void = () => {};
  let gate: Promise<void> | undefined;
  const harness = await Harness.start({
    actors: ['toy/a', 'toy/b'],
    faults: { before: (operation) => (operation === 'append' ? gate : undefined) },
  });
  await harness.runtime.quiescent();
  gate = new Promise((resolve) => {
    release = resolve;
  });
  const before = harness.committed.length;
  harness.runtime.tell({ to: 'toy/a', event: { type: 'TELL', to: 'toy/b', amount: 5 }, cause: external });
  harness.runtime.tell({ to: 'toy/a', event: { type: 'ARM' }, cause: external });
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assert.equal(harness.committed.length, before);
  assert.equal(harness.runtime.timers.size, 0);
  assert.equal(harness.context('toy/b').count, 0);
  release();
  gate = undefined;
  await harness.runtime.quiescent();
  assert.equal(harness.context('toy/b').count, 5);
  assert.equal(harness.runtime.timers.size, 2);
});

test('property 22: one event at a time, in the order of sending, whatever waits for the journal', async () => {
  const harness = await Harness.start({ actors: ['toy/a'] });
  for (let amount = 1; amount <= 50; amount++) {
    harness.runtime.tell({ to: 'toy/a', event: { type: 'ADD', amount }, cause: external });
    if (amount % 7 === 0) await Promise.resolve();
  }
  await harness.runtime.quiescent();
  const rows = await harness.store.rowsOf('toy/a', 1, 1_000);
  assert.deepEqual(
    rows.map((row) => JSON.parse(row.event).amount),
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
  assert.deepEqual(
    rows.map((row) => row.seq),
    Array.from({ length: 50 }, (_, i) => i + 2),
  );
});

test('property 23: postponed events come again after the state change, in order, and survive a restart', async () => {
  const database = new MemoryDatabase();
  const first = await Harness.start({ database, actors: ['toy/a'] });
  await first.tell('toy/a', { type: 'LATER' });
  await first.tell('toy/a', { type: 'LATER' });
  await first.tell('toy/a', { type: 'ADD', amount: 1 });
  assert.deepEqual(first.context('toy/a').log, []);
  const second = await Harness.start({ database, time: first.time });
  await second.tell('toy/a', { type: 'OPEN' });
  assert.deepEqual(second.context('toy/a').log, ['later', 'later']);
  const rows = await second.store.rowsOf('toy/a', 0, 100);
  assert.deepEqual(
    rows.slice(-3).map((row) => [JSON.parse(row.event).type, JSON.parse(row.cause).kind]),
    [
      ['OPEN', 'external'],
      ['LATER', 'postponed'],
      ['LATER', 'postponed'],
    ],
  );
});

test('property 24: state timers die with the state, event timers with any event, named ones only by clear', async () => {
  const harness = await Harness.start({ actors: ['toy/a'] });
  await harness.tell('toy/a', { type: 'OPEN' });
  await harness.tell('toy/a', { type: 'ARM' });
  assert.equal(harness.runtime.timers.size, 3);
  await harness.tell('toy/a', { type: 'ADD', amount: 1 });
  assert.equal(harness.runtime.timers.size, 2, 'the event timer is gone');
  await harness.tell('toy/a', { type: 'CLOSE' });
  assert.equal(harness.runtime.timers.size, 1, 'the state timer is gone');
  await harness.tell('toy/a', { type: 'DISARM' });
  assert.equal(harness.runtime.timers.size, 0);
  await harness.advanceTo(1_000_000);
  assert.deepEqual(harness.context('toy/a').log, []);
});

test('property 24: a timer that fires in the same turn in which it is cleared does nothing', async () => {
  const harness = await Harness.start({ actors: ['toy/a'] });
  await harness.tell('toy/a', { type: 'ARM' });
  harness.time.advanceTo(10_000);
  harness.runtime.tell({ to: 'toy/a', event: { type: 'DISARM' }, cause: external });
  harness.runtime.fireDueTimers();
  await harness.runtime.quiescent();
  assert.deepEqual(harness.context('toy/a').log, []);
});

test('property 25: overdue timers fire exactly once on recovery, in deadline order', async () => {
  const database = new MemoryDatabase();
  const first = await Harness.start({ database, actors: ['toy/a', 'toy/b'] });
  await first.tell('toy/b', { type: 'OPEN' });
  first.time.advanceTo(2_000);
  await first.tell('toy/a', { type: 'ARM' });
  const second = await Harness.start({ database, time: first.time });
  second.time.advanceTo(60_000);
  second.runtime.fireDueTimers();
  await second.runtime.quiescent();
  assert.deepEqual(second.context('toy/a').log, ['quiet', 'bell']);
  assert.deepEqual(second.context('toy/b').log, ['after']);
  const fired = second.committed.filter(({ cause }) => cause.kind === 'timer');
  assert.deepEqual(
    fired.map(({ cause }) => cause.kind === 'timer' && cause.due),
    [5_000, 7_000, 11_000],
  );
  const third = await Harness.start({ database, time: second.time });
  third.runtime.fireDueTimers();
  await third.runtime.quiescent();
  assert.equal(third.committed.length, 0, 'nothing fires twice');
});

test('property 20: a poisonous event is quarantined after N identical crashes and the actor goes on', async () => {
  const harness = await Harness.start({ actors: ['toy/a'], poisonLimit: 3 });
  await harness.tell('toy/a', { type: 'ADD', amount: 4 });
  harness.runtime.tell({ to: 'toy/a', event: { type: 'THROW' }, cause: external });
  harness.runtime.tell({ to: 'toy/a', event: { type: 'ADD', amount: 1 }, cause: external });
  await harness.runtime.quiescent();
  assert.equal(harness.crashes.length, 2, 'two restarts, the third crash is the last');
  assert.deepEqual(harness.quarantined, ['toy/a']);
  assert.equal(harness.context('toy/a').count, 5, 'state from the journal, and the next event was handled');
  const letters = (await harness.rows()).filter((row) => row.kind === 'dead-letter');
  assert.equal(letters.length, 1);
  assert.match(letters[0]?.note ?? '', /poison/);
  assert.equal(harness.runtime.deadLetterCount, 1);
});

test('a cycle of eventless transitions is such an event too: it holds nobody up', async () => {
  const harness = await Harness.start({ actors: ['toy/a', 'toy/b'], poisonLimit: 2 });
  harness.runtime.tell({ to: 'toy/a', event: { type: 'SPIN' }, cause: external });
  harness.runtime.tell({ to: 'toy/b', event: { type: 'ADD', amount: 1 }, cause: external });
  harness.runtime.tell({ to: 'toy/a', event: { type: 'ADD', amount: 2 }, cause: external });
  await harness.runtime.quiescent();
  assert.deepEqual(harness.quarantined, ['toy/a']);
  assert.deepEqual([harness.context('toy/a').count, harness.context('toy/b').count], [2, 1]);
  const letters = (await harness.rows()).filter((row) => row.kind === 'dead-letter');
  assert.match(letters[0]?.note ?? '', /Infinite loop/);
});

test('property 28: what arrives during recovery waits and is then handled in order', async () => {
  const database = new MemoryDatabase();
  const first = await Harness.start({ database, actors: ['toy/a', 'toy/b'] });
  await first.runtime.quiescent();
  // The rows of TELL are durable, the process dies before their intents are taken.
  first.runtime.tell({ to: 'toy/a', event: { type: 'TELL', to: 'toy/b', amount: 10 }, cause: external });
  first.runtime.tell({ to: 'toy/a', event: { type: 'TELL', to: 'toy/b', amount: 20 }, cause: external });
  for (let i = 0; i < 3; i++) await Promise.resolve();
  const second = await Harness.start({ database, time: first.time, owner: 'two' });
  second.runtime.tell({ to: 'toy/b', event: { type: 'ADD', amount: 1 }, cause: external });
  await second.runtime.quiescent();
  const amounts = (await second.store.rowsOf('toy/b', 1, 100)).map((row) => JSON.parse(row.event).amount);
  assert.deepEqual(amounts, [10, 20, 1]);
});

test('a message for an actor that is over, or never was, becomes a dead letter and is consumed', async () => {
  const database = new MemoryDatabase();
  const harness = await Harness.start({ database, actors: ['toy/a', 'toy/b'] });
  await harness.tell('toy/b', { type: 'OPEN' });
  await harness.tell('toy/b', { type: 'END' });
  await harness.tell('toy/a', { type: 'TELL', to: 'toy/b', amount: 1 });
  await harness.tell('toy/a', { type: 'TELL', to: 'toy/nobody', amount: 1 });
  assert.equal(harness.runtime.deadLetterCount, 2);
  assert.equal(harness.runtime.outstandingRows, 0);
  const next = await Harness.start({ database, time: harness.time, owner: 'two' });
  await next.runtime.quiescent();
  assert.equal(next.runtime.deadLetterCount, 0, 'in this process');
});

test('an order gets its identity from instance, actor, seq and index, the same in every epoch', async () => {
  const harness = await Harness.start({ actors: ['toy/a'] });
  await harness.tell('toy/a', { type: 'BUY', ref: 'entry-1' });
  const intent = harness.committed.flatMap((c) => c.intents).find((i) => i.type === 'order.submit');
  assert.ok(intent?.type === 'order.submit');
  assert.match(intent.order.clientOrderId, /^bh-[a-z2-7]{25}$/);
  assert.equal(intent.order.owner, 'toy/a');
  assert.equal(intent.order.ref, 'entry-1');
});

test('a look at the market that changes nothing writes no row', async () => {
  const harness = await Harness.start({ actors: ['toy/a'] });
  await harness.runtime.quiescent();
  const before = harness.committed.length;
  await harness.tell('toy/a', { type: 'LOOK' }, { kind: 'input', phase: 'market', at: 1 });
  assert.equal(harness.committed.length, before);
});

test('what is held back while rows are in flight is taken in the order of its arrival, across actors', async () => {
  let open: () => void = () => {};
  let gate: Promise<void> | undefined;
  const harness = await Harness.start({
    actors: ['toy/a', 'toy/b', 'toy/c'],
    faults: { before: (operation) => (operation === 'append' ? gate : undefined) },
  });
  await harness.runtime.quiescent();
  gate = new Promise((resolve) => {
    open = resolve;
  });
  const add = (to: string, amount: number) =>
    harness.runtime.tell({ to, event: { type: 'ADD', amount }, cause: external });
  for (const to of ['toy/a', 'toy/b', 'toy/c']) add(to, 0);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  for (const [index, to] of ['toy/b', 'toy/a', 'toy/c', 'toy/a', 'toy/b'].entries()) add(to, index + 1);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  open();
  gate = undefined;
  await harness.runtime.quiescent();
  const amounts = harness.committed.slice(-5).map(({ event }) => event.amount);
  assert.deepEqual(amounts, [1, 2, 3, 4, 5]);
});

test('an observer that throws is reported, and keeps no intent from being delivered', async () => {
  const harness = await Harness.start({ actors: ['toy/a', 'toy/b'], collectErrors: true });
  harness.runtime.observe(({ row }) => {
    if (row.actor === 'toy/a') throw new Error('no room');
  });
  await harness.tell('toy/a', { type: 'TELL', to: 'toy/b', amount: 3 });
  assert.equal(harness.context('toy/b').count, 3);
  assert.equal(harness.runtime.outstandingRows, 0);
  assert.deepEqual(harness.errors, ['Error: no room', 'Error: no room']);
});

test('after a row that the journal refuses to take nothing moves any more', async () => {
  const database = new MemoryDatabase();
  const first = await Harness.start({ database, actors: ['toy/a', 'toy/b'] });
  await first.runtime.quiescent();
  let away = true;
  const harness = await Harness.start({
    database,
    time: first.time,
    maxQueuedRows: 1,
    faults: {
      before: (operation) => {
        if (operation === 'append' && away) throw new BulkheadError('STORE_UNAVAILABLE', 'away');
      },
    },
  });
  harness.runtime.tell({ to: 'toy/b', event: { type: 'ADD', amount: 1 }, cause: external });
  harness.runtime.tell({ to: 'toy/a', event: { type: 'ADD', amount: 2 }, cause: external });
  harness.runtime.tell({ to: 'toy/b', event: { type: 'ADD', amount: 3 }, cause: external });
  await assert.rejects(harness.runtime.quiescent(), { code: 'JOURNAL_OVERLOADED' });
  assert.equal(harness.broken.length, 1, 'and whoever waits for nothing hears of it');
  assert.match(String(harness.broken), /JOURNAL_OVERLOADED|rows wait/);
  away = false;
  await harness.writer.idle();
  harness.runtime.tell({ to: 'toy/a', event: { type: 'ADD', amount: 4 }, cause: external });
  await assert.rejects(harness.runtime.quiescent(), { code: 'JOURNAL_OVERLOADED' });
  assert.equal(harness.broken.length, 1);
  const after = await Harness.start({ database, time: first.time });
  assert.equal((await after.store.rowsOf('toy/a', 1, 10)).length, 0, 'no row follows one that is missing');
  assert.equal((await after.store.rowsOf('toy/b', 1, 10)).length, 1);
});

test('messages for an actor that cannot be restored wait in the journal for a start that can', async () => {
  const database = new MemoryDatabase();
  const first = await Harness.start({ database, actors: ['toy/a', 'toy/b'] });
  await first.runtime.quiescent();
  const without = await Harness.start({ database, time: first.time, absent: ['toy/b'] });
  await without.tell('toy/a', { type: 'TELL', to: 'toy/b', amount: 3 });
  await without.tell('toy/a', { type: 'TELL', to: 'toy/b', amount: 4 });
  assert.equal(without.runtime.deadLetterCount, 0);
  const again = await Harness.start({ database, time: first.time });
  await again.runtime.quiescent();
  assert.equal(again.context('toy/b').count, 7);
  assert.equal(again.runtime.outstandingRows, 0);
});
