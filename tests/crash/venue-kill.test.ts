/**
 * Runtime, exchange and PostgreSQL killed in turn with every fault of a bad day on; the venue's books are held
 * against the journal. `npm run soak:venue` is the long version.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../support/temp.ts';
import { type SoakReport, soak } from '../support/venue-soak.ts';
import type { Victim } from '../support/venue-soak-world.ts';

const SEED = 20_250_113;
/** A bar of 15 minutes in seven and a half seconds. */
const SPEED = 120;
const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'BNBUSDT', 'DOGEUSDT'];
const LIMIT = { timeout: 240_000 };

const plan = (dir: string, store: 'embedded' | 'postgres', victims: readonly Victim[]) => ({
  dir: path.join(dir, store),
  store,
  speed: SPEED,
  faults: 'realistic',
  seed: SEED,
  recording: undefined,
  symbols: SYMBOLS,
  kills: victims.length,
  victims,
  longestMs: 1_500,
  firstMs: 7_500,
  firstOrders: 2,
});

function holds(report: SoakReport): void {
  assert.deepEqual(report.problems, [], `seed ${SEED}`);
  assert.ok(report.orders >= 8, `${report.orders} orders: too few to have anything to lose`);
  assert.ok(report.unprotectedMs.count > 0, 'no fill waited for its stop: nothing was measured');
}

test('the embedded store: the runtime is killed, the books agree', LIMIT, async (t) => {
  const report = await soak(plan(tempDir(t, 'venue-kill'), 'embedded', ['runtime']));
  assert.ok(typeof report !== 'string');
  holds(report);
});

test('PostgreSQL: it, the runtime and the exchange are killed, the books agree', LIMIT, async (t) => {
  const victims = ['exchange', 'postgres', 'runtime'] as const;
  const report = await soak(plan(tempDir(t, 'venue-kill'), 'postgres', victims));
  if (typeof report === 'string') return t.skip(report);
  holds(report);
});
