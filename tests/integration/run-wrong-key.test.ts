/** A key or a secret that the venue does not take ends a start, whether symbols are named or all of the venue's are meant. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSecrets } from '../../src/config/secrets.ts';
import { isBulkheadError } from '../../src/core/errors.ts';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import { PaperWorld } from '../support/paper-world.ts';

describe('a start with', () => {
  for (const [what, apiKey, apiSecret, hint] of [
    ['a wrong secret', DEMO_API_KEY, `${DEMO_API_SECRET}x`, /set BULKHEAD_API_SECRET .*, or make a new key/],
    ['an unknown key', 'nobodys-key', DEMO_API_SECRET, /Check BULKHEAD_API_KEY/],
  ] as const)
    for (const symbols of [[], ['BTCUSDT']])
      test(`${what}, symbols: ${symbols.join() || 'all'}`, async (t) => {
        const world = await PaperWorld.open(t, {
          run: { secrets: readSecrets({}, { apiKey, apiSecret }) },
          config: { market: { source: 'live', symbols } },
        });
        await assert.rejects(world.begin(), (error) => {
          assert.ok(isBulkheadError(error, 'VENUE_REFUSED'), String(error));
          assert.match(error.message, /does not take the API key/);
          assert.match(error.hint ?? '', hint);
          assert.equal(error.exitCode, 77);
          return true;
        });
        for (const said of [world.io.out(), world.io.err()]) assert.ok(!said.includes(apiSecret));
      });
});
