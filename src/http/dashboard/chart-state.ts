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

/** Arrows that lead from what was lit to what is newly lit; those of the event itself, where there are any. */
export function takenEdges(
  layout: ChartLayout,
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
  event: string,
): ReadonlySet<string> {
  const possible = layout.edges.filter(
    ({ source, target }) =>
      before.has(source) && after.has(target) && (!before.has(target) || source === target),
  );
  const ofEvent = possible.filter(({ ways }) => ways.some((way) => way.event === event));
  const moved = possible.filter(({ source, target }) => source !== target);
  return new Set((ofEvent.length > 0 ? ofEvent : moved).map(({ id }) => id));
}
