/** What must be true of a venue's books at all times; an empty list means that it is. */
import * as D from '../../core/decimal.ts';
import { isReducing } from '../../domain/order.ts';
import type { Market, Venue } from './engine-state.ts';
import { instrumentOf } from './engine-state.ts';
import { closable } from './margin.ts';

export function findViolations(venue: Venue): string[] {
  const { wallet, totals, markets } = venue.state;
  const found: string[] = [];
  const expect = (holds: boolean, text: string): void => {
    if (!holds) found.push(text);
  };
  const booked = D.sum([
    totals.deposits,
    totals.realized,
    D.neg(totals.fees),
    totals.funding,
    totals.insurance,
  ]);
  expect(D.eq(wallet, booked), `wallet ${wallet} is not what was booked, ${booked}`);
  const cost = D.sum(
    Object.values(markets).flatMap((market) => market.positions.map((p) => p.entryNotional)),
  );
  const paid = D.add(totals.turnover, totals.realized);
  expect(D.eq(cost, paid), `open cost ${cost} is not turnover plus realised, ${paid}`);
  let conditionals = 0;
  for (const [symbol, market] of Object.entries(markets)) {
    for (const text of marketViolations(venue, symbol, market)) found.push(`${symbol}: ${text}`);
    conditionals += market.conditionals.length;
  }
  expect(conditionals <= venue.config.maxConditionalOrders, `${conditionals} conditional orders`);
  return found;
}

function marketViolations(venue: Venue, symbol: string, market: Market): string[] {
  const found: string[] = [];
  const instrument = instrumentOf(venue, symbol);
  if (!instrument) return ['no such instrument'];
  for (const side of ['BOTH', 'LONG', 'SHORT'] as const) {
    const held = market.positions.filter((position) => position.side === side);
    if (held.length > 1) found.push(`${held.length} positions on ${side}`);
    const quantity = held[0]?.quantity ?? D.ZERO;
    if (!D.eq(quantity, market.traded[side]))
      found.push(`position ${quantity} on ${side} is not the fills' sum ${market.traded[side]}`);
    if (held[0] && D.isZero(quantity)) found.push(`an empty position on ${side}`);
    if (side === 'LONG' && D.lt(quantity, D.ZERO)) found.push('a negative LONG position');
    if (side === 'SHORT' && D.gt(quantity, D.ZERO)) found.push('a positive SHORT position');
    if (!D.isMultipleOf(quantity, instrument.stepSize)) found.push(`quantity ${quantity} is off the step`);
  }
  const ids = new Set<string>();
  for (const entry of market.orders) {
    const { order, filled } = entry;
    if (ids.has(order.clientOrderId)) found.push(`two open orders ${order.clientOrderId}`);
    ids.add(order.clientOrderId);
    if (D.lt(filled, D.ZERO) || D.gte(filled, order.quantity ?? D.ZERO))
      found.push(`${order.clientOrderId} rests with ${filled} filled`);
    if (isReducing(order) && D.isZero(closable(market, order)))
      found.push(`${order.clientOrderId} rests reduce-only with nothing to reduce`);
  }
  return found;
}
