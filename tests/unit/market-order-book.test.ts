import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DepthDiff, OrderBook } from '../../src/market/order-book.ts';

const diff = (
  firstId: number,
  lastId: number,
  previousId: number,
  change: Partial<DepthDiff> = {},
): DepthDiff => ({
  firstId,
  lastId,
  previousId,
  bids: [],
  asks: [],
  ...change,
});

const snapshot = (lastUpdateId: number) => ({
  lastUpdateId,
  bids: [
    ['99', '1'],
    ['98', '2'],
  ] as const,
  asks: [
    ['101', '1'],
    ['102', '3'],
  ] as const,
});

test('diffs wait for the snapshot; stale ones are dropped, the one that spans it is the first', () => {
  const book = new OrderBook();
  assert.equal(book.applyDiff(diff(1, 5, 0, { bids: [['1', '1']] })), 'buffered');
  assert.equal(book.applyDiff(diff(8, 12, 5, { bids: [['99', '7']] })), 'buffered');
  assert.equal(book.bestBid(), undefined);
  assert.equal(book.applySnapshot(snapshot(10)), true);
  assert.equal(book.synced, true);
  assert.equal(book.lastId, 12);
  assert.deepEqual(book.bestBid(), { price: 99, quantity: 7 });
  assert.equal(book.levels('bids', 10).length, 2);
});

test('a snapshot before any diff joins with the first diff that spans it', () => {
  const book = new OrderBook();
  assert.equal(book.applySnapshot(snapshot(10)), true);
  assert.equal(book.bestAsk(), undefined);
  assert.equal(book.applyDiff(diff(5, 9, 4)), 'stale');
  assert.equal(book.applyDiff(diff(10, 14, 9)), 'applied');
  assert.deepEqual(book.bestAsk(), { price: 101, quantity: 1 });
});

test('a snapshot older than the buffered diffs leaves a gap and another one is needed', () => {
  const book = new OrderBook();
  book.applyDiff(diff(20, 25, 19));
  assert.equal(book.applySnapshot(snapshot(10)), false);
  assert.equal(book.synced, false);
});

test('a diff whose pu is not the last u loses the book until the next snapshot; a repeated one is stale', () => {
  const book = new OrderBook();
  book.applySnapshot(snapshot(10));
  book.applyDiff(diff(10, 14, 9));
  assert.equal(book.applyDiff(diff(10, 14, 9)), 'stale');
  assert.equal(book.applyDiff(diff(17, 18, 16)), 'gap');
  assert.equal(book.bestBid(), undefined);
  assert.deepEqual(book.levels('asks', 5), []);
  assert.equal(book.applyDiff(diff(19, 30, 18)), 'buffered');
  assert.equal(book.applySnapshot(snapshot(25)), true);
  assert.equal(book.lastId, 30);
});

test('a sweep takes levels from the best on, as far as they go', () => {
  const book = new OrderBook();
  book.applySnapshot(snapshot(10));
  book.applyDiff(diff(10, 11, 9));
  assert.deepEqual(book.sweep('BUY', 2), { filled: 2, averagePrice: 101.5, worstPrice: 102 });
  assert.deepEqual(book.sweep('SELL', 0.5), { filled: 0.5, averagePrice: 99, worstPrice: 99 });
  assert.deepEqual(book.sweep('BUY', 9), { filled: 4, averagePrice: 101.75, worstPrice: 102 });
  assert.equal(book.sweep('BUY', 0), undefined);
});

test('after any diffs the sides are what a plain map says, best first', () => {
  const level = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 3 }));
  fc.assert(
    fc.property(fc.array(fc.array(level, { maxLength: 8 }), { maxLength: 40 }), (changes) => {
      const book = new OrderBook();
      book.applySnapshot({ lastUpdateId: 0, bids: [], asks: [] });
      const model = new Map<number, number>();
      changes.forEach((levels, i) => {
        assert.equal(book.applyDiff(diff(i, i, i - 1, { bids: levels, asks: levels })), 'applied');
        for (const [price, quantity] of levels) {
          if (quantity === 0) model.delete(price);
          else model.set(price, quantity);
        }
      });
      const ascending = [...model]
        .sort(([a], [b]) => a - b)
        .map(([price, quantity]) => ({ price, quantity }));
      assert.deepEqual(book.levels('asks', 100), ascending);
      assert.deepEqual(book.levels('bids', 100), ascending.reverse());
    }),
    { numRuns: 200, seed: 7 },
  );
});
