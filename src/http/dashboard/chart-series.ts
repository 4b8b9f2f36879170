/** What a chart of prices needs of its points. Pure. */

export const seconds = (at: number): number => Math.floor(at / 1000);

/** A chart needs times that rise: of several in one second the last counts. */
export function rising<T extends { readonly at: number }>(points: readonly T[]): T[] {
  const kept: T[] = [];
  for (const point of points) {
    const last = kept.at(-1);
    if (last && seconds(last.at) > seconds(point.at)) continue;
    if (last && seconds(last.at) === seconds(point.at)) kept.pop();
    kept.push(point);
  }
  return kept;
}

export interface CurvePoint {
  readonly at: number;
  readonly equity: number;
  /** Percent below the best until then, the deepest since the point before; never above zero. */
  readonly drawdown: number;
}

const MINUTE_MS = 60_000;
const ROUND_MINUTES = [1, 5, 15, 30, 60, 120, 240, 480];
const DAY_MINUTES = 1_440;

/** At least so long, and such that its steps fall on times that people know. */
function roundStep(leastMs: number): number {
  const least = leastMs / MINUTE_MS;
  const minutes = ROUND_MINUTES.find((one) => one >= least) ?? Math.ceil(least / DAY_MINUTES) * DAY_MINUTES;
  return minutes * MINUTE_MS;
}

/**
 * A curve at even steps, for a chart counts its points and not the time between them: what it was worth stays until it
 * was worth something else. The last point is the last.
 */
export function evenly(points: readonly { at: number; equity: string }[], most: number): CurvePoint[] {
  const [first] = points;
  const last = points.at(-1);
  if (!first || !last) return [];
  const stepMs = roundStep((last.at - first.at) / most);
  const curve: CurvePoint[] = [];
  let peak = 0;
  let equity = 0;
  let i = 0;
  for (let at = first.at; ; at = Math.min((Math.floor(at / stepMs) + 1) * stepMs, last.at)) {
    let drawdown = peak > 0 ? (equity / peak - 1) * 100 : 0;
    for (let point = points[i]; point && point.at <= at; point = points[++i]) {
      equity = Number(point.equity);
      peak = Math.max(peak, equity);
      drawdown = Math.min(drawdown, peak > 0 ? (equity / peak - 1) * 100 : 0);
    }
    curve.push({ at, equity, drawdown });
    if (at >= last.at) return rising(curve);
  }
}

export interface StopMove {
  readonly at: number;
  readonly price: number;
}

const BAR_MS = 900_000;
/** The beginning of the bar that is open then. */
export const barAt = (at: number): number => Math.floor(at / BAR_MS) * BAR_MS;

/** Where the stop stood, bar by bar, up to the end of the bar in which it stands or fell. Pure. */
export function ratchetOf(stops: readonly StopMove[], until: number | null): StopMove[] {
  const moves = rising(stops.map(({ at, price }) => ({ at: barAt(at), price })));
  const last = moves.at(-1);
  if (!last) return [];
  return [...moves, { at: Math.max(barAt(until ?? last.at), last.at) + BAR_MS, price: last.price }];
}

export interface FillMark {
  readonly at: number;
  readonly buys: boolean;
  readonly text: string;
}

interface Bar {
  readonly openTime: number;
}

/** A mark stands at the bar of its time; one from before the first bar that is shown would be told of a wrong one. */
export const marksOf = (candles: readonly Bar[], fills: readonly FillMark[]) =>
  fills.flatMap((fill) => {
    const bar = candles.findLast(({ openTime }) => openTime <= fill.at)?.openTime;
    return bar === undefined ? [] : [{ ...fill, bar }];
  });

const LETTER_PX = 7;

/** A mark's words stand in the middle under it: so many pixels are left behind the newest bar that none is cut. */
export function roomBehind(candles: readonly Bar[], marks: readonly { bar: number; text: string }[]): number {
  const late = candles[Math.floor(candles.length * 0.8)]?.openTime ?? 0;
  const longest = Math.max(0, ...marks.filter(({ bar }) => bar >= late).map(({ text }) => text.length));
  return Math.ceil((longest * LETTER_PX) / 2);
}
