/**
 * Holds what the journal's positions believe against what the venue reports. Pure.
 *
 * Invariants: a position missing from a complete report is a difference, never assumed flat; protection counts
 * only what cannot open or increase; the result is in the order of symbols, the same for the same inputs.
 */
import { add, type Decimal, eq, gte, ZERO } from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import type { SymbolName } from '../domain/instrument.ts';
import { type Direction, isReducing } from '../domain/order.ts';
import { keyOf, keyOfActor, type PositionKey, positionSideOf, symbolOf } from '../domain/position-key.ts';
import type { VenueOrder, VenueReport } from '../exchange/exchange.ts';

/** A position as its actor knows it. */
export interface BelievedPosition {
  /** Its name says on which side of the symbol it is. */
  readonly actor: ActorId;
  readonly symbol: SymbolName;
  readonly direction: Direction;
  readonly quantity: Decimal;
}

export interface Difference {
  readonly symbol: SymbolName;
  readonly kind: 'quantity' | 'direction' | 'unknown-position' | 'unprotected';
  readonly detail: string;
}

export function reconcile(believed: readonly BelievedPosition[], report: VenueReport): Difference[] {
  const held = believed.filter(({ quantity }) => !eq(quantity, ZERO));
  const places = new Set([...held.map(placeOf), ...report.positions.map(keyOf)]);
  return [...places].sort().flatMap((place) => {
    const ours = held.filter((position) => placeOf(position) === place);
    const theirs = report.positions.filter((position) => keyOf(position) === place);
    return [...compare(place, ours, theirs), ...unprotected(place, theirs, report.openOrders)];
  });
}

export const placeOf = ({ actor, symbol }: BelievedPosition): PositionKey =>
  keyOf({ symbol, positionSide: positionSideOf(keyOfActor(actor)) });

function compare(
  place: PositionKey,
  ours: readonly BelievedPosition[],
  theirs: VenueReport['positions'],
): Difference[] {
  return [...new Set([...ours, ...theirs].map(({ direction }) => direction))].flatMap(
    (direction): Difference[] => {
      const believed = total(ours, direction);
      const reported = total(theirs, direction);
      if (eq(believed, reported)) return [];
      const detail = `the journal knows ${believed} ${direction}, the venue holds ${reported}`;
      const symbol = symbolOf(place);
      if (ours.length === 0) return [{ symbol, kind: 'unknown-position', detail }];
      const isOther = eq(reported, ZERO) && theirs.length > 0;
      return [{ symbol, kind: isOther ? 'direction' : 'quantity', detail }];
    },
  );
}

const total = (
  positions: readonly { readonly direction: Direction; readonly quantity: Decimal }[],
  direction: Direction,
): Decimal =>
  positions.reduce(
    (sum, position) => (position.direction === direction ? add(sum, position.quantity) : sum),
    ZERO,
  );

function unprotected(
  place: PositionKey,
  theirs: VenueReport['positions'],
  orders: readonly VenueOrder[],
): Difference[] {
  return theirs.flatMap(({ direction, quantity }): Difference[] => {
    const stops = orders.filter(({ order }) => keyOf(order) === place && protects(order, direction));
    const covered = stops.some(({ order }) => order.closePosition === true)
      ? quantity
      : stops.reduce((sum, { order }) => add(sum, order.quantity ?? ZERO), ZERO);
    if (gte(covered, quantity)) return [];
    return [
      {
        symbol: symbolOf(place),
        kind: 'unprotected',
        detail: `${quantity} ${direction} open, ${covered} protected`,
      },
    ];
  });
}

const STOPS = new Set(['STOP', 'STOP_MARKET', 'TRAILING_STOP_MARKET']);

function protects(order: VenueOrder['order'], direction: Direction): boolean {
  const closes = direction === 'long' ? 'SELL' : 'BUY';
  return STOPS.has(order.type) && order.side === closes && isReducing(order);
}
