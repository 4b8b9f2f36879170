import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { CommandOptions } from '../../src/app/cli/io.ts';
import { venueChecks } from '../../src/app/doctor/doctor-venue.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemTime } from '../../src/core/clock.ts';
import { fakeIo } from '../support/fake-io.ts';
import { healthyVenue, KEY, type ScriptedVenue, SECRET } from '../support/scripted-venue.ts';

/** What the doctor says of it, by name. */
async function examine(t: TestContext, setup: (venue: ScriptedVenue) => unknown) {
  const venue = healthyVenue();
  setup(venue);
  const url = await venue.start();
  t.after(() => venue.stop());
  const env = {
    ...{ BULKHEAD_MODE: 'paper', BULKHEAD_VENUE_REST_URL: url, BULKHEAD_MARKET_SYMBOLS: 'BTCUSDT,ETHUSDT' },
    ...{ BULKHEAD_API_KEY: KEY, BULKHEAD_API_SECRET: SECRET },
  };
  const { config, secrets } = loadConfig({ env, cwd: '/nowhere' });
  const options = { config, secrets } as CommandOptions;
  const checks = await venueChecks(options, fakeIo({ time: systemTime() }));
  return { venue, checks, check: (name: string) => checks.find((one) => one.name === `venue: ${name}`) };
}

describe('the doctor at a venue', () => {
  test('is content with a healthy one, and changes nothing there', async (t) => {
    const { venue, checks, check } = await examine(t, () => {});
    assert.deepEqual(
      checks.filter(({ ok }) => !ok),
      [],
    );
    assert.match(check('key')?.detail ?? '', /may not withdraw/);
    assert.equal(check('position-mode')?.detail, 'One-way mode.');
    assert.equal(check('assets')?.detail, 'Single-asset mode.');
    assert.deepEqual(
      venue.seen.filter(({ method }) => method !== 'GET'),
      [],
    );
  });

  test('says of each fault what it is and what to do', async (t) => {
    const { venue, checks, check } = await examine(t, (scripted) =>
      scripted
        .on('GET /sapi/v1/account/apiRestrictions', {
          json: { ipRestrict: false, enableWithdrawals: true, enableFutures: true },
        })
        .on('GET /fapi/v1/accountConfig', {
          json: { canTrade: true, dualSidePosition: true, multiAssetsMargin: true },
        }),
    );
    assert.equal(check('key')?.detail, 'The API key may withdraw money');
    assert.match(check('key')?.hint ?? '', /^take "Enable Withdrawals" from it/);
    assert.equal(check('key')?.ok, false);
    assert.match(check('assets')?.hint ?? '', /^switch the account to single-asset mode/);
    assert.match(check('position-mode')?.detail ?? '', /the start switches it/);
    for (const { ok, hint, name } of checks) assert.ok(ok || hint, name);
    assert.deepEqual(venue.requests('POST /fapi/v1/positionSide/dual'), []);
  });

  test('what a start would only warn of is said, and is no failure', async (t) => {
    const { check } = await examine(t, (scripted) =>
      scripted.on('GET /sapi/v1/account/apiRestrictions', {
        text: '<html>404</html>',
        status: 404,
        type: 'text/html',
      }),
    );
    assert.equal(check('key')?.ok, true);
    assert.match(check('key')?.detail ?? '', /unverified/);
    assert.ok(check('key')?.hint);
  });
});
