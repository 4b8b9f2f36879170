import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mailbox, type MailboxOptions } from '../../supervisors/mailbox.ts';
import { flush } from '../support/toy-tree.ts';

/** A mailbox whose handler waits until `next()` lets one message through. */
function gated(options: Pick<MailboxOptions<number>, 'capacity' | 'overflow'>) {
  const handled: number[] = [];
  const failures: string[] = [];
  let running = 0;
  let release = (_error?: Error): void => {};
  const mailbox = new Mailbox<number>({
    ...options,
    handle: (message) => {
      running++;
      assert.equal(running, 1, 'one at a time');
      return new Promise<void>((resolve, reject) => {
        release = (error) => {
          running--;
          handled.push(message);
          if (error) reject(error);
          else resolve();
        };
      });
    },
    onFailure: (error, message) => failures.push(`${message}: ${String(error)}`),
  });
  const next = async (error?: Error): Promise<void> => {
    release(error);
    await flush();
  };
  return { mailbox, handled, failures, next };
}

test('property 22: messages are handled one at a time in the order of each sender', async () => {
  const { mailbox, handled, next } = gated({ capacity: 10, overflow: 'reject' });
  for (let i = 1; i <= 5; i++) assert.equal(mailbox.push(i), 'accepted');
  assert.equal(mailbox.length, 4);
  for (let i = 0; i < 5; i++) await next();
  assert.deepEqual(handled, [1, 2, 3, 4, 5]);
});

test('property 22: a synchronous handler that sends to itself finishes one message before the next', () => {
  const log: string[] = [];
  const mailbox: Mailbox<number> = new Mailbox({
    capacity: 2,
    overflow: 'reject',
    handle: (message) => {
      log.push(`begin ${message}`);
      if (message < 3) assert.equal(mailbox.push(message + 1), 'accepted');
      log.push(`end ${message}`);
    },
    onFailure: () => assert.fail(),
  });
  mailbox.push(1);
  assert.deepEqual(log, ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
});

test('property 22: overflow reject tells the sender', async () => {
  const { mailbox, handled, next } = gated({ capacity: 2, overflow: 'reject' });
  assert.deepEqual(
    [1, 2, 3, 4].map((message) => mailbox.push(message)),
    ['accepted', 'accepted', 'accepted', 'rejected'],
  );
  for (let i = 0; i < 3; i++) await next();
  assert.deepEqual(handled, [1, 2, 3]);
  assert.equal(mailbox.lost, 1);
});

test('property 22: overflow drop-oldest keeps the newest, drop-newest the first, and both count', async () => {
  for (const [overflow, kept] of [
    ['drop-oldest', [1, 4, 5]],
    ['drop-newest', [1, 2, 3]],
  ] as const) {
    const { mailbox, handled, next } = gated({ capacity: 2, overflow });
    const answers = [1, 2, 3, 4, 5].map((message) => mailbox.push(message));
    assert.deepEqual(answers, ['accepted', 'accepted', 'accepted', 'dropped', 'dropped']);
    assert.equal(mailbox.length, 2);
    for (let i = 0; i < 3; i++) await next();
    assert.deepEqual(handled, kept, overflow);
    assert.equal(mailbox.lost, 2);
  }
});

test('property 22: a failure closes the mailbox; what waited can be taken over', async () => {
  const { mailbox, handled, failures, next } = gated({ capacity: 5, overflow: 'reject' });
  for (const message of [1, 2, 3]) mailbox.push(message);
  await next(new Error('boom'));
  assert.deepEqual(failures, ['1: Error: boom']);
  assert.equal(mailbox.push(4), 'closed');
  assert.deepEqual(mailbox.close(), [2, 3]);
  await next();
  assert.deepEqual(handled.slice(0, 1), [1]);
  assert.equal(mailbox.length, 0);
});

test('property 22: a closed mailbox handles nothing more, and a late failure is nobody’s', async () => {
  const { mailbox, failures, next } = gated({ capacity: 5, overflow: 'reject' });
  for (const message of [1, 2]) mailbox.push(message);
  assert.deepEqual(mailbox.close(), [2]);
  await next(new Error('late'));
  assert.deepEqual(failures, []);
});

test('property 22: long queues stay in order and cost no more than they hold', async () => {
  const seen: number[] = [];
  const gate = Promise.withResolvers<void>();
  const mailbox = new Mailbox<number>({
    capacity: 100_000,
    overflow: 'reject',
    handle: (message) => {
      seen.push(message);
      return message === 0 ? gate.promise : undefined;
    },
    onFailure: () => assert.fail(),
  });
  for (let i = 0; i < 100_000; i++) mailbox.push(i);
  gate.resolve();
  await flush();
  assert.equal(seen.length, 100_000);
  assert.ok(seen.every((message, index) => message === index));
});

test('a mailbox without room is a defect', () => {
  assert.throws(() => gated({ capacity: 0, overflow: 'reject' }), /capacity of at least 1/);
});
