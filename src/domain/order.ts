/**
 * Orders as data: what an actor asks of the venue and what the venue says back.
 *
 * Invariants: a `ref` is unique within its owner for the owner's whole life (the machine counts them); the
 * client order id is stamped by the host from (instance, actor, seq, index) when the intent is journaled;
 * protective means "cannot open or increase": reduceOnly in one-way mode, the closing side in hedge mode.
 */
import type { Decimal } from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import type { SymbolName } from './instrument.ts';

export type Side = 'BUY' | 'SELL';
export type PositionSide = 'BOTH' | 'LONG' | 'SHORT';
export type Direction = 'long' | 'short';
export type TimeInForce = 'GTC' | 'IOC' | 'FOK' | 'GTX';
export type PlainOrderType = 'MARKET' | 'LIMIT';
export type ConditionalOrderType =
  | 'STOP'
  | 'STOP_MARKET'
  | 'TAKE_PROFIT'
  | 'TAKE_PROFIT_MARKET'
  | 'TRAILING_STOP_MARKET';
export type OrderType = PlainOrderType | ConditionalOrderType;
export type WorkingType = 'MARK_PRICE' | 'CONTRACT_PRICE';

export const opposite = (side: Side): Side => (side === 'BUY' ? 'SELL' : 'BUY');
export const entrySide = (direction: Direction): Side => (direction === 'long' ? 'BUY' : 'SELL');
export const exitSide = (direction: Direction): Side => opposite(entrySide(direction));

export const isConditional = (type: OrderType): type is ConditionalOrderType =>
  type !== 'MARKET' && type !== 'LIMIT';

/** What a machine asks for; `ref` is how the machine knows the order again in every venue event. */
export interface OrderRequest {
  readonly ref: string;
  readonly symbol: SymbolName;
  readonly side: Side;
  readonly positionSide: PositionSide;
  readonly type: OrderType;
  /** Absent only with closePosition. */
  readonly quantity?: Decimal;
  /** LIMIT, STOP and TAKE_PROFIT. */
  readonly price?: Decimal;
  readonly timeInForce?: TimeInForce;
  readonly reduceOnly: boolean;
  readonly closePosition?: boolean;
  /** STOP*, TAKE_PROFIT*. */
  readonly triggerPrice?: Decimal;
  readonly workingType?: WorkingType;
  readonly priceProtect?: boolean;
  /** TRAILING_STOP_MARKET: where it arms (absent: at once), and the callback in percent. */
  readonly activatePrice?: Decimal;
  readonly callbackRate?: Decimal;
}

/** What says whether an order can open anything. */
type Terms = Pick<OrderRequest, 'side' | 'reduceOnly' | 'closePosition'> & {
  readonly positionSide?: PositionSide;
};

/**
 * True when the order can only make a position smaller: it says so, or closes the side that it names. In hedge mode
 * an order names its side, and on that side nothing can turn round.
 */
export function isReducing({ side, positionSide = 'BOTH', reduceOnly, closePosition }: Terms): boolean {
  return reduceOnly || closePosition === true || positionSide === (side === 'BUY' ? 'SHORT' : 'LONG');
}

export const opensPosition = (order: Terms): boolean => !isReducing(order);

/**
 * The one place that says how an order opens or closes a position: in one-way mode by side and reduceOnly, in hedge
 * mode by side and position side, where the venue refuses reduceOnly.
 */
export function orderTerms(
  intent: 'open' | 'close',
  direction: Direction,
  positionSide: PositionSide,
): Pick<OrderRequest, 'side' | 'positionSide' | 'reduceOnly'> {
  const side = intent === 'open' ? entrySide(direction) : exitSide(direction);
  return { side, positionSide, reduceOnly: intent === 'close' && positionSide === 'BOTH' };
}

/** A request with its identity, as it stands in the journal and reaches the venue. */
export interface IdentifiedOrder extends OrderRequest {
  readonly clientOrderId: string;
  readonly owner: ActorId;
}

export type VenueCommand =
  | { readonly type: 'order.submit'; readonly order: IdentifiedOrder }
  | {
      readonly type: 'order.cancel';
      readonly owner: ActorId;
      readonly ref: string;
      readonly symbol: SymbolName;
    }
  | {
      readonly type: 'leverage.set';
      readonly owner: ActorId;
      readonly symbol: SymbolName;
      readonly leverage: number;
    };

interface OrderEvent {
  readonly ref: string;
  readonly clientOrderId: string;
  readonly symbol: SymbolName;
}

/**
 * What the venue tells an order's (or position's) owner. `at` is stamped by the host on delivery.
 * Quantities are positive; `cumulative` is all that this order has filled so far.
 */
export type VenueEvent =
  | ({ readonly type: 'ORDER_ACKNOWLEDGED'; readonly orderId: string } & OrderEvent)
  | ({ readonly type: 'ORDER_REJECTED'; readonly code: number; readonly reason: string } & OrderEvent)
  | ({ readonly type: 'ORDER_UNKNOWN'; readonly reason: string } & OrderEvent)
  /** `orderId` is of the order that the conditional one became. */
  | ({ readonly type: 'ORDER_TRIGGERED'; readonly orderId?: string } & OrderEvent)
  | ({
      readonly type: 'ORDER_FILLED';
      readonly tradeId: string;
      readonly side: Side;
      readonly price: Decimal;
      readonly quantity: Decimal;
      readonly cumulative: Decimal;
      /** True when nothing of the order is left open. */
      readonly complete: boolean;
      readonly maker: boolean;
      /** Positive: a cost, in quote currency. */
      readonly fee: Decimal;
      /** As the venue reports it: gross of fees, in quote currency. */
      readonly realizedPnl: Decimal;
      /**
       * Who traded, when it was none of the owner's orders: the venue itself, a person by hand, the guardian in the
       * owner's place, or the kill switch past the journal. Such a fill needs no acknowledged order before it.
       */
      readonly cause?: 'liquidation' | 'adl' | 'settlement' | 'manual' | 'guardian' | 'kill';
    } & OrderEvent)
  | ({
      readonly type: 'ORDER_CLOSED';
      readonly outcome: 'canceled' | 'expired' | 'rejected-at-trigger';
      readonly cumulative: Decimal;
      readonly reason: string;
    } & OrderEvent)
  | ({ readonly type: 'CANCEL_REJECTED'; readonly code: number; readonly reason: string } & OrderEvent)
  | {
      readonly type: 'FUNDING_SETTLED';
      readonly symbol: SymbolName;
      /** Positive: received; negative: paid. */
      readonly amount: Decimal;
      /** Where the venue tells them. */
      readonly rate?: Decimal;
      readonly markPrice?: Decimal;
    }
  | { readonly type: 'MARGIN_CALLED'; readonly symbol: SymbolName; readonly marginRatio: Decimal }
  | { readonly type: 'LEVERAGE_SET'; readonly symbol: SymbolName; readonly leverage: number }
  | {
      readonly type: 'LEVERAGE_REJECTED';
      readonly symbol: SymbolName;
      readonly code: number;
      readonly reason: string;
    };
