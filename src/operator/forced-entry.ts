/** The signal of an entry that a person asks for: as a strategy would have said it at this price. Pure. */
import type { CommandOf } from '../domain/command.ts';
import type { Distances, Signal } from '../domain/signal.ts';

type EnterSignal = Extract<Signal, { kind: 'enter' }>;

/** Undefined: neither the strategy nor the person says where the stop belongs. */
export function forcedSignal(
  { symbol, direction, stopPrice }: CommandOf<'force-entry'>,
  price: number,
  distances: Distances | undefined,
  by: string,
): EnterSignal | undefined {
  const asked = stopPrice === undefined ? undefined : Math.abs(price - Number(stopPrice));
  const stop = asked ?? distances?.stop;
  if (stop === undefined || !(stop > 0)) return undefined;
  const side = direction === 'long' ? -1 : 1;
  return {
    kind: 'enter',
    direction,
    symbol,
    price,
    stopPrice: stopPrice === undefined ? price + side * stop : Number(stopPrice),
    trailDistance: distances?.trail ?? stop,
    atrPercent: (100 * (distances?.atr ?? stop)) / price,
    reason: `forced by ${by}`,
    byHand: true,
  };
}

/** A stop on the wrong side would close at once. */
export function stopOnWrongSide(
  { direction, stopPrice }: CommandOf<'force-entry'>,
  price: number,
): string | undefined {
  if (stopPrice === undefined) return undefined;
  const isBelow = Number(stopPrice) < price;
  if (isBelow === (direction === 'long')) return undefined;
  return `the stop of a ${direction} must lie ${direction === 'long' ? 'below' : 'above'} the price, which is ${price}`;
}
