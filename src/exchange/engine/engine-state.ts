/**
 * The venue's memory: open state and running totals only, never history, so that a checkpoint stays small.
 *
 * Invariants: plain JSON without undefined; wallet = deposits + realized − fees + funding + insurance;
 * Σ entryNotional = turnover + realized, both to the last digit.
 */
import { type Decimal, fromNumber, sub, ZERO } from '../../core/decimal.ts';
import type { ActorId } from '../../core/ids.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { IdentifiedOrder, PositionSide, VenueEvent } from '../../domain/order.ts';
import type { PositionMode } from '../../domain/position-key.ts';
import type { VenueError } from '../venue-errors.ts';
import type {
  AccountEvent,
  BookLevel,
  Depth,
  DetailEvent,
  EngineOptions,
  EngineOutput,
  MarginMode,
  SelfTradePrevention,
  SlippageModel,
} from './engine-types.ts';
import { DEFAULT_SLIPPAGE, DETAIL } from './engine-types.ts';

/** A plain order in the book, or the order that a triggered conditional became. */
export interface Resting {
  order: IdentifiedOrder;
  orderId: string;
  /** Its place in time: smaller is earlier. */
  rank: number;
  filled: Decimal;
  /** Order-book mode: visible quantity ahead of us at our price. */
  ahead: number;
  stp?: SelfTradePrevention;
}

/** An untriggered conditional order; `orderId` is of the Algo service's own id space. */
export interface Conditional {
  order: IdentifiedOrder;
  orderId: string;
  rank: number;
  /** Trailing: true once activated, and the best price since (0: none seen yet). */
  armed: boolean;
  extreme: number;
  stp?: SelfTradePrevention;
  /** A fault: with this it will be refused when it triggers. */
  refusal?: VenueError;
}

/** A fault: the next conditional order to trigger, on that symbol or on any, is refused. */
export interface NextRefusal extends VenueError {
  readonly symbol?: SymbolName;
}

export interface Position {
  side: PositionSide;
  /** Signed: negative is short. */
  quantity: Decimal;
  /** Signed cost of what is open, exact; the entry price is entryNotional ÷ quantity. */
  entryNotional: Decimal;
  /** Isolated mode: the margin set aside for it. */
  isolated: Decimal;
  owner: ActorId;
  marginCalled: boolean;
}

export interface Market {
  /** As of the last effective input; 0 when none yet. */
  last: number;
  mark: number;
  /** True once the feed has given marks of its own. */
  ownMark: boolean;
  leverage: number;
  /** Absent: the account's. */
  marginMode?: MarginMode;
  positions: Position[];
  orders: Resting[];
  conditionals: Conditional[];
  /** True once a book was seen: from then on takers meet the book and nothing else, empty as it may be. */
  hasBook: boolean;
  bids: BookLevel[];
  asks: BookLevel[];
  /** Absent: enough for everybody. */
  depth?: Depth;
  /** Σ signed fills for each position side, counted apart from the positions to check them. */
  traded: Record<PositionSide, Decimal>;
}

export interface Totals {
  deposits: Decimal;
  realized: Decimal;
  fees: Decimal;
  funding: Decimal;
  insurance: Decimal;
  /** Σ signed fill notional, buys positive. */
  turnover: Decimal;
}

export interface EngineState {
  version: 1;
  wallet: Decimal;
  nextOrderId: number;
  nextAlgoId: number;
  nextTradeId: number;
  nextRank: number;
  totals: Totals;
  markets: Record<SymbolName, Market>;
  /** Absent: as configured. */
  positionMode?: PositionMode;
  /** Instruments changed since the start; the others come from the options. */
  instruments: Record<SymbolName, Instrument>;
  /** Absent: none. */
  refuseNext?: NextRefusal[];
}

export interface EngineConfig {
  readonly positionMode: PositionMode;
  readonly marginMode: MarginMode;
  readonly defaultLeverage: number;
  readonly slippage: SlippageModel;
  readonly maxConditionalOrders: number;
  readonly maxOpenOrders: number;
  readonly marginCallRatio: number;
  readonly details: boolean;
}

/** What the engine's parts work on: settings, state, and the outputs of the input being applied. */
export interface Venue {
  readonly config: EngineConfig;
  readonly base: ReadonlyMap<SymbolName, Instrument>;
  state: EngineState;
  out: EngineOutput[];
  at: number;
}

export function engineConfig(options: EngineOptions): EngineConfig {
  return {
    positionMode: options.positionMode ?? 'one-way',
    marginMode: options.marginMode ?? 'cross',
    defaultLeverage: options.defaultLeverage ?? 20,
    slippage: { ...DEFAULT_SLIPPAGE, ...options.slippage },
    maxConditionalOrders: options.maxConditionalOrders ?? 200,
    maxOpenOrders: options.maxOpenOrders ?? 200,
    marginCallRatio: options.marginCallRatio ?? 0.8,
    details: options.details ?? false,
  };
}

export function initialState(initialBalance: Decimal, firstId = 1): EngineState {
  return {
    version: 1,
    wallet: initialBalance,
    nextOrderId: firstId,
    nextAlgoId: firstId,
    nextTradeId: firstId,
    nextRank: 1,
    totals: {
      deposits: initialBalance,
      realized: ZERO,
      fees: ZERO,
      funding: ZERO,
      insurance: ZERO,
      turnover: ZERO,
    },
    markets: {},
    instruments: {},
  };
}

export function instrumentOf(venue: Venue, symbol: SymbolName): Instrument | undefined {
  return venue.state.instruments[symbol] ?? venue.base.get(symbol);
}

/** The symbol's state, made on first need: symbols never traded cost nothing in a checkpoint. */
export function marketOf(venue: Venue, instrument: Instrument): Market {
  const known = venue.state.markets[instrument.symbol];
  if (known) return known;
  const highest = instrument.brackets[0]?.initialLeverage ?? venue.config.defaultLeverage;
  const market: Market = {
    last: 0,
    mark: 0,
    ownMark: false,
    leverage: Math.min(venue.config.defaultLeverage, highest),
    positions: [],
    orders: [],
    conditionals: [],
    hasBook: false,
    bids: [],
    asks: [],
    traded: { BOTH: ZERO, LONG: ZERO, SHORT: ZERO },
  };
  venue.state.markets[instrument.symbol] = market;
  return market;
}

export function positionOf(market: Market, side: PositionSide): Position | undefined {
  return market.positions.find((position) => position.side === side);
}

export const positionModeOf = (venue: Venue): PositionMode =>
  venue.state.positionMode ?? venue.config.positionMode;

export const marginModeOf = (venue: Venue, market: Market): MarginMode =>
  market.marginMode ?? venue.config.marginMode;

/** The wallet less what isolated positions have been given of it. */
export function crossWallet(venue: Venue): Decimal {
  let wallet = venue.state.wallet;
  for (const market of Object.values(venue.state.markets))
    if (marginModeOf(venue, market) === 'isolated')
      for (const position of market.positions) wallet = sub(wallet, position.isolated);
  return wallet;
}

export function detail(venue: Venue, event: DetailEvent): void {
  if (venue.config.details) venue.out.push({ to: DETAIL, event });
}

/** Where a position stands now, gone ones included. */
export function positionMoved(venue: Venue, market: Market, symbol: SymbolName, side: PositionSide): void {
  if (!venue.config.details) return;
  const held = positionOf(market, side);
  detail(venue, {
    type: 'POSITION_MOVED',
    symbol,
    positionSide: side,
    quantity: held?.quantity ?? ZERO,
    entryNotional: held?.entryNotional ?? ZERO,
    isolated: held && marginModeOf(venue, market) === 'isolated' ? held.isolated : ZERO,
    mark: fromNumber(market.mark || market.last),
    wallet: venue.state.wallet,
    crossWallet: crossWallet(venue),
  });
}

export function emit(venue: Venue, to: ActorId, event: VenueEvent | AccountEvent): void {
  venue.out.push({ to, event });
}

export function orderKeys(order: IdentifiedOrder): {
  readonly ref: string;
  readonly clientOrderId: string;
  readonly symbol: SymbolName;
} {
  return { ref: order.ref, clientOrderId: order.clientOrderId, symbol: order.symbol };
}

export function closeOrder(
  venue: Venue,
  entry: { readonly order: IdentifiedOrder; readonly filled?: Decimal },
  outcome: 'canceled' | 'expired' | 'rejected-at-trigger',
  reason: string,
): void {
  emit(venue, entry.order.owner, {
    type: 'ORDER_CLOSED',
    ...orderKeys(entry.order),
    outcome,
    cumulative: entry.filled ?? ZERO,
    reason,
  });
}
