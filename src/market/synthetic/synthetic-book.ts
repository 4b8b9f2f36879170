/**
 * Quotes and order books around a synthetic price. Spreads widen and depth thins with volatility; both are fixed
 * by the dice handed in, and lie on the instrument's ticks and steps.
 */
import type { Random } from '../../core/random.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { Grid } from './synthetic-bars.ts';
import type { SymbolProfile } from './synthetic-symbols.ts';

export interface Quote {
  readonly bid: number;
  readonly bidQuantity: number;
  readonly ask: number;
  readonly askQuantity: number;
}

export interface BookLevel {
  readonly price: number;
  readonly quantity: number;
}

/** Best first on both sides; never crossed. */
export interface SyntheticBook {
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
}

/** Ordinary size at the best price, as a share of an average minute's volume, and its growth a level. */
const BEST_SHARE = 0.05;
const GROWTH = 0.12;
/** Typical distance between occupied levels, in basis points; never below one tick. */
const SPACING_BPS = 0.25;

/** `stress`: the moment's volatility against the symbol's usual one. */
export function drawBook(
  profile: SymbolProfile,
  instrument: Instrument,
  last: number,
  stress: number,
  random: Random,
  levels: number,
): SyntheticBook {
  const price = new Grid(instrument.tickSize);
  const lots = new Grid(instrument.stepSize);
  const wideBps = profile.spreadBps * Math.max(0.5, stress) * Math.exp(0.3 * random.normal());
  const spreadTicks = Math.max(1, Math.round((wideBps * last) / 10_000 / price.step));
  const spacingTicks = Math.max(1, (SPACING_BPS * last) / 10_000 / price.step);
  // The last trade was at the bid or at the ask.
  const askFromLast = random.next() < 0.5 ? 0 : spreadTicks;
  const side = (direction: 1 | -1, bestTicks: number): BookLevel[] => {
    let ticks = bestTicks;
    return Array.from({ length: levels }, (_, level) => {
      if (level > 0) ticks += direction * Math.ceil(-spacingTicks * Math.log(1 - random.next()));
      const size = profile.minuteVolume * BEST_SHARE * (1 + GROWTH * level) * Math.exp(0.8 * random.normal());
      return {
        price: price.at(last, ticks),
        quantity: Math.max(lots.step, lots.at(size / Math.max(0.3, stress))),
      };
    }).filter((level) => level.price > 0);
  };
  return { bids: side(-1, askFromLast - spreadTicks), asks: side(1, askFromLast) };
}
