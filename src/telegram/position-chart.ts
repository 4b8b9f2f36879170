/** A position's picture: candles, where it was entered, how its stop moved, its targets and its fills. Pure. */
import {
  axes,
  box,
  HEIGHT,
  heading,
  INK,
  path,
  type Scale,
  scale,
  segment,
  sheet,
  ticks,
  timeTicks,
  WIDTH,
  words,
} from './chart-frame.ts';

/** Prices are for drawing only, hence floats. */
export interface ChartCandle {
  readonly openTime: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

export interface ChartFill {
  readonly at: number;
  readonly price: number;
  readonly isBuy: boolean;
}

export interface PositionChart {
  readonly title: string;
  readonly under: string;
  readonly isGain: boolean;
  /** Oldest first. */
  readonly candles: readonly ChartCandle[];
  readonly candleMs: number;
  readonly entry: number | undefined;
  /** The stop over time, oldest first; each holds until the next. */
  readonly stops: readonly { readonly at: number; readonly price: number }[];
  readonly targets: readonly { readonly price: number; readonly isDone: boolean }[];
  readonly fills: readonly ChartFill[];
  readonly mark: number | undefined;
  readonly liquidation: number | undefined;
}

const PLOT = { left: 20, top: 78, right: WIDTH - 232, bottom: HEIGHT - 40 } as const;
const LABELS_AT = WIDTH - 152;
const LABEL_HEIGHT = 24;
/** Levels farther away than this share of the candles' range would flatten the candles. */
const FAR = 1.5;

interface Level {
  readonly name: string;
  readonly price: number;
  readonly colour: string;
  readonly dash: string;
}

export function positionChart(chart: PositionChart): string {
  const { candles, candleMs } = chart;
  const first = candles[0]?.openTime ?? 0;
  const last = (candles.at(-1)?.openTime ?? first) + candleMs;
  const shown = levelsOf(chart);
  const range = rangeOf(chart, shown);
  const near = shown.filter(({ price }) => price >= range.low && price <= range.high);
  const x = scale(first, last, PLOT.left, PLOT.right);
  const y = scale(range.low, range.high, PLOT.bottom, PLOT.top);
  const far = shown
    .filter((level) => !near.includes(level))
    .map(({ name, price }) => `${name} ${priceText(price)}`);
  return sheet(
    [
      heading(chart.title, chart.under, chart.isGain ? INK.up : INK.down),
      axes(PLOT, y, ticks(range.low, range.high, 6), x, timeTicks(first, last, 7)),
      ...candles.map((candle) => drawn(candle, candleMs, x, y)),
      ratchet(chart, x, y, last),
      ...near.map(({ price, colour, dash }) =>
        dash === '' ? '' : segment(PLOT.left, y(price), PLOT.right, y(price), colour, dash, 1.5),
      ),
      ...chart.fills.filter(({ at }) => at >= first && at <= last).map((fill) => triangle(fill, x, y)),
      ...labels(near, y),
      far.length === 0
        ? ''
        : words(PLOT.left, HEIGHT - 4, `beyond this picture: ${far.join(', ')}`, {
            size: 13,
            colour: INK.faint,
          }),
    ].join(''),
  );
}

function levelsOf({ entry, stops, targets, mark, liquidation }: PositionChart): Level[] {
  const stop = stops.at(-1)?.price;
  const level = (name: string, price: number | undefined, colour: string, dash: string): Level[] =>
    price === undefined ? [] : [{ name, price, colour, dash }];
  return [
    ...level('entry', entry, INK.blue, '8 5'),
    ...level('stop', stop, INK.down, ''),
    ...targets
      .filter(({ isDone }) => !isDone)
      .flatMap(({ price }, i) =>
        level(targets.length === 1 ? 'target' : `target ${i + 1}`, price, INK.up, '3 4'),
      ),
    ...level('now', mark, INK.text, ''),
    ...level('liquid.', liquidation, INK.violet, '2 6'),
  ];
}

function rangeOf(
  { candles, fills, stops }: PositionChart,
  levels: readonly Level[],
): { low: number; high: number } {
  const seen = [...candles.flatMap(({ high, low }) => [high, low]), ...fills.map(({ price }) => price)];
  const all = seen.length > 0 ? seen : levels.map(({ price }) => price);
  const low = Math.min(...all);
  const high = Math.max(...all);
  const reach = (high - low || high * 0.01) * FAR;
  const near = [...levels.map(({ price }) => price), ...stops.map(({ price }) => price)].filter(
    (price) => price > low - reach && price < high + reach,
  );
  const lowest = Math.min(low, ...near);
  const highest = Math.max(high, ...near);
  const margin = (highest - lowest || highest * 0.01) * 0.05;
  return { low: lowest - margin, high: highest + margin };
}

function drawn(
  { openTime, open, high, low, close }: ChartCandle,
  candleMs: number,
  x: Scale,
  y: Scale,
): string {
  const colour = close >= open ? INK.up : INK.down;
  const middle = (x(openTime) + x(openTime + candleMs)) / 2;
  const width = Math.max(1, (x(openTime + candleMs) - x(openTime)) * 0.7);
  const top = y(Math.max(open, close));
  return (
    segment(middle, y(high), middle, y(low), colour) +
    box(middle - width / 2, top, width, Math.max(1, y(Math.min(open, close)) - top), colour)
  );
}

/** The stop's steps, each up to the next. */
function ratchet({ stops, candles }: PositionChart, x: Scale, y: Scale, last: number): string {
  const first = candles[0]?.openTime ?? 0;
  const points = stops.flatMap(({ at, price }, i) => {
    const until = stops[i + 1]?.at ?? last;
    if (until < first || at > last) return [];
    return [
      [x(Math.max(at, first)), y(price)],
      [x(Math.min(until, last)), y(price)],
    ] as const;
  });
  return points.length === 0 ? '' : path(points, INK.down, 2);
}

function triangle({ at, price, isBuy }: ChartFill, x: Scale, y: Scale): string {
  const away = isBuy ? 1 : -1;
  const tip = y(price) + away * 3;
  const foot = tip + away * 14;
  const colour = isBuy ? INK.blue : INK.amber;
  return `<polygon points="${x(at)},${tip} ${x(at) - 8},${foot} ${x(at) + 8},${foot}" fill="${colour}" stroke="${INK.sheet}" stroke-width="1.5"/>`;
}

/** Names with their prices at the right edge, pushed apart where they would cover each other. */
function labels(levels: readonly Level[], y: Scale): string[] {
  const sorted = [...levels].sort((a, b) => b.price - a.price);
  const places: number[] = [];
  for (const { price } of sorted)
    places.push(Math.max(y(price), (places.at(-1) ?? Number.NEGATIVE_INFINITY) + LABEL_HEIGHT));
  for (let i = places.length - 1, floor = PLOT.bottom; i >= 0; i--, floor -= LABEL_HEIGHT)
    places[i] = Math.min(places[i] ?? floor, floor);
  return sorted.map(({ name, price, colour }, i) => {
    const at = places[i] ?? 0;
    return (
      segment(PLOT.right, y(price), LABELS_AT - 2, at, colour) +
      box(LABELS_AT - 2, at - LABEL_HEIGHT / 2 + 1, WIDTH - LABELS_AT - 4, LABEL_HEIGHT - 2, colour) +
      words(LABELS_AT + 2, at + 5, `${name} ${priceText(price)}`, {
        size: 12,
        colour: INK.sheet,
        isBold: true,
      })
    );
  });
}

const priceText = (price: number): string => String(Number(price.toPrecision(6)));
