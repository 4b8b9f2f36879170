/**
 * Fills, positions and the wallet: the exact accounts.
 *
 * Invariants: realised profit is rounded to 8 places on a partial close and the rounded-off rest stays in the
 * position's entry notional, so that all realised profits sum to the money made to the last digit; every change
 * of the wallet is announced to PORTFOLIO with its reason.
 */

import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { ActorId } from '../../core/ids.ts';
import { PORTFOLIO } from '../../domain/events.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { PositionSide, Side, VenueEvent } from '../../domain/order.ts';
import { type HedgeSide, keyOf, namedSide } from '../../domain/position-key.ts';
import type { Market, Position, Venue } from './engine-state.ts';
import { emit, positionMoved, positionOf } from './engine-state.ts';
import type { WalletReason } from './engine-types.ts';

export const MONEY_PLACES = 8;

export interface Fill {
  readonly owner: ActorId;
  readonly ref: string;
  readonly clientOrderId: string;
  readonly positionSide: PositionSide;
  readonly side: Side;
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly cumulative: Decimal;
  readonly complete: boolean;
  readonly maker: boolean;
  readonly fee: Decimal;
  readonly cause?: Extract<VenueEvent, { type: 'ORDER_FILLED' }>['cause'];
}

const TOTAL_OF: Record<WalletReason, 'deposits' | 'realized' | 'fees' | 'funding' | 'insurance'> = {
  DEPOSIT: 'deposits',
  WITHDRAW: 'deposits',
  WITHDRAW_REFUSED: 'deposits',
  REALIZED_PNL: 'realized',
  COMMISSION: 'fees',
  FUNDING_FEE: 'funding',
  INSURANCE_CLEAR: 'insurance',
};

export function changeWallet(
  venue: Venue,
  asset: string,
  delta: Decimal,
  reason: WalletReason,
  about: { readonly symbol?: SymbolName; readonly tradeId?: string; readonly positionSide?: HedgeSide } = {},
): void {
  const { state } = venue;
  state.wallet = D.add(state.wallet, delta);
  const total = TOTAL_OF[reason];
  // Fees are totalled as a cost.
  state.totals[total] = D.add(state.totals[total], total === 'fees' ? D.neg(delta) : delta);
  emit(venue, PORTFOLIO, { type: 'WALLET_CHANGED', asset, balance: state.wallet, delta, reason, ...about });
}

export const feeOf = (notional: Decimal, rate: Decimal): Decimal =>
  D.round(D.mul(notional, rate), MONEY_PLACES, 'half-up');

/** Books one fill: position, realised profit, fee, events. */
export function bookFill(venue: Venue, market: Market, instrument: Instrument, fill: Fill): void {
  const { symbol, quote: asset } = instrument;
  const signed = fill.side === 'BUY' ? fill.quantity : D.neg(fill.quantity);
  const notional = D.mul(signed, fill.price);
  market.traded[fill.positionSide] = D.add(market.traded[fill.positionSide], signed);
  venue.state.totals.turnover = D.add(venue.state.totals.turnover, notional);
  const realizedPnl = movePosition(market, fill, signed);
  const tradeId = String(venue.state.nextTradeId++);
  emit(venue, fill.owner, {
    type: 'ORDER_FILLED',
    ref: fill.ref,
    clientOrderId: fill.clientOrderId,
    symbol,
    tradeId,
    side: fill.side,
    price: fill.price,
    quantity: fill.quantity,
    cumulative: fill.cumulative,
    complete: fill.complete,
    maker: fill.maker,
    fee: fill.fee,
    realizedPnl,
    ...(fill.cause ? { cause: fill.cause } : {}),
  });
  const { positionSide } = fill;
  const about = { symbol, tradeId, ...namedSide(keyOf({ symbol, positionSide })) };
  if (!D.isZero(realizedPnl)) changeWallet(venue, asset, realizedPnl, 'REALIZED_PNL', about);
  if (!D.isZero(fill.fee)) changeWallet(venue, asset, D.neg(fill.fee), 'COMMISSION', about);
  positionMoved(venue, market, symbol, fill.positionSide);
}

/** Applies the signed quantity to the position and returns what that realised. */
function movePosition(market: Market, fill: Fill, signed: Decimal): Decimal {
  const held = positionOf(market, fill.positionSide);
  if (!held) {
    openPosition(market, fill, signed);
    return D.ZERO;
  }
  held.marginCalled = false;
  if (D.sign(held.quantity) === D.sign(signed)) {
    held.quantity = D.add(held.quantity, signed);
    held.entryNotional = D.add(held.entryNotional, D.mul(signed, fill.price));
    held.isolated = D.add(held.isolated, initialMargin(market, signed, fill.price));
    return D.ZERO;
  }
  const over = D.sub(D.abs(signed), D.abs(held.quantity));
  if (D.lt(over, D.ZERO)) return reduce(held, signed, fill.price);
  market.positions.splice(market.positions.indexOf(held), 1);
  const closing = D.mul(D.neg(held.quantity), fill.price);
  const realized = D.neg(D.add(closing, held.entryNotional));
  if (D.gt(over, D.ZERO)) openPosition(market, fill, D.sign(signed) > 0 ? over : D.neg(over));
  return realized;
}

function openPosition(market: Market, fill: Fill, signed: Decimal): void {
  market.positions.push({
    side: fill.positionSide,
    quantity: signed,
    entryNotional: D.mul(signed, fill.price),
    isolated: initialMargin(market, signed, fill.price),
    owner: fill.owner,
    marginCalled: false,
  });
}

function reduce(held: Position, signed: Decimal, price: Decimal): Decimal {
  const size = D.abs(held.quantity);
  const part = D.abs(signed);
  const share = D.div(D.mul(held.entryNotional, part), size, 2 * MONEY_PLACES);
  const closing = D.mul(signed, price);
  const realized = D.round(D.neg(D.add(closing, share)), MONEY_PLACES);
  // What rounding took off or added stays in the cost of the rest.
  held.entryNotional = D.add(held.entryNotional, D.add(closing, realized));
  held.isolated = D.sub(held.isolated, D.div(D.mul(held.isolated, part), size, MONEY_PLACES));
  held.quantity = D.add(held.quantity, signed);
  return realized;
}

function initialMargin(market: Market, signed: Decimal, price: Decimal): Decimal {
  return D.div(D.abs(D.mul(signed, price)), String(market.leverage), MONEY_PLACES, 'up');
}
