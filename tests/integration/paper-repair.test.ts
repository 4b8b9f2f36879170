/**
 * From a difference to its repair, end to end: somebody buys while nobody watches; replay finds it at the venue, writes
 * a plan, a person approves, and the next run adopts and protects it through its own executor.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { ReplayOptions } from '../../src/app/cli/io.ts';
import { openVenue } from '../../src/app/compose/open-venue.ts';
import type { VenueDifference } from '../../src/app/replay/against-venue.ts';
import { applyPlan, replayPast } from '../../src/app/replay/past.ts';
import type { RepairPlan } from '../../src/app/replay/repair-plan.ts';
import { readIdentity } from '../../src/app/run/run-identity.ts';
import { configSchema } from '../../src/config/schema.ts';
import { systemTime } from '../../src/core/clock.ts';
import { MemoryJournal } from '../../src/journal/memory-journal.ts';
import { fakeIo } from '../support/fake-io.ts';
import { PaperWorld } from '../support/paper-world.ts';

test('what was bought by hand is found, planned, approved, adopted and protected', async (t) => {
  const world = await PaperWorld.open(t, { symbols: ['BTCUSDT'], speed: 10 });
  await world.begin();
  await world.stop();
  const store = new MemoryJournal({
    account: 'paper',
    clock: systemTime().clock,
    database: world.database,
  });
  await store.open();
  const identity = await readIdentity(store);
  assert.ok(identity);
  const config = configSchema.parse({
    mode: 'paper',
    account: 'paper',
    data: { dir: world.dataDir },
    market: { source: 'live', symbols: ['BTCUSDT'] },
    venue: { restUrl: world.venue.server.url, timeFactor: 10, callTimeoutMs: 2_000 },
  });
  const file = path.join(world.dataDir, 'repair.json');
  const io = () => fakeIo({ time: systemTime(), cwd: world.dataDir });
  const options = { config, secrets: {}, json: true, quiet: true, whatIf: [], againstVenue: true };
  const look = async (): Promise<readonly VenueDifference[]> => {
    const out = io();
    const asked = { ...options, plan: file } as unknown as ReplayOptions;
    await replayPast({ store, identity, options: asked, io: out, venue: openVenue });
    return (JSON.parse(out.out()) as { differences: VenueDifference[] }).differences;
  };
  const n = (await store.head()).n;
  assert.deepEqual(await look(), [], 'at first they agree');

  await world.buyByHand('BTCUSDT', '0.02');
  const differences = await look();
  assert.deepEqual(
    differences.map(({ symbol, kind }) => [symbol, kind]).filter(([, kind]) => kind !== 'finding'),
    [
      ['BTCUSDT', 'foreign'],
      ['BTCUSDT', 'unprotected'],
    ],
  );
  assert.equal((await store.head()).n, n, 'it only reads');
  const plan = JSON.parse(readFileSync(file, 'utf8')) as RepairPlan;
  const approved = plan.steps.map((step) => (step.do === 'adopt' ? { ...step, approved: true } : step));
  writeFileSync(file, JSON.stringify({ ...plan, steps: approved }));
  await applyPlan(async () => store, options as unknown as ReplayOptions, io(), file);
  assert.equal(world.openStops().length, 0, 'nothing is done past the journal');

  await world.begin();
  await world.until('a stop', () => world.openStops().length === 1);
  await world.until('a position', () => world.status().positions.length === 1);
  const [adopted] = world.heard('venue', 'ADOPT');
  assert.equal(adopted?.symbol, 'BTCUSDT');
  await world.stop();
  assert.deepEqual(await look(), [], 'and they agree again');
});
