/** Risk's vocabulary. Only src/risk can make a `RiskApproved`; the executor accepts entries in no other form. */
import type { Decimal } from '../core/decimal.ts';
import type { Instrument, SymbolName } from './instrument.ts';
import type { Direction } from './order.ts';

declare const approved: unique symbol;
export type RiskApproved<T> = T & { readonly [approved]: true };

/** An entry as proposed: price levels are exact and on the instrument's ticks. */
export interface Entry {
  readonly symbol: SymbolName;
  readonly direction: Direction;
  readonly referencePrice: Decimal;
  readonly stopPrice: Decimal;
  readonly trailDistance: Decimal;
  readonly atrPercent: number;
  readonly reason: string;
  /** Adds to an open position of the same symbol and direction instead of opening one. */
  readonly add?: boolean;
}

export interface SizedEntry extends Entry {
  readonly quantity: Decimal;
  readonly leverage: number;
}

export interface Refusal {
  readonly rule: string;
  readonly detail: string;
}

export type RiskDecision =
  | { readonly approved: true; readonly entry: RiskApproved<SizedEntry>; readonly notes: readonly string[] }
  | { readonly approved: false; readonly refusals: readonly Refusal[] };

export interface Exposure {
  readonly symbol: SymbolName;
  readonly direction: Direction;
  /** Absolute, at entry price, in quote currency; an UNKNOWN order counts at its worst case. */
  readonly notional: Decimal;
}

/** What risk may look at: the account as the journal knows it at this event. */
export interface PortfolioView {
  readonly equity: Decimal;
  readonly exposures: readonly Exposure[];
  readonly tradingState: 'active' | 'reducing' | 'halted';
}

export interface RiskLimits {
  /** One position for each so much of equity. */
  readonly capitalPerPosition: Decimal;
  readonly baseNotional: Decimal;
  readonly maxLeverage: number;
  /** Fractions of equity. */
  readonly maxSymbolExposure: Decimal;
  readonly maxTotalExposure: Decimal;
  /** A lot may be rounded up to the venue's minimum while that stays within this multiple of the size. */
  readonly maxLotRoundUp: Decimal;
}

export type AssessEntry = (
  entry: Entry,
  instrument: Instrument,
  view: PortfolioView,
  limits: RiskLimits,
) => RiskDecision;
