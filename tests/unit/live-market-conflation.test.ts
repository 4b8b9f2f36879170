import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conflation } from '../../src/market/live/live-conflation.ts';
import { LiveSymbol } from '../../src/market/live/live-symbol.ts';

const turn = () => new Promise<void>((resolve) => queueMicrotask(resolve));

test('of one turn the newest of each key, in the order of their first change', async () => {
  const told: string[] = [];
  const conflation = new Conflation<string, number>((value, key) => told.push(`${key}${value}`));
  conflation.put('a', 1);
  conflation.put('b', 1);
  conflation.put('a', 2);
  conflation.put('a', 3);
  assert.deepEqual(told, []);
  await turn();
  assert.deepEqual(told, ['a3', 'b1']);
  assert.equal(conflation.conflated, 2);
  conflation.put('b', 2);
  conflation.flush();
  assert.deepEqual(told, ['a3', 'b1', 'b2']);
  await turn();
  assert.equal(told.length, 3, 'nothing twice');
  conflation.put('c', 1);
  conflation.clear();
  await turn();
  assert.equal(told.length, 3);
});

test('what is put while it is handed on comes after, never within', async () => {
  const told: number[] = [];
  let depth = 0;
  const conflation: Conflation<string, number> = new Conflation((value) => {
    assert.equal(++depth, 1);
    told.push(value);
    if (value < 3) conflation.put('a', value + 1);
    depth--;
  });
  conflation.put('a', 1);
  for (let i = 0; i < 5; i++) await turn();
  assert.deepEqual(told, [1, 2, 3]);
});

const bar = (openTime: number) => ({
  ...{ symbol: 'X', timeframe: '1m' as const, openTime, open: 1, high: 1, low: 1, close: 1, volume: 1 },
});

test('a bar has marks only if they were heard all through it', () => {
  const span = 60_000;
  const marked = (times: readonly number[]) => {
    const known = new LiveSymbol('X', span, 0, 0);
    for (const at of times) known.mark(at, at / 1000 + 1);
    return known.withMarks(bar(0)).markHigh;
  };
  const each = (from: number, to: number) =>
    Array.from({ length: (to - from) / 1000 }, (_, i) => from + i * 1000);
  assert.equal(marked(each(0, 60_000)), 60);
  assert.equal(marked([...each(0, 60_000), 61_000, 62_000]), 60, 'the next bar has begun already');
  assert.equal(marked(each(20_000, 60_000)), undefined, 'begun too late');
  assert.equal(marked(each(0, 40_000)), undefined, 'ended too early');
  assert.equal(marked([...each(0, 20_000), ...each(40_000, 60_000)]), undefined, 'a hole');
});

test('an older mark than the newest is refused', () => {
  const known = new LiveSymbol('X', 60_000, 0, 0);
  assert.equal(known.mark(5000, 1), true);
  assert.equal(known.mark(4000, 2), false);
  assert.equal(known.mark(5000, 3), true);
});
