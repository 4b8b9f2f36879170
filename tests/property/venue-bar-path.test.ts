/** Marks on a bar's path: the short way of rounding them is the long one, to the last bit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tidyMark } from '../../src/venue-server/market/bar-path.ts';

const near = fc
  .tuple(fc.double({ min: 1e-7, max: 1e9, noNaN: true }), fc.integer({ min: -3, max: 3 }))
  .map(([mark, bits]) => {
    // Half of the twelfth digit away, or nearly: where roundings part.
    const tidy = Number(mark.toPrecision(12));
    const half = 5 * 10 ** (Math.floor(Math.log10(tidy)) - 12);
    return (tidy + half) * (1 + bits * Number.EPSILON);
  });

test('a mark keeps twelve digits, as its text would', () => {
  fc.assert(
    fc.property(fc.oneof(fc.double({ min: 1e-9, max: 1e13, noNaN: true }), near), (mark) => {
      assert.equal(tidyMark(mark), Number(mark.toPrecision(12)));
    }),
    { numRuns: 5_000 },
  );
  for (const odd of [0, -1.5, 1, 10, 1e300, 5e-324, Infinity, Number.NaN])
    assert.ok(Object.is(tidyMark(odd), Number(odd.toPrecision(12))), String(odd));
});
