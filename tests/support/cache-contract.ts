/** What every cache must do. Run by the in-process cache and by a real Redis. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Cache } from '../../src/cache/cache.ts';

export interface CacheUnderTest {
  readonly cache: Cache;
  /** Lets values age. */
  passTime(ms: number): Promise<void>;
}

export function cacheContract(name: string, open: () => CacheUnderTest): void {
  describe(`cache: ${name}`, { timeout: 20_000 }, () => {
    test('a value is kept, replaced and deleted, with its bytes', async () => {
      const { cache } = open();
      const key = randomUUID();
      assert.equal(await cache.get(key), undefined);
      await cache.set(key, 'one', 60_000);
      await cache.set(key, 'žluťoučký 🐎 \u0000 "{}"', 60_000);
      assert.equal(await cache.get(key), 'žluťoučký 🐎 \u0000 "{}"');
      await cache.set(key, '', 60_000);
      assert.equal(await cache.get(key), '');
      await cache.delete(key);
      assert.equal(await cache.get(key), undefined);
      await cache.delete(key);
      await cache.close();
    });

    test('a value ends with its time to live', async () => {
      const { cache, passTime } = open();
      const key = randomUUID();
      await cache.set(key, 'short', 40);
      await cache.set(`${key}-long`, 'long', 60_000);
      await passTime(60);
      assert.equal(await cache.get(key), undefined);
      assert.equal(await cache.get(`${key}-long`), 'long');
      await cache.close();
    });

    test('messages reach every subscriber of the channel, in order, and no other', async () => {
      const { cache } = open();
      const channel = randomUUID();
      const seen: string[] = [];
      await cache.subscribe(channel, (message) => seen.push(`a:${message}`));
      await cache.subscribe(`${channel}-other`, (message) => seen.push(`other:${message}`));
      const done = new Promise<void>((resolve) => {
        void cache.subscribe(channel, (message) => {
          seen.push(`b:${message}`);
          if (message === '3') resolve();
        });
      });
      await cache.subscribe(`${channel}-settle`, () => undefined);
      for (const message of ['1', '2', '3']) await cache.publish(channel, message);
      await done;
      assert.deepEqual(seen, ['a:1', 'b:1', 'a:2', 'b:2', 'a:3', 'b:3']);
      await cache.close();
    });

    test('an ended subscription receives nothing more; the others go on', async () => {
      const { cache } = open();
      const channel = randomUUID();
      const seen: string[] = [];
      const receive = (message: string) => seen.push(message);
      const end = await cache.subscribe(channel, receive);
      await end();
      const done = new Promise<string>((resolve) => void cache.subscribe(channel, resolve));
      await cache.subscribe(`${channel}-settle`, () => undefined);
      await cache.publish(channel, 'late');
      assert.equal(await done, 'late');
      assert.deepEqual(seen, []);
      await cache.close();
    });

    test('a message nobody listens to is gone', async () => {
      const { cache } = open();
      await cache.publish(randomUUID(), 'to nobody');
      await cache.close();
    });
  });
}
