/**
 * What the desk of one symbol knows and hears. Plain JSON, null instead of undefined; every list is bounded.
 */
import type { ActorId } from '../../src/core/ids.ts';
import type { Instrument, SymbolName } from '../../src/domain/instrument.ts';
import type { Direction } from '../../src/domain/order.ts';
import { type HedgeSide, hedgeSide, keyOf, type PositionKey } from '../../src/domain/position-key.ts';
import type { Entry, Refusal } from '../../src/domain/risk.ts';
import type { ExitOpinion, Signal } from '../../src/domain/signal.ts';
import type { Configured } from '../configured.ts';
import type {
  Adopt,
  Approval,
  InstrumentChanged,
  PositionClosed,
  RefusedEntry,
  Timed,
  Trade,
} from '../messages.ts';
import type { PositionPlan } from '../position/plan.ts';
import { NOTHING_UNEXPECTED, type Unexpected } from '../step.ts';

export interface EntryInput {
  readonly symbol: SymbolName;
  /** In hedge mode, the side that this desk is for. */
  readonly positionSide?: HedgeSide;
  readonly instrument: Instrument;
  readonly plan: PositionPlan;
  readonly at: number;
  readonly coolDownMs?: number;
  readonly assessTimeoutMs?: number;
}

export interface EntryContext {
  readonly symbol: SymbolName;
  /** Absent in one-way mode, where a desk has both sides. */
  readonly positionSide?: HedgeSide;
  readonly instrument: Instrument;
  readonly plan: PositionPlan;
  readonly coolDownMs: number;
  readonly assessTimeoutMs: number;
  readonly at: number;
  /** The newest position's life number; 0 before the first. */
  readonly life: number;
  readonly position: ActorId | null;
  readonly direction: Direction | null;
  /** Until when it rests after its last position; null: it does not. */
  readonly coolUntil: number | null;
  /** Why no entry may start, by who says so. */
  readonly blocks: { readonly [source: string]: string };
  /** Of the newest life that was approved: how risk came to its size, stop and leverage. */
  readonly lastApproval: {
    readonly at: number;
    readonly position: ActorId;
    readonly notes: readonly string[];
  } | null;
  readonly lastRefusal: { readonly at: number; readonly refusals: readonly Refusal[] } | null;
  readonly lastTrade: Trade | null;
  readonly counts: Readonly<Record<Counter, number>>;
  readonly refusedRules: { readonly [rule: string]: number };
  /** Signals not acted on, with the state's reason. */
  readonly passedOver: readonly { readonly at: number; readonly why: string }[];
  readonly unexpected: Unexpected;
}

/** What of the configuration a desk goes by; the plan's parts as far as they are other. */
export interface DeskSettings {
  readonly plan: Partial<PositionPlan>;
  readonly coolDownMs: number;
  readonly assessTimeoutMs: number;
}

export type EntryEvent =
  | ({ readonly type: 'SIGNAL'; readonly signal: Signal } & Timed)
  | ({ readonly type: 'OPINION'; readonly opinion: ExitOpinion } & Timed)
  | ({ readonly type: 'REGIME'; readonly regime: string; readonly suits: readonly Direction[] } & Timed)
  | Approval
  | RefusedEntry
  | ({ readonly type: 'POSITION_OPENED'; readonly actor: ActorId } & Timed)
  | PositionClosed
  | ({ readonly type: 'ADD_WANTED'; readonly actor: ActorId; readonly entry: Entry } & Timed)
  | ({ readonly type: 'BLOCK'; readonly source: string; readonly reason: string } & Timed)
  | ({ readonly type: 'UNBLOCK'; readonly source: string } & Timed)
  | ({ readonly type: 'ABORT_ENTRY'; readonly reason: string } & Timed)
  | InstrumentChanged
  | Configured<DeskSettings>
  | Adopt;

export type Counter = 'signals' | 'assessed' | 'approved' | 'refused' | 'blocked' | 'ignored' | 'closed';

/** The venue's own word that the symbol does not trade blocks like any other source. */
export const INSTRUMENT = 'instrument';

export function tradingBlock(instrument: Instrument): EntryContext['blocks'] {
  const { status, deliversAt } = instrument;
  if (status !== 'TRADING') return { [INSTRUMENT]: `the venue says ${status}` };
  return deliversAt === undefined
    ? {}
    : { [INSTRUMENT]: `to be delisted at ${new Date(deliversAt).toISOString()}` };
}

export const placeOf = (context: EntryContext): PositionKey => keyOf(context);

/** Whether a position of this direction may be of this desk. */
export const isForSide = ({ positionSide }: EntryContext, direction: Direction): boolean =>
  positionSide === undefined || positionSide === hedgeSide(direction);

export const isBlocked = (context: EntryContext): boolean => Object.keys(context.blocks).length > 0;

export function initialEntry(input: EntryInput): EntryContext {
  return {
    symbol: input.symbol,
    ...(input.positionSide === undefined ? {} : { positionSide: input.positionSide }),
    instrument: input.instrument,
    plan: input.plan,
    coolDownMs: input.coolDownMs ?? 900_000,
    assessTimeoutMs: input.assessTimeoutMs ?? 10_000,
    at: input.at,
    life: 0,
    position: null,
    direction: null,
    coolUntil: null,
    blocks: tradingBlock(input.instrument),
    lastApproval: null,
    lastRefusal: null,
    lastTrade: null,
    counts: { signals: 0, assessed: 0, approved: 0, refused: 0, blocked: 0, ignored: 0, closed: 0 },
    refusedRules: {},
    passedOver: [],
    unexpected: NOTHING_UNEXPECTED,
  };
}
