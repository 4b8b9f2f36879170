/**
 * What the guardian keeps of the watch over protection. Plain JSON, null instead of undefined, decimals as
 * strings; every list is bounded.
 */
import type { Decimal } from '../../src/core/decimal.ts';
import type { ActorId } from '../../src/core/ids.ts';
import type { SymbolName } from '../../src/domain/instrument.ts';
import type { Direction, VenueEvent } from '../../src/domain/order.ts';
import { type HedgeSide, keyOf } from '../../src/domain/position-key.ts';
import type { GuardAnswer, GuardOver, Protection, Timed } from '../messages.ts';

export interface Gap {
  readonly symbol: SymbolName;
  /** Absent in one-way mode; so in everything here. */
  readonly positionSide?: HedgeSide;
  readonly owner: ActorId;
  readonly direction: Direction;
  readonly quantity: Decimal;
  readonly protected: Decimal;
  /** When the first reading that showed it was heard. */
  readonly since: number;
  /** How many readings in a row have shown it. */
  readonly readings: number;
  readonly stage: 'seen' | 'asked' | 'guarding' | 'closing';
  /** The owner's word on where the stop belongs; null before, or when there is nobody to give it. */
  readonly stopPrice: Decimal | null;
  /** Of the guardian's stops, how many the venue has judged and refused. */
  readonly refused: number;
}

export interface GuardOrder {
  readonly ref: string;
  readonly symbol: SymbolName;
  readonly positionSide?: HedgeSide;
  readonly owner: ActorId;
  readonly kind: 'stop' | 'close';
  readonly quantity: Decimal;
  readonly status: 'submitted' | 'unknown' | 'live' | 'over';
  readonly cancelRequested: boolean;
  /** Readings heard since it went live: the first may be older than the order. */
  readonly readings: number;
}

export interface GuardBook {
  readonly at: number;
  /** A gap may be this old before the guardian acts: the owner is at it by itself until then. */
  readonly boundMs: number;
  readonly lastReadAt: number | null;
  readonly gaps: readonly Gap[];
  readonly orders: readonly GuardOrder[];
  readonly ordersMade: number;
  readonly gapsSeen: number;
  readonly longestGapMs: number;
  readonly covered: readonly {
    readonly symbol: SymbolName;
    readonly positionSide?: HedgeSide;
    readonly owner: ActorId;
    readonly since: number;
    readonly ms: number;
    readonly stage: Gap['stage'];
  }[];
}

export type GuardEvent =
  | Protection
  | GuardAnswer
  | GuardOver
  | ({ readonly type: 'LOOK' } & Timed)
  | (Extract<VenueEvent, { ref: string }> & Timed);

const GUARD_BOUND_MS = 30_000;

export const emptyGuardBook = (boundMs: number = GUARD_BOUND_MS): Omit<GuardBook, 'at'> => ({
  boundMs,
  lastReadAt: null,
  gaps: [],
  orders: [],
  ordersMade: 0,
  gapsSeen: 0,
  longestGapMs: 0,
  covered: [],
});

export const withGap = <C extends GuardBook>(book: C, gap: Gap): C => ({
  ...book,
  gaps: [...book.gaps.filter((other) => keyOf(other) !== keyOf(gap)), gap],
});
