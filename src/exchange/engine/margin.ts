/**
 * Margin as Binance counts it in single-asset mode: initial margin at mark, the larger of the two sides a
 * one-way symbol could end on, maintenance by notional tier, and the balance available for new orders.
 */

import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Instrument, LeverageBracket } from '../../domain/instrument.ts';
import { type IdentifiedOrder, isReducing, type PositionSide } from '../../domain/order.ts';
import type { Market, Position, Resting, Venue } from './engine-state.ts';
import { marginModeOf, positionOf } from './engine-state.ts';

/** A price to value positions at: the mark, else the last price. */
export const markOf = (market: Market): Decimal => D.fromNumber(market.mark || market.last);

/** The tier of a notional: the first whose cap it does not exceed, the last one beyond the table. */
export function bracketOf(instrument: Instrument, notional: number): LeverageBracket | undefined {
  const { brackets } = instrument;
  return brackets.find((bracket) => notional <= Number(bracket.notionalCap)) ?? brackets.at(-1);
}

/** The largest notional that may be held at a leverage. */
export function maxNotional(instrument: Instrument, leverage: number): Decimal {
  let cap = D.ZERO;
  for (const bracket of instrument.brackets)
    if (bracket.initialLeverage >= leverage) cap = D.max(cap, bracket.notionalCap);
  return cap;
}

export function maintenanceMargin(instrument: Instrument, notional: Decimal): Decimal {
  const bracket = bracketOf(instrument, Number(notional));
  if (!bracket) return D.ZERO;
  return D.max(D.ZERO, D.sub(D.mul(notional, bracket.maintMarginRate), bracket.cum));
}

export const unrealized = (position: Position, mark: Decimal): Decimal =>
  D.sub(D.mul(position.quantity, mark), position.entryNotional);

/** How much of the position an order on this side could close. */
export function closable(market: Market, order: Pick<IdentifiedOrder, 'side' | 'positionSide'>): Decimal {
  const held = positionOf(market, order.positionSide);
  if (!held) return D.ZERO;
  const long = D.gt(held.quantity, D.ZERO);
  return long === (order.side === 'SELL') ? D.abs(held.quantity) : D.ZERO;
}

export const remaining = (entry: Pick<Resting, 'order' | 'filled'>): Decimal =>
  D.sub(entry.order.quantity ?? D.ZERO, entry.filled);

/** An order's weight in the margin sums. */
export interface Weighed {
  readonly side: 'BUY' | 'SELL';
  readonly positionSide: PositionSide;
  readonly notional: Decimal;
}

function weigh(entry: Resting): Weighed {
  const { side, positionSide, price } = entry.order;
  return { side, positionSide, notional: D.mul(remaining(entry), price ?? D.ZERO) };
}

/** The largest notional each position side of the symbol could reach with these orders filled. */
export function reachableNotional(market: Market, extra?: Weighed): Decimal[] {
  const mark = markOf(market);
  if (market.orders.length === 0 && !extra)
    return market.positions.map((position) => D.abs(D.mul(position.quantity, mark)));
  const opening = market.orders.filter((entry) => !isReducing(entry.order)).map(weigh);
  if (extra) opening.push(extra);
  const sides: PositionSide[] = [];
  for (const { side } of market.positions) if (!sides.includes(side)) sides.push(side);
  for (const { positionSide } of opening) if (!sides.includes(positionSide)) sides.push(positionSide);
  return sides.map((side) => {
    const mine = opening.filter((order) => order.positionSide === side);
    const held = D.mul(positionOf(market, side)?.quantity ?? D.ZERO, mark);
    const buys = D.sum(mine.filter((order) => order.side === 'BUY').map((order) => order.notional));
    const sells = D.sum(mine.filter((order) => order.side === 'SELL').map((order) => order.notional));
    return D.max(D.abs(D.add(held, buys)), D.abs(D.sub(held, sells)));
  });
}

const inverses = new Map<number, Decimal>();

/** Notional ÷ leverage. By the inverse, because division is by far the dearest operation here. */
function atLeverage(market: Market, notional: Decimal): Decimal {
  let inverse = inverses.get(market.leverage);
  if (inverse === undefined) {
    inverse = D.div('1', String(market.leverage), 24);
    inverses.set(market.leverage, inverse);
  }
  return D.round(D.mul(notional, inverse), 8, 'half-up');
}

export const marginFor = (market: Market, notionals: readonly Decimal[]): Decimal =>
  D.sum(notionals.map((notional) => atLeverage(market, notional)));

/** Initial margin of the symbol's positions and opening orders together. */
export const symbolMargin = (market: Market): Decimal => marginFor(market, reachableNotional(market));

export const positionMargin = (market: Market): Decimal =>
  D.sum(
    market.positions.map((position) => atLeverage(market, D.abs(D.mul(position.quantity, markOf(market))))),
  );

/** What is left for new orders; never negative. */
export function availableBalance(venue: Venue): Decimal {
  let balance = venue.state.wallet;
  for (const market of Object.values(venue.state.markets)) {
    if (market.positions.length === 0 && market.orders.length === 0) continue;
    balance = D.sub(balance, symbolMargin(market));
    const mark = markOf(market);
    if (marginModeOf(venue, market) === 'cross')
      for (const position of market.positions) balance = D.add(balance, unrealized(position, mark));
    else {
      // Isolated positions carry their own margin: what counts is what was set aside, not today's requirement.
      balance = D.add(balance, positionMargin(market));
      for (const position of market.positions) balance = D.sub(balance, position.isolated);
    }
  }
  return D.max(D.ZERO, balance);
}
