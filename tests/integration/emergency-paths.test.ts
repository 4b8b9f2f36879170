/**
 * Every emergency path under every kind of API fault, through the real local exchange over sockets. `npm run
 * emergencies` prints the same as the table of docs/EMERGENCIES.md.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BARE_BOUND_MS, DAYS, FLAT_BOUND_MS } from '../support/emergency-paths.ts';
import { EmergencyWorld } from '../support/emergency-world.ts';

describe('flat, nothing twice, nothing bare longer than its bound: every emergency', () => {
  for (const day of DAYS)
    test(`${day.name}: ${day.what}`, { timeout: 240_000 }, async (t) => {
      const world = await EmergencyWorld.open(t);
      for (const { path, flatMs, bareMs } of await world.day(day)) {
        assert.ok((flatMs ?? 0) < FLAT_BOUND_MS, `${path}: flat after ${flatMs} ms`);
        assert.ok(bareMs < BARE_BOUND_MS, `${path}: ${bareMs} ms without a stop`);
      }
      assert.deepEqual(await world.end(), []);
    });
});
