import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candle, TIMEFRAME_MS, type Timeframe } from '../../src/domain/candle.ts';
import { CandleRollup } from '../../src/market/candle-rollup.ts';

const T0 = Date.UTC(2025, 0, 1);
const minute = (i: number): Candle => ({
  symbol: 'AAAUSDT',
  timeframe: '1m',
  openTime: T0 + i * 60_000,
  open: 100 + i,
  high: 102 + i,
  low: 99 + i,
  close: 101 + i,
  volume: i + 1,
});

test('a bar rolls up when its last minute closes, exactly', () => {
  const rollup = new CandleRollup();
  for (let i = 0; i < 4; i++) assert.deepEqual(rollup.push(minute(i)), { closed: [], incomplete: [] });
  assert.deepEqual(rollup.push(minute(4)), {
    closed: [
      {
        symbol: 'AAAUSDT',
        timeframe: '5m',
        openTime: T0,
        open: 100,
        high: 106,
        low: 99,
        close: 105,
        volume: 15,
      },
    ],
    incomplete: [],
  });
});

test('four hours close together, the shortest first', () => {
  const rollup = new CandleRollup();
  const last = Array.from({ length: 240 }, (_, i) => rollup.push(minute(i))).at(-1);
  assert.deepEqual(
    last?.closed.map(({ timeframe, openTime }) => [timeframe, (openTime - T0) / 60_000]),
    [
      ['5m', 235],
      ['15m', 225],
      ['1h', 180],
      ['4h', 0],
    ],
  );
});

test('a bar with a missing minute is reported once and withheld', () => {
  const rollup = new CandleRollup('1m', ['5m']);
  const results = [0, 1, 3, 4, 5, 6, 7, 8, 9].map((i) => rollup.push(minute(i)));
  assert.deepEqual(
    results.flatMap(({ incomplete }) => incomplete),
    [{ timeframe: '5m', openTime: T0, missingBars: 1 }],
  );
  assert.deepEqual(
    results.flatMap(({ closed }) => closed.map(({ openTime }) => openTime)),
    [T0 + 5 * 60_000],
  );
});

test('a bar whose last minutes are missing is reported with the next minute', () => {
  const rollup = new CandleRollup('1m', ['5m', '15m']);
  const results = [0, 1, 2, 11].map((i) => rollup.push(minute(i)));
  assert.deepEqual(results.at(-1)?.incomplete, [{ timeframe: '5m', openTime: T0, missingBars: 2 }]);
});

test('starting in the middle of a bar withholds that bar', () => {
  const rollup = new CandleRollup('1m', ['5m']);
  const results = [2, 3, 4].map((i) => rollup.push(minute(i)));
  assert.deepEqual(results.at(-1), {
    closed: [],
    incomplete: [{ timeframe: '5m', openTime: T0, missingBars: 2 }],
  });
});

test('replaying from the last 4h boundary rebuilds the state', () => {
  const whole = new CandleRollup();
  for (let i = 0; i < 500; i++) {
    whole.push(minute(i));
    if (i % 37 !== 0) continue;
    const rebuilt = new CandleRollup();
    const from = (CandleRollup.replayFrom(minute(i).openTime) - T0) / 60_000;
    for (let k = from; k <= i; k++) rebuilt.push(minute(k));
    const ahead = Array.from({ length: 5 }, (_, k) => i + 1 + k);
    const fresh = new CandleRollup();
    for (let k = 0; k <= i; k++) fresh.push(minute(k));
    assert.deepEqual(
      ahead.map((k) => rebuilt.push(minute(k))),
      ahead.map((k) => fresh.push(minute(k))),
    );
  }
});

test('coarser bases roll up too', () => {
  const rollup = new CandleRollup('1h');
  const hours = Array.from(
    { length: 4 },
    (_, i): Candle => ({ ...minute(0), timeframe: '1h', openTime: T0 + i * TIMEFRAME_MS['1h'] }),
  );
  const timeframes = hours.flatMap((hour) =>
    rollup.push(hour).closed.map(({ timeframe }): Timeframe => timeframe),
  );
  assert.deepEqual(timeframes, ['4h']);
});
