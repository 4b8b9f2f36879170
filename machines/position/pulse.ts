/**
 * What a position hears of closed bars: how far they move (ATR), and whether they move its way (momentum).
 *
 * An average from the first bar on, not TA-Lib's: it is only listened to for the part that is left, and a seed of
 * fourteen bars would be deaf for as long as that part most often lives.
 */
import type { Direction } from '../../src/domain/order.ts';

export interface Bar {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly closeAt: number;
}

export interface Pulse {
  readonly closeAt: number;
  /** Without a hole, this one included. */
  readonly bars: number;
  readonly close: number;
  /** Of all closes so far, holes or not. */
  readonly highest: number;
  readonly lowest: number;
  readonly mean: number;
  readonly atr: number;
}

const MEAN_BARS = 8;
const ATR_BARS = 14;
/** More than this between two closes is a hole. */
const LONGEST_GAP_MS = 2 * 900_000;

const short = (value: number): number => Number(value.toPrecision(10));

export function beat(pulse: Pulse | null, { open, high, low, close, closeAt }: Bar): Pulse {
  if (pulse !== null && closeAt <= pulse.closeAt) return pulse;
  const last = pulse !== null && closeAt - pulse.closeAt <= LONGEST_GAP_MS ? pulse : null;
  const before = last ?? { bars: 0, close: open, mean: open, atr: high - low };
  const range = Math.max(high, before.close) - Math.min(low, before.close);
  const bars = before.bars + 1;
  return {
    closeAt,
    bars,
    close,
    highest: Math.max(close, pulse?.highest ?? close),
    lowest: Math.min(close, pulse?.lowest ?? close),
    mean: short(before.mean + (2 / (MEAN_BARS + 1)) * (close - before.mean)),
    atr: short(before.atr + (range - before.atr) / Math.min(bars, ATR_BARS)),
  };
}

/** In ATRs; positive: it moves the position's way. */
export const momentum = ({ close, mean, atr }: Pulse, direction: Direction): number =>
  atr > 0 ? ((direction === 'long' ? 1 : -1) * (close - mean)) / atr : 0;
