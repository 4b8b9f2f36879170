import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Candle, TIMEFRAME_MS, type Timeframe } from '../../src/domain/candle.ts';
import { CandleRollup } from '../../src/market/candle-rollup.ts';
import { type CandleColumns, mergeColumns } from '../../src/market/recorded/candle-columns.ts';

const T0 = Date.UTC(2025, 0, 1);
const MINUTES = 600;
const TARGETS = ['5m', '15m', '1h', '4h'] as const;

/** Minutes 0…599 without the missing ones; prices are integers, so that sums are exact. */
const minutes = fc
  .record({
    seed: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 7, maxLength: 7 }),
    missing: fc.uniqueArray(fc.nat(MINUTES - 1), { maxLength: 12 }),
  })
  .map(({ seed, missing }) =>
    Array.from({ length: MINUTES }, (_, i) => i)
      .filter((i) => !missing.includes(i))
      .map((i): Candle => {
        const open = 2000 + ((i * (seed[i % 7] ?? 1)) % 911);
        const close = 2000 + ((i * (seed[(i + 3) % 7] ?? 1)) % 877);
        const high = Math.max(open, close) + (i % 5);
        const low = Math.min(open, close) - (i % 3);
        return {
          symbol: 'AAAUSDT',
          timeframe: '1m',
          openTime: T0 + i * 60_000,
          open,
          high,
          low,
          close,
          volume: i,
        };
      }),
  );

/** The whole bars of a timeframe, the slow way. */
function rolledSlowly(bars: readonly Candle[], timeframe: Timeframe): Candle[] {
  const spanMs = TIMEFRAME_MS[timeframe];
  const groups = new Map<number, Candle[]>();
  for (const bar of bars) {
    const openTime = bar.openTime - (bar.openTime % spanMs);
    groups.set(openTime, [...(groups.get(openTime) ?? []), bar]);
  }
  return [...groups]
    .filter(([, group]) => group.length * 60_000 === spanMs)
    .map(([openTime, group]) => ({
      symbol: 'AAAUSDT',
      timeframe,
      openTime,
      open: group[0]?.open ?? 0,
      high: Math.max(...group.map(({ high }) => high)),
      low: Math.min(...group.map(({ low }) => low)),
      close: group.at(-1)?.close ?? 0,
      volume: group.reduce((total, { volume }) => total + volume, 0),
    }));
}

test('rolling up gives exactly the whole bars, whatever minutes are missing; the others are reported once', () => {
  fc.assert(
    fc.property(minutes, (bars) => {
      const rollup = new CandleRollup();
      const results = bars.map((bar) => rollup.push(bar));
      for (const timeframe of TARGETS) {
        const closed = results.flatMap((result) =>
          result.closed.filter((bar) => bar.timeframe === timeframe),
        );
        assert.deepEqual(closed, rolledSlowly(bars, timeframe));
        const incomplete = results.flatMap((result) =>
          result.incomplete.filter((bar) => bar.timeframe === timeframe).map(({ openTime }) => openTime),
        );
        assert.equal(new Set(incomplete).size, incomplete.length);
        assert.ok(incomplete.every((openTime) => !closed.some((bar) => bar.openTime === openTime)));
      }
    }),
    { numRuns: 40, seed: 3 },
  );
});

const columnsOf = (rows: ReadonlyMap<number, number>): CandleColumns => {
  const times = [...rows.keys()].sort((a, b) => a - b);
  const values = Float64Array.from(times, (time) => rows.get(time) ?? 0);
  const openTime = Float64Array.from(times);
  const rest = { open: values, high: values, low: values, close: values, volume: values };
  return { symbol: 'AAAUSDT', timeframe: '1m', length: times.length, openTime, ...rest };
};

test('merging keeps each minute once, the later file’s, and names where the two disagree', () => {
  const rows = fc
    .array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 3 })), { maxLength: 40 })
    .map((pairs) => new Map(pairs));
  fc.assert(
    fc.property(rows, rows, (earlier, later) => {
      const { merged, disagreements } = mergeColumns(columnsOf(earlier), columnsOf(later));
      const expected = columnsOf(new Map([...earlier, ...later]));
      assert.deepEqual([...merged.openTime], [...expected.openTime]);
      assert.deepEqual([...merged.close], [...expected.close]);
      assert.equal(merged.length, expected.length);
      const differing = [...earlier].filter(([time, value]) => later.has(time) && later.get(time) !== value);
      assert.deepEqual(
        disagreements,
        differing.map(([time]) => time).sort((a, b) => a - b),
      );
    }),
    { numRuns: 300, seed: 17 },
  );
});
