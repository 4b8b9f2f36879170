/** What goes into the venue engine and what comes out: plain JSON both ways, so that a journal can hold it. */
import type { Decimal } from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import type { Instrument, SymbolName } from '../domain/instrument.ts';
import type { VenueCommand, VenueEvent } from '../domain/order.ts';
import type { MarketBar } from '../market/market-data.ts';

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

export type EngineInput =
  | (VenueCommand & {
      readonly at: number;
      readonly quote?: Quote;
      /** Marks of the account's other symbols, where cross margin should see them at their newest. */
      readonly marks?: Readonly<Record<SymbolName, number>>;
    })
  | { readonly type: 'BAR'; readonly at: number; readonly bar: MarketBar }
  | {
      readonly type: 'PRICE';
      readonly at: number;
      readonly symbol: SymbolName;
      readonly last: number;
      readonly mark?: number;
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

export interface EngineOutput {
  readonly to: ActorId;
  readonly event: VenueEvent | AccountEvent;
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

export type PositionMode = 'one-way' | 'hedge';
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
}
