/**
 * A remote venue's own words, normalised and lossless: what is asked of it, how a call can end, what its streams
 * and its reads say. Prices, quantities and money are decimal strings as the venue wrote them.
 *
 * Invariants: a call's outcome is done, rejected (certainly not executed) or unknown, and nothing else; an
 * UNKNOWN is never a failure. Ids are strings. Times are the venue's, epoch ms.
 */
import type { Decimal } from '../core/decimal.ts';
import type { SymbolName } from './instrument.ts';
import type { IdentifiedOrder, OrderType, PositionSide, Side } from './order.ts';

/** Which of two id spaces an order lives in: plain orders, or the Algo service's conditional ones. */
export type OrderBookKind = 'plain' | 'algo';

/** A plain order as the venue describes it, in a stream event or in an answer. */
export interface RemoteOrder {
  readonly symbol: SymbolName;
  readonly orderId: string;
  readonly clientOrderId: string;
  readonly side: Side;
  readonly positionSide: PositionSide;
  readonly type: string;
  readonly status:
    | 'NEW'
    | 'PARTIALLY_FILLED'
    | 'FILLED'
    | 'CANCELED'
    | 'REJECTED'
    | 'EXPIRED'
    | 'EXPIRED_IN_MATCH';
  readonly price: Decimal;
  readonly quantity: Decimal;
  /** All that it has filled so far. */
  readonly filled: Decimal;
  readonly averagePrice: Decimal;
  readonly reduceOnly: boolean;
  readonly updatedAt: number;
  /** Why it expired, where the venue says so (the stream's `er`). */
  readonly expiryReason?: string;
}

/** A conditional order. `FINISHED` says nothing of fills: those are the spawned order's (`actualOrderId`). */
export interface RemoteAlgoOrder {
  readonly symbol: SymbolName;
  readonly algoId: string;
  readonly clientOrderId: string;
  readonly side: Side;
  readonly positionSide: PositionSide;
  readonly type: OrderType;
  readonly status: 'NEW' | 'TRIGGERING' | 'TRIGGERED' | 'FINISHED' | 'CANCELED' | 'EXPIRED' | 'REJECTED';
  /** "0" with closePosition. */
  readonly quantity: Decimal;
  readonly triggerPrice: Decimal;
  readonly reduceOnly: boolean;
  readonly closePosition: boolean;
  /** The plain order it became; absent before the trigger. */
  readonly actualOrderId?: string;
  readonly reason?: string;
  readonly updatedAt: number;
}

export interface RemoteFill {
  readonly symbol: SymbolName;
  readonly tradeId: string;
  readonly orderId: string;
  /** Absent in REST's trade list, which knows only the order's id. */
  readonly clientOrderId?: string;
  readonly side: Side;
  readonly positionSide: PositionSide;
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly maker: boolean;
  /** Positive: a cost. */
  readonly fee: Decimal;
  readonly feeAsset: string;
  /** Gross of fees. */
  readonly realizedPnl: Decimal;
  readonly at: number;
}

/** One row of the venue's income ledger; its sum is the change of the wallet. */
export interface RemoteIncome {
  /** Unique together with type and symbol. */
  readonly id: string;
  /** REALIZED_PNL, COMMISSION, FUNDING_FEE, TRANSFER, INSURANCE_CLEAR and whatever comes: never an enum. */
  readonly type: string;
  readonly symbol: SymbolName | undefined;
  readonly asset: string;
  readonly amount: Decimal;
  readonly tradeId: string | undefined;
  readonly at: number;
}

export interface RemotePosition {
  readonly symbol: SymbolName;
  readonly positionSide: PositionSide;
  /** Signed: negative is short; "0" when closed. */
  readonly amount: Decimal;
  readonly entryPrice: Decimal;
  readonly markPrice?: Decimal;
  readonly unrealizedPnl?: Decimal;
  readonly liquidationPrice?: Decimal;
  readonly isolated?: boolean;
}

export interface RemoteBalance {
  readonly asset: string;
  readonly wallet: Decimal;
  /** What changed it, without P&L and fees (the stream's `bc`). */
  readonly change?: Decimal;
}

/** What the private stream says, in the order received. */
export type RemoteEvent =
  /** `fill` on executions that traded. */
  | { readonly kind: 'order'; readonly at: number; readonly order: RemoteOrder; readonly fill?: RemoteFill }
  | { readonly kind: 'algo'; readonly at: number; readonly algo: RemoteAlgoOrder }
  | {
      readonly kind: 'account';
      readonly at: number;
      /** ORDER, FUNDING_FEE, DEPOSIT, WITHDRAW, ADJUSTMENT, INSURANCE_CLEAR, …: never an enum. */
      readonly reason: string;
      readonly balances: readonly RemoteBalance[];
      /** Only those that changed. */
      readonly positions: readonly RemotePosition[];
    }
  | { readonly kind: 'margin-call'; readonly at: number; readonly positions: readonly RemotePosition[] }
  | {
      readonly kind: 'leverage';
      readonly at: number;
      readonly symbol: SymbolName;
      readonly leverage: number;
    };

/** Where a full reading comes from; each part is complete or the reading failed as a whole. */
export interface RemoteReport {
  /** The venue's clock before the first of the reads was sent: nothing older than this is missing. */
  readonly at: number;
  readonly wallet: Decimal;
  readonly available: Decimal;
  /** What must be there to keep what is open, and what is there; absent in readings of old journals. */
  readonly margin?: { readonly maintenance: Decimal; readonly balance: Decimal };
  readonly positions: readonly RemotePosition[];
  readonly openOrders: readonly RemoteOrder[];
  readonly openAlgoOrders: readonly RemoteAlgoOrder[];
  /** Fills and ledger rows since the asked moment, oldest first, of every symbol asked about. */
  readonly fills: readonly RemoteFill[];
  readonly income: readonly RemoteIncome[];
  readonly since: number;
}

/** What the executor has done at a remote venue. Each carries `id`, by which its outcome comes back. */
export type RemoteCall =
  | { readonly call: 'submit'; readonly id: string; readonly order: IdentifiedOrder; readonly sendBy: number }
  | {
      readonly call: 'cancel';
      readonly id: string;
      readonly symbol: SymbolName;
      readonly book: OrderBookKind;
      readonly clientOrderId: string;
      /** Known for adopted and foreign orders; goes before the client id. */
      readonly orderId?: string;
    }
  | { readonly call: 'leverage'; readonly id: string; readonly symbol: SymbolName; readonly leverage: number }
  /** What became of an order: by its client id. */
  | {
      readonly call: 'query';
      readonly id: string;
      readonly symbol: SymbolName;
      readonly book: OrderBookKind;
      readonly clientOrderId: string;
    }
  /** A full reading. `symbols` are those whose fills are wanted since `since`. */
  | {
      readonly call: 'report';
      readonly id: string;
      readonly since: number;
      readonly symbols: readonly SymbolName[];
    }
  | { readonly call: 'income'; readonly id: string; readonly since: number };

/** How urgent a call is; the rate budget serves the first before the last and keeps a reserve for it. */
export type CallLane = 'protect' | 'resolve' | 'entry' | 'data';

/** Certainly not executed. `code` is the venue's, or 0 when nothing was sent at all. */
export interface RemoteRefusal {
  readonly outcome: 'rejected';
  readonly code: number;
  readonly reason: string;
}
/** May or may not have been executed: only evidence ends it. */
export interface RemoteUnknown {
  readonly outcome: 'unknown';
  readonly reason: string;
}
export type RemoteOutcome<T> =
  | { readonly outcome: 'done'; readonly value: T }
  | RemoteRefusal
  | RemoteUnknown;

/** What each call's success brings. `null` from a query: the venue says there is no such order. */
export interface RemoteAnswers {
  readonly submit:
    | { readonly book: 'plain'; readonly order: RemoteOrder }
    | { readonly book: 'algo'; readonly algo: RemoteAlgoOrder };
  readonly cancel: { readonly canceled: true };
  readonly leverage: { readonly leverage: number };
  readonly query:
    | { readonly book: 'plain'; readonly order: RemoteOrder; readonly fills: readonly RemoteFill[] }
    | {
        readonly book: 'algo';
        readonly algo: RemoteAlgoOrder;
        /** The order it became, with its fills, once it has one. */
        readonly actual?: { readonly order: RemoteOrder; readonly fills: readonly RemoteFill[] };
      }
    | null;
  readonly report: RemoteReport;
  readonly income: { readonly rows: readonly RemoteIncome[] };
}

/** What comes back to the executor for a call, as a message. */
export interface CallEnded {
  readonly type: 'CALL_ENDED';
  readonly call: RemoteCall['call'];
  readonly id: string;
  readonly result: { [C in RemoteCall['call']]: RemoteOutcome<RemoteAnswers[C]> }[RemoteCall['call']];
  /** The venue's clock when the answer arrived. */
  readonly venueAt: number;
}
