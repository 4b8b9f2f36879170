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
