/**
 * What goes into the executor, what it is set to, and what it knows: plain JSON, so that a journal can hold it.
 *
 * Invariants: every input carries `at`, the runtime's clock; times inside reads and stream events are the
 * venue's. Waits that are about the network (send windows, ladders) are given in real milliseconds and stretched
 * by `timeFactor`, because the runtime of a faster venue lives on that venue's faster clock.
 */
import type { BreakerChanged } from '../../machines/messages.ts';
import type { Decimal } from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { Direction, IdentifiedOrder, VenueCommand } from '../domain/order.ts';
import type { PositionKey } from '../domain/position-key.ts';
import type {
  CallEnded,
  OrderBookKind,
  RemoteCall,
  RemoteEvent,
  RemoteFill,
  RemotePosition,
} from '../domain/remote.ts';
import type { OpenBreakers } from './entry-gate.ts';

/** What is done about positions and orders that nobody here made. */
export type ForeignPolicy = 'report' | 'adopt' | 'close' | 'ignore';

export type ExecutorInput =
  /** `gate`: a breaker's row that this actor has not heard of yet forbids it; the host says so. */
  | (VenueCommand & { readonly at: number; readonly gate?: string })
  | BreakerChanged
  | (CallEnded & { readonly at: number })
  | { readonly type: 'STREAM'; readonly at: number; readonly event: RemoteEvent }
  | { readonly type: 'STREAM_UP'; readonly at: number }
  | { readonly type: 'STREAM_DOWN'; readonly at: number; readonly reason: string }
  /** First thing after every start: what was under way may or may not have been sent. */
  | {
      readonly type: 'RESTARTED';
      readonly at: number;
      readonly epoch: number;
      /** Client ids that a life whose journal is lost may have sent. Absent: none. */
      readonly doubtful?: readonly string[];
      /** The private stream has been up already, and all that it said since is still to come. Absent: it may not be. */
      readonly stream?: 'up';
    }
  /** Its own timer. */
  | { readonly type: 'RESOLVE'; readonly at: number }
  | { readonly type: 'RECONCILE'; readonly at: number; readonly why: string }
  /** What of the configuration is other from now on; times by the venue's clock. */
  | {
      readonly type: 'CONFIG';
      readonly at: number;
      readonly version: number;
      readonly settings: ExecutorSettings;
    }
  /** A desk's word: `owner` holds what was nobody's until now. */
  | {
      readonly type: 'HOLD';
      readonly at: number;
      readonly owner: ActorId;
      readonly symbol: SymbolName;
      readonly direction: Direction;
      readonly quantity: Decimal;
      readonly entryPrice?: Decimal;
    }
  /** A person's word on what nobody here opened. */
  | { readonly type: 'ADOPT'; readonly at: number; readonly symbol: SymbolName; readonly by: string }
  | { readonly type: 'IGNORE'; readonly at: number; readonly symbol: SymbolName; readonly by: string }
  | { readonly type: 'CLOSE_FOREIGN'; readonly at: number; readonly symbol: SymbolName; readonly by: string };

/** What may change while it lives. */
export interface ExecutorSettings {
  readonly reconcileEveryMs?: number;
  readonly foreign?: ForeignPolicy;
}

export interface ExecutorOptions {
  /** The asset of the wallet and of all P&L. Default USDT. */
  readonly asset?: string;
  /** What the portfolio was started with; the first reading tells it the difference. Default "0". */
  readonly initialWallet?: Decimal;
  /** Symbols that have an entry desk: only those are blocked, unblocked and offered for adoption. */
  readonly symbols: readonly SymbolName[];
  /** For the guardian, which places stops on its own. */
  readonly tickSizes?: Readonly<Record<SymbolName, Decimal>>;
  /** For the guardian, which closes on its own. */
  readonly marketMaxQuantities?: Readonly<Record<SymbolName, Decimal>>;
  /** Hears FINDINGS when the venue contradicts the books, and CLEAN after the next two readings that agree. */
  readonly breaker?: ActorId;
  /** Hears MARGIN of each reading, once the account's margin is worth a word. */
  readonly marginBreaker?: ActorId;
  /** How many times faster than real time the venue's clock runs. Default 1. */
  readonly timeFactor?: number;
  /** An order that has not left after this long is not sent any more. Default 5 s. */
  readonly sendWindowMs?: number;
  /** The venue refuses a request that is older than this. Default 5 s. */
  readonly recvWindowMs?: number;
  /** The gateway's own deadline for a call; one is given up when it should long be over. Default 10 s. */
  readonly callTimeoutMs?: number;
  /** Default 60 s. */
  readonly reconcileEveryMs?: number;
  readonly foreign?: ForeignPolicy;
}

export type OrderStatus = 'sending' | 'live' | 'unknown' | 'triggered' | 'over';

/** How the venue ended it, kept until the fills that it counts are all here. */
export interface OrderEnd {
  /** 'refused' and 'lost' never were at the venue, as far as is known; 'forgotten' is not there any more. */
  readonly outcome:
    | 'filled'
    | 'canceled'
    | 'expired'
    | 'rejected-at-trigger'
    | 'refused'
    | 'lost'
    | 'forgotten';
  readonly reason: string;
}

export interface CancelState {
  /** 'wanted' waits for the order or for its turn; 'sent' is under way; 'check' asks what became of the order. */
  stage: 'wanted' | 'sent' | 'check';
  tries: number;
  dueAt: number;
  /** The owner who asked must hear if it fails; nobody asked for a repair. */
  tell: boolean;
  /** The venue refused it: what to tell the owner, if the order turns out to have ended otherwise. */
  refusal: { code: number; reason: string } | null;
}

/** One order of ours, by its client id. */
export interface OrderRecord {
  readonly order: IdentifiedOrder;
  readonly book: OrderBookKind;
  /** Null with closePosition, until the order it became says it. */
  quantity: Decimal | null;
  status: OrderStatus;
  /** The venue's id in the order's own book; null until known. */
  orderId: string | null;
  /** The plain order that a conditional one became. */
  actualOrderId: string | null;
  acknowledged: boolean;
  /** The owner was told ORDER_UNKNOWN. */
  toldUnknown: boolean;
  triggered: boolean;
  /** Σ of what was told to the owner. */
  filled: Decimal;
  /** Fills of it that were told as somebody else's, before it was known to have made them. */
  absorbed: Decimal;
  /** Its own trades that are in `filled` or `absorbed`, for as long as it lives: memory of others is shorter. */
  trades: string[];
  /** What the venue says it has filled; more than `filled` and `absorbed` means that fills are missing here. */
  venueFilled: Decimal;
  end: OrderEnd | null;
  readonly sendBy: number;
  /** The venue's own time of the newest thing known about it. */
  updatedAt: number;
  /** When (here) the newest evidence of its state was asked for or heard. */
  seenAt: number;
  /** When the next question about it is due; null: none is needed. */
  askAt: number | null;
  asked: number;
  /** Answers "there is no such order" that count. */
  misses: number;
  /** When (here) the last of them was asked. */
  missedAt: number;
  /** A full reading that began after the request could no longer land showed nothing of it. */
  absentInReading: boolean;
  cancel: CancelState | null;
  /** Since when its owner holds nothing that it could protect. */
  orphanSince: number | null;
  /** On the venue's clock. */
  overAt: number | null;
}

/** A call under way. `order` is its order's client id. */
export interface PendingCall {
  readonly call: RemoteCall['call'];
  readonly order: string | null;
  readonly symbol: SymbolName | null;
  readonly owner: ActorId | null;
  readonly leverage: number | null;
  readonly tries: number;
  readonly at: number;
  /** After this no answer is expected; one that comes all the same is still evidence. */
  readonly deadline: number;
  overdue: boolean;
}

export interface Holding {
  /** Signed: negative is short. */
  amount: Decimal;
  /** Signed cost of what is open. */
  notional: Decimal;
  /** Since when (venue's clock) it holds something. */
  since: number;
}

export interface ForeignOrder {
  readonly book: OrderBookKind;
  readonly orderId: string;
  readonly clientOrderId: string;
}

/** What stands on a symbol that nobody here opened. */
export interface Foreign {
  amount: Decimal;
  entryPrice: Decimal;
  markPrice: Decimal;
  orders: ForeignOrder[];
  blocked: boolean;
  /** A person said to leave it alone. */
  ignored: boolean;
  /** The amount last offered to the desk for adoption. */
  offered: Decimal | null;
}

/** A fill whose order is not known yet: it may be of an order of ours whose id we do not know. */
export interface Limbo {
  readonly fill: RemoteFill;
  readonly at: number;
}

/** A difference, and what the venue showed: only the same twice is the same difference. */
export interface Drift {
  readonly amount: Decimal;
  readonly shown: Decimal;
  readonly at: number;
}

export interface ExecutorState {
  version: 1;
  at: number;
  /** The venue's clock when it last answered. */
  venueAt: number;
  nextCall: number;
  calls: Record<string, PendingCall>;
  /** Those that may still do something, by client id. */
  orders: Record<string, OrderRecord>;
  /** Client ids still to be submitted here that may have been sent already. Absent: none. */
  doubtful?: readonly string[];
  /** Those that are over, for as long as a late fill may name them. */
  finished: Record<string, OrderRecord>;
  /** Symbol and venue's order id (plain book, spawned ones included) → client id. */
  byOrderId: Record<string, string>;
  stream: 'up' | 'down';
  streamReason: string;
  /** A full reading after the start and after the stream's last coming up is done. */
  ready: boolean;
  /** The first reading ever was taken: wallet and positions have a beginning. */
  baseline: number | null;
  /** Everything up to here (venue's clock) has been read completely. */
  cursor: number;
  /** A contradiction wants fills from further back than usual. */
  lookDeep: boolean;
  report: {
    /** The reading under way was asked for when the stream had come up for the last time. */
    readonly inFlight: { readonly id: string; readonly at: number; readonly fresh: boolean } | null;
    dueAt: number;
    failures: number;
    why: string;
  };
  income: { inFlight: string | null; dueAt: number | null; tries: number };
  /** Conditional orders of the last reading that nobody here placed, as the portfolio was told. Absent: none ever. */
  foreignConditionals?: number;
  /** By place, so everything here that is about positions: in one-way mode by symbol. */
  holdings: Record<PositionKey, Record<ActorId, Holding>>;
  /** Who held something there last, and when (venue's clock): for ledger rows that come late. */
  lastHeld?: Record<
    PositionKey,
    {
      readonly owner: ActorId;
      readonly since: number;
      readonly until: number /** In hedge mode: what it let go last, signed. */;
      readonly amount?: Decimal;
    }
  >;
  foreign: Record<PositionKey, Foreign>;
  /** The venue's last word on each, for adoption and for the guardian. */
  positions: Record<PositionKey, RemotePosition>;
  limbo: Limbo[];
  /** symbol:tradeId → when (venue's clock), what of it is in the wallet, and whether no order claimed it. */
  trades: Record<string, { readonly at: number; fill: boolean; pnl: boolean; fee: boolean; stray: boolean }>;
  /** Ledger rows already taken: type:symbol:id → when. */
  rows: Record<string, number>;
  /** When (venue's clock) something last happened there. */
  touched: Record<PositionKey, number>;
  wallet: Decimal;
  walletDrift: Drift | null;
  drifts: Record<PositionKey, Drift>;
  /** What people were told last about each matter, so that it is said once for each change. */
  findings: Record<string, string>;
  /** Since a contradiction: how many readings that agree the breaker has still to hear of. */
  cleanOwed: number;
  timerDue: number | null;
  /** Absent: none is open. */
  breakers?: OpenBreakers;
  /** Settings that are other than at the journal's beginning. Absent: none. */
  changed?: ExecutorSettings;
}
