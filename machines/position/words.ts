/** A person's words to a position; each is answered by a notification with the `Answer` as its data. */
import type { Decimal } from '../../src/core/decimal.ts';
import type { Timed } from '../messages.ts';

export type OperatorClose = { readonly type: 'OPERATOR_CLOSE'; readonly by?: string } & Timed;

export type PartialClose = {
  readonly type: 'PARTIAL_CLOSE';
  readonly by?: string;
  /** Either in percent of what is open, or in units of the base asset. */
  readonly share?: Decimal;
  readonly quantity?: Decimal;
} & Timed;

export type MoveStop = {
  readonly type: 'MOVE_STOP';
  readonly by?: string;
  readonly price: Decimal;
  /** Beyond the risk that was approved, or against the trailing stop. */
  readonly loosen?: boolean;
  /** Of the moment; the host adds it. */
  readonly mark?: number;
} & Timed;

export type OperatorWord = PartialClose | MoveStop | OperatorClose;

export interface Answer {
  readonly at: number;
  readonly by: string;
  readonly request: 'partial-close' | 'move-stop' | 'close';
  readonly accepted: boolean;
  /** What is done, or why nothing is. */
  readonly reason: string;
}
