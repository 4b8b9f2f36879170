/**
 * What a strategy is: a pure function over closed candles with a serialisable state.
 * Invariant: no clock, no dice, no I/O; `step` on the same state and candles gives the same result, so a
 * backtest, a replay and the live run cannot differ.
 */
import type { Json } from '../core/json.ts';
import type { Candle, Timeframe } from './candle.ts';
import type { SymbolName } from './instrument.ts';
import type { Direction } from './order.ts';

/** How the trailing stop follows (machines/position/trailing.ts). */
export const TRAILING_RULES = ['retrace', 'percent', 'atr', 'step', 'strategy'] as const;
export type TrailingRule = (typeof TRAILING_RULES)[number];

/** What a strategy wants: an entry in a direction with its protective stop, or an exit. Prices are floats. */
export type Signal =
  | {
      readonly kind: 'enter';
      readonly direction: Direction;
      readonly symbol: SymbolName;
      readonly price: number;
      /** Where the protective stop belongs, unrounded. */
      readonly stopPrice: number;
      /** Distance in price at which the trailing stop follows the best price. */
      readonly trailDistance: number;
      /** ATR ÷ price on 1h, in percent; risk sizes by it. */
      readonly atrPercent: number;
      /** How the stop of this entry is to trail; absent: as the configuration says. */
      readonly trailing?: TrailingRule;
      readonly reason: string;
      /** A person asks for it, not the strategy. */
      readonly byHand?: true;
    }
  | {
      readonly kind: 'exit';
      readonly direction: Direction;
      readonly symbol: SymbolName;
      /** How sure it is, from 0 to 1; absent: entirely. */
      readonly confidence?: number;
      readonly reason: string;
    };

/** How sure a model is that what is open in this direction should be closed now, from 0 to 1. */
export interface ExitOpinion {
  readonly direction: Direction;
  readonly confidence: number;
  readonly reason: string;
}

/** The kind of market there is, by a name of the strategy's own, and the sides that may be held in it. */
export interface Regime {
  readonly name: string;
  readonly suits: readonly Direction[];
}

/** What a strategy makes of closed candles. An opinion may come at any time; a regime is told when it changes. */
export interface StrategyStep {
  readonly state: Json;
  readonly signal?: Signal;
  readonly opinion?: ExitOpinion;
  readonly regime?: Regime;
}

/** Candles that closed together: always the 15m, with the 1h and 4h that end at the same instant. */
export type ClosedCandles = { readonly [T in Extract<Timeframe, '15m' | '1h' | '4h'>]?: Candle };

/** How far in price a strategy keeps its stop and its trail, and its measure of volatility. */
export interface Distances {
  readonly stop: number;
  readonly trail: number;
  readonly atr: number;
}

export interface Strategy {
  readonly name: string;
  readonly version: number;
  /** How much of the past it must be shown before what it says is what it would say after any longer one. */
  readonly warmUpMs: number;
  initial(symbol: SymbolName): Json;
  step(state: Json, closed: ClosedCandles): StrategyStep;
  /** Where it would put a stop now, for an entry that a person asks for; undefined while it is not warm. */
  distances?(state: Json): Distances | undefined;
}
