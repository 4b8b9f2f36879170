/**
 * Fills that nobody told of, made up from what the venue shows: the last resort, and always said aloud.
 *
 * Invariants: ids are deterministic; an inferred fill never touches the wallet (the venue's ledger does); its
 * profit is an estimate from the position's own average.
 */
import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import { keyOf, type PositionKey, positionSideOf, symbolOf } from '../domain/position-key.ts';
import type { RemoteAnswers, RemoteFill } from '../domain/remote.ts';
import {
  averageCost,
  changeForeign,
  changeHolding,
  heldBy,
  holderOf,
  markBooked,
  markPaid,
} from './books.ts';
import { contradiction, tell, type Work } from './executor-state.ts';
import type { OrderRecord } from './executor-types.ts';
import { applyFill, inferredTrade } from './order-fills.ts';

const PRICE_PLACES = 12;
const MONEY_PLACES = 8;

/** An order counts fills that its trade list does not show. */
export function inferMissing(
  work: Work,
  record: OrderRecord,
  answer: NonNullable<RemoteAnswers['query']>,
): void {
  const order = answer.book === 'plain' ? answer.order : answer.actual?.order;
  const quantity = D.sub(D.sub(record.venueFilled, record.filled), record.absorbed);
  if (!order || D.lte(quantity, D.ZERO)) return;
  const { clientOrderId, symbol, owner } = record.order;
  const place = keyOf(record.order);
  const side = record.order.side;
  const holder = holderOf(work, place) ?? owner;
  const fill = madeUp(work, place, {
    side,
    orderId: order.orderId,
    tradeId: inferredTrade(record),
    price: order.averagePrice,
    quantity,
    realizedPnl: estimate(
      work,
      place,
      holder,
      side === 'BUY' ? quantity : D.neg(quantity),
      order.averagePrice,
    ),
  });
  contradiction(
    work,
    `${clientOrderId} filled ${quantity} on ${symbol} that no list of trades shows: inferred`,
  );
  markPaid(work, fill);
  applyFill(work, record, fill);
}

/**
 * The venue shows `missing` (signed) more at a place than the books explain: what nobody here opened goes
 * first, then its holder's position, and what then is left was opened by somebody else.
 */
export function inferPosition(work: Work, place: PositionKey, missing: Decimal, name: string): void {
  let left = missing;
  const foreign = work.state.foreign[place]?.amount ?? D.ZERO;
  if (!D.isZero(foreign) && D.sign(foreign) !== D.sign(left)) {
    const part = D.lte(D.abs(left), D.abs(foreign)) ? left : D.neg(foreign);
    changeForeign(work, place, part, priceOf(work, place));
    left = D.sub(left, part);
  }
  const holder = holderOf(work, place);
  if (holder !== undefined && !D.isZero(left)) {
    const held = heldBy(work, place, holder);
    const grows = D.sign(held) === D.sign(left);
    const part = grows || D.lte(D.abs(left), D.abs(held)) ? left : D.neg(held);
    tellInferred(work, place, holder, part, name);
    left = D.sub(left, part);
  }
  changeForeign(work, place, left, priceOf(work, place));
}

function tellInferred(work: Work, place: PositionKey, holder: ActorId, signed: Decimal, name: string): void {
  const symbol = symbolOf(place);
  const held = work.state.holdings[place]?.[holder];
  const grows = held !== undefined && D.sign(held.amount) === D.sign(signed);
  const price = grows ? priceOfGrowth(work, place, signed) : priceOf(work, place, holder);
  const side = D.sign(signed) > 0 ? 'BUY' : 'SELL';
  const fill = madeUp(work, place, {
    side,
    orderId: name,
    tradeId: name,
    price,
    quantity: D.abs(signed),
    realizedPnl: grows ? D.ZERO : estimate(work, place, holder, signed, price),
  });
  markBooked(work, fill);
  markPaid(work, fill);
  tell(work, holder, {
    type: 'ORDER_FILLED',
    ref: name,
    clientOrderId: name,
    symbol,
    tradeId: fill.tradeId,
    side,
    price,
    quantity: fill.quantity,
    cumulative: fill.quantity,
    complete: true,
    maker: false,
    fee: D.ZERO,
    realizedPnl: fill.realizedPnl,
    cause: 'manual',
  });
  changeHolding(work, place, holder, signed, price, fill.at);
}

function madeUp(
  work: Work,
  place: PositionKey,
  about: Pick<RemoteFill, 'side' | 'orderId' | 'tradeId' | 'price' | 'quantity' | 'realizedPnl'>,
): RemoteFill {
  const { asset } = work.settings;
  return {
    symbol: symbolOf(place),
    ...about,
    positionSide: positionSideOf(place),
    maker: false,
    fee: D.ZERO,
    feeAsset: asset,
    at: work.state.venueAt,
  };
}

function estimate(work: Work, place: PositionKey, holder: ActorId, signed: Decimal, price: Decimal): Decimal {
  const held = work.state.holdings[place]?.[holder];
  if (!held || D.sign(held.amount) === D.sign(signed)) return D.ZERO;
  const closed = D.min(D.abs(signed), D.abs(held.amount));
  const gain = D.mul(D.sub(price, averageCost(held)), closed);
  return D.round(D.sign(held.amount) > 0 ? gain : D.neg(gain), MONEY_PLACES);
}

/** The venue's mark, else what the position cost: anything but a guess out of thin air. */
function priceOf(work: Work, place: PositionKey, holder?: ActorId): Decimal {
  const mark = work.state.positions[place]?.markPrice;
  if (mark !== undefined && D.gt(mark, D.ZERO)) return mark;
  const held = holder === undefined ? undefined : work.state.holdings[place]?.[holder];
  if (held) return averageCost(held);
  return work.state.positions[place]?.entryPrice ?? D.ZERO;
}

/** Such that the average becomes the venue's own. */
function priceOfGrowth(work: Work, place: PositionKey, signed: Decimal): Decimal {
  const position = work.state.positions[place];
  const cost = Object.values(work.state.holdings[place] ?? {}).map(({ notional }) => notional);
  if (!position) return D.ZERO;
  const owed = D.sub(D.mul(position.amount, position.entryPrice), D.sum(cost));
  const price = D.div(owed, signed, PRICE_PLACES);
  return D.gt(price, D.ZERO) ? price : position.entryPrice;
}
