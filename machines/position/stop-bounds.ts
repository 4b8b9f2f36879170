/**
 * What no stop may lie beyond, measured where only the position knows the numbers: the hard cap from what was really
 * paid, the liquidation price from the brackets of now.
 *
 * Invariant: both only tighten. An entry of an older version brought no bounds, and keeps the stop it has.
 */
import type { Instrument } from '../../src/domain/instrument.ts';
import { isolatedLiquidation, stopBefore } from '../../src/domain/liquidation.ts';
import type { PositionContext } from './context.ts';
import { averagePrice, isFlat } from './open.ts';
import { atLeast, behind, percentOf, towardsProfit } from './prices.ts';
import type { StopMove } from './trailing.ts';

/** A fill away from the reference price takes the hard cap along. */
export function capFromFill(context: PositionContext): StopMove | null {
  const { direction, entry, filters, stopPrice, stopReason } = context;
  const percent = entry.bounds?.hardCapPercent;
  if (percent === undefined || isFlat(context)) return null;
  const average = averagePrice(context);
  const cap = towardsProfit(
    direction,
    behind(direction, average, percentOf(average, percent)),
    filters.tickSize,
  );
  return atLeast(direction, stopPrice, cap)
    ? null
    : { stopPrice: cap, reason: stopReason, why: `${percent} % from the average fill, ${average}, at most` };
}

/** Brackets that ask for more margin bring the liquidation price nearer. */
export function stopBeforeLiquidation(context: PositionContext, instrument: Instrument): StopMove | null {
  const { direction, entry, filters, quantity, stopPrice, stopReason } = context;
  const buffer = entry.bounds?.liquidationBufferRate ?? null;
  if (buffer === null || isFlat(context)) return null;
  const planned = { direction, quantity, entryPrice: averagePrice(context) };
  const liquidation = isolatedLiquidation(planned, instrument, entry.leverage);
  const widest = stopBefore(planned, liquidation, buffer, filters.tickSize);
  return widest === null || atLeast(direction, stopPrice, widest)
    ? null
    : {
        stopPrice: widest,
        reason: stopReason,
        why: `before the liquidation price, now ${Number(liquidation.toPrecision(8))}`,
      };
}
