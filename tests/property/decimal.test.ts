/** Decimals against whole numbers: whatever is compared or divided the fast way is what exact arithmetic says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as D from '../../src/core/decimal.ts';

const PLACES = 30;

/** Any notation that is a decimal, in units of 10^-30. */
function units(text: string): bigint {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  const value = BigInt(whole + fraction.padEnd(PLACES, '0'));
  return sign === '-' ? -value : value;
}

const digits = (most: number) => fc.stringMatching(new RegExp(`^\\d{1,${most}}$`));
const decimals = fc
  .tuple(fc.boolean(), digits(22), fc.option(digits(20), { nil: undefined }))
  .map(
    ([minus, whole, fraction]) =>
      `${minus ? '-' : ''}${whole}${fraction === undefined ? '' : `.${fraction}`}`,
  );
/** Pairs that a float cannot tell apart, or only just. */
const near = fc
  .tuple(decimals, fc.nat({ max: 3 }))
  .map(([a, far]) => [a, D.add(a, D.mul(D.abs(a), `0.${'0'.repeat(15)}${far}`))] as const);
const pair = fc.oneof(
  fc.tuple(decimals, decimals),
  near,
  decimals.map((a) => [a, a] as const),
);

test('comparing is what whole numbers say, for numbers that floats cannot tell apart too', () => {
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const [x, y] = [units(a), units(b)];
      assert.equal(D.cmp(a, b), x < y ? -1 : x > y ? 1 : 0);
      assert.equal(D.cmp(b, a), x < y ? 1 : x > y ? -1 : 0);
      assert.equal(D.decimal(a) === '0', x === 0n);
    }),
    { numRuns: 3_000 },
  );
});

test('what is no decimal is refused, compared with whatever', () => {
  for (const bad of ['', ' 1', '0x10', 'Infinity', 'NaN', '1_0', '1,5', '--1'])
    for (const good of ['0', '1.5', bad]) {
      assert.throws(() => D.cmp(bad, good), `${bad} against ${good}`);
      assert.throws(() => D.cmp(good, bad), `${good} against ${bad}`);
    }
  assert.equal(D.cmp('1e3', '1000'), 0);
});

test('a quotient is the exact one, cut off towards zero, at any number of places in any order', () => {
  const divisor = decimals.filter((text) => units(text) !== 0n);
  fc.assert(
    fc.property(decimals, divisor, fc.integer({ min: 0, max: 18 }), (a, b, places) => {
      const exact = (units(a) * 10n ** BigInt(places)) / units(b);
      assert.equal(units(D.div(a, b, places, 'down')), exact * 10n ** BigInt(PLACES - places));
    }),
    { numRuns: 1_500 },
  );
});

test('a float becomes what its text says, in canonical form', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constant(-0)),
      (value) => {
        const text = D.fromNumber(value);
        assert.equal(text, D.decimal(String(value)));
        assert.match(text, /^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/);
      },
    ),
  );
  for (const none of [Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => D.fromNumber(none));
});
