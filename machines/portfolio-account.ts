/** What the portfolio knows and hears: the account as the journal has it. Plain JSON, decimals as strings. */
import type { Decimal } from '../src/core/decimal.ts';
import type { ActorId } from '../src/core/ids.ts';
import type { Instrument, SymbolName } from '../src/domain/instrument.ts';
import type { Direction } from '../src/domain/order.ts';
import type { Entry, Exposure, PortfolioView, Refusal, RiskLimits } from '../src/domain/risk.ts';
import type { PositionClosed, Timed, Trade, TradingState } from './messages.ts';
import { NOTHING_UNEXPECTED, type Unexpected } from './step.ts';

export const DAY_MS = 86_400_000;

export interface PortfolioInput {
  readonly at: number;
  readonly wallet: Decimal;
  readonly limits: RiskLimits;
  /** Breakers that hear EQUITY. */
  readonly equityBreakers: readonly ActorId[];
  /** Breakers that hear TRADE_CLOSED. */
  readonly tradeBreakers: readonly ActorId[];
}

export interface HeldExposure extends Exposure {
  readonly quantity: Decimal;
  readonly entryPrice: Decimal;
  readonly unknown: boolean;
}

export interface Reservation extends Exposure {
  readonly actor: ActorId;
  readonly at: number;
}

export interface PortfolioContext {
  readonly at: number;
  readonly limits: RiskLimits;
  readonly equityBreakers: readonly ActorId[];
  readonly tradeBreakers: readonly ActorId[];
  readonly wallet: Decimal;
  readonly equity: Decimal;
  readonly peakEquity: Decimal;
  readonly dayStart: { readonly day: number; readonly equity: Decimal };
  readonly marks: { readonly [symbol: string]: Decimal };
  readonly exposures: { readonly [actor: string]: HeldExposure };
  readonly reservations: { readonly [id: string]: Reservation };
  /** Symbols whose realised profit is in the wallet already while their position has not yet told of the exit. */
  readonly unbooked: { readonly [symbol: string]: true };
  readonly nextReservation: number;
  /** What each breaker that is not closed does to trading. */
  readonly breakers: {
    readonly [breaker: string]: { readonly state: BreakerEffect; readonly cause: string };
  };
  readonly operatorHalt: string | null;
  readonly counts: { readonly [name: string]: number };
  /** What moved the wallet, summed by the venue's reason: with the first balance it gives the wallet exactly. */
  readonly flows: { readonly [reason: string]: Decimal };
  /** The newest last. */
  readonly lastTrades: readonly Trade[];
  readonly refusedRules: { readonly [rule: string]: number };
  readonly refusals: readonly {
    readonly at: number;
    readonly symbol: SymbolName;
    readonly refusals: readonly Refusal[];
  }[];
  readonly unexpected: Unexpected;
}

/** A half-open breaker lets trades through, to see whether they go well. */
export type BreakerEffect = 'closed' | 'half-open' | 'reducing' | 'halted';

export type PortfolioEvent =
  | ({
      readonly type: 'ASSESS';
      readonly entry: Entry;
      readonly instrument: Instrument;
      readonly from: ActorId;
    } & Timed)
  | ({ readonly type: 'CONFIRM'; readonly actor: ActorId; readonly symbol: SymbolName } & Timed)
  | ({
      readonly type: 'WALLET_CHANGED';
      readonly balance: Decimal;
      readonly delta: Decimal;
      readonly reason: string;
      readonly symbol?: SymbolName;
    } & Timed)
  | ({
      readonly type: 'EXPOSURE';
      readonly actor: ActorId;
      readonly symbol: SymbolName;
      readonly direction: Direction;
      readonly notional: Decimal;
      readonly quantity: Decimal;
      readonly entryPrice: Decimal;
      readonly unknown: boolean;
    } & Timed)
  | PositionClosed
  | ({ readonly type: 'RELEASE'; readonly reservation: string } & Timed)
  | ({ readonly type: 'MARK'; readonly prices: { readonly [symbol: string]: number } } & Timed)
  | ({
      readonly type: 'BREAKER_CHANGED';
      readonly breaker: string;
      readonly state: BreakerEffect;
      readonly cause: string;
    } & Timed)
  | ({ readonly type: 'OPERATOR_HALT'; readonly by: string } & Timed)
  | ({ readonly type: 'OPERATOR_RESUME'; readonly by: string } & Timed);

export function tradingState(context: PortfolioContext): TradingState {
  const effects = Object.values(context.breakers).map((breaker) => breaker.state);
  if (context.operatorHalt !== null || effects.includes('halted')) return 'halted';
  return effects.includes('reducing') ? 'reducing' : 'active';
}

/** What risk sees: open and reserved alike. */
export const portfolioView = (context: PortfolioContext): PortfolioView => ({
  equity: context.equity,
  exposures: [...Object.values(context.exposures), ...Object.values(context.reservations)].map(
    ({ symbol, direction, notional }) => ({ symbol, direction, notional }),
  ),
  tradingState: tradingState(context),
});

export function initialPortfolio(input: PortfolioInput): PortfolioContext {
  return {
    at: input.at,
    limits: input.limits,
    equityBreakers: input.equityBreakers,
    tradeBreakers: input.tradeBreakers,
    wallet: input.wallet,
    equity: input.wallet,
    peakEquity: input.wallet,
    dayStart: { day: Math.floor(input.at / DAY_MS), equity: input.wallet },
    marks: {},
    exposures: {},
    reservations: {},
    unbooked: {},
    nextReservation: 1,
    breakers: {},
    operatorHalt: null,
    counts: {},
    flows: {},
    lastTrades: [],
    refusedRules: {},
    refusals: [],
    unexpected: NOTHING_UNEXPECTED,
  };
}
