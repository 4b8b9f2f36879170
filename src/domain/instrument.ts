import type { Decimal } from '../core/decimal.ts';

/** e.g. "BTCUSDT". */
export type SymbolName = string;

/** One row of the venue's maintenance-margin table; `cum` is its maintenance amount in quote currency. */
export interface LeverageBracket {
  readonly bracket: number;
  readonly initialLeverage: number;
  readonly notionalFloor: Decimal;
  readonly notionalCap: Decimal;
  readonly maintMarginRate: Decimal;
  readonly cum: Decimal;
}

export type InstrumentStatus = 'TRADING' | 'TRADING_HALT' | 'SETTLING' | 'CLOSE';

/** A USD-M perpetual with its filters, as Binance's exchangeInfo and leverageBracket give them. */
export interface Instrument {
  readonly symbol: SymbolName;
  readonly base: string;
  readonly quote: string;
  readonly status: InstrumentStatus;
  readonly tickSize: Decimal;
  readonly minPrice: Decimal;
  readonly maxPrice: Decimal;
  readonly stepSize: Decimal;
  readonly minQuantity: Decimal;
  readonly maxQuantity: Decimal;
  readonly marketMaxQuantity: Decimal;
  readonly minNotional: Decimal;
  /** PERCENT_PRICE, against the mark price: BUY ≤ mark × up, SELL ≥ mark × down. */
  readonly multiplierUp: Decimal;
  readonly multiplierDown: Decimal;
  /** Largest |mark − last| ÷ mark at which a price-protected trigger fires. */
  readonly triggerProtectRate: Decimal;
  readonly liquidationFeeRate: Decimal;
  /** How far from mark a market order may take liquidity, as a fraction. */
  readonly marketTakeBoundRate: Decimal;
  readonly makerFeeRate: Decimal;
  readonly takerFeeRate: Decimal;
  readonly fundingIntervalHours: number;
  /** When a perpetual is to be delisted, epoch ms; absent: nobody has said so. */
  readonly deliversAt?: number;
  /** Decimals that a request may carry, where known; not the same as tick and step. */
  readonly pricePrecision?: number;
  readonly quantityPrecision?: number;
  /** Ascending by notional. */
  readonly brackets: readonly LeverageBracket[];
}
