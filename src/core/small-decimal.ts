/**
 * Arithmetic on the decimals that there nearly always are: up to fifteen digits, which as whole numbers of their last
 * place are exact floats. The same results as big.js gives, to the letter, without its objects.
 *
 * Invariant: exact or undefined. What is not written plainly, has more digits, or whose result would not be exact, is
 * left to decimal.ts and big.js, refusals included.
 */

/** So many digits are below 2^53, whatever they are. */
const MOST_DIGITS = 15;
const SAFE = Number.MAX_SAFE_INTEGER;

/** Powers that are exact floats. */
const TENS: readonly number[] = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const ZEROS = '0'.repeat(48);

const DASH = 45;
const DOT = 46;
const DIGIT_0 = 48;

/** What `read` found: whole × 10^-places. Read by the caller before it reads another one. */
let whole = 0;
let places = 0;

function read(text: string): boolean {
  // What is no text at all, whatever its type says, is refused where everything else is.
  if (typeof text !== 'string') return false;
  const { length } = text;
  const isNegative = length > 0 && text.charCodeAt(0) === DASH;
  const start = isNegative ? 1 : 0;
  if (!(length > start && length - start <= MOST_DIGITS + 1)) return false;
  let value = 0;
  let dot = -1;
  for (let i = start; i < length; i++) {
    const code = text.charCodeAt(i);
    const digit = code - DIGIT_0;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (code === DOT && dot < 0 && i > start) dot = i;
    else return false;
  }
  // A dot has a digit on either side; without one, there is room for a digit too many.
  if (dot === length - 1 || (dot < 0 && length - start > MOST_DIGITS)) return false;
  whole = isNegative ? -value : value;
  places = dot < 0 ? 0 : length - 1 - dot;
  return true;
}

/** Plain and canonical: no sign of nothing, no superfluous zeros. */
function write(value: number, decimals: number): string {
  if (value === 0) return '0';
  let rest = value;
  let scale = decimals;
  while (scale > 0 && rest % 10 === 0) {
    rest /= 10;
    scale -= 1;
  }
  if (scale === 0) return String(rest);
  const digits = String(Math.abs(rest));
  const before = digits.length - scale;
  const sign = rest < 0 ? '-' : '';
  return before > 0
    ? `${sign}${digits.slice(0, before)}.${digits.slice(before)}`
    : `${sign}0.${ZEROS.slice(0, -before)}${digits}`;
}

/** Two numbers as whole ones of the same place. */
let left = 0;
let right = 0;
let joint = 0;

function align(a: string, b: string): boolean {
  if (!read(a)) return false;
  left = whole;
  joint = places;
  if (!read(b)) return false;
  right = whole;
  if (places > joint) {
    left *= TENS[places - joint] as number;
    joint = places;
  } else if (places < joint) right *= TENS[joint - places] as number;
  return isSafe(left) && isSafe(right);
}

/** A float that is no larger came about exactly. */
const isSafe = (value: number): boolean => value <= SAFE && value >= -SAFE;

export const canonical = (a: string): string | undefined => (read(a) ? write(whole, places) : undefined);

export const negated = (a: string): string | undefined => (read(a) ? write(-whole, places) : undefined);

export const absolute = (a: string): string | undefined =>
  read(a) ? write(Math.abs(whole), places) : undefined;

export function sumOf(a: string, b: string): string | undefined {
  if (!align(a, b)) return undefined;
  const total = left + right;
  return isSafe(total) ? write(total, joint) : undefined;
}

export function difference(a: string, b: string): string | undefined {
  if (!align(a, b)) return undefined;
  const rest = left - right;
  return isSafe(rest) ? write(rest, joint) : undefined;
}

export function product(a: string, b: string): string | undefined {
  if (!read(a)) return undefined;
  const [factor, decimals] = [whole, places];
  if (!read(b)) return undefined;
  const value = factor * whole;
  return isSafe(value) ? write(value, decimals + places) : undefined;
}

export function compared(a: string, b: string): -1 | 0 | 1 | undefined {
  if (!align(a, b)) return undefined;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Of big.js's rounding modes: towards zero, halves away from zero, halves to the even one, away from zero. */
export type Mode = 0 | 1 | 2 | 3;

/** Whether what is left of a division by `unit` takes the whole part one further from zero. */
function goesUp(part: number, remainder: number, unit: number, mode: Mode): boolean {
  const rest = Math.abs(remainder);
  if (rest === 0 || mode === 0) return false;
  if (mode === 3) return true;
  const left = unit - rest;
  if (rest !== left) return rest > left;
  return mode === 1 || part % 2 !== 0;
}

export function rounded(a: string, decimals: number, mode: Mode): string | undefined {
  if (!isPlaces(decimals) || !read(a)) return undefined;
  if (places <= decimals) return write(whole, places);
  const unit = TENS[places - decimals] as number;
  const remainder = whole % unit;
  const part = (whole - remainder) / unit;
  const isUp = goesUp(part, remainder, unit, mode);
  return write(isUp ? part + (whole < 0 ? -1 : 1) : part, decimals);
}

/** The largest multiple of `step` that is ≤ a. */
export function floored(a: string, step: string): string | undefined {
  if (!align(a, step) || !(right > 0)) return undefined;
  const rest = left % right;
  const floor = left - rest - (rest < 0 ? right : 0);
  return isSafe(floor) ? write(floor, joint) : undefined;
}

/** The multiple of `step` nearest to a, halves away from zero. */
export function nearest(a: string, step: string): string | undefined {
  if (!align(a, step) || !(right > 0)) return undefined;
  const rest = left % right;
  const isUp = goesUp(0, rest, right, 1);
  const near = left - rest + (isUp ? (left < 0 ? -right : right) : 0);
  return isSafe(near) ? write(near, joint) : undefined;
}

/** Digits that a division works out beyond those wanted, before it rounds. */
const GUARD_PLACES = 4;

/** a ÷ b: cut off a few places beyond `decimals`, then rounded to them, as decimal.ts has it. */
export function quotient(a: string, b: string, decimals: number, mode: Mode): string | undefined {
  if (!isPlaces(decimals) || !read(a)) return undefined;
  const [dividend, above] = [whole, places];
  if (!read(b) || whole === 0) return undefined;
  if (dividend === 0) return '0';
  // In units of the last place that is worked out, as a quotient of two whole numbers.
  const shift = decimals + GUARD_PLACES + places - above;
  const away = dividend < 0 === whole < 0 ? 1 : -1;
  const over = shift < 0 ? Infinity : dividend * (TENS[shift] ?? Infinity);
  if (isSafe(over)) {
    const cut = (over - (over % whole)) / whole;
    const remainder = cut % GUARD;
    const part = (cut - remainder) / GUARD;
    return write(goesUp(part, remainder, GUARD, mode) ? part + away : part, decimals);
  }
  const cut = (BigInt(dividend) * bigTen(Math.max(0, shift))) / (BigInt(whole) * bigTen(Math.max(0, -shift)));
  const part = cut / BIG_GUARD;
  const isUp = goesUp(Number(part % 2n), Number(cut % BIG_GUARD), GUARD, mode);
  return writeBig(isUp ? part + BigInt(away) : part, decimals);
}

const MOST_PLACES = 24;
const isPlaces = (decimals: number): boolean =>
  decimals >= 0 && decimals <= MOST_PLACES && Number.isInteger(decimals);

const GUARD = 10 ** GUARD_PLACES;
const BIG_GUARD = BigInt(GUARD);
const BIG_TENS: readonly bigint[] = Array.from({ length: 48 }, (_, i) => 10n ** BigInt(i));
const bigTen = (power: number): bigint => BIG_TENS[power] as bigint;

function writeBig(value: bigint, decimals: number): string {
  const number = Number(value);
  if (isSafe(number)) return write(number, decimals);
  const isNegative = value < 0n;
  const digits = String(isNegative ? -value : value).padStart(decimals + 1, '0');
  const before = digits.slice(0, digits.length - decimals);
  const after = digits.slice(digits.length - decimals);
  let end = after.length;
  while (end > 0 && after.charCodeAt(end - 1) === DIGIT_0) end -= 1;
  const sign = isNegative ? '-' : '';
  return end === 0 ? `${sign}${before}` : `${sign}${before}.${after.slice(0, end)}`;
}
