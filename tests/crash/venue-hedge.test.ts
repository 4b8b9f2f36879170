/**
 * Hedge mode with the runtime really killed: `bulkhead exchange` and `bulkhead run --mode paper` as processes, a long
 * and a short of one symbol open, SIGKILL, and the next life takes both up again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { leaveRequest } from '../../src/app/requests/person-requests.ts';
import { type SoakLedger, withoutStop } from '../../src/app/simulation/ledger-checks.ts';
import { keyFor, keyOf, keyOfActor } from '../../src/domain/position-key.ts';
import { tempDir } from '../support/temp.ts';
import { SoakWorld } from '../support/venue-soak-world.ts';

const LIMIT_MS = 60_000;
const SYMBOL = 'BTCUSDT';

function enter({ dataDir }: SoakWorld, direction: 'long' | 'short'): void {
  const command = { kind: 'force-entry', symbol: SYMBOL, direction } as const;
  leaveRequest(dataDir, { command, by: 'test', at: Date.now() });
}

/** By place, signed. */
const held = ({ positions }: SoakLedger): Record<string, number> =>
  Object.fromEntries(
    positions
      .map((each) => [keyOf(each), Number(each.quantity)] as const)
      .filter(([, quantity]) => quantity !== 0)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const believed = (world: SoakWorld): Record<string, number> =>
  Object.fromEntries(
    (world.status()?.positions ?? [])
      .map(
        (p) =>
          [keyOfActor(p.actor), p.direction === 'long' ? Number(p.quantity) : -Number(p.quantity)] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + LIMIT_MS; performance.now() < end; await pause(50))
    if (await isSo()) return;
  throw new Error(`not in ${LIMIT_MS} ms: ${what}`);
}

const hasBothSides = (places: readonly string[]): boolean =>
  places.some((place) => place.endsWith('/LONG') && places.includes(place.replace('/LONG', '/SHORT')));

test('killed with a long and a short of one symbol, it comes back with both', {
  timeout: 180_000,
}, async (t) => {
  const world = await SoakWorld.begin({
    ...{
      dir: tempDir(t, 'hedge'),
      store: 'embedded',
      speed: 20,
      faults: 'none',
      seed: 11,
      recording: undefined,
    },
    symbols: [SYMBOL],
    // It says little by itself: both sides are asked for.
    config: { venue: { positionMode: 'hedge' }, strategy: { name: 'trend-breakout' } },
  });
  assert.ok(typeof world !== 'string');
  t.after(() => world.end());
  await world.untilSafe(0);
  let asked = 0;
  await until('both sides of a symbol, each with its stop', async () => {
    const ledger = await world.ledger();
    const places = Object.keys(held(ledger));
    if (hasBothSides(places)) return withoutStop(ledger).length === 0;
    const isTime = performance.now() - asked > 3_000;
    if (isTime) asked = performance.now();
    for (const direction of ['long', 'short'] as const)
      if (isTime && !places.includes(keyFor(SYMBOL, direction, 'hedge'))) enter(world, direction);
    return false;
  });
  await world.kill('runtime');
  const meanwhile = await world.ledger();
  assert.deepEqual(withoutStop(meanwhile), [], 'what is open is protected while nobody is here');
  await world.start('runtime');
  await world.untilSafe(world.venueNow);
  world.isUp();
  let apart = '';
  await until(`the books agree: ${apart}`, async () => {
    const ledger = await world.ledger();
    const at = Date.now();
    await world.until('a newer status', ({ updatedAt }) => updatedAt > at);
    apart = JSON.stringify([held(ledger), believed(world)]);
    return (
      JSON.stringify(held(ledger)) === JSON.stringify(believed(world)) && withoutStop(ledger).length === 0
    );
  });
  const { violations } = await world.admin<{ violations: string[] }>('GET', '/violations');
  assert.deepEqual(violations, []);
  assert.equal(await world.stopRuntime(), 143);
  const replayed = await world.replay();
  assert.equal(replayed.code, 0, replayed.stderr);
});
