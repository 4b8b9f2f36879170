/**
 * A bar as the path of a price: open → low → high → close when it rose, open → high → low → close when it
 * fell. The first leg is the open itself, where gaps show. Last and mark run along each leg together.
 */
import type { MarketBar } from '../../market/market-data.ts';

export interface Leg {
  readonly last: readonly [from: number, to: number];
  readonly mark: readonly [from: number, to: number];
}

/** The bar's mark extremes and close; the last price stands in where the source has no mark. */
export function markRange(bar: MarketBar): { low: number; high: number; close: number } {
  return {
    low: bar.markLow ?? bar.low,
    high: bar.markHigh ?? bar.high,
    close: bar.markClose ?? bar.close,
  };
}

export function candlePath(bar: MarketBar): Leg[] {
  const mark = markRange(bar);
  const markOpen = Math.min(Math.max(bar.open, mark.low), mark.high);
  const open = [bar.open, markOpen] as const;
  const low = [bar.low, mark.low] as const;
  const high = [bar.high, mark.high] as const;
  const close = [bar.close, mark.close] as const;
  const points = bar.close >= bar.open ? [open, low, high, close] : [open, high, low, close];
  const legs = [leg(open, open)];
  let from: readonly [number, number] = open;
  for (const to of points.slice(1)) {
    legs.push(leg(from, to));
    from = to;
  }
  return legs;
}

const leg = (from: readonly [number, number], to: readonly [number, number]): Leg => ({
  last: [from[0], to[0]],
  mark: [from[1], to[1]],
});

export const still = (last: number, mark: number): Leg => ({ last: [last, last], mark: [mark, mark] });
