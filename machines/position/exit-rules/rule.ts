/**
 * What a rule is: a pure function from what the position knows and what it has just heard to a verdict, or none.
 *
 * Invariant: a rule only judges; what follows from the verdict that wins is done in one place (decide.ts).
 */
import type { Decimal } from '../../../src/core/decimal.ts';
import { add, div, mul, sub } from '../../../src/core/decimal.ts';
import type { PositionContext, PositionEvent } from '../context.ts';
import { averagePrice } from '../ledger.ts';
import type { Numbers, RuleName } from './records.ts';

export interface Moment {
  readonly event: PositionEvent;
  /** Null: nobody knows it now, and no rule that needs it judges. */
  readonly mark: Decimal | null;
}

export interface Verdict {
  readonly rule: RuleName;
  /** Emergencies are retried until nothing is open; a close is one polite attempt first. */
  readonly act: 'emergency' | 'close' | 'part' | 'add';
  /** Of the exit, as trades and statistics show it: a name, and after ": " what is particular to this one. */
  readonly reason: string;
  readonly numbers: Numbers;
}

export type ExitRule = (context: PositionContext, moment: Moment) => Verdict | null;

/** The mark at which so much per 100 of entry notional is lost: exact, on no tick, since marks are on none. */
export function lossPrice(context: PositionContext, loss: Decimal): Decimal {
  const average = averagePrice(context);
  const distance = mul(average, div(loss, '100'));
  return context.direction === 'long' ? sub(average, distance) : add(average, distance);
}

const SHOWN_PLACES = 4;

/** Unrealised, per 100 of entry notional; positive is a gain. For people: levels decide. */
export function gainPercent(context: PositionContext, mark: Decimal): Decimal {
  const average = averagePrice(context);
  const perUnit = context.direction === 'long' ? sub(mark, average) : sub(average, mark);
  return div(mul(perUnit, '100'), average, SHOWN_PLACES);
}
