import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisCache } from '../../src/cache/redis-cache.ts';
import { cacheContract } from '../support/cache-contract.ts';
import { startRedis } from '../support/redis.ts';

const server = await startRedis();

if (typeof server === 'string') {
  test('cache: redis', { skip: server });
} else {
  after(() => server.stop());
  const open = () =>
    new RedisCache({
      url: server.url,
      prefix: `test-${randomUUID()}`,
      onError: (error) => assert.fail(String(error)),
    });
  cacheContract('redis', () => ({ cache: open(), passTime: (ms) => delay(ms) }));

  test('installations with different prefixes do not see each other', async () => {
    const [one, two] = [open(), open()];
    await one.set('key', 'one', 60_000);
    assert.equal(await two.get('key'), undefined);
    await one.close();
    await two.close();
  });
}

test('a Redis that is away is a miss and a reported error, never a failure', async () => {
  const errors: unknown[] = [];
  const cache = new RedisCache({
    url: '/nonexistent/redis.sock',
    prefix: 'test',
    onError: (error) => errors.push(error),
  });
  assert.equal(await cache.get('key'), undefined);
  await cache.set('key', 'value', 1_000);
  await cache.publish('channel', 'message');
  assert(errors.length > 0);
  await cache.close();
});
