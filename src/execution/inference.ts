/**
 * Fills that nobody told of, made up from what the venue shows: the last resort, and always said aloud.
 *
 * Invariants: ids are deterministic; an inferred fill never touches the wallet (the venue's ledger does); its
 * profit is an estimate from the position's own average.
 */
import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import type { SymbolName } from '../domain/instrument.ts';
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
  const side = record.order.side;
  const holder = holderOf(work, symbol) ?? owner;
  const fill = madeUp(work, {
    symbol,
    side,
    orderId: order.orderId,
    tradeId: inferredTrade(record),
    price: order.averagePrice,
    quantity,
    realizedPnl: estimate(
      work,
      symbol,
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
 * The venue shows `missing` (signed) more on a symbol than the books explain: what nobody here opened goes
 * first, then its holder's position, and what then is left was opened by somebody else.
 */
export function inferPosition(work: Work, symbol: SymbolName, missing: Decimal, name: string): void {
  let left = missing;
  const foreign = work.state.foreign[symbol]?.amount ?? D.ZERO;
  if (!D.isZero(foreign) && D.sign(foreign) !== D.sign(left)) {
    const part = D.lte(D.abs(left), D.abs(foreign)) ? left : D.neg(foreign);
    changeForeign(work, symbol, part, priceOf(work, symbol));
    left = D.sub(left, part);
  }
  const holder = holderOf(work, symbol);
  if (holder !== undefined && !D.isZero(left)) {
    const held = heldBy(work, symbol, holder);
    const grows = D.sign(held) === D.sign(left);
    const part = grows || D.lte(D.abs(left), D.abs(held)) ? left : D.neg(held);
    tellInferred(work, symbol, holder, part, name);
    left = D.sub(left, part);
  }
  changeForeign(work, symbol, left, priceOf(work, symbol));
}

function tellInferred(work: Work, symbol: SymbolName, holder: ActorId, signed: Decimal, name: string): void {
  const held = work.state.holdings[symbol]?.[holder];
  const grows = held !== undefined && D.sign(held.amount) === D.sign(signed);
  const price = grows ? priceOfGrowth(work, symbol, signed) : priceOf(work, symbol, holder);
  const side = D.sign(signed) > 0 ? 'BUY' : 'SELL';
  const fill = madeUp(work, {
    symbol,
    side,
    orderId: name,
    tradeId: name,
    price,
    quantity: D.abs(signed),
    realizedPnl: grows ? D.ZERO : estimate(work, symbol, holder, signed, price),
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
  changeHolding(work, symbol, holder, signed, price, fill.at);
}

function madeUp(
  work: Work,
  about: Pick<RemoteFill, 'symbol' | 'side' | 'orderId' | 'tradeId' | 'price' | 'quantity' | 'realizedPnl'>,
): RemoteFill {
  const { asset } = work.settings;
  return {
    ...about,
    positionSide: 'BOTH',
    maker: false,
    fee: D.ZERO,
    feeAsset: asset,
    at: work.state.venueAt,
  };
}

function estimate(work: Work, symbol: SymbolName, holder: ActorId, signed: Decimal, price: Decimal): Decimal {
  const held = work.state.holdings[symbol]?.[holder];
  if (!held || D.sign(held.amount) === D.sign(signed)) return D.ZERO;
  const closed = D.min(D.abs(signed), D.abs(held.amount));
  const gain = D.mul(D.sub(price, averageCost(held)), closed);
  return D.round(D.sign(held.amount) > 0 ? gain : D.neg(gain), MONEY_PLACES);
}

/** The venue's mark, else what the position cost: anything but a guess out of thin air. */
function priceOf(work: Work, symbol: SymbolName, holder?: ActorId): Decimal {
  const mark = work.state.positions[symbol]?.markPrice;
  if (mark !== undefined && D.gt(mark, D.ZERO)) return mark;
  const held = holder === undefined ? undefined : work.state.holdings[symbol]?.[holder];
  if (held) return averageCost(held);
  return work.state.positions[symbol]?.entryPrice ?? D.ZERO;
}

/** Such that the average becomes the venue's own. */
function priceOfGrowth(work: Work, symbol: SymbolName, signed: Decimal): Decimal {
  const position = work.state.positions[symbol];
  const cost = Object.values(work.state.holdings[symbol] ?? {}).map(({ notional }) => notional);
  if (!position) return D.ZERO;
  const owed = D.sub(D.mul(position.amount, position.entryPrice), D.sum(cost));
  const price = D.div(owed, signed, PRICE_PLACES);
  return D.gt(price, D.ZERO) ? price : position.entryPrice;
}
