/**
 * What a position knows. Plain JSON, null instead of undefined, money as decimal strings.
 *
 * Invariants: `quantity` ≥ 0 is what the venue has told us is open; `stopPrice` only ever tightens, but for a
 * person's explicit word; `orders` holds every order that is not over, and the last few that are (a late fill must find its order).
 */
import { type Decimal, mul, ZERO } from '../../src/core/decimal.ts';
import type { ActorId } from '../../src/core/ids.ts';
import type { Instrument, InstrumentStatus, SymbolName } from '../../src/domain/instrument.ts';
import type { Direction, VenueEvent } from '../../src/domain/order.ts';
import type { RiskApproved, SizedEntry } from '../../src/domain/risk.ts';
import type { Approval, GuardStop, InstrumentChanged, RefusedEntry, Timed } from '../messages.ts';
import { NOTHING_UNEXPECTED, type Unexpected } from '../step.ts';
import { type Adopted, adoptedEntry } from './adopted.ts';
import type { Decision, Opinion, Suppressed } from './exit-rules/records.ts';
import type { ForcedKind, Happening } from './happenings.ts';
import { type PositionPlan, upgradedPlan } from './plan.ts';
import type { Bar, Pulse } from './pulse.ts';
import type { Answer, OperatorWord } from './words.ts';

/**
 * 'exit' is a part of the plan, 'reduce' one that a person asked for; 'venue' is an order nobody here made: a
 * liquidation, ADL, a person at the venue.
 */
export type OrderRole = 'entry' | 'add' | 'stop' | 'exit' | 'reduce' | 'close' | 'emergency' | 'venue';

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
  /**
   * In hedge mode, and of a quantity that no order can name: a stop that closes whatever is open on its side when it triggers, of which there may be one.
   * `quantity` is what was open when it was made.
   */
  readonly whole?: true;
  /** Trigger price of a stop, limit of a resting take-profit, else null. */
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

/** A part of the plan that is still to be taken. */
export interface ScalePart {
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly refusals: number;
  /** The order that is to take it; null: none is on its way or at the venue. */
  readonly ref: string | null;
  /** Taken here when the mark reaches it, not by an order that rests at the venue. */
  readonly local: boolean;
}

/** What last moved the stop: the reason of the exit that it makes. */
export type StopReason = 'stop' | 'trailing-stop' | 'break-even' | 'pyramid-stop' | 'operator-stop';

/** What a position needs of its instrument; the margin table would only swell every row. */
export type Filters = Pick<
  Instrument,
  'tickSize' | 'stepSize' | 'minQuantity' | 'marketMaxQuantity' | 'minNotional'
>;

export const filtersOf = (instrument: Instrument): Filters => ({
  tickSize: instrument.tickSize,
  stepSize: instrument.stepSize,
  minQuantity: instrument.minQuantity,
  marketMaxQuantity: instrument.marketMaxQuantity,
  minNotional: instrument.minNotional,
});

export interface PositionContext {
  readonly actor: ActorId;
  readonly symbol: SymbolName;
  readonly direction: Direction;
  readonly life: number;
  readonly filters: Filters;
  /** What risk approved; of an adopted position, what stands in its place. */
  readonly entry: SizedEntry;
  /** Who adopted it; null when it was entered here. */
  readonly adoptedBy: string | null;
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

  /** As the venue last said; `deliversAt`: when it is delisted, where that is known. */
  readonly symbolStatus: InstrumentStatus;
  readonly deliversAt: number | null;
  /** Who last took some of it out. */
  readonly forced: ForcedKind | null;
  readonly happenings: readonly Happening[];

  readonly stopPrice: Decimal;
  readonly initialStopPrice: Decimal;
  /** What moved it last. */
  readonly stopReason: StopReason;
  readonly bestPrice: Decimal | null;
  readonly armed: boolean;
  /** Stops refused in a row, for whatever reason: the pauses grow with it. */
  readonly stopRejections: number;
  /** Of those, the ones the venue judged: enough of them mean that no stop can be had. */
  readonly stopRefusals: number;
  readonly scaleParts: readonly ScalePart[];
  readonly scaleRefused: boolean;
  /** What the closed bars told, while it has to hear of them; null: nothing yet. */
  readonly pulse: Pulse | null;
  readonly adds: number;
  readonly asking: boolean;
  readonly nextAddPrice: Decimal | null;
  /** What the model last said of it. */
  readonly opinion: Opinion | null;
  /** The rule that closes it; null while none does, or where an emergency of its orders does. */
  readonly decision: Decision | null;
  /** Rules that would have acted on an event that another rule won, and signals that no rule took up. */
  readonly suppressed: readonly Suppressed[];

  /** What people asked of it, and what they were told. */
  readonly answers: readonly Answer[];

  /** True while prices can make it act (the host keeps its guard band then). */
  readonly watching: boolean;
  readonly closeReason: string | null;
  /** Set by whatever demands an emergency close now. */
  readonly emergency: string | null;
  readonly closeRejections: number;
  /** Closing orders refused in a row because the venue has nothing to reduce: evidence must come before another. */
  readonly nothingToReduce: number;
  /** When people were last told that too many closing orders have no outcome. */
  readonly criedAt: number | null;
  /** The guardian had to step in: it must hear of the end. */
  readonly guarded: boolean;
  /** Set when the books contradict the venue; the position is then handed to the guardian. */
  readonly broken: string | null;

  readonly firstFillAt: number | null;
  readonly protectedAt: number | null;
  readonly unprotectedSince: number | null;
  /** Time with less protection at the venue than quantity open, over the whole life. */
  readonly unprotectedMs: number;
  readonly unexpected: Unexpected;
}

interface CommonInput {
  readonly actor: ActorId;
  readonly symbol: SymbolName;
  readonly instrument: Instrument;
  readonly plan: PositionPlan;
  readonly at: number;
}

/** Either an entry that risk approved, or what the venue holds already. */
export type PositionInput =
  | (CommonInput & { readonly entry: RiskApproved<SizedEntry>; readonly adopted?: undefined })
  | (CommonInput & { readonly adopted: Adopted; readonly entry?: undefined });

export type PositionEvent =
  | (VenueEvent & Timed)
  /** The portfolio's last look before the entry is sent. */
  | ({ readonly type: 'CONFIRMED' } & Timed)
  | ({ readonly type: 'DENIED'; readonly reason: string } & Timed)
  /** Answers to an add. */
  | Approval
  | RefusedEntry
  /** A crossing of its band: floats, for triggers only. */
  | ({
      readonly type: 'PRICE';
      readonly mark: number;
      readonly last: number;
      /** The best price of a time in which nobody here looked: for the peak alone. */
      readonly past?: boolean;
    } & Timed)
  | ({ readonly type: 'ADD' } & Timed)
  /** A closed 15m bar of its symbol; floats, for judgement only. */
  | ({ readonly type: 'BAR_CLOSED' } & Bar & Timed)
  /** A strategy's word: to leave (how sure it is; absent: entirely), or to enter on the other side. */
  | ({
      readonly type: 'EXIT_SIGNAL';
      readonly reason: string;
      readonly signal?: 'exit' | 'opposite';
      readonly confidence?: number;
      readonly mark?: number;
    } & Timed)
  /** What the model thinks of it now. */
  | ({
      readonly type: 'EXIT_OPINION';
      readonly confidence: number;
      readonly reason: string;
      readonly mark?: number;
    } & Timed)
  /** The market has changed; `suits` names the sides that may stay. */
  | ({
      readonly type: 'REGIME';
      readonly regime: string;
      readonly suits: readonly Direction[];
      readonly mark?: number;
    } & Timed)
  /** The next settlement is near; positive rates are paid by longs. */
  | ({
      readonly type: 'FUNDING_AHEAD';
      readonly rate: number;
      readonly settlesAt: number;
      readonly mark?: number;
    } & Timed)
  | ({ readonly type: 'ABORT_ENTRY'; readonly reason: string } & Timed)
  | OperatorWord
  | ({ readonly type: 'KILL'; readonly reason: string } & Timed)
  | ({ readonly type: 'TIME_STOP'; readonly mark?: number } & Timed)
  /** Its own timer: a refused cancel is asked for again. */
  | ({ readonly type: 'CANCEL_AGAIN' } & Timed)
  | InstrumentChanged
  | GuardStop
  /** Evidence (reconciliation, a person) that the venue holds nothing of this position. */
  | ({ readonly type: 'POSITION_GONE'; readonly reason: string } & Timed);

export function initialContext(input: PositionInput): PositionContext {
  const { adopted } = input;
  const filters = filtersOf(input.instrument);
  const entry: SizedEntry = adopted
    ? adoptedEntry(input.symbol, adopted, input.plan, filters.tickSize)
    : withoutNotes(input.entry);
  const fresh = emptyContext(input, filters, entry);
  if (!adopted) return fresh;
  const { quantity, entryPrice, by } = adopted;
  const notional = mul(quantity, entryPrice);
  return {
    ...fresh,
    adoptedBy: by,
    // The name of the entry is taken: what the venue may still say of it is no order of ours.
    counters: { entry: 1 },
    quantity,
    openNotional: notional,
    enteredQuantity: quantity,
    enteredNotional: notional,
    lots: [{ ref: 'adopted', quantity, notional, at: input.at }],
    bestPrice: entryPrice,
    firstFillAt: input.at,
    unprotectedSince: input.at,
  };
}

/** What risk had to say stands in the first row; every later one would only carry it along. */
function withoutNotes({ notes: _, ...entry }: SizedEntry): SizedEntry {
  return entry;
}

function emptyContext(input: PositionInput, filters: Filters, entry: SizedEntry): PositionContext {
  return {
    actor: input.actor,
    symbol: input.symbol,
    direction: entry.direction,
    life: Number(input.actor.slice(input.actor.lastIndexOf('/') + 1)),
    filters,
    entry,
    adoptedBy: null,
    // A start that an older version asked for, and nobody had taken up, names a plan of that version.
    plan: upgradedPlan(input.plan),
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
    symbolStatus: input.instrument.status,
    deliversAt: input.instrument.deliversAt ?? null,
    forced: null,
    happenings: [],
    stopPrice: entry.stopPrice,
    initialStopPrice: entry.stopPrice,
    stopReason: 'stop',
    bestPrice: null,
    armed: false,
    stopRejections: 0,
    stopRefusals: 0,
    scaleParts: [],
    scaleRefused: false,
    pulse: null,
    adds: 0,
    asking: false,
    nextAddPrice: null,
    opinion: null,
    decision: null,
    suppressed: [],
    answers: [],
    watching: false,
    closeReason: null,
    emergency: null,
    closeRejections: 0,
    nothingToReduce: 0,
    criedAt: null,
    guarded: false,
    broken: null,
    firstFillAt: null,
    protectedAt: null,
    unprotectedSince: null,
    unprotectedMs: 0,
    unexpected: NOTHING_UNEXPECTED,
  };
}
