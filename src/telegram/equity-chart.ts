/** The account's picture for reports: equity, and under it how far it was below its best. Pure. */
import {
  area,
  axes,
  HEIGHT,
  heading,
  INK,
  path,
  scale,
  segment,
  sheet,
  ticks,
  timeTicks,
  WIDTH,
  words,
} from './chart-frame.ts';

export interface EquityPoint {
  readonly at: number;
  readonly equity: number;
}

export interface EquityChart {
  readonly title: string;
  readonly under: string;
  readonly isGain: boolean;
  /** Oldest first, at least two. */
  readonly points: readonly EquityPoint[];
}

const UPPER = { left: 20, top: 78, right: WIDTH - 100, bottom: 410 } as const;
const LOWER = { left: 20, top: 450, right: WIDTH - 100, bottom: HEIGHT - 34 } as const;
const MOST_POINTS = 900;

export function equityChart({ title, under, isGain, points }: EquityChart): string {
  const drawdowns = drawdownsOf(points);
  const shown = thinned(points.map((point, i) => ({ ...point, drawdown: drawdowns[i] ?? 0 })));
  const from = shown[0]?.at ?? 0;
  const to = shown.at(-1)?.at ?? 1;
  const low = Math.min(...shown.map(({ equity }) => equity));
  const high = Math.max(...shown.map(({ equity }) => equity));
  const margin = (high - low || high * 0.01) * 0.06;
  const deepest = Math.max(...drawdowns, 0.5);
  const x = scale(from, to, UPPER.left, UPPER.right);
  const y = scale(low - margin, high + margin, UPPER.bottom, UPPER.top);
  const down = scale(0, deepest * 1.05, LOWER.top, LOWER.bottom);
  const line = shown.map(({ at, equity }) => [x(at), y(equity)] as const);
  const depth = shown.map(({ at, drawdown }) => [x(at), down(drawdown)] as const);
  const colour = isGain ? INK.up : INK.down;
  const start = y(shown[0]?.equity ?? 0);
  return sheet(
    [
      heading(title, under, colour),
      axes(UPPER, y, ticks(low - margin, high + margin, 6), x, []),
      segment(UPPER.left, start, UPPER.right, start, INK.faint, '4 4'),
      area([[UPPER.left, UPPER.bottom], ...line, [x(to), UPPER.bottom]], colour, 0.15),
      path(line, colour, 2.5),
      words(LOWER.left, LOWER.top - 10, 'below its best, %', { size: 14, colour: INK.faint }),
      axes(LOWER, down, ticks(0, deepest, 3), x, timeTicks(from, to, 8)),
      area([[LOWER.left, LOWER.top], ...depth, [x(to), LOWER.top]], INK.down, 0.3),
      path(depth, INK.down, 1.5),
    ].join(''),
  );
}

/** Percent below the best so far. */
function drawdownsOf(points: readonly EquityPoint[]): number[] {
  let best = Number.NEGATIVE_INFINITY;
  return points.map(({ equity }) => {
    best = Math.max(best, equity);
    return best > 0 ? ((best - equity) / best) * 100 : 0;
  });
}

/** No more points than there are pixels: of each stretch its lowest, for a trough must not vanish. */
function thinned<P extends EquityPoint>(points: readonly P[]): P[] {
  if (points.length <= MOST_POINTS) return [...points];
  const stretch = points.length / MOST_POINTS;
  const kept = Array.from({ length: MOST_POINTS }, (_, i) =>
    points
      .slice(Math.floor(i * stretch), Math.floor((i + 1) * stretch))
      .reduce((lowest, point) => (point.equity < lowest.equity ? point : lowest)),
  );
  return [...kept.slice(0, -1), ...points.slice(-1)];
}
