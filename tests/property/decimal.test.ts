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

/** What the fast way takes, what it only just takes, and what it leaves alone. */
const short = fc
  .tuple(fc.boolean(), digits(9), fc.option(digits(9), { nil: undefined }))
  .map(([minus, whole, part]) => `${minus ? '-' : ''}${whole}${part === undefined ? '' : `.${part}`}`);
const mixed = fc.oneof({ arbitrary: short, weight: 4 }, decimals);
const steps = fc.oneof(fc.constantFrom('1', '0.1', '0.001', '0.05', '10', '2.5'), short).filter((step) => {
  return units(step) > 0n;
});

/** Of 10^-30, in canonical form. */
function text(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(PLACES + 1, '0');
  const plain = `${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`.replace(/\.?0+$/, '');
  return value < 0n ? `-${plain}` : plain;
}

const size = (value: bigint): bigint => (value < 0n ? -value : value);

/** n ÷ d to a whole number. */
function whole(n: bigint, d: bigint, mode: D.Rounding): bigint {
  const part = size(n) / size(d);
  const [rest, unit] = [size(n) % size(d), size(d)];
  const isUp =
    (mode === 'up' && rest > 0n) ||
    (mode === 'half-up' && 2n * rest >= unit) ||
    (mode === 'half-even' && (2n * rest > unit || (2n * rest === unit && part % 2n === 1n)));
  const result = isUp ? part + 1n : part;
  return n < 0n === d < 0n ? result : -result;
}

const ONE = 10n ** BigInt(PLACES);
const MODES = ['down', 'half-up', 'half-even', 'up'] as const;

test('sums, differences, products and signs are those of whole numbers, in canonical form', () => {
  fc.assert(
    fc.property(mixed, mixed, (a, b) => {
      const [x, y] = [units(a), units(b)];
      assert.equal(D.add(a, b), text(x + y));
      assert.equal(D.sub(a, b), text(x - y));
      assert.equal(D.sum([a, b, a]), text(x + y + x));
      assert.equal(units(D.mul(a, `${b.split('.')[0]}`)), (x * units(`${b.split('.')[0]}`)) / ONE);
      assert.equal(D.decimal(a), text(x));
      assert.equal(D.neg(a), text(-x));
      assert.equal(D.abs(a), text(size(x)));
    }),
    { numRuns: 3_000 },
  );
  fc.assert(
    fc.property(short, short, (a, b) => {
      assert.equal(D.mul(a, b), text((units(a) * units(b)) / ONE));
    }),
    { numRuns: 2_000 },
  );
});

test('rounding is what whole numbers say: to places, in every mode, and to steps', () => {
  fc.assert(
    fc.property(mixed, fc.integer({ min: 0, max: 12 }), fc.constantFrom(...MODES), (a, places, mode) => {
      const unit = 10n ** BigInt(PLACES - places);
      assert.equal(D.round(a, places, mode), text(whole(units(a), unit, mode) * unit));
    }),
    { numRuns: 3_000 },
  );
  fc.assert(
    fc.property(short, steps, (a, step) => {
      const [x, unit] = [units(a), units(step)];
      const down = x % unit < 0n ? x - (x % unit) - unit : x - (x % unit);
      assert.equal(D.floorTo(a, step), text(down));
      assert.equal(D.ceilTo(a, step), text(down === x ? x : down + unit));
      assert.equal(D.roundTo(a, step), text(whole(x, unit, 'half-up') * unit));
      assert.equal(D.isMultipleOf(a, step), down === x);
    }),
    { numRuns: 3_000 },
  );
});

test('a quotient is cut off four places further on, and rounded from there', () => {
  const divisor = mixed.filter((text) => units(text) !== 0n);
  const places = fc.integer({ min: 0, max: 18 });
  fc.assert(
    fc.property(mixed, divisor, places, fc.constantFrom(...MODES), (a, b, places, mode) => {
      const cut = whole(units(a) * 10n ** BigInt(places + 4), units(b), 'down');
      const unit = 10n ** BigInt(PLACES - places);
      assert.equal(D.div(a, b, places, mode), text(whole(cut, 10_000n, mode) * unit));
    }),
    { numRuns: 3_000 },
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
