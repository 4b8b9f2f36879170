/**
 * What a position knows. Plain JSON, null instead of undefined, money as decimal strings.
 *
 * Invariants: `quantity` ≥ 0 is what the venue has told us is open; `stopPrice` only ever tightens; `orders`
 * holds every order that is not over, and the last few that are (a late fill must find its order).
 */
import type { Decimal } from '../../src/core/decimal.ts';
import { ZERO } from '../../src/core/decimal.ts';
import type { ActorId } from '../../src/core/ids.ts';
import type { Instrument, SymbolName } from '../../src/domain/instrument.ts';
import type { Direction, VenueEvent } from '../../src/domain/order.ts';
import type { RiskApproved, SizedEntry } from '../../src/domain/risk.ts';
import type { Approval, RefusedEntry, Timed } from '../messages.ts';
import { NOTHING_UNEXPECTED, type Unexpected } from '../step.ts';
import type { PositionPlan } from './plan.ts';

/** 'venue' is an order nobody here made: a liquidation, ADL, a person at the venue. */
export type OrderRole = 'entry' | 'add' | 'stop' | 'exit' | 'close' | 'emergency' | 'venue';

/**
 * 'submitted' has no outcome yet; 'unknown' may or may not exist; 'live' and 'triggered' are at the venue;
 * 'over' can fill no more.
 */
export type OrderStatus = 'submitted' | 'unknown' | 'live' | 'triggered' | 'over';

export interface OrderRecord {
  readonly ref: string;
  readonly role: OrderRole;
  readonly quantity: Decimal;
  readonly filled: Decimal;
  /** Trigger price of a stop, else null. */
  readonly price: Decimal | null;
  readonly status: OrderStatus;
  readonly cancelRequested: boolean;
  readonly reason: string;
}

/** What one order took out of the position. */
export interface ExitRecord {
  readonly ref: string;
  readonly reason: string;
  readonly quantity: Decimal;
  readonly notional: Decimal;
  readonly at: number;
}

/** What one order put into it. */
export interface Lot {
  readonly ref: string;
  readonly quantity: Decimal;
  readonly notional: Decimal;
  readonly at: number;
}

export interface ScalePart {
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly refusals: number;
}

/** What a position needs of its instrument; the margin table would only swell every row. */
export type Filters = Pick<
  Instrument,
  'tickSize' | 'stepSize' | 'minQuantity' | 'marketMaxQuantity' | 'minNotional'
>;

export interface PositionContext {
  readonly actor: ActorId;
  readonly symbol: SymbolName;
  readonly direction: Direction;
  readonly life: number;
  readonly filters: Filters;
  readonly entry: RiskApproved<SizedEntry>;
  readonly plan: PositionPlan;
  readonly at: number;

  readonly orders: readonly OrderRecord[];
  /** How many orders of each name were made: the next `stop-<k>`. */
  readonly counters: { readonly [role: string]: number };
  readonly quantity: Decimal;
  /** Cost of what is open; average price = openNotional ÷ quantity. */
  readonly openNotional: Decimal;
  readonly enteredQuantity: Decimal;
  readonly enteredNotional: Decimal;
  readonly exitedQuantity: Decimal;
  readonly exitedNotional: Decimal;
  readonly grossPnl: Decimal;
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly lots: readonly Lot[];
  readonly exits: readonly ExitRecord[];
  readonly duplicates: number;
  /** Fills the venue's totals proved although no event told of them. */
  readonly inferredQuantity: Decimal;

  readonly stopPrice: Decimal;
  readonly initialStopPrice: Decimal;
  readonly bestPrice: Decimal | null;
  readonly armed: boolean;
  readonly stopRejections: number;
  readonly scaleParts: readonly ScalePart[];
  readonly scaleRefused: boolean;
  readonly adds: number;
  readonly asking: boolean;
  readonly nextAddPrice: Decimal | null;
  /** Rules that would have acted on an event that another rule won. */
  readonly suppressed: readonly { readonly rule: string; readonly by: string; readonly at: number }[];

  /** True while prices can make it act (the host keeps its guard band then). */
  readonly watching: boolean;
  readonly closeReason: string | null;
  /** Set by whatever demands an emergency close now. */
  readonly emergency: string | null;
  readonly closeRejections: number;
  /** Set when the books contradict the venue; the position is then handed to the guardian. */
  readonly broken: string | null;

  readonly firstFillAt: number | null;
  readonly protectedAt: number | null;
  readonly unprotectedSince: number | null;
  /** Time with less protection at the venue than quantity open, over the whole life. */
  readonly unprotectedMs: number;
  readonly unexpected: Unexpected;
}

export interface PositionInput {
  readonly actor: ActorId;
  readonly symbol: SymbolName;
  readonly instrument: Instrument;
  readonly entry: RiskApproved<SizedEntry>;
  readonly plan: PositionPlan;
  readonly at: number;
}

export type PositionEvent =
  | (VenueEvent & Timed)
  /** The portfolio's last look before the entry is sent. */
  | ({ readonly type: 'CONFIRMED' } & Timed)
  | ({ readonly type: 'DENIED'; readonly reason: string } & Timed)
  /** Answers to an add. */
  | Approval
  | RefusedEntry
  /** A crossing of its band: floats, for triggers only. */
  | ({ readonly type: 'PRICE'; readonly mark: number; readonly last: number } & Timed)
  | ({ readonly type: 'ADD' } & Timed)
  | ({ readonly type: 'EXIT_SIGNAL'; readonly reason: string } & Timed)
  | ({ readonly type: 'ABORT_ENTRY'; readonly reason: string } & Timed)
  | ({ readonly type: 'OPERATOR_CLOSE'; readonly by?: string } & Timed)
  | ({ readonly type: 'KILL'; readonly reason: string } & Timed)
  | ({ readonly type: 'TIME_STOP' } & Timed)
  /** Evidence (reconciliation, a person) that the venue holds nothing of this position. */
  | ({ readonly type: 'POSITION_GONE'; readonly reason: string } & Timed);

export function initialContext(input: PositionInput): PositionContext {
  return {
    actor: input.actor,
    symbol: input.symbol,
    direction: input.entry.direction,
    life: Number(input.actor.slice(input.actor.lastIndexOf('/') + 1)),
    filters: {
      tickSize: input.instrument.tickSize,
      stepSize: input.instrument.stepSize,
      minQuantity: input.instrument.minQuantity,
      marketMaxQuantity: input.instrument.marketMaxQuantity,
      minNotional: input.instrument.minNotional,
    },
    entry: input.entry,
    plan: input.plan,
    at: input.at,
    orders: [],
    counters: {},
    quantity: ZERO,
    openNotional: ZERO,
    enteredQuantity: ZERO,
    enteredNotional: ZERO,
    exitedQuantity: ZERO,
    exitedNotional: ZERO,
    grossPnl: ZERO,
    fees: ZERO,
    funding: ZERO,
    lots: [],
    exits: [],
    duplicates: 0,
    inferredQuantity: ZERO,
    stopPrice: input.entry.stopPrice,
    initialStopPrice: input.entry.stopPrice,
    bestPrice: null,
    armed: false,
    stopRejections: 0,
    scaleParts: [],
    scaleRefused: false,
    adds: 0,
    asking: false,
    nextAddPrice: null,
    suppressed: [],
    watching: false,
    closeReason: null,
    emergency: null,
    closeRejections: 0,
    broken: null,
    firstFillAt: null,
    protectedAt: null,
    unprotectedSince: null,
    unprotectedMs: 0,
    unexpected: NOTHING_UNEXPECTED,
  };
}
