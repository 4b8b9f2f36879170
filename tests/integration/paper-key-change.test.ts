/** A venue key changed while a paper run lasts, at a real local venue: the same account, another's, a revoked one. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { readSecrets } from '../../src/config/secrets.ts';
import { DEMO_ACCOUNT, DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import { PaperWorld } from '../support/paper-world.ts';
import { tempDir } from '../support/temp.ts';

const NEXT = { apiKey: 'the-second-key', apiSecret: 'its-secret' };
const OTHER = { apiKey: 'somebody-elses-key', apiSecret: 'not-ours' };
const RICH = { apiKey: 'a-key-that-may-withdraw', apiSecret: 'too-much' };

describe('a venue key changed while a run lasts', () => {
  test('signs from the next call on, with the stream and a full reading; others are refused', async (t) => {
    const dir = tempDir(t, 'keys');
    const keyFile = path.join(dir, 'key');
    const secretFile = path.join(dir, 'secret');
    const env = { BULKHEAD_API_KEY_FILE: keyFile, BULKHEAD_API_SECRET_FILE: secretFile };
    const put = (key: { apiKey: string; apiSecret: string }): void => {
      writeFileSync(keyFile, key.apiKey);
      writeFileSync(secretFile, key.apiSecret);
    };
    put({ apiKey: DEMO_API_KEY, apiSecret: DEMO_API_SECRET });
    const world = await PaperWorld.open(t, {
      accounts: [
        { id: 'other', ...OTHER },
        { id: 'rich', ...RICH, enableWithdrawals: true },
      ],
      run: {
        secrets: readSecrets(env),
        secretSource: {
          where: 'files',
          version: null,
          read: async () => ({ secrets: readSecrets(env), version: null }),
          dueInMs: () => undefined,
          warning: () => null,
        },
      },
      config: { secrets: { checkEveryMs: 0 } },
    });
    await world.begin();
    const { server } = world.venue;
    const trouble = (): string => world.status().secrets?.trouble.join() ?? '';
    const hangUp = (): boolean => process.emit('SIGHUP');
    const readings = (): number =>
      world.heard('venue', 'CALL_ENDED').filter((event) => (event as { call?: string }).call === 'report')
        .length;

    // A pair of which one half is old, another account's, one that may withdraw, one that nobody knows.
    for (const [key, words] of [
      [{ ...NEXT, apiSecret: DEMO_API_SECRET }, /does not take the API key/],
      [OTHER, /another account/],
      [RICH, /may withdraw/],
    ] as const) {
      put(key);
      hangUp();
      await world.until(String(words), () => words.test(trouble()));
    }
    assert.equal(world.status().venue?.stream.state, 'up');

    server.addKey({ id: DEMO_ACCOUNT, ...NEXT });
    put(NEXT);
    const before = readings();
    const ups = world.heard('venue', 'STREAM_UP').length;
    hangUp();
    await world.until(
      'it is in force',
      () => (world.status().secrets?.changedAt ?? null) !== null && trouble() === '',
    );
    await world.until('the stream is there again', () => world.heard('venue', 'STREAM_UP').length > ups);
    await world.until(
      'everything was read',
      () => readings() > before && world.status().venue?.reconcile.ready === true,
    );

    // The first key is taken away: nothing of the run uses it any more.
    server.revokeKey(DEMO_API_KEY);
    const afterRevoking = readings();
    await world.until(
      'the stream comes back under the new key',
      () => world.heard('venue', 'STREAM_UP').length > ups + 1,
    );
    await world.until(
      'and is followed by a reading',
      () => readings() > afterRevoking && world.status().venue?.reconcile.ready === true,
    );
    const ended = world.status().venue?.calls.ended.report;
    assert.equal(ended?.rejected, 0, JSON.stringify(ended));

    // The new one is taken away, too: that is said, and the next one ends it.
    server.revokeKey(NEXT.apiKey);
    server.addKey({ id: DEMO_ACCOUNT, apiKey: 'the-third-key', apiSecret: 'third' });
    put({ apiKey: 'the-third-key', apiSecret: 'third' });
    const third = world.heard('venue', 'STREAM_UP').length;
    hangUp();
    await world.until(
      'a lost key is replaced',
      () =>
        world.heard('venue', 'STREAM_UP').length > third && world.status().venue?.reconcile.ready === true,
    );
    for (const text of [world.io.out(), world.io.err(), JSON.stringify(world.rows())])
      for (const { apiKey, apiSecret } of [NEXT, OTHER, RICH]) {
        assert.ok(!text.includes(apiSecret), 'no secret in it');
        assert.ok(!text.includes(apiKey), 'no key in it');
      }
    assert.deepEqual(world.venue.errors, []);
  });
});
