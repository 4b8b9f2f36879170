import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openVenue } from '../../src/app/compose/open-venue.ts';
import type { VenueRequest } from '../../src/app/live/venue-seams.ts';
import { configSchema } from '../../src/config/schema.ts';
import { systemTime } from '../../src/core/clock.ts';
import { SILENT } from '../../src/core/logger.ts';
import { healthyVenue, KEY, SECRET } from '../support/scripted-venue.ts';

test('the account and the market draw on one budget; another connection has its own', async (t) => {
  const venue = healthyVenue();
  const url = await venue.start();
  const openTime = Date.UTC(2025, 0, 1);
  venue.on('GET /fapi/v1/klines', {
    json: [[openTime, '1', '2', '0.5', '1.5', '10', openTime + 59_999, '15', 3, '5', '7', '0']],
  });
  const time = systemTime();
  const request: VenueRequest = {
    target: {
      mode: 'paper',
      restUrl: url,
      streamUrl: url.replace('http', 'ws'),
      apiKey: KEY,
      apiSecret: SECRET,
    },
    config: configSchema.parse({ mode: 'paper' }),
    time,
    realTime: time,
    log: SILENT,
    mayAct: () => true,
    symbols: ['BTCUSDT'],
  };
  const { gateway, rateUse } = await openVenue.gateway(request);
  const market = await openVenue.market(request);
  const other = await openVenue.gateway({ ...request });
  t.after(async () => {
    await market.stop();
    await gateway.close();
    await other.gateway.close();
    await venue.stop();
  });
  const before = rateUse?.().weight ?? Number.NaN;
  await market.history('BTCUSDT', '1m', openTime - 1, openTime + 60_000);
  assert.ok((rateUse?.().weight ?? 0) > before, 'what the market asks counts');
  assert.equal(other.rateUse?.().weight, 0);
  await market.stop();
});
