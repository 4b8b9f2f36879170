/**
 * Money, prices and quantities: exact decimals, carried as plain strings ("0.001", never "1e-3").
 * The home of big.js, and of small-decimal.ts before it, which does nearly all of the work in a tenth of the time.
 * Floats are for indicators and hot-path comparisons only, never for accounting.
 */
import Big from 'big.js';
import * as small from './small-decimal.ts';

/** A decimal number in plain notation without exponent or superfluous zeros, e.g. "-12.5". */
export type Decimal = string;

// Strict: a float passed by mistake throws instead of smuggling in its rounding error.
const Exact = Big();
Exact.strict = true;
Exact.NE = -100;
Exact.PE = 100;

const plain = (value: Big): Decimal => (value.c[0] === 0 ? '0' : value.toFixed());

/** What is compared without big.js; anything else is its business, refusal included. */
const PLAIN = /^-?\d+(?:\.\d+)?$/;

export const ZERO: Decimal = '0';

/** The canonical form ("1.50" → "1.5"); throws on anything that is not a decimal. */
export const decimal = (value: string): Decimal => small.canonical(value) ?? plain(new Exact(value));

/** A float's shortest decimal form; for indicator results on their way into a price, rounded afterwards. */
export const fromNumber = (value: number): Decimal => {
  const text = String(value);
  // A float's text has no superfluous zeros, and 0 no sign: without an exponent it is canonical.
  return PLAIN.test(text) ? text : plain(new Exact(text));
};

export const toNumber = (value: Decimal): number => Number(value);

export const add = (a: Decimal, b: Decimal): Decimal => small.sumOf(a, b) ?? plain(new Exact(a).plus(b));
export const sub = (a: Decimal, b: Decimal): Decimal =>
  small.difference(a, b) ?? plain(new Exact(a).minus(b));
export const mul = (a: Decimal, b: Decimal): Decimal => small.product(a, b) ?? plain(new Exact(a).times(b));
export const neg = (a: Decimal): Decimal => small.negated(a) ?? plain(new Exact(a).times('-1'));
export const abs = (a: Decimal): Decimal => small.absolute(a) ?? plain(new Exact(a).abs());
export const sum = (values: Iterable<Decimal>): Decimal => {
  let total = ZERO;
  for (const value of values) total = add(total, value);
  return total;
};

export const cmp = (a: Decimal, b: Decimal): -1 | 0 | 1 => small.compared(a, b) ?? compareLarge(a, b);

/** Rounding to a float never swaps two numbers: only where both become the same one is exactness needed. */
const compareLarge = (a: Decimal, b: Decimal): -1 | 0 | 1 => {
  if (PLAIN.test(a) && PLAIN.test(b)) {
    const [x, y] = [Number(a), Number(b)];
    if (x < y) return -1;
    if (x > y) return 1;
    if (a === b) return 0;
  }
  return new Exact(a).cmp(b) as -1 | 0 | 1;
};
export const lt = (a: Decimal, b: Decimal): boolean => cmp(a, b) < 0;
export const lte = (a: Decimal, b: Decimal): boolean => cmp(a, b) <= 0;
export const gt = (a: Decimal, b: Decimal): boolean => cmp(a, b) > 0;
export const gte = (a: Decimal, b: Decimal): boolean => cmp(a, b) >= 0;
export const eq = (a: Decimal, b: Decimal): boolean => cmp(a, b) === 0;
export const isZero = (a: Decimal): boolean => cmp(a, ZERO) === 0;
export const sign = (a: Decimal): -1 | 0 | 1 => cmp(a, ZERO);
export const min = (a: Decimal, b: Decimal): Decimal => (lt(a, b) ? a : b);
export const max = (a: Decimal, b: Decimal): Decimal => (gt(a, b) ? a : b);

export type Rounding = 'down' | 'half-up' | 'half-even' | 'up';

const MODES: Record<Rounding, 0 | 1 | 2 | 3> = { down: 0, 'half-up': 1, 'half-even': 2, up: 3 };

/** Rounded to `places` decimals; 'down' and 'up' are towards and away from zero. */
export const round = (a: Decimal, places: number, mode: Rounding = 'half-even'): Decimal =>
  small.rounded(a, places, MODES[mode]) ?? plain(new Exact(a).round(places, MODES[mode]));

/** a ÷ b, rounded to `places` decimals (division is the only operation here that can be inexact). */
export const div = (a: Decimal, b: Decimal, places = 16, mode: Rounding = 'half-even'): Decimal =>
  small.quotient(a, b, places, MODES[mode]) ??
  plain(new (dividerOf(places))(a).div(b).round(places, MODES[mode]));

/** One for each number of places: making one costs more than dividing. */
const dividers = new Map<number, typeof Exact>();

function dividerOf(places: number): typeof Exact {
  const known = dividers.get(places);
  if (known) return known;
  const Divider = Big();
  Divider.strict = true;
  Divider.DP = places + 4;
  Divider.RM = 0;
  dividers.set(places, Divider);
  return Divider;
}

/** The largest multiple of `step` that is ≤ a (a ≥ 0 for quantities; towards −∞ for negative a). */
export const floorTo = (a: Decimal, step: Decimal): Decimal => small.floored(a, step) ?? floorLarge(a, step);

const floorLarge = (a: Decimal, step: Decimal): Decimal => {
  const units = new Exact(a).div(step);
  const whole = units.round(0, 0);
  return plain((whole.gt(units) ? whole.minus('1') : whole).times(step));
};

/** The smallest multiple of `step` that is ≥ a. */
export const ceilTo = (a: Decimal, step: Decimal): Decimal => neg(floorTo(neg(a), step));

/** The multiple of `step` nearest to a, halves upwards. */
export const roundTo = (a: Decimal, step: Decimal): Decimal =>
  small.nearest(a, step) ?? plain(new Exact(a).div(step).round(0, 1).times(step));

export const isMultipleOf = (a: Decimal, step: Decimal): boolean => eq(floorTo(a, step), a);
