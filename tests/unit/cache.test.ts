import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryCache } from '../../src/cache/memory-cache.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import { cacheContract } from '../support/cache-contract.ts';

cacheContract('memory', () => {
  const time = new VirtualTime();
  return { cache: new MemoryCache(time), passTime: async (ms) => time.advanceTo(time.now() + ms) };
});

test('the in-process cache never grows beyond its limit: expired values go first, then the oldest', async () => {
  const time = new VirtualTime();
  const cache = new MemoryCache(time, 3);
  await cache.set('oldest', '1', 1_000);
  await cache.set('expired', '2', 10);
  await cache.set('third', '3', 1_000);
  time.advanceTo(20);
  await cache.set('fourth', '4', 1_000);
  assert.equal(await cache.get('oldest'), '1');
  await cache.set('fifth', '5', 1_000);
  assert.equal(await cache.get('oldest'), undefined);
  assert.deepEqual(await Promise.all(['third', 'fourth', 'fifth'].map((key) => cache.get(key))), [
    '3',
    '4',
    '5',
  ]);
});
