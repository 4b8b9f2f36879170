import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRun, readIdentity } from '../../src/app/run/run-identity.ts';
import { configSchema } from '../../src/config/schema.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import { MemoryJournal } from '../../src/journal/memory-journal.ts';

const settings = (more: object = {}) =>
  configSchema.parse({ market: { seed: 7, symbols: ['BTCUSDT'] }, ...more });

test('positions may be run otherwise from now on, and the newest way is remembered', async () => {
  const store = new MemoryJournal({ account: 'test', clock: new VirtualTime(0) });
  await store.open();
  const lease = await store.acquireLease('me', 1_000);
  for (const closeDeadlineMs of [2_000, 1_000]) {
    const { market } = await openRun(settings({ position: { closeDeadlineMs } }), '/nowhere', store, lease);
    await market.close();
    assert.equal((await readIdentity(store))?.limits.position.closeDeadlineMs, closeDeadlineMs);
  }
});

test('a changed strategy or account is refused, by name; changed limits are told to the actors', async () => {
  const store = new MemoryJournal({ account: 'test', clock: new VirtualTime(0) });
  await store.open();
  const lease = await store.acquireLease('me', 1_000);
  const open = async (more: object = {}) => {
    const { market } = await openRun(settings(more), '/nowhere', store, lease);
    await market.close();
  };
  await open();
  await open();
  for (const change of [
    { shutdown: { deadlineMs: 500 } },
    { risk: { maxLeverage: 2 } },
    { breakers: { maxDrawdownPercent: '1' } },
    { entry: { coolDownMs: 1_000 } },
    { position: { closeDeadlineMs: 1_000 } },
  ])
    await open(change);
  for (const [part, change] of [
    ['strategy', { options: { atrPeriod: 9 } }],
    ['paper', { initialBalance: '5' }],
  ] as const)
    await assert.rejects(open({ [part]: change }), {
      code: 'CONFIG_INVALID',
      message: new RegExp(`holds a run whose ${part} is`),
    });
});

test('a journal keeps the position mode that it began with, and one from before there was another is one-way', async () => {
  const store = new MemoryJournal({ account: 'test', clock: new VirtualTime(0) });
  await store.open();
  const lease = await store.acquireLease('me', 1_000);
  const open = async (positionMode: string) => {
    const { market } = await openRun(settings({ venue: { positionMode } }), '/nowhere', store, lease);
    await market.close();
  };
  await open('hedge');
  await open('hedge');
  await assert.rejects(open('one-way'), {
    code: 'CONFIG_INVALID',
    message: /holds a run whose position mode is hedge; now it would be one-way/,
  });
  const { positionMode: _, ...old } = JSON.parse((await store.getMeta('run')) ?? '') as {
    positionMode: string;
  };
  await store.setMeta(lease, 'run', JSON.stringify(old));
  await open('one-way');
  await assert.rejects(open('hedge'), { code: 'CONFIG_INVALID' });
});
