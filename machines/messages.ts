/** What the machines tell one another, and the well-known actors they tell it to. */
import type { Decimal } from '../src/core/decimal.ts';
import type { ActorId } from '../src/core/ids.ts';
import type { SymbolName } from '../src/domain/instrument.ts';
import type { Direction } from '../src/domain/order.ts';
import type { Refusal, RiskApproved, SizedEntry } from '../src/domain/risk.ts';

/** A position's life in numbers. netPnl = grossPnl − fees + funding, exactly. */
export interface Trade {
  readonly symbol: SymbolName;
  readonly direction: Direction;
  /** All that was ever bought (long) or sold (short) into the position. */
  readonly quantity: Decimal;
  readonly entryPrice: Decimal;
  readonly exitPrice: Decimal;
  /** The venue's own realised P&L, before fees. */
  readonly grossPnl: Decimal;
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly netPnl: Decimal;
  readonly reason: string;
  readonly openedAt: number;
  readonly closedAt: number;
  readonly life: number;
}

/** Every event as the machine sees it. */
export interface Timed {
  readonly at: number;
}

export type Approval = {
  readonly type: 'APPROVED';
  readonly entry: RiskApproved<SizedEntry>;
  readonly reservation: string;
} & Timed;
export type RefusedEntry = { readonly type: 'REFUSED'; readonly refusals: readonly Refusal[] } & Timed;

export type PositionClosed = {
  readonly type: 'POSITION_CLOSED';
  readonly actor: ActorId;
  /** Null when nothing was ever filled. */
  readonly trade: Trade | null;
  readonly reason: string;
} & Timed;

export type TradingState = 'active' | 'reducing' | 'halted';

export const scannerOf = (symbol: SymbolName): ActorId => `scanner/${symbol}`;
export const entryDeskOf = (symbol: SymbolName): ActorId => `entry/${symbol}`;
export const feedOf = (symbol: SymbolName): ActorId => `feed/${symbol}`;
export const positionOf = (symbol: SymbolName, life: number): ActorId => `position/${symbol}/BOTH/${life}`;
export const breakerOf = (kind: string): ActorId => `breaker/${kind}`;
