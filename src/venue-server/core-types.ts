/**
 * What the core of the local venue is given and what it writes down: the market as it sees it, its journal's
 * entries, its accounts.
 *
 * Invariants: an entry holds everything that its replay needs, the prices used included, and no secret; the
 * journal has an entry before anything that follows from it leaves the venue.
 */
import type { Decimal } from '../core/decimal.ts';
import type { Json } from '../core/json.ts';
import type { Instrument, SymbolName } from '../domain/instrument.ts';
import type { PositionMode } from '../domain/position-key.ts';
import type { EngineInput, MarginMode, Quote, SlippageModel } from '../exchange/engine/engine-types.ts';
import type { Restriction } from './account/records.ts';
import type { HttpMethod, PushSink } from './protocol.ts';

export interface MarketQuote extends Quote {
  readonly bidQuantity?: number;
  readonly askQuantity?: number;
  readonly index?: number;
}

export interface FundingTerms {
  readonly rate: number;
  readonly nextAt: number;
  readonly intervalHours: number;
}

/** The public side as the account side sees it. */
export interface MarketView {
  quote(symbol: SymbolName): MarketQuote | undefined;
  instruments(): readonly Instrument[];
  instrument(symbol: SymbolName): Instrument | undefined;
  funding(symbol: SymbolName): FundingTerms | undefined;
}

/** A request that changed something, with the quotes that it used. The account stands for its key. */
export interface RequestEntry {
  readonly type: 'request';
  readonly method: HttpMethod;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly at: number;
  readonly account: string;
  readonly quotes: Readonly<Record<SymbolName, Quote>>;
}

export type CoreEntry =
  | RequestEntry
  /** Market inputs reach every account; with `account`, only that one (a deposit, a deleveraging). */
  | { readonly type: 'feed'; readonly input: EngineInput; readonly account?: string }
  | { readonly type: 'tick'; readonly at: number }
  /** A fault from outside: the account's listen key ends, announced or not. */
  | {
      readonly type: 'expire-key';
      readonly account: string;
      readonly at: number;
      readonly announce: boolean;
    }
  /** The venue restricts the account, or (without `as`) does no longer. */
  | {
      readonly type: 'restrict';
      readonly account: string;
      readonly at: number;
      readonly as?: Restriction;
    };

export interface CoreJournal {
  /** Synchronous; called before any push or answer leaves. */
  append(entry: CoreEntry): void;
}

/** As `/sapi/v1/account/apiRestrictions` tells them. */
export interface ApiPermissions {
  readonly ipRestrict: boolean;
  readonly enableReading: boolean;
  readonly enableFutures: boolean;
  readonly enableWithdrawals: boolean;
  readonly enableInternalTransfer: boolean;
  readonly permitsUniversalTransfer: boolean;
  readonly enableSpotAndMarginTrading: boolean;
}

export interface CoreAccount {
  readonly id: string;
  readonly apiKey: string;
  readonly initialBalance: Decimal;
  readonly positionMode?: PositionMode;
  readonly marginMode?: MarginMode;
  readonly defaultLeverage?: number;
  readonly permissions?: Partial<ApiPermissions>;
}

/** Where the real venue is known to differ from time to time; the defaults are what it does today. */
export interface VenueRules {
  /** Orders cancelled or expired without a fill cannot be queried after three days. */
  readonly threeDayRule: boolean;
  /** CONDITIONAL_ORDER_TRIGGER_REJECT besides the ALGO_UPDATE. */
  readonly triggerRejectEvent: boolean;
  /** The execution type of liquidation fills on the user stream. */
  readonly liquidationExecution: 'CALCULATED' | 'TRADE';
}

/** A liquidation as the public hears of it. */
export interface ForcedOrder {
  readonly symbol: SymbolName;
  readonly side: 'BUY' | 'SELL';
  readonly quantity: Decimal;
  readonly price: Decimal;
  readonly averagePrice: Decimal;
}

export interface CoreOptions {
  readonly instruments: readonly Instrument[];
  readonly market: MarketView;
  readonly push: PushSink;
  readonly journal: CoreJournal;
  /** For the public stream; called after the journal, as pushes are. */
  readonly forced?: (order: ForcedOrder) => void;
  readonly accounts: readonly CoreAccount[];
  /** Queries do not see what was placed less than this ago. */
  readonly readLagMs?: number;
  readonly slippage?: Partial<SlippageModel>;
  readonly maxConditionalOrders?: number;
  readonly rules?: Partial<VenueRules>;
}

/** An account's whole books, for people and for tests. */
export interface AccountLedger {
  readonly account: string;
  readonly wallet: Decimal;
  readonly deposits: Decimal;
  /** In the venue's own wire forms, oldest first. */
  readonly orders: readonly Json[];
  readonly algoOrders: readonly Json[];
  readonly trades: readonly Json[];
  readonly income: readonly Json[];
  readonly positions: readonly {
    readonly symbol: SymbolName;
    readonly positionSide: 'BOTH' | 'LONG' | 'SHORT';
    /** Signed. */
    readonly quantity: Decimal;
    readonly entryPrice: Decimal;
  }[];
}
