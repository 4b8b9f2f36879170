/** Risk's vocabulary. Only src/risk can make a `RiskApproved`; the executor accepts entries in no other form. */
import type { Decimal } from '../core/decimal.ts';
import type { Instrument, SymbolName } from './instrument.ts';
import type { Direction } from './order.ts';
import type { Moded } from './position-key.ts';
import type { TrailingRule } from './signal.ts';

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
  /** The strategy's own choice of how the stop trails. */
  readonly trailing?: TrailingRule;
  /** Adds to an open position of the same symbol and direction instead of opening one. */
  readonly add?: boolean;
  /** A person asks for it: judged like any, but no trial of a half-open breaker. */
  readonly byHand?: true;
}

export interface SizedEntry extends Entry {
  readonly quantity: Decimal;
  readonly leverage: number;
  /** How risk came to size, stop and leverage, in words and numbers. */
  readonly notes?: readonly string[];
  readonly bounds?: StopBounds;
}

/** What no stop may lie beyond: the position measures it anew where only it knows the numbers. */
export interface StopBounds {
  /** Behind the average entry price. */
  readonly hardCapPercent: Decimal;
  /** Between stop and liquidation price, a share of the entry price. Null: it is the whole account's matter, or off. */
  readonly liquidationBufferRate: number | null;
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
  /** Of it, what may prove not to be there: approved, sent, or closed by an order that is UNKNOWN. It hedges nothing. */
  readonly uncertain?: Decimal;
}

/** Results of closed trades, older ones weighing less; returns are net P&L ÷ entry notional. */
export interface Results {
  /** Decayed count. */
  readonly trades: number;
  readonly wins: number;
  /** Σ of the positive and of the negative returns, both ≥ 0. */
  readonly won: number;
  readonly lost: number;
}

export interface Learned {
  /** When the newest result came in: weights count from here. */
  readonly at: number;
  readonly all: Results;
  readonly symbols: { readonly [symbol: string]: Results };
  /** By symbol and direction, "BTCUSDT/long". */
  readonly sides: { readonly [side: string]: Results };
  /** By UTC hour of the entry, "0" to "23". */
  readonly hours: { readonly [hour: string]: Results };
}

export const NO_RESULTS: Results = { trades: 0, wins: 0, won: 0, lost: 0 };

export const NOTHING_LEARNED: Learned = { at: 0, all: NO_RESULTS, symbols: {}, sides: {}, hours: {} };

/** The market at the moment of the question, as far as the host knows it; floats, for judgement only. */
export interface MarketConditions {
  /** 1h log returns in hundred-thousandths, newest last, of the candidate and of what is open. */
  readonly returns: { readonly [symbol: string]: readonly number[] };
  /** (ask − bid) ÷ mid. */
  readonly spreadRate?: number;
  /** Quote currency that can be taken within the slippage limit, on the entry's side. */
  readonly depth?: number;
  readonly fundingRate?: number;
  readonly nextFundingAt?: number;
}

/** What risk may look at: the account as the journal knows it at this event. */
export interface PortfolioView extends Moded {
  readonly equity: Decimal;
  readonly exposures: readonly Exposure[];
  readonly tradingState: 'active' | 'reducing' | 'halted';
  readonly at?: number;
  /** Highest equity so far, moved along by deposits and withdrawals. */
  readonly peakEquity?: Decimal;
  /** What the venue leaves for new margin. */
  readonly available?: Decimal;
  readonly learned?: Learned;
  /** Conditional orders of the account that nobody here placed. */
  readonly foreignConditionals?: number;
  readonly conditions?: MarketConditions;
}

export interface RiskLimits {
  /** One position for each so much of equity. */
  readonly capitalPerPosition: Decimal;
  readonly baseNotional: Decimal;
  readonly maxLeverage: number;
  /** Fractions of equity. */
  readonly maxSymbolExposure: Decimal;
  readonly maxSideExposure: Decimal;
  readonly maxClusterExposure: Decimal;
  readonly maxTotalExposure: Decimal;
  /** A lot may be rounded up to the venue's minimum while that stays within this multiple of the size. */
  readonly maxLotRoundUp: Decimal;
  readonly volatility: VolatilityScaling;
  readonly kelly: KellyLimits;
  readonly learning: LearningLimits;
  readonly drawdownScaling: DrawdownScaling;
  readonly correlation: CorrelationLimits;
  readonly liquidity: LiquidityLimits;
  readonly fundingCost: FundingLimits;
  readonly liquidation: LiquidationLimits;
  readonly valueAtRisk: ValueAtRiskLimits;
  readonly stop: StopLimits;
  readonly conditionalOrders: ConditionalOrderLimits;
}

/** Where the protective stop of an entry lies; percents are of the entry price, unleveraged. */
export interface StopLimits {
  /** False: where the strategy wants it, and no farther than the hard cap. */
  readonly adaptive: boolean;
  readonly minPercent: number;
  readonly maxPercent: number;
  /** At this win rate of the symbol and side, and below, the least percent; at the high one the most. */
  readonly lowWinRate: number;
  readonly highWinRate: number;
  /** Trades' worth of belief in a win rate of one half. */
  readonly priorTrades: number;
  /** Bounds by the 1h ATR, within the percents. */
  readonly minAtrs: number;
  readonly maxAtrs: number;
  readonly hardCapPercent: Decimal;
}

/** Every position needs a stop at the venue, and a second one while the first is being replaced. */
export interface ConditionalOrderLimits {
  /** Conditional orders that the venue lets an account have. */
  readonly limit: number;
  /** Of those, kept free for replacements. */
  readonly reserve: number;
}

/** Size against the 1h ATR: the base is right at the reference, calmer markets get more and wilder ones less. */
export interface VolatilityScaling {
  readonly enabled: boolean;
  readonly referenceAtrPercent: number;
  readonly minFactor: number;
  readonly maxFactor: number;
}

/** Size by the realised edge: the Kelly fraction against the one that the base size stands for. */
export interface KellyLimits {
  readonly enabled: boolean;
  /** Below so many (decayed) trades the configured base is the prior and stands alone. */
  readonly minTrades: number;
  /** Trades' worth of belief in the base, against what is measured. */
  readonly priorTrades: number;
  /** The Kelly fraction at which the base size is right. */
  readonly referenceFraction: number;
  readonly maxFactor: number;
}

/** Factors by symbol and by hour of the day, learnt from results. */
export interface LearningLimits {
  readonly enabled: boolean;
  readonly priorTrades: number;
  readonly minFactor: number;
  readonly maxFactor: number;
  /** A trade's weight halves after this. */
  readonly halfLifeDays: number;
}

/** From `fromPercent` of drawdown on the size shrinks, down to `minFactor` at `toPercent`. */
export interface DrawdownScaling {
  readonly enabled: boolean;
  readonly fromPercent: number;
  readonly toPercent: number;
  readonly minFactor: number;
}

export interface CorrelationLimits {
  readonly enabled: boolean;
  readonly minReturns: number;
  /** Positions at least so correlated are one cluster; above it a candidate is scaled. */
  readonly scaleAbove: number;
  /** Above it a candidate is refused. */
  readonly refuseAbove: number;
}

export interface LiquidityLimits {
  readonly enabled: boolean;
  readonly maxSpreadRate: number;
  /** The order may be at most this share of the depth within `maxSlippageRate`. */
  readonly maxDepthShare: number;
  readonly maxSlippageRate: number;
}

export interface FundingLimits {
  readonly enabled: boolean;
  /** Looked at when funding settles within this time. */
  readonly withinMs: number;
  /** Highest cost of that settlement, as a share of notional. */
  readonly maxCostRate: number;
}

export interface LiquidationLimits {
  readonly enabled: boolean;
  readonly marginMode: 'cross' | 'isolated';
  /** The liquidation price must lie beyond the stop by this share of the entry price. */
  readonly bufferRate: number;
}

/** Of one day at 99 %, historical and parametric, whichever is worse; percent of equity. */
export interface ValueAtRiskLimits {
  readonly enabled: boolean;
  readonly minReturns: number;
  readonly maxVarPercent: number;
  readonly maxCvarPercent: number;
}

export interface TradeResult {
  readonly symbol: SymbolName;
  readonly direction: Direction;
  /** Net P&L ÷ entry notional. */
  readonly netReturn: number;
  readonly openedAt: number;
  readonly closedAt: number;
}

/** What trading has taught so far, with one more result; older ones weigh less. */
export type LearnFromTrade = (known: Learned, result: TradeResult, limits: LearningLimits) => Learned;

/** All that the portfolio asks of risk. */
export interface RiskJudge {
  readonly assess: AssessEntry;
  readonly learn: LearnFromTrade;
}

export type AssessEntry = (
  entry: Entry,
  instrument: Instrument,
  view: PortfolioView,
  limits: RiskLimits,
) => RiskDecision;
