/** Which states of a chart are lit, and by which arrows it came there. Pure. */
import type { ChartLayout } from '../../operator/chart-drawing.ts';

/** As XState gives it: "open", or {open: {entry: "filled", …}}. */
export type StateValue = string | { readonly [key: string]: StateValue };

/** Ids of all states that are active for this value, the root among them. */
export function litStates(layout: ChartLayout, value: StateValue | null): ReadonlySet<string> {
  const lit = new Set<string>();
  const root = layout.states.find(({ parent }) => parent === null);
  if (!root || value === null) return lit;
  const children = Map.groupBy(layout.states, ({ parent }) => parent);
  const enter = (id: string, below: StateValue | undefined): void => {
    lit.add(id);
    if (below === undefined) return;
    const wanted = typeof below === 'string' ? { [below]: undefined } : below;
    for (const child of children.get(id) ?? [])
      if (Object.hasOwn(wanted, child.key)) enter(child.id, wanted[child.key] as StateValue | undefined);
  };
  enter(root.id, value);
  return lit;
}

/** What a step went by: arrows by their id, and lines of arrival inside the states that were entered. */
export interface Taken {
  readonly edges: ReadonlySet<string>;
  readonly arrivals: ReadonlySet<string>;
}

export const arrivalId = (state: string, words: string): string => `${state} ${words}`;

/** Nobody tells it: "[guard]", "always", "after so long". */
const isOwn = (event: string): boolean => !/^[A-Z]/.test(event);

/**
 * From what was lit to what is newly lit: by the event's own ways, where it has any there, else by those that a machine
 * goes by itself. An event of the machine's own (a delay) may have been any of them.
 */
export function takenWays(
  layout: ChartLayout,
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
  event: string,
): Taken {
  const isEntered = (id: string): boolean => after.has(id) && !before.has(id);
  const possible = layout.edges.filter(
    ({ source, target }) =>
      before.has(source) && (isEntered(target) || (source === target && after.has(target))),
  );
  const told = possible.filter(({ ways }) => ways.some((way) => way.event === event));
  const reached = new Set(told.map(({ target }) => target));
  const own = possible.filter(
    ({ source, target, ways }) =>
      source !== target && !reached.has(target) && (isOwn(event) || ways.some((way) => isOwn(way.event))),
  );
  const edges = [...told, ...own];
  const targets = new Set(edges.map(({ target }) => target));
  const parents = new Map(layout.states.map(({ id, parent }) => [id, parent]));
  /** Its parent was entered by an arrow, and begins there. */
  const isBeginning = (id: string): boolean => {
    for (let up = parents.get(id); up; up = parents.get(up)) if (targets.has(up)) return true;
    return false;
  };
  const arrivals = layout.states.flatMap(({ id, arrivals: lines, isInitial }) => {
    if (before.size === 0 || !isEntered(id) || targets.has(id) || (isInitial && isBeginning(id))) return [];
    const mine = lines.filter((words) => words === event || words.startsWith(`${event} [`));
    return (mine.length > 0 ? mine : lines.filter(isOwn)).map((words) => arrivalId(id, words));
  });
  return { edges: new Set(edges.map(({ id }) => id)), arrivals: new Set(arrivals) };
}
