/** What the venue's front asks of its two sides: the accounts' core, and the market. */
import type { Json } from '../core/json.ts';
import type { Instrument, SymbolName } from '../domain/instrument.ts';
import type { MarketView, VenueCore } from './core.ts';
import type { Endpoint } from './protocol.ts';

export type CorePort = Pick<
  VenueCore,
  | 'endpoints'
  | 'feed'
  | 'tick'
  | 'nextDeadline'
  | 'replay'
  | 'accountOf'
  | 'listenKeyAccount'
  | 'expireListenKey'
  | 'restrict'
  | 'violations'
  | 'ledger'
>;

export interface MarketPort extends MarketView {
  endpoints(): readonly Endpoint[];
  subscribed(stream: string): void;
  unsubscribed(stream: string): void;
  /** New filters or another status: shown in exchangeInfo and told to the engine. */
  changeInstrument(instrument: Instrument): void;
  /** A shock: the price moves by this fraction and comes back. */
  shock(symbol: SymbolName, fraction: number, forMs: number): void;
  /** For people; anything worth knowing. */
  describe?(): Readonly<Record<string, Json>>;
  /** Before a clock that is moved by hand is moved. */
  prepare?(until: number): Promise<void>;
  /** All that was due has happened; for a clock moved by hand. */
  settled?(): Promise<void>;
}
