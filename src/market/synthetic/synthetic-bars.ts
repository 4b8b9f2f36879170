/**
 * Bars drawn on a hidden path: last prices with bounce and wicks, mark prices that see less of a flash crash,
 * volume that grows with the range. Prices lie on the instrument's ticks and volumes on its steps.
 *
 * Invariant: a day of bars is a function of the day's path, the day's dice and nothing else; the bounce is zero
 * at midnight, so that neighbouring days fit without carrying it.
 */
import type { Random } from '../../core/random.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { DAY_MINUTES, type SymbolDay } from './synthetic-path.ts';
import type { SymbolProfile } from './synthetic-symbols.ts';

/** One symbol's day, in columns. */
export interface BarColumns {
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  readonly markHigh: Float64Array;
  readonly markLow: Float64Array;
  readonly markClose: Float64Array;
  /** Standard deviation of each minute's return: what spreads and depth go by. */
  readonly volatility: Float64Array;
}

/** The day before's end, in log price relative to the start price. */
export interface Eve {
  readonly fair: number;
}

/** Rounds to a grid of decimal steps so that the result is the shortest float of its decimal. */
export class Grid {
  readonly step: number;
  readonly #units: number;
  readonly #scale: number;

  constructor(step: string) {
    const places = step.split('.')[1]?.length ?? 0;
    this.#scale = 10 ** places;
    this.#units = Math.round(Number(step) * this.#scale);
    this.step = Number(step);
  }

  /** The nearest grid point `steps` grid steps away from where `value` rounds to. */
  at(value: number, steps = 0): number {
    return ((Math.round((value * this.#scale) / this.#units) + steps) * this.#units) / this.#scale;
  }
}

/** Bid-ask bounce, as a share of an average minute's movement. */
const BOUNCE = 0.11;
/** Paths within a minute wander less than a random walk of the same close would. */
const WICK = 0.82;
/** How much of a flash crash of the last price the mark price, made of several venues' indices, sees. */
const MARK_SEES = 0.6;
/** From this multiple of the usual range on, a move cannot come on little volume. */
const LARGE_MOVE = 2.4;
const MARK_GRID = new Grid('0.00000001');

export function drawBars(
  profile: SymbolProfile,
  instrument: Instrument,
  path: SymbolDay,
  eve: Eve,
  random: Random,
): BarColumns {
  const column = (): Float64Array => new Float64Array(DAY_MINUTES);
  const columns: BarColumns = {
    open: column(),
    high: column(),
    low: column(),
    close: column(),
    volume: column(),
    markHigh: column(),
    markLow: column(),
    markClose: column(),
    volatility: path.volatility,
  };
  const price = new Grid(instrument.tickSize);
  const lots = new Grid(instrument.stepSize);
  const { startPrice, minuteVolume } = profile;
  const usual = profile.volatilityBps / 10_000;
  let lastClose = price.at(startPrice * Math.exp(eve.fair));
  let lastMark = startPrice * Math.exp(eve.fair);
  for (let m = 0; m < DAY_MINUTES; m++) {
    const fair = path.fair[m] as number;
    const displacement = path.displacement[m] as number;
    const sigma = path.volatility[m] as number;
    const bounce = m + 1 === DAY_MINUTES ? 0 : BOUNCE * usual * random.normal();
    const open = price.at(lastClose, random.next() < 0.5 ? 0 : random.next() < 0.5 ? 1 : -1);
    const close = price.at(startPrice * Math.exp(fair + displacement + bounce));
    // The extremes of a Brownian bridge from open to close.
    const move = Math.log(close / open);
    const width = (WICK * sigma) ** 2;
    const up = (move + Math.sqrt(move * move - 2 * width * Math.log(1 - random.next()))) / 2;
    const down = (move - Math.sqrt(move * move - 2 * width * Math.log(1 - random.next()))) / 2;
    const high = Math.max(open, close, price.at(open * Math.exp(up)));
    const low = Math.min(open, close, price.at(open * Math.exp(down)));
    const mark = startPrice * Math.exp(fair + MARK_SEES * displacement);
    const activity = (up - down + 0.1 * usual) / (1.6 * usual);
    const traded = Math.max(
      Math.exp(1.05 * Math.log(activity) + 0.55 * random.normal()),
      (activity / LARGE_MOVE) ** 2,
    );
    columns.open[m] = open;
    columns.high[m] = high;
    columns.low[m] = low;
    columns.close[m] = close;
    columns.volume[m] = Math.max(lots.at(minuteVolume * traded), lots.step);
    // Marks are smoothed: half of the last price's wicks reach them.
    columns.markHigh[m] = MARK_GRID.at(Math.max(mark, lastMark) * (1 + 0.5 * (up - Math.max(move, 0))));
    columns.markLow[m] = MARK_GRID.at(Math.min(mark, lastMark) * (1 + 0.5 * (down - Math.min(move, 0))));
    columns.markClose[m] = MARK_GRID.at(mark);
    lastClose = close;
    lastMark = mark;
  }
  return columns;
}
