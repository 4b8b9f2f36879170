/**
 * Where the venue would liquidate a position that does not exist yet, with the venue's own brackets.
 *
 * Invariants: the same mathematics as the venue engine's; a price of 0 means never for a long, Infinity never
 * for a short; higher leverage never moves an isolated liquidation price away from the entry.
 */
import { add, ceilTo, type Decimal, floorTo, fromNumber, sub, toNumber } from '../core/decimal.ts';
import type { Instrument } from './instrument.ts';
import { lowerRoot, type Stake, upperRoot } from './margin-tiers.ts';
import type { Direction } from './order.ts';

export interface Planned {
  readonly direction: Direction;
  readonly quantity: Decimal;
  readonly entryPrice: Decimal;
}

function stakeOf(planned: Planned, instrument: Instrument, outside: number): Stake {
  const size = toNumber(planned.quantity) * (planned.direction === 'long' ? 1 : -1);
  return {
    legs: [{ quantity: size, entryNotional: size * toNumber(planned.entryPrice) }],
    tiers: instrument.brackets.map(({ notionalCap, maintMarginRate, cum }) => ({
      cap: Number(notionalCap),
      rate: Number(maintMarginRate),
      cum: Number(cum),
    })),
    outside,
    maintenanceFactor: 1,
  };
}

const root = (planned: Planned, stake: Stake): number =>
  planned.direction === 'long' ? lowerRoot(stake) : upperRoot(stake);

export function isolatedLiquidation(planned: Planned, instrument: Instrument, leverage: number): number {
  const margin = (toNumber(planned.quantity) * toNumber(planned.entryPrice)) / leverage;
  return root(planned, stakeOf(planned, instrument, margin));
}

/** `balance` is what stands behind it: wallet and unrealised P&L less the others' maintenance margin. */
export const crossLiquidation = (planned: Planned, instrument: Instrument, balance: number): number =>
  root(planned, stakeOf(planned, instrument, balance));

/** The stop lies before the liquidation price, with `buffer` of the entry price between them. */
export function stopIsSafe(
  planned: Planned,
  stop: Decimal,
  liquidation: number,
  bufferRate: number,
): boolean {
  const buffer = toNumber(planned.entryPrice) * bufferRate;
  return planned.direction === 'long'
    ? toNumber(stop) - buffer >= liquidation
    : toNumber(stop) + buffer <= liquidation;
}

/** The widest stop that `stopIsSafe` accepts; null where a liquidation price is no price. */
export function stopBefore(
  planned: Planned,
  liquidation: number,
  bufferRate: number,
  tick: Decimal,
): Decimal | null {
  const buffer = toNumber(planned.entryPrice) * bufferRate;
  const long = planned.direction === 'long';
  const price = long ? liquidation + buffer : liquidation - buffer;
  if (!Number.isFinite(price) || price <= 0) return null;
  // A tick more: floats are for judgement, and this price will be sent.
  return long ? add(ceilTo(fromNumber(price), tick), tick) : sub(floorTo(fromNumber(price), tick), tick);
}

/** The highest leverage up to `most` whose isolated liquidation lies safely beyond the stop; 0 for none. */
export function safeLeverage(
  planned: Planned,
  stop: Decimal,
  instrument: Instrument,
  most: number,
  bufferRate: number,
): number {
  for (let leverage = most; leverage >= 1; leverage--) {
    if (stopIsSafe(planned, stop, isolatedLiquidation(planned, instrument, leverage), bufferRate))
      return leverage;
  }
  return 0;
}
