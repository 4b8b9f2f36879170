/** What goes into the venue engine and what comes out: plain JSON both ways, so that a journal can hold it. */
import type { Decimal } from '../../core/decimal.ts';
import type { ActorId } from '../../core/ids.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { PositionSide, Side, VenueCommand, VenueEvent } from '../../domain/order.ts';
import type { PositionMode } from '../../domain/position-key.ts';
import type { MarketBar } from '../../market/market-data.ts';

/** The market at the moment of a command. Without bid and ask, half the modelled spread is paid around last. */
export interface Quote {
  readonly last: number;
  readonly mark: number;
  readonly bid?: number;
  readonly ask?: number;
  /** Base asset traded lately (one bar); scales the impact of an order. Absent: no impact. */
  readonly volume?: number;
}

export type BookLevel = readonly [price: Decimal, quantity: Decimal];

/** What takers meet where no book is seen: so many levels of so much each, a tick apart. */
export interface Depth {
  readonly levels: number;
  readonly quantity: Decimal;
}

/** What happens when an order would meet another of the same account. */
export type SelfTradePrevention = 'NONE' | 'EXPIRE_TAKER' | 'EXPIRE_MAKER' | 'EXPIRE_BOTH';

interface AtMarket {
  readonly at: number;
  readonly quote?: Quote;
  readonly marks?: Readonly<Record<SymbolName, number>>;
}

/** What only a venue with a wire is asked for; each is answered by a detail event. */
export type AccountCommand =
  | ({
      readonly type: 'order.amend';
      readonly owner: ActorId;
      readonly ref: string;
      readonly symbol: SymbolName;
      readonly quantity: Decimal;
      readonly price: Decimal;
    } & AtMarket)
  | ({
      readonly type: 'order.expire';
      readonly owner: ActorId;
      readonly ref: string;
      readonly symbol: SymbolName;
      readonly reason: string;
    } & AtMarket)
  | ({ readonly type: 'margin.mode'; readonly symbol: SymbolName; readonly mode: MarginMode } & AtMarket)
  | ({ readonly type: 'position.mode'; readonly mode: PositionMode } & AtMarket)
  /** Moves margin into (positive) or out of an isolated position. */
  | ({
      readonly type: 'margin.add';
      readonly symbol: SymbolName;
      readonly positionSide: PositionSide;
      readonly amount: Decimal;
    } & AtMarket);

export type EngineInput =
  | AccountCommand
  | (VenueCommand & {
      readonly at: number;
      readonly quote?: Quote;
      /** Marks of the account's other symbols, where cross margin should see them at their newest. */
      readonly marks?: Readonly<Record<SymbolName, number>>;
      /** Absent: own orders pass one another by. */
      readonly stp?: SelfTradePrevention;
    })
  | { readonly type: 'BAR'; readonly at: number; readonly bar: MarketBar }
  | {
      readonly type: 'PRICE';
      readonly at: number;
      readonly symbol: SymbolName;
      readonly last: number;
      readonly mark?: number;
      /** Base asset traded lately (one bar); scales the impact of what this price triggers. Absent: no impact. */
      readonly volume?: number;
      /** A gap in which the venue looks at margin before any trigger has had its turn. */
      readonly marginFirst?: true;
    }
  | {
      readonly type: 'BOOK';
      readonly at: number;
      readonly symbol: SymbolName;
      /** Best first. */
      readonly bids: readonly BookLevel[];
      readonly asks: readonly BookLevel[];
    }
  | {
      readonly type: 'TRADE';
      readonly at: number;
      readonly symbol: SymbolName;
      readonly price: Decimal;
      readonly quantity: Decimal;
      readonly buyerMaker: boolean;
    }
  | {
      readonly type: 'FUNDING';
      readonly at: number;
      readonly symbol: SymbolName;
      readonly rate: number;
      /** The mark at settlement; absent: the last mark that the engine was given in an effective input. */
      readonly mark?: number;
    }
  /** Negative: a withdrawal. */
  | { readonly type: 'DEPOSIT'; readonly at: number; readonly amount: Decimal }
  | {
      readonly type: 'INSTRUMENT';
      readonly at: number;
      readonly instrument: Instrument;
      readonly mark?: number;
    }
  | {
      readonly type: 'ADL';
      readonly at: number;
      readonly symbol: SymbolName;
      readonly quantity?: Decimal;
      readonly mark?: number;
    }
  /** A fault: the market is so thin from now on; absent: as deep as ever. */
  | { readonly type: 'DEPTH'; readonly at: number; readonly symbol: SymbolName; readonly depth?: Depth }
  /** A fault: that conditional order, or else the next one to trigger (there), is refused at its trigger. */
  | {
      readonly type: 'REFUSE_TRIGGER';
      readonly at: number;
      readonly code: number;
      readonly reason: string;
      readonly clientOrderId?: string;
      readonly symbol?: SymbolName;
    };

export type WalletReason =
  | 'DEPOSIT'
  | 'WITHDRAW'
  | 'WITHDRAW_REFUSED'
  | 'REALIZED_PNL'
  | 'COMMISSION'
  | 'FUNDING_FEE'
  | 'INSURANCE_CLEAR';

/** Goes to PORTFOLIO for every change of the wallet; the deltas sum to the balance to the last digit. */
export interface AccountEvent {
  readonly type: 'WALLET_CHANGED';
  readonly asset: string;
  readonly balance: Decimal;
  readonly delta: Decimal;
  readonly reason: WalletReason;
  readonly symbol?: SymbolName;
  readonly tradeId?: string;
}

/** Who hears the detail events. */
export const DETAIL: ActorId = 'detail';

/** What a wire has to tell beyond the owners' events; given only with `details`, always to DETAIL. */
export type DetailEvent =
  /** An order that nobody submitted in this form: a conditional's, or the venue's own. */
  | {
      readonly type: 'ORDER_STARTED';
      readonly symbol: SymbolName;
      readonly ref: string;
      readonly clientOrderId: string;
      readonly orderId: string;
      readonly side: Side;
      readonly positionSide: PositionSide;
      readonly quantity: Decimal;
      readonly price: Decimal;
      readonly cause?: 'liquidation' | 'adl' | 'settlement';
    }
  | { readonly type: 'TRAIL_ARMED'; readonly symbol: SymbolName; readonly ref: string }
  | {
      readonly type: 'ORDER_AMENDED';
      readonly symbol: SymbolName;
      readonly ref: string;
      readonly price: Decimal;
      readonly quantity: Decimal;
    }
  /** After a fill's wallet changes, and after whatever else touched the position. */
  | {
      readonly type: 'POSITION_MOVED';
      readonly symbol: SymbolName;
      readonly positionSide: PositionSide;
      /** Signed, as is its cost. */
      readonly quantity: Decimal;
      readonly entryNotional: Decimal;
      readonly isolated: Decimal;
      readonly mark: Decimal;
      readonly wallet: Decimal;
      readonly crossWallet: Decimal;
    }
  | { readonly type: 'COMMAND_DONE'; readonly command: AccountCommand['type'] }
  | {
      readonly type: 'COMMAND_REFUSED';
      readonly command: AccountCommand['type'];
      readonly code: number;
      readonly reason: string;
    };

export interface EngineOutput {
  readonly to: ActorId;
  readonly event: VenueEvent | AccountEvent | DetailEvent;
}

/** A price strictly inside all four bounds has no effect on this symbol. */
export interface WakeBand {
  readonly lastLow: number;
  readonly lastHigh: number;
  readonly markLow: number;
  readonly markHigh: number;
}

export interface SlippageModel {
  /** Half the spread, as a fraction of price, where no bid and ask are given. */
  readonly halfSpreadRate: number;
  /** Fraction of price by which an order of the size of one bar's whole volume moves it; linear in size. */
  readonly impactRate: number;
  /** Share of a bar's volume that our resting orders can get. */
  readonly makerVolumeShare: number;
}

export const DEFAULT_SLIPPAGE: SlippageModel = {
  halfSpreadRate: 0.00005,
  impactRate: 0.1,
  makerVolumeShare: 0.25,
};

export type MarginMode = 'cross' | 'isolated';

export interface EngineOptions {
  readonly instruments: readonly Instrument[];
  readonly initialBalance: Decimal;
  readonly positionMode?: PositionMode;
  readonly marginMode?: MarginMode;
  readonly defaultLeverage?: number;
  readonly slippage?: Partial<SlippageModel>;
  /** Over all symbols; Binance allows 200. */
  readonly maxConditionalOrders?: number;
  /** For each symbol; Binance allows 200. */
  readonly maxOpenOrders?: number;
  /** Maintenance margin ÷ margin balance at which the owner is warned. */
  readonly marginCallRatio?: number;
  /** Detail events besides the owners'; they change nothing else. */
  readonly details?: boolean;
  /** Where ids of orders, algo orders and trades begin; 1 by default. */
  readonly firstId?: number;
}
