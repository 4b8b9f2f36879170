/** What every picture is made of: a dark sheet with a plot, its axes, lines and labels, as SVG text. Pure. */
import { escaped } from './markup.ts';

export const WIDTH = 960;
export const HEIGHT = 600;
export const INK = {
  sheet: '#131722',
  grid: '#232838',
  text: '#d5d9e3',
  faint: '#8a91a4',
  up: '#26a69a',
  down: '#ef5350',
  blue: '#5b9cf6',
  amber: '#f5a623',
  violet: '#b07cf7',
} as const;

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** From a value to a place on the sheet. */
export type Scale = (value: number) => number;

export const scale =
  (from: number, to: number, low: number, high: number): Scale =>
  (value) =>
    low + ((value - from) / (to - from || 1)) * (high - low);

/** Round numbers within the range, about `count` of them. */
export function ticks(from: number, to: number, count: number): number[] {
  const span = to - from;
  if (!(span > 0)) return [from];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step);
}

/** As many decimals as tell the ticks apart. */
export function tickText(value: number, step: number): string {
  const places = Math.min(8, Math.max(0, Math.ceil(-Math.log10(step || 1)) + (isRound(step) ? 0 : 1)));
  return value.toFixed(places);
}

const isRound = (step: number): boolean => {
  const mantissa = step / 10 ** Math.floor(Math.log10(step || 1));
  return Math.abs(mantissa - Math.round(mantissa)) < 1e-6;
};

const HOUR = 3_600_000;
const SPANS = [
  HOUR / 4,
  HOUR / 2,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  6 * HOUR,
  12 * HOUR,
  24 * HOUR,
  48 * HOUR,
  168 * HOUR,
];

/** Full hours or days in UTC, about `count` of them. */
export function timeTicks(from: number, to: number, count: number): { at: number; text: string }[] {
  const step =
    SPANS.find((span) => (to - from) / span <= count) ??
    Math.ceil((to - from) / count / (24 * HOUR)) * 24 * HOUR;
  const first = Math.ceil(from / step) * step;
  const times = Array.from(
    { length: Math.max(0, Math.floor((to - first) / step) + 1) },
    (_, i) => first + i * step,
  );
  return times.map((at) => {
    const iso = new Date(at).toISOString();
    return { at, text: at % (24 * HOUR) === 0 ? iso.slice(5, 10) : iso.slice(11, 16) };
  });
}

const n = (value: number): string => (Math.round(value * 10) / 10).toString();

export const segment = (
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  colour: string,
  dash = '',
  width = 1,
): string =>
  `<line x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}" stroke="${colour}" stroke-width="${width}"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/>`;

export const box = (
  x: number,
  y: number,
  width: number,
  height: number,
  colour: string,
  opacity = 1,
): string =>
  `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${colour}" fill-opacity="${opacity}"/>`;

export const path = (points: readonly (readonly [number, number])[], colour: string, width = 2): string =>
  `<polyline points="${pointsText(points)}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"/>`;

export const area = (
  points: readonly (readonly [number, number])[],
  colour: string,
  opacity: number,
): string => `<polygon points="${pointsText(points)}" fill="${colour}" fill-opacity="${opacity}"/>`;

const pointsText = (points: readonly (readonly [number, number])[]): string =>
  points.map(([x, y]) => `${n(x)},${n(y)}`).join(' ');

export interface WordStyle {
  readonly colour?: string;
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly isBold?: boolean;
}

export const words = (x: number, y: number, said: string, style: WordStyle = {}): string =>
  `<text x="${n(x)}" y="${n(y)}" font-size="${style.size ?? 16}" fill="${style.colour ?? INK.text}" text-anchor="${style.anchor ?? 'start'}"${style.isBold ? ' font-weight="bold"' : ''}>${escaped(said)}</text>`;

/** Grid lines with their numbers at the right, and times below. */
export function axes(
  plot: Box,
  y: Scale,
  values: readonly number[],
  x: Scale,
  times: readonly { at: number; text: string }[],
): string {
  const step = (values[1] ?? 1) - (values[0] ?? 0);
  return [
    ...values.map(
      (value) =>
        segment(plot.left, y(value), plot.right, y(value), INK.grid) +
        words(plot.right + 8, y(value) + 5, tickText(value, step), { colour: INK.faint, size: 14 }),
    ),
    ...times.map(
      ({ at, text }) =>
        segment(x(at), plot.top, x(at), plot.bottom, INK.grid) +
        words(x(at), plot.bottom + 20, text, { colour: INK.faint, size: 14, anchor: 'middle' }),
    ),
  ].join('');
}

/** A heading: bold words, then others beside and under them. */
export const heading = (title: string, under: string, colour: string = INK.faint): string =>
  words(20, 34, title, { size: 22, isBold: true }) + words(20, 58, under, { size: 16, colour });

export const sheet = (content: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="DejaVu Sans">${box(0, 0, WIDTH, HEIGHT, INK.sheet)}${content}</svg>`;
