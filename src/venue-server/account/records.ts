/**
 * What one account remembers: orders, conditional orders, trades, income and settings, as its pages show them.
 *
 * Invariants: plain JSON; a `ref` names an order for the engine and is never used twice; a triggered
 * conditional order and the plain order it became share their ref.
 */
import type { Decimal } from '../../core/decimal.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { ConditionalOrderType, PositionSide, Side, WorkingType } from '../../domain/order.ts';
import type { SelfTradePrevention } from '../../exchange/engine/engine-types.ts';

export type OrderStatus = 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED' | 'EXPIRED' | 'EXPIRED_IN_MATCH';

export type VenueCause = 'liquidation' | 'adl' | 'settlement';

interface OrderTerms {
  readonly symbol: SymbolName;
  readonly ref: string;
  readonly side: Side;
  readonly positionSide: PositionSide;
  /** As asked for on the wire: GTD stays GTD here. */
  readonly timeInForce: string;
  readonly reduceOnly: boolean;
  readonly closePosition: boolean;
  readonly workingType: WorkingType;
  readonly priceProtect: boolean;
  readonly stp: SelfTradePrevention;
  readonly priceMatch: string;
  /** 0 for none. */
  readonly goodTillDate: number;
}

export interface OrderRecord extends OrderTerms {
  readonly orderId: number;
  readonly clientOrderId: string;
  readonly type: 'LIMIT' | 'MARKET' | 'LIQUIDATION';
  readonly origType: string;
  price: Decimal;
  quantity: Decimal;
  status: OrderStatus;
  executed: Decimal;
  /** Σ price × quantity of its fills. */
  quote: Decimal;
  readonly stopPrice: Decimal;
  readonly cause: VenueCause | '';
  amendments: number;
  readonly time: number;
  updateTime: number;
}

export type AlgoStatus =
  | 'NEW'
  | 'TRIGGERING'
  | 'TRIGGERED'
  | 'FINISHED'
  | 'CANCELED'
  | 'EXPIRED'
  | 'REJECTED';

export interface AlgoRecord extends OrderTerms {
  readonly algoId: number;
  readonly clientAlgoId: string;
  readonly type: ConditionalOrderType;
  readonly quantity: Decimal;
  readonly price: Decimal;
  readonly triggerPrice: Decimal;
  readonly activatePrice: Decimal;
  readonly callbackRate: Decimal;
  status: AlgoStatus;
  /** A trailing stop that has begun to follow; others are from the start. */
  active: boolean;
  /** 0 until triggered. */
  actualOrderId: number;
  actualPrice: Decimal;
  actualQuantity: Decimal;
  reason: string;
  triggerTime: number;
  readonly createTime: number;
  updateTime: number;
}

export interface TradeRecord {
  readonly id: number;
  readonly orderId: number;
  readonly symbol: SymbolName;
  readonly side: Side;
  readonly positionSide: PositionSide;
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly fee: Decimal;
  readonly asset: string;
  readonly realized: Decimal;
  readonly maker: boolean;
  readonly time: number;
}

export interface IncomeRecord {
  readonly tranId: number;
  readonly symbol: string;
  readonly type: string;
  readonly amount: Decimal;
  readonly asset: string;
  readonly info: string;
  readonly tradeId: string;
  readonly time: number;
}

export interface Amendment {
  readonly id: number;
  readonly symbol: SymbolName;
  readonly orderId: number;
  readonly clientOrderId: string;
  readonly priceBefore: Decimal;
  readonly priceAfter: Decimal;
  readonly quantityBefore: Decimal;
  readonly quantityAfter: Decimal;
  readonly count: number;
  readonly time: number;
}

export interface MarginMove {
  readonly symbol: SymbolName;
  readonly positionSide: PositionSide;
  readonly type: 1 | 2;
  readonly amount: Decimal;
  readonly asset: string;
  readonly time: number;
}

/** Why an account may open nothing: the admin's switch. */
export type Restriction = 'liquidation' | 'cooling-off' | 'quantitative-rules' | 'large-position';

export interface Books {
  version: 1;
  /** When anything last befell the account; absent in books that were kept before it was written down. */
  lastAt?: number;
  nextRef: number;
  nextTranId: number;
  orders: OrderRecord[];
  algos: AlgoRecord[];
  trades: TradeRecord[];
  income: IncomeRecord[];
  amendments: Amendment[];
  marginMoves: MarginMove[];
  /** What was forgotten with age, so that the sums still come out. */
  forgottenIncome: Decimal;
  /** Of `symbol/side`: all profit ever realised there, and when it was last touched. */
  realized: Record<string, Decimal>;
  touched: Record<string, number>;
  listenKeys: number;
  /** 0 when there is no listen key. */
  listenKeyUntil: number;
  /** Of a symbol: when its open orders are cancelled unless the owner says again that it lives. */
  countdowns: Record<SymbolName, number>;
  /** What the venue lets the account do no more. */
  restriction?: Restriction;
}

export const emptyBooks = (firstId: number): Books => ({
  version: 1,
  nextRef: 1,
  nextTranId: firstId,
  orders: [],
  algos: [],
  trades: [],
  income: [],
  amendments: [],
  marginMoves: [],
  forgottenIncome: '0',
  realized: {},
  touched: {},
  listenKeys: 0,
  listenKeyUntil: 0,
  countdowns: {},
});

export const isOpen = ({ status }: OrderRecord): boolean => status === 'NEW' || status === 'PARTIALLY_FILLED';

export const isWaiting = ({ status }: AlgoRecord): boolean => status === 'NEW';

export const placeOf = (symbol: SymbolName, side: PositionSide): string => `${symbol}/${side}`;
