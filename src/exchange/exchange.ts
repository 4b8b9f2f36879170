/**
 * The exchange port. Commands go in, events come out; nothing is awaited in between, because an outcome may
 * never come: then it is UNKNOWN, and only evidence ends that.
 *
 * Invariants: a command is carried out at most once; each command ends in an outcome event to its owner
 * (acknowledged, rejected or unknown); events of one order keep the venue's order.
 */
import type { Decimal } from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { Direction, IdentifiedOrder, PositionSide } from '../domain/order.ts';

export interface VenuePosition {
  readonly symbol: SymbolName;
  readonly positionSide: PositionSide;
  readonly direction: Direction;
  /** Positive. */
  readonly quantity: Decimal;
  readonly entryPrice: Decimal;
  readonly markPrice: Decimal;
  readonly unrealizedPnl: Decimal;
  readonly liquidationPrice: Decimal | undefined;
  readonly leverage: number;
  readonly owner: ActorId | undefined;
}

export interface VenueOrder {
  readonly order: IdentifiedOrder;
  readonly orderId: string;
  readonly filled: Decimal;
}

/** The venue's truth at one moment. */
export interface VenueReport {
  readonly at: number;
  readonly walletBalance: Decimal;
  readonly availableBalance: Decimal;
  readonly positions: readonly VenuePosition[];
  readonly openOrders: readonly VenueOrder[];
}

export interface Exchange {
  readonly name: string;
  /** True for an in-process venue that commits with the journal: "never received" is then final. */
  readonly notFoundIsFinal: boolean;
  report(): Promise<VenueReport>;
}
