/** What the machines tell one another, and the well-known actors they tell it to. */
import type { Decimal } from '../src/core/decimal.ts';
import { type ActorId, actorType } from '../src/core/ids.ts';
import type { Instrument, SymbolName } from '../src/domain/instrument.ts';
import type { Direction } from '../src/domain/order.ts';
import {
  type HedgeSide,
  keyOf,
  keyOfActor,
  keysOn,
  type PositionKey,
  positionSideOf,
  symbolOf,
} from '../src/domain/position-key.ts';
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
  /** How the size came to be: what scaled it, what cut it, what could not be judged. */
  readonly notes?: readonly string[];
} & Timed;
export type RefusedEntry = { readonly type: 'REFUSED'; readonly refusals: readonly Refusal[] } & Timed;

export type PositionClosed = {
  readonly type: 'POSITION_CLOSED';
  readonly actor: ActorId;
  /** Null when nothing was ever filled. */
  readonly trade: Trade | null;
  readonly reason: string;
} & Timed;

/** A side of a symbol that has a position of its own; only in hedge mode. */
interface Sided {
  readonly symbol: SymbolName;
  readonly positionSide?: HedgeSide;
}

/** What the venue itself shows of one place that we hold something on. */
export interface SymbolProtection extends Sided {
  /** The position that holds it. */
  readonly owner: ActorId;
  readonly direction: Direction;
  /** Open at the venue, positive. */
  readonly quantity: Decimal;
  /** What live reduce-only (or closePosition) triggers on the closing side would take out, at most `quantity`. */
  readonly protected: Decimal;
  readonly entryPrice: Decimal;
  readonly markPrice?: Decimal;
  /** Where a stop must lie on; without it the guardian can only close. */
  readonly tickSize?: Decimal;
  /** The most that one market order may be for. */
  readonly marketMaxQuantity?: Decimal;
}

/**
 * From the executor to the guardian after each full reading: every held symbol, the protected ones as well (a
 * symbol that is not named is flat). `readAt` is the reading's own time on the venue's clock; the same reading
 * is never sent twice.
 */
export type Protection = {
  readonly type: 'PROTECTION';
  readonly readAt: number;
  readonly symbols: readonly SymbolProtection[];
} & Timed;

/**
 * From the guardian to the position that owns an uncovered symbol: place your stop now. When that does not help,
 * the guardian submits reduce-only orders of its own (owner GUARDIAN, refs `guard-<k>`). The executor counts
 * their fills as taken out of the owner's holding and tells the guardian alone, who passes each fill on to the
 * owner with cause 'guardian'.
 */
export type GuardStop = {
  readonly type: 'GUARD_STOP';
  readonly symbol: SymbolName;
  readonly quantity: Decimal;
  readonly protected: Decimal;
} & Timed;

/** The position's answer: where its stop belongs. A position that is gone does not answer. */
export type GuardAnswer = {
  readonly type: 'GUARD_ANSWER';
  readonly actor: ActorId;
  readonly symbol: SymbolName;
  readonly stopPrice: Decimal;
} & Timed;

/** The last word of a position that the guardian had to help: its orders there have nothing to guard. */
export type GuardOver = { readonly type: 'GUARD_OVER' } & Sided & Timed;

/**
 * To VENUE: something here cannot be explained, read everything anew. Only the executor answers to it.
 */
export type Reconcile = { readonly type: 'RECONCILE'; readonly why: string } & Timed;

/**
 * From the desk to VENUE, in the row that starts an adopted position: from now on `owner` holds this, and what
 * happens to it at the venue is told to `owner`.
 */
export type Hold = {
  readonly type: 'HOLD';
  /** Its name says on which side, where each has a position of its own. */
  readonly owner: ActorId;
  readonly symbol: SymbolName;
  readonly direction: Direction;
  readonly quantity: Decimal;
  readonly entryPrice: Decimal;
} & Timed;

/** From the executor to the desk of a symbol on which the venue shows a position that nobody here opened. */
export type Adopt = {
  readonly type: 'ADOPT';
  readonly symbol: SymbolName;
  readonly direction: Direction;
  readonly quantity: Decimal;
  readonly entryPrice: Decimal;
  /** With it the first stop lies behind the worse of both, and does not close at once what has lost already. */
  readonly markPrice?: Decimal;
  /** Who decided it: a person's name, or 'policy'. */
  readonly by: string;
} & Timed;

/** To the desk, and from it to its position: the venue's rules for its symbol as they are now. */
export type InstrumentChanged = {
  readonly type: 'INSTRUMENT';
  readonly instrument: Instrument;
  /** From the desk to its position: as they were. */
  readonly before?: Instrument;
} & Timed;

export type TradingState = 'active' | 'reducing' | 'halted';

/** A half-open breaker lets one entry at a time through, to see how it goes (portfolio-trial.ts). */
export type BreakerEffect = 'closed' | 'half-open' | 'reducing' | 'halted';

/** Which entries a breaker is about; without it, all of them. */
export interface BreakerScope {
  readonly symbols?: readonly SymbolName[];
  readonly direction?: Direction;
}

/** Whether it concerns entries on this symbol and side. */
export const isInScope = (
  scope: BreakerScope | undefined,
  entry: { readonly symbol: SymbolName; readonly direction: Direction | undefined },
): boolean =>
  (scope?.symbols === undefined || scope.symbols.includes(entry.symbol)) &&
  (scope?.direction === undefined || entry.direction === undefined || scope.direction === entry.direction);

/** What a halt does about what is open already: nothing, close the largest position, close everything. */
export type BreakerClosing = 'none' | 'largest' | 'all';

/** From a breaker, in the row that changes it, to the portfolio and to VENUE. */
export type BreakerChanged = {
  readonly type: 'BREAKER_CHANGED';
  readonly breaker: string;
  readonly state: BreakerEffect;
  readonly cause: string;
  /** Absent: it concerns every entry. */
  readonly scope?: BreakerScope;
  /** Absent: none. */
  readonly closing?: BreakerClosing;
} & Timed;

/** Whose names say which symbol they are about. */
const OF_A_SYMBOL: readonly string[] = ['scanner', 'entry', 'feed', 'position'];
export const isOfSymbol = (actor: ActorId): boolean => OF_A_SYMBOL.includes(actorType(actor));

export const scannerOf = (symbol: SymbolName): ActorId => `scanner/${symbol}`;
/** Each place where a position may be has a desk of its own. */
export const entryDeskOf = (place: PositionKey): ActorId => `entry/${place}`;
export const feedOf = (symbol: SymbolName): ActorId => `feed/${symbol}`;
export const positionOf = (place: PositionKey, life: number): ActorId =>
  `position/${symbolOf(place)}/${positionSideOf(place)}/${life}`;
/** The desk of a position, by the name that it has for its whole life. */
export const deskOf = (position: ActorId): ActorId => entryDeskOf(keyOfActor(position));
/** "BTCUSDT", "BTCUSDT/3", "BTCUSDT/LONG" and "BTCUSDT/LONG/3" are short for a position's whole name. */
export function placeNamed(named: string): { readonly place: PositionKey; readonly life?: number } {
  const [symbol = named, ...rest] = named.split('/');
  const side = rest[0] === 'LONG' || rest[0] === 'SHORT' ? rest[0] : undefined;
  const place = keyOf({ symbol, ...(side ? { positionSide: side } : {}) });
  const life = side ? rest[1] : rest[0];
  return life === undefined ? { place } : { place, life: Number(life) };
}

/** The desks that a name may mean: its own, or those of both sides where each has one. */
export const desksNamed = (place: PositionKey, isThere: (desk: ActorId) => boolean): readonly ActorId[] =>
  [place, ...keysOn(place, 'hedge')]
    .map(entryDeskOf)
    .filter(isThere)
    .slice(0, isThere(entryDeskOf(place)) ? 1 : 2);

/** Who blocks a desk for an actor's case at the guardian. */
export const guardianBlock = (actor: ActorId): string => `guardian:${actor}`;
/** What the guardian forbids to all has a name of its own among the breakers, for an actor that is about no symbol. */
export const GUARDIAN_BAR = 'guardian/';
export const breakerOf = (kind: string): ActorId => `breaker/${kind}`;
/** Who holds what people have decided. */
export const OPERATOR: ActorId = 'operator';
/** What people forbid has names of its own among the breakers. */
export const OPERATOR_BAR = 'operator/';

/** Why something is forbidden, as a person reads it: a breaker by its name, a person's word as it was said. */
export const barText = (
  name: string,
  { state, cause }: { readonly state: string; readonly cause: string },
): string => (name.startsWith(OPERATOR_BAR) ? cause : `breaker ${name} is ${state}: ${cause}`);
