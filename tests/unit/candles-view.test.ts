/** A symbol's candles as its scanner saw them, now and as of a row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candlesOf } from '../../src/app/views/journal-search.ts';
import { systemTime } from '../../src/core/clock.ts';
import { MemoryJournal } from '../../src/journal/memory-journal.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { inMemory } from '../support/array-market.ts';
import { startRun } from '../support/system-harness.ts';

test('as of a row they end there, however much came after it', async () => {
  const market = await inMemory(new SyntheticMarketData({ seed: 2, symbols: ['BTCUSDT'], days: 1 }));
  const run = await startRun({ market });
  await run.drive();
  const store = new MemoryJournal({ account: 'test', clock: systemTime().clock, database: run.database });
  await store.open();
  const rows = run.rows();
  const head = rows.at(-1)?.n ?? 0;
  const noon = market.range().from + 43_200_000;
  const n = rows.findLast(({ at }) => at <= noon)?.n ?? 0;
  const all = await candlesOf(store, head, 'BTCUSDT', 500);
  const then = await candlesOf(store, n, 'BTCUSDT', 10);
  assert.ok(all.length >= 90, String(all.length));
  assert.equal(then.length, 10);
  assert.equal(then.at(-1)?.openTime, noon - 900_000);
});
