import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import { LeaseKeeper, waitForLease } from '../../src/journal/lease-keeper.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';

const TTL_MS = 9_000;

async function setup() {
  const time = new VirtualTime(1_000_000);
  const database = new MemoryDatabase();
  const world = { away: false, othersAway: false };
  const faults = {
    before: () => {
      if (world.away) throw new BulkheadError('STORE_UNAVAILABLE', 'away');
    },
  };
  const otherFaults = {
    before: () => {
      if (world.othersAway) throw new BulkheadError('STORE_UNAVAILABLE', 'away');
    },
  };
  const store = new MemoryJournal({ account: 'a', clock: time, database, faults });
  const other = new MemoryJournal({ account: 'a', clock: time, database, faults: otherFaults });
  await store.open();
  await other.open();
  const acquiredAt = time.monotonic.now();
  const lease = await store.acquireLease('me', TTL_MS);
  const statuses: string[] = [];
  const keeper = new LeaseKeeper(store, lease, acquiredAt, {
    time,
    ttlMs: TTL_MS,
    onStatus: (status) => statuses.push(status),
  });
  keeper.start();
  /** Second by second, with every promise settled in between. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      time.advanceTo(time.now() + Math.min(500, left));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { time, store, other, lease, keeper, statuses, world, pass };
}

test('renewals keep the lease valid, here and at the store', async () => {
  const { keeper, other, statuses, pass } = await setup();
  await pass(60_000);
  assert.equal(keeper.valid, true);
  await assert.rejects(other.acquireLease('thief', 1), { code: 'LEASE_HELD' });
  assert.deepEqual(statuses, []);
  await keeper.stop();
});

test('validity ends on our own clock while the store is away, and comes back with a renewal', async () => {
  const { keeper, statuses, world, pass } = await setup();
  world.away = true;
  await pass(TTL_MS - 500);
  assert.deepEqual([keeper.valid, statuses], [true, []]);
  await pass(500);
  assert.deepEqual([keeper.valid, keeper.status, statuses], [false, 'expired', ['expired']]);
  world.away = false;
  await pass(3_500);
  assert.deepEqual([keeper.valid, statuses], [true, ['expired', 'valid']]);
  await keeper.stop();
});

test('fenced is for ever: no renewal follows, validity never returns', async () => {
  const { time, keeper, other, statuses, world, pass } = await setup();
  world.away = true;
  await pass(TTL_MS + 1_000);
  const stolen = await other.acquireLease('thief', 1_000);
  world.away = false;
  await pass(5_000);
  assert.deepEqual(statuses, ['expired', 'fenced']);
  await other.releaseLease(stolen);
  await pass(60_000);
  assert.deepEqual([keeper.valid, keeper.status, statuses], [false, 'fenced', ['expired', 'fenced']]);
  assert.equal(time.nextDeadline(), undefined, 'no timer is left armed');
});

test('after stop nothing is armed and the lease runs out by itself', async () => {
  const { time, keeper, other, pass } = await setup();
  await keeper.stop();
  assert.equal(time.nextDeadline(), undefined);
  await pass(TTL_MS);
  assert.equal((await other.acquireLease('next', 1)).owner, 'next');
});

test('a standby waits, names the holder once, survives an outage, and takes over at expiry', async () => {
  const { time, keeper, store, other, world, pass } = await setup();
  await keeper.stop();
  const seen: (string | undefined)[] = [];
  const owners: (string | undefined)[] = [];
  const options = {
    time,
    ttlMs: 5_000,
    pollMs: 1_000,
    onWaiting: (h?: { owner: string }) => seen.push(h?.owner),
  };
  const wait = waitForLease(other, 'standby', options).then((taken) => owners.push(taken?.lease.owner));
  await pass(2_000);
  world.othersAway = true;
  await pass(TTL_MS);
  assert.deepEqual(owners, []);
  world.othersAway = false;
  await pass(2_000);
  await wait;
  assert.deepEqual([owners, seen], [['standby'], ['me']]);
  assert.equal((await store.leaseState())?.owner, 'standby');
});

test('a standby can be told to stop waiting', async () => {
  const { time, other, pass } = await setup();
  const abort = new AbortController();
  const wait = waitForLease(other, 'standby', { time, ttlMs: 5_000, pollMs: 1_000, signal: abort.signal });
  await pass(2_000);
  abort.abort();
  await pass(1_000);
  assert.equal(await wait, undefined);
});
