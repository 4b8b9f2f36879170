/**
 * Partial exits sum to the position: however large it is, whatever its lots and shares, and however often somebody
 * else takes a part of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PositionContext, ScalePart } from '../../machines/position/context.ts';
import { cutParts, shrunkParts } from '../../machines/position/parts.ts';
import { eq, fromNumber, gt, gte, isMultipleOf, lt, mul, sum } from '../../src/core/decimal.ts';

const lots = fc.constantFrom('0.001', '0.1', '1', '10');

/** Whole percents that are 100 together. */
const shares = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 5 }).map((weights) => {
  const whole = weights.reduce((total, weight) => total + weight, 0);
  const first = weights.slice(1).map((weight) => Math.floor((100 * weight) / whole));
  return [...first, 100 - first.reduce((total, share) => total + share, 0)];
});

const part = (quantity: string, i: number): ScalePart => ({
  price: String(102 + i),
  quantity,
  refusals: 0,
  ref: null,
  local: false,
});

function check(parts: readonly ScalePart[], quantity: string, step: string, least: string): void {
  for (const one of parts) {
    assert.ok(isMultipleOf(one.quantity, step), `${one.quantity} in lots of ${step}`);
    assert.ok(gte(one.quantity, least), `${one.quantity} can be sent`);
  }
  const said = parts.map((one) => one.quantity).join(' + ');
  assert.ok(eq(sum(parts.map((one) => one.quantity)), quantity), `${said || 'nothing'} of ${quantity}`);
}

test('partial exits sum to the position, in lots that can be sent, also when others take of it', () => {
  let shrunk = 0;
  fc.assert(
    fc.property(
      lots,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 60 }),
      shares,
      fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 4 }),
      (stepSize, leastLots, more, percents, cuts) => {
        const minQuantity = mul(stepSize, String(leastLots));
        let count = leastLots + more;
        const inLots = (n: number): string => mul(stepSize, String(n));
        const at = (quantity: string, scaleParts: readonly ScalePart[]) =>
          ({ quantity, scaleParts, filters: { stepSize, minQuantity } }) as unknown as PositionContext;
        const wishes = percents.map((share, i) => part(mul(inLots(count), fromNumber(share / 100)), i));
        let parts = cutParts(at(inLots(count), []), wishes);
        check(parts, inLots(count), stepSize, minQuantity);
        for (const cut of cuts) {
          const before = inLots(count);
          count -= Math.max(1, Math.floor((count * cut) / 100));
          // What cannot be sent alone is the stop's.
          if (count < leastLots || lt(inLots(count), minQuantity)) return;
          parts = shrunkParts(at(inLots(count), parts), before);
          check(parts, inLots(count), stepSize, minQuantity);
          shrunk += 1;
        }
        assert.ok(gt(inLots(count), '0'));
      },
    ),
    { numRuns: 3_000, seed: 20_200_313 },
  );
  assert.ok(shrunk > 500, `only ${shrunk} shrank: the property would say little`);
});
