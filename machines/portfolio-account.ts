/** What the portfolio knows and hears: the account as the journal has it. Plain JSON, decimals as strings. */
import { type Decimal, div, max, mul, sub, sum, toNumber, ZERO } from '../src/core/decimal.ts';
import type { ActorId } from '../src/core/ids.ts';
import type { Instrument, SymbolName } from '../src/domain/instrument.ts';
import type { Direction } from '../src/domain/order.ts';
import type { HedgeSide } from '../src/domain/position-key.ts';
import {
  type Entry,
  type Exposure,
  type Learned,
  type MarketConditions,
  NOTHING_LEARNED,
  type PortfolioView,
  type Refusal,
  type RiskLimits,
} from '../src/domain/risk.ts';
import type { Configured } from './configured.ts';
import {
  type BreakerChanged,
  type BreakerClosing,
  type BreakerEffect,
  type BreakerScope,
  barText,
  isInScope,
  type PositionClosed,
  type Timed,
  type Trade,
  type TradingState,
} from './messages.ts';
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
  /** How much of the quantity closing orders that are UNKNOWN may have closed already. */
  readonly leaving?: Decimal;
}

export interface Reservation extends Exposure {
  readonly actor: ActorId;
  readonly at: number;
}

/** Mean moves in percent of the last hour and of the last day, newer ones weighing more, and how many there were. */
export type Swings = readonly [hour: number, day: number, count: number];

export interface PortfolioContext {
  readonly at: number;
  readonly limits: RiskLimits;
  readonly equityBreakers: readonly ActorId[];
  readonly tradeBreakers: readonly ActorId[];
  readonly wallet: Decimal;
  readonly equity: Decimal;
  readonly peakEquity: Decimal;
  readonly dayStart: { readonly day: number; readonly equity: Decimal };
  /** Weeks begin on Monday, UTC. */
  readonly weekStart: { readonly week: number; readonly equity: Decimal };
  /** Marks of up to two windows ago, the older first: what a shock is measured from. */
  readonly bases: readonly { readonly at: number; readonly marks: { readonly [symbol: string]: Decimal } }[];
  readonly marks: { readonly [symbol: string]: Decimal };
  /** How each symbol has moved, a quarter of an hour at a time. */
  readonly swings: { readonly [symbol: string]: Swings };
  readonly exposures: { readonly [actor: string]: HeldExposure };
  readonly reservations: { readonly [id: string]: Reservation };
  /** Places whose realised profit is in the wallet already while their position has not yet told of the exit; since when. */
  readonly unbooked: { readonly [place: string]: number };
  readonly nextReservation: number;
  /** What each breaker that is not closed does to trading. */
  readonly breakers: {
    readonly [breaker: string]: {
      readonly state: BreakerEffect;
      readonly cause: string;
      readonly scope?: BreakerScope;
      readonly closing?: BreakerClosing;
      /** While it is half-open: the desk whose entry tries it. */
      readonly trial?: ActorId;
    };
  };
  readonly operatorHalt: string | null;
  /** Conditional orders at the venue that nobody here placed: they count in the account's limit. */
  readonly foreignConditionals?: number;
  readonly counts: { readonly [name: string]: number };
  /** What moved the wallet, summed by the venue's reason: with the first balance it gives the wallet exactly. */
  readonly flows: { readonly [reason: string]: Decimal };
  /** What results have taught; sizes are scaled by it. */
  readonly learned: Learned;
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

export type PortfolioEvent =
  | ({ readonly type: 'FOREIGN_CONDITIONALS'; readonly count: number } & Timed)
  | ({
      readonly type: 'ASSESS';
      readonly entry: Entry;
      readonly instrument: Instrument;
      readonly from: ActorId;
      /** Added by the host, which knows the market. */
      readonly conditions?: MarketConditions;
    } & Timed)
  | ({ readonly type: 'CONFIRM'; readonly actor: ActorId; readonly symbol: SymbolName } & Timed)
  | ({
      readonly type: 'WALLET_CHANGED';
      readonly balance: Decimal;
      readonly delta: Decimal;
      readonly reason: string;
      readonly symbol?: SymbolName;
      /** Of a trade in hedge mode: the side that it was on. */
      readonly positionSide?: HedgeSide;
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
      readonly leaving?: Decimal;
    } & Timed)
  | PositionClosed
  | ({ readonly type: 'RELEASE'; readonly reservation: string } & Timed)
  | ({
      readonly type: 'MARK';
      readonly prices: { readonly [symbol: string]: number };
      /** Rates of the next settlement, where the host knows any. */
      readonly funding?: { readonly [symbol: string]: number };
    } & Timed)
  | BreakerChanged
  | ({ readonly type: 'OPERATOR_HALT'; readonly by: string } & Timed)
  | ({ readonly type: 'OPERATOR_RESUME'; readonly by: string } & Timed)
  | Configured<RiskLimits>;

/** What breakers and operator make of trading as a whole; breakers of single symbols or sides do not count. */
export function tradingState(context: PortfolioContext): TradingState {
  const effects = Object.values(context.breakers)
    .filter((breaker) => breaker.scope === undefined)
    .map((breaker) => breaker.state);
  if (context.operatorHalt !== null || effects.includes('halted')) return 'halted';
  return effects.includes('reducing') ? 'reducing' : 'active';
}

/** Why this symbol and side may not be entered although trading is active; undefined when they may. */
export function scopedRefusal(
  context: PortfolioContext,
  entry: { readonly symbol: SymbolName; readonly direction: Direction | undefined },
): string | undefined {
  for (const [name, { state, cause, scope }] of Object.entries(context.breakers)) {
    if (scope === undefined || (state !== 'reducing' && state !== 'halted')) continue;
    if (isInScope(scope, entry)) return barText(name, { state, cause });
  }
  return undefined;
}

/** Why nothing at all may be opened; undefined while trading is active. */
export function tradingRefusal(context: PortfolioContext): string | undefined {
  const state = tradingState(context);
  if (state === 'active') return undefined;
  const bars = Object.entries(context.breakers)
    .filter(([, bar]) => bar.scope === undefined && (bar.state === 'reducing' || bar.state === 'halted'))
    .map(([name, bar]) => barText(name, bar));
  const halt = context.operatorHalt === null ? [] : [`halted by ${context.operatorHalt}`];
  return [`trading is ${state}`, [...halt, ...bars].join('; ')].join(': ');
}

/** What was set aside for a desk's entry is not any more. */
export const withoutReservations = (context: PortfolioContext, desk: ActorId): PortfolioContext => ({
  ...context,
  reservations: Object.fromEntries(
    Object.entries(context.reservations).filter(([, reservation]) => reservation.actor !== desk),
  ),
});

/** The day of a moment, and the week that begins on Monday: the epoch was a Thursday. */
export const dayOf = (at: number): number => Math.floor(at / DAY_MS);
export const weekOf = (at: number): number => Math.floor((dayOf(at) + 3) / 7);

/** The limits that came with version 2, switched off. */
export const UNLIMITED = {
  maxSideExposure: '1000',
  maxClusterExposure: '1000',
  // Was always there, and could not be configured.
  volatility: { enabled: true, referenceAtrPercent: 2, minFactor: 0.5, maxFactor: 2 },
  kelly: { enabled: false, minTrades: 1, priorTrades: 0, referenceFraction: 1, maxFactor: 1 },
  learning: { enabled: false, priorTrades: 0, minFactor: 1, maxFactor: 1, halfLifeDays: 30 },
  drawdownScaling: { enabled: false, fromPercent: 100, toPercent: 100, minFactor: 1 },
  correlation: { enabled: false, minReturns: 168, scaleAbove: 1, refuseAbove: 1 },
  liquidity: { enabled: false, maxSpreadRate: 1, maxDepthShare: 10, maxSlippageRate: 1 },
  fundingCost: { enabled: false, withinMs: 0, maxCostRate: 1 },
  liquidation: { enabled: false, marginMode: 'cross', bufferRate: 0 },
  valueAtRisk: { enabled: false, minReturns: 168, maxVarPercent: 1_000, maxCvarPercent: 1_000 },
  stop: {
    adaptive: false,
    minPercent: 0,
    maxPercent: 100,
    lowWinRate: 0,
    highWinRate: 1,
    priorTrades: 0,
    minAtrs: 0,
    maxAtrs: 1_000,
    hardCapPercent: '100',
  },
  conditionalOrders: { limit: 10_000, reserve: 0 },
} as const satisfies Partial<RiskLimits>;

/** An average price is rounded: less than this share of the whole is no doubt. */
const ROUNDING = 1e-6;

function exposureOf({ symbol, direction, notional, quantity, entryPrice, leaving = ZERO }: HeldExposure) {
  const held: Exposure = { symbol, direction, notional };
  const certain = (toNumber(quantity) - toNumber(leaving)) * toNumber(entryPrice);
  // In floats, as nearly all are certain, and there may be many.
  if (certain >= toNumber(notional) * (1 - ROUNDING)) return held;
  return { ...held, uncertain: sub(notional, mul(sub(quantity, leaving), entryPrice)) };
}

/** What risk sees: open and reserved alike. */
export function portfolioView(context: PortfolioContext, conditions?: MarketConditions): PortfolioView {
  const reserved = Object.values(context.reservations).map(
    ({ symbol, direction, notional }): Exposure => ({ symbol, direction, notional, uncertain: notional }),
  );
  const exposures = [...Object.values(context.exposures).map(exposureOf), ...reserved];
  const bound = div(sum(exposures.map(({ notional }) => notional)), String(context.limits.maxLeverage), 8);
  return {
    equity: context.equity,
    exposures,
    tradingState: tradingState(context),
    at: context.at,
    peakEquity: context.peakEquity,
    available: max(ZERO, sub(context.equity, bound)),
    learned: context.learned,
    ...(context.foreignConditionals ? { foreignConditionals: context.foreignConditionals } : {}),
    ...(conditions ? { conditions } : {}),
  };
}

export function initialPortfolio(input: PortfolioInput): PortfolioContext {
  return {
    at: input.at,
    limits: input.limits,
    equityBreakers: input.equityBreakers,
    tradeBreakers: input.tradeBreakers,
    wallet: input.wallet,
    equity: input.wallet,
    peakEquity: input.wallet,
    dayStart: { day: dayOf(input.at), equity: input.wallet },
    weekStart: { week: weekOf(input.at), equity: input.wallet },
    bases: [],
    marks: {},
    swings: {},
    exposures: {},
    reservations: {},
    unbooked: {},
    nextReservation: 1,
    breakers: {},
    operatorHalt: null,
    counts: {},
    flows: {},
    learned: NOTHING_LEARNED,
    lastTrades: [],
    refusedRules: {},
    refusals: [],
    unexpected: NOTHING_UNEXPECTED,
  };
}

export const countUp = (context: PortfolioContext, name: string): PortfolioContext => ({
  ...context,
  counts: { ...context.counts, [name]: (context.counts[name] ?? 0) + 1 },
});
