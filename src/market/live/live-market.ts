/**
 * The port to a live public market: closed bars, marks and quotes as they come, history on demand.
 *
 * Invariants: each symbol's bars come in order of their close, each at most once; after a lost connection a
 * `gap` says from when bars may be missing, and the owner fetches them with `history`; what is handed out is
 * newer than what was (an older frame after a reconnect is dropped).
 */
import type { Candle, Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { MarketBar } from '../market-data.ts';

export type LiveMarketEvent =
  | { readonly type: 'bar'; readonly bar: MarketBar }
  | {
      readonly type: 'mark';
      readonly symbol: SymbolName;
      readonly at: number;
      readonly mark: number;
      readonly fundingRate?: number;
      readonly nextFundingAt?: number;
    }
  | {
      readonly type: 'quote';
      readonly symbol: SymbolName;
      readonly at: number;
      readonly bid: number;
      readonly bidQuantity: number;
      readonly ask: number;
      readonly askQuantity: number;
    }
  | {
      readonly type: 'trade';
      readonly symbol: SymbolName;
      readonly at: number;
      readonly price: number;
      readonly quantity: number;
      readonly buyerMaker: boolean;
    }
  | {
      readonly type: 'open-interest';
      readonly symbol: SymbolName;
      readonly at: number;
      readonly amount: number;
    }
  /** The book of a symbol changed; read it with `book`. */
  | { readonly type: 'book'; readonly symbol: SymbolName; readonly at: number }
  /** Something of this contract has changed: its status, its delivery or its brackets. */
  | { readonly type: 'contract'; readonly symbol: SymbolName; readonly at: number }
  /** Bars that closed after `since` may be missing for these symbols. */
  | { readonly type: 'gap'; readonly symbols: readonly SymbolName[]; readonly since: number }
  | { readonly type: 'stale'; readonly symbols: readonly SymbolName[]; readonly silentMs: number }
  | { readonly type: 'fresh'; readonly symbols: readonly SymbolName[] };

export type LiveChannel = 'bars' | 'marks' | 'quotes' | 'trades' | 'books' | 'open-interest' | 'contracts';

export interface LiveBook {
  readonly at: number;
  /** Best first; [price, quantity]. */
  readonly bids: readonly (readonly [price: number, quantity: number])[];
  readonly asks: readonly (readonly [price: number, quantity: number])[];
}

export interface LiveMarketOptions {
  readonly symbols: readonly SymbolName[];
  readonly timeframe: Timeframe;
  readonly channels: readonly LiveChannel[];
}

export interface LiveMarketData {
  readonly name: string;
  /** Begins to stream; resolves once every stream is subscribed. */
  start(options: LiveMarketOptions, onEvent: (event: LiveMarketEvent) => void): Promise<void>;
  /** Closed bars with close time in (after, until], oldest first, however many pages that takes. */
  history(symbol: SymbolName, timeframe: Timeframe, after: number, until: number): Promise<readonly Candle[]>;
  /** The same of the mark price, where the venue keeps it. */
  markHistory?(
    symbol: SymbolName,
    timeframe: Timeframe,
    after: number,
    until: number,
  ): Promise<readonly Candle[]>;
  /** The newest book, where the books channel is on and in step; undefined while it resynchronises. */
  book(symbol: SymbolName): LiveBook | undefined;
  stop(): Promise<void>;
}
