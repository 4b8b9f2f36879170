import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Outstanding } from '../../supervisors/outstanding.ts';

test('the low-water mark follows the durable rows while nobody is owed anything', () => {
  const outstanding = new Outstanding(4);
  assert.equal(outstanding.settledN, 4);
  outstanding.opened(5, 0);
  outstanding.opened(6, 0);
  assert.equal(outstanding.settledN, 6);
  assert.equal(outstanding.size, 0);
});

test('it stops before the first row with an unconsumed intent, and is caught up by the last one', () => {
  const outstanding = new Outstanding(0);
  outstanding.opened(1, 2);
  outstanding.opened(2, 1);
  outstanding.opened(3, 0);
  assert.equal(outstanding.settledN, 0);
  outstanding.consumed(2);
  outstanding.consumed(1);
  assert.equal(outstanding.settledN, 0, 'one of two');
  assert.equal(outstanding.size, 1);
  outstanding.consumed(1);
  assert.equal(outstanding.settledN, 3);
});

test('what cannot be is refused: rows out of order, an intent consumed twice', () => {
  const outstanding = new Outstanding(3);
  assert.throws(() => outstanding.opened(3, 1), /became durable after/);
  outstanding.opened(4, 1);
  outstanding.consumed(4);
  assert.throws(() => outstanding.consumed(4), /consumed twice/);
  assert.throws(() => outstanding.consumed(2), /consumed twice/);
});

test('in any order of consuming, the mark is the row before the first one still owing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat(), { maxLength: 90 }),
      (counts, draws) => {
        const outstanding = new Outstanding(0);
        const left: number[] = [];
        for (const [index, count] of counts.entries()) {
          outstanding.opened(index + 1, count);
          left.push(count);
        }
        for (const draw of draws) {
          const owing = left.flatMap((count, index) => (count > 0 ? [index] : []));
          const chosen = owing[draw % Math.max(1, owing.length)];
          if (chosen === undefined) break;
          outstanding.consumed(chosen + 1);
          left[chosen] = (left[chosen] ?? 0) - 1;
          const first = left.findIndex((count) => count > 0);
          assert.equal(outstanding.settledN, first < 0 ? counts.length : first);
        }
      },
    ),
    { numRuns: 200, seed: 22 },
  );
});
