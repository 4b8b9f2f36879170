/**
 * Trades that the venue makes on its own: settlement of a delisted symbol and auto-deleveraging. Both at mark
 * and free of fees.
 */

import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { bookFill } from './account.ts';
import type { Market, Position, Venue } from './engine-state.ts';
import { closeOrder, detail } from './engine-state.ts';
import { markOf } from './margin.ts';
import { expireKnockedOut } from './orders.ts';

/** A symbol that settles or closes: orders expire, positions are closed at mark. */
export function delist(venue: Venue, market: Market, instrument: Instrument): void {
  const dead = [...market.orders, ...market.conditionals];
  market.orders = [];
  market.conditionals = [];
  for (const entry of dead) closeOrder(venue, entry, 'expired', 'the symbol is delisted');
  for (const position of [...market.positions])
    closeAtMark(venue, market, instrument, position, D.abs(position.quantity), 'settlement');
}

/** Takes `quantity` (or all) off the symbol's positions. */
export function deleverage(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  quantity: Decimal | undefined,
): void {
  for (const position of [...market.positions]) {
    const held = D.abs(position.quantity);
    const size = quantity === undefined ? held : D.min(D.floorTo(quantity, instrument.stepSize), held);
    if (D.gt(size, D.ZERO)) closeAtMark(venue, market, instrument, position, size, 'adl');
  }
  expireKnockedOut(venue, market);
}

function closeAtMark(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  position: Position,
  quantity: Decimal,
  cause: 'settlement' | 'adl',
): void {
  const serial = venue.state.nextOrderId++;
  const id = cause === 'adl' ? `adl_autoclose-${serial}` : `settlement_autoclose-${serial}`;
  const side = D.gt(position.quantity, D.ZERO) ? 'SELL' : 'BUY';
  detail(venue, {
    type: 'ORDER_STARTED',
    symbol: instrument.symbol,
    ref: id,
    clientOrderId: id,
    orderId: String(serial),
    side,
    positionSide: position.side,
    quantity,
    price: markOf(market),
    cause,
  });
  bookFill(venue, market, instrument, {
    owner: position.owner,
    ref: id,
    clientOrderId: id,
    positionSide: position.side,
    side,
    price: markOf(market),
    quantity,
    cumulative: quantity,
    complete: true,
    maker: false,
    fee: D.ZERO,
    cause,
  });
}
