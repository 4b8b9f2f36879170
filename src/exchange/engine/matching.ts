/**
 * What a taker gets: the visible book walked level by level, or where no book is seen the slippage model, and the few
 * levels of a market that is thin.
 *
 * Invariants: prices are on the tick and never better than the market shows; nothing beyond the order's bound;
 * own orders never trade with each other (one account, and resting own orders are not in the visible book).
 */

import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { Side } from '../../domain/order.ts';
import type { Market, Venue } from './engine-state.ts';
import type { BookLevel, Depth, Quote, SlippageModel } from './engine-types.ts';

export interface Lot {
  readonly price: Decimal;
  readonly quantity: Decimal;
}

/** A float that came out of arithmetic, as the decimal that was meant. */
export const tidy = (value: number): Decimal => D.fromNumber(Number(value.toPrecision(12)));

/** On the tick, rounded against the taker. */
export const adverseTick = (price: number, side: Side, tick: Decimal): Decimal =>
  side === 'BUY' ? D.ceilTo(tidy(price), tick) : D.floorTo(tidy(price), tick);

const crosses = (side: Side, price: Decimal, limit: Decimal): boolean =>
  side === 'BUY' ? D.lte(price, limit) : D.gte(price, limit);

/** The best price a taker could pay or get; undefined when that side of the book is empty. */
export function bestPrice(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  side: Side,
  quote: Quote,
): Decimal | undefined {
  if (market.hasBook) return (side === 'BUY' ? market.asks : market.bids)[0]?.[0];
  if (quote.last <= 0) return undefined;
  const { start, direction, spread } = reference(side, quote, venue.config.slippage);
  return adverseTick(start * (1 + direction * spread), side, instrument.tickSize);
}

/** True when a limit order would take at once. */
export function wouldTake(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  side: Side,
  limit: Decimal,
  quote: Quote,
): boolean {
  const best = bestPrice(venue, market, instrument, side, quote);
  return best !== undefined && crosses(side, best, limit);
}

/** How far from the mark a market order may go, on the tick. */
export function takeBound(instrument: Instrument, side: Side, quote: Quote): Decimal {
  const rate = Number(instrument.marketTakeBoundRate);
  const bound = tidy((quote.mark || quote.last) * (side === 'BUY' ? 1 + rate : 1 - rate));
  return side === 'BUY' ? D.floorTo(bound, instrument.tickSize) : D.ceilTo(bound, instrument.tickSize);
}

/** The fills that a taker of `quantity` would get no worse than `bound` (undefined: at any price). */
export function planTake(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  side: Side,
  quantity: Decimal,
  bound: Decimal | undefined,
  quote: Quote,
): Lot[] {
  if (market.hasBook) return walkBook(side === 'BUY' ? market.asks : market.bids, side, quantity, bound);
  if (quote.last <= 0) return [];
  const { depth } = market;
  if (depth) return walkBook(thinLevels(venue, instrument, side, quote, depth), side, quantity, bound);
  return modelled(venue.config.slippage, instrument, side, quantity, bound, quote);
}

/** Undefined: as deep as ever. */
export function setDepth(market: Market, depth: Depth | undefined): void {
  if (depth) market.depth = depth;
  else delete market.depth;
}

function thinLevels(
  venue: Venue,
  instrument: Instrument,
  side: Side,
  quote: Quote,
  { levels, quantity }: Depth,
): BookLevel[] {
  const { tickSize } = instrument;
  const { start, direction, spread } = reference(side, quote, venue.config.slippage);
  const best = D.max(adverseTick(start * (1 + direction * spread), side, tickSize), tickSize);
  return Array.from({ length: levels }, (_, i): BookLevel => {
    const away = D.mul(tickSize, String(i));
    return [side === 'BUY' ? D.add(best, away) : D.max(D.sub(best, away), tickSize), quantity];
  });
}

function walkBook(
  levels: readonly BookLevel[],
  side: Side,
  quantity: Decimal,
  bound: Decimal | undefined,
): Lot[] {
  const lots: Lot[] = [];
  let left = quantity;
  for (const [price, visible] of levels) {
    if (D.isZero(left) || (bound !== undefined && !crosses(side, price, bound))) break;
    const take = D.min(left, visible);
    lots.push({ price, quantity: take });
    left = D.sub(left, take);
  }
  return lots;
}

/** Takes the lots out of the visible book, until the next book replaces it. */
export function consume(market: Market, side: Side, lots: readonly Lot[]): void {
  if (!market.hasBook) return;
  const levels = side === 'BUY' ? market.asks : market.bids;
  for (const lot of lots) {
    const first = levels[0];
    if (!first || !D.eq(first[0], lot.price)) return;
    const left = D.sub(first[1], lot.quantity);
    if (D.isZero(left)) levels.shift();
    else levels[0] = [first[0], left];
  }
}

function reference(side: Side, quote: Quote, slippage: SlippageModel) {
  const touch = side === 'BUY' ? quote.ask : quote.bid;
  const direction = side === 'BUY' ? 1 : -1;
  if (touch !== undefined) return { start: touch, direction, spread: 0 };
  return { start: quote.last, direction, spread: slippage.halfSpreadRate };
}

/** One price for the whole order: the touch moved by an impact that is linear in its share of the volume. */
function modelled(
  slippage: SlippageModel,
  instrument: Instrument,
  side: Side,
  quantity: Decimal,
  bound: Decimal | undefined,
  quote: Quote,
): Lot[] {
  const { start, direction, spread } = reference(side, quote, slippage);
  const impact = quote.volume !== undefined && quote.volume > 0 ? slippage.impactRate / quote.volume : 0;
  const priceOf = (size: Decimal): Decimal => {
    const moved = start * (1 + direction * (spread + impact * Number(size)));
    return D.max(adverseTick(moved, side, instrument.tickSize), instrument.tickSize);
  };
  const whole = priceOf(quantity);
  if (bound === undefined || crosses(side, whole, bound)) return [{ price: whole, quantity }];
  if (impact === 0) return [];
  const room = ((Number(bound) / start - 1) * direction - spread) / impact;
  const size = room > 0 ? D.min(D.floorTo(tidy(room), instrument.stepSize), quantity) : D.ZERO;
  const price = D.isZero(size) ? bound : priceOf(size);
  // A size at the very edge may round over the bound; the bound itself is then the price.
  return D.isZero(size) ? [] : [{ price: crosses(side, price, bound) ? price : bound, quantity: size }];
}
