/** What is open, in its two numbers. */
import { type Decimal, div, gt, lte, ZERO } from '../../src/core/decimal.ts';
import type { PositionContext } from './context.ts';

/** Prices carry more places than any tick; the average is for triggers and reports, not for accounts. */
const AVERAGE_PLACES = 12;

export const averagePrice = (context: PositionContext): Decimal =>
  gt(context.quantity, ZERO)
    ? div(context.openNotional, context.quantity, AVERAGE_PLACES)
    : context.entry.referencePrice;

export const isFlat = (context: PositionContext): boolean => lte(context.quantity, ZERO);
