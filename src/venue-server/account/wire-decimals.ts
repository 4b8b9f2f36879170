/**
 * The decimals of money on the wire, as the venue's own answers and its client's examples show them: amounts of
 * money and mark prices carry eight ("10000.00000000"), average prices five ("0.00000").
 *
 * Invariant: nothing is rounded here. A number with more decimals keeps them all.
 */
import type { Decimal } from '../../core/decimal.ts';

const AMOUNT_PLACES = 8;
const AVERAGE_PLACES = 5;

function padded(value: Decimal, places: number): Decimal {
  const [whole = '0', decimals = ''] = value.split('.');
  return `${whole}.${decimals.padEnd(places, '0')}`;
}

export const amountText = (value: Decimal): Decimal => padded(value, AMOUNT_PLACES);

export const averageText = (value: Decimal): Decimal => padded(value, AVERAGE_PLACES);

/** All of them amounts. */
export const amountTexts = <T extends Readonly<Record<string, Decimal>>>(values: T): T =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, amountText(value)])) as T;
