/**
 * A statechart as something to draw: states as boxes that hold their substates, transitions as arrows with words.
 * Pure, from the machine itself, so what is drawn is what runs.
 *
 * Invariants: a transition with a target is an arrow, or, where a state is reached alike from many others, a line of
 * arrival inside it; one without a target is a line inside its own state; ids are the states' ids as the machine
 * knows them.
 */

/** What is used of a node of a machine (`machine.root` and below); its serialised definition lacks `always`. */
export interface ChartNode {
  readonly id: string;
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly order: number;
  readonly initial?: { readonly target?: readonly ChartNode[] | undefined } | undefined;
  readonly states: Readonly<Record<string, ChartNode>>;
  readonly transitions: ReadonlyMap<string, readonly ChartTransition[]>;
  readonly always?: readonly ChartTransition[] | undefined;
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
}

export interface ChartTransition {
  readonly eventType: string;
  readonly target?: readonly { readonly id: string }[] | undefined;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

export interface DrawnState {
  readonly id: string;
  readonly key: string;
  readonly kind: ChartNode['type'];
  readonly parent: string | null;
  /** The one its parent begins in. */
  readonly isInitial: boolean;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** Transitions that stay: "EVENT [guard] / action". */
  readonly inside: readonly string[];
  /** Ways in from so many states that arrows would hide the chart: "EVENT [guard]". */
  readonly arrivals: readonly string[];
}

/** One way along an arrow. */
export interface DrawnWay {
  /** In people's words: 'always', 'after entryTimeout', or the event's name. */
  readonly event: string;
  readonly guard: string | null;
  readonly actions: readonly string[];
  /** Event and guard, as an arrow is labelled. */
  readonly words: string;
}

/** All transitions from one state to another. */
export interface DrawnEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly ways: readonly DrawnWay[];
}

export interface ChartDrawing {
  readonly root: string;
  /** Parents before their children. */
  readonly states: readonly DrawnState[];
  readonly edges: readonly DrawnEdge[];
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** All in pixels from the top left corner of the chart. */
export interface ChartLayout {
  readonly width: number;
  readonly height: number;
  readonly states: readonly (DrawnState & Box)[];
  readonly edges: readonly (DrawnEdge & { readonly points: readonly Point[]; readonly label: Box | null })[];
}

export function drawingOf(root: ChartNode): ChartDrawing {
  const states: DrawnState[] = [];
  const arrows: Arrow[] = [];
  const visit = (node: ChartNode, parent: ChartNode | null): void => {
    const transitions = transitionsOf(node);
    states.push(drawnState(node, parent, transitions));
    for (const { eventType, target = [], guard, actions } of transitions) {
      const event = eventWords(eventType);
      const condition = guardName(guard);
      const words = wayWords(event, condition);
      const way = { event, guard: condition, actions: namesOf(actions), words };
      for (const { id } of target) arrows.push({ source: node.id, target: id, way });
    }
    for (const child of inOrder(node)) visit(child, node);
  };
  visit(root, null);
  const { edges, arrivals } = gather(arrows);
  return {
    root: root.id,
    states: states.map((state) => ({ ...state, arrivals: arrivals.get(state.id) ?? [] })),
    edges,
  };
}

/** What can be told to it, by name: not what XState tells itself. */
export function eventsOf(root: ChartNode): readonly string[] {
  const names = new Set<string>();
  const visit = (node: ChartNode): void => {
    for (const { eventType } of transitionsOf(node)) if (/^[A-Z]/.test(eventType)) names.add(eventType);
    for (const child of Object.values(node.states)) visit(child);
  };
  visit(root);
  return [...names].sort();
}

interface Arrow {
  readonly source: string;
  readonly target: string;
  readonly way: DrawnWay;
}

/** From so many states on, equal ways into a state become one line of arrival. */
const MANY = 3;

const wayWords = (event: string, guard: string | null): string =>
  guard === null ? event : event === 'always' ? `[${guard}]` : `${event} [${guard}]`;

function gather(arrows: readonly Arrow[]): { edges: DrawnEdge[]; arrivals: Map<string, string[]> } {
  const arrivals = new Map<string, string[]>();
  const kept: Arrow[] = [];
  const alike = Map.groupBy(arrows, ({ target, way }) => JSON.stringify([target, way.words]));
  for (const group of alike.values()) {
    const [first] = group;
    if (!first) continue;
    if (group.length < MANY) kept.push(...group);
    else arrivals.set(first.target, [...(arrivals.get(first.target) ?? []), first.way.words]);
  }
  const between = Map.groupBy(kept, ({ source, target }) => JSON.stringify([source, target]));
  const edges = [...between.values()].flatMap((group, index) => {
    const [first] = group;
    if (!first) return [];
    const { source, target } = first;
    return [{ id: `e${index}`, source, target, ways: group.map(({ way }) => way) }];
  });
  return { edges, arrivals };
}

const transitionsOf = ({ transitions, always = [] }: ChartNode): readonly ChartTransition[] => [
  ...always,
  ...[...transitions.values()].flat(),
];

const inOrder = (node: ChartNode): ChartNode[] =>
  Object.values(node.states).sort((a, b) => a.order - b.order);

function drawnState(
  node: ChartNode,
  parent: ChartNode | null,
  transitions: readonly ChartTransition[],
): DrawnState {
  return {
    id: node.id,
    key: node.key,
    kind: node.type,
    parent: parent?.id ?? null,
    isInitial: parent?.initial?.target?.some(({ id }) => id === node.id) ?? false,
    entry: namesOf(node.entry),
    exit: namesOf(node.exit),
    inside: transitions.filter(({ target }) => !target?.length).map(lineOf),
    arrivals: [],
  };
}

/** `after` and `done` events carry ids of XState's own; people read what they mean. */
export function eventWords(event: string): string {
  if (event === '') return 'always';
  const after = /^xstate\.after\.([^.]+(?:\.\d+)?)\./.exec(event);
  if (after) return /^\d+$/.test(after[1] ?? '') ? `after ${after[1]} ms` : `after ${after[1]}`;
  if (event.startsWith('xstate.done.state.')) return 'done';
  return event === '*' ? 'anything else' : event;
}

const lineOf = ({ eventType, guard, actions }: ChartTransition): string => {
  const condition = guardName(guard);
  const done = namesOf(actions).join(', ');
  return [eventWords(eventType), condition && `[${condition}]`, done && `/ ${done}`]
    .filter(Boolean)
    .join(' ');
};

const guardName = (guard: unknown): string | null =>
  guard === undefined || guard === null ? null : nameOf(guard, 'condition');

/** XState's own bookkeeping of delayed transitions is nobody's action. */
const namesOf = (actions: readonly unknown[]): string[] =>
  actions.map((action) => nameOf(action, 'action')).filter((name) => !name.startsWith('xstate.'));

/** A name, or the name of {type, params} with the plain parameters in brackets. */
function nameOf(value: unknown, otherwise: string): string {
  if (typeof value === 'string') return value;
  // XState's own actions are functions with a type.
  if (typeof value === 'function' && !('type' in value)) return value.name || otherwise;
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !('type' in value))
    return otherwise;
  const { type, params } = value as { type: unknown; params?: unknown };
  if (typeof type !== 'string') return otherwise;
  const inner = typeof params === 'object' && params !== null ? Object.values(params) : [];
  const plain = inner.filter((one) => typeof one !== 'object' && typeof one !== 'function');
  return plain.length > 0 ? `${type}(${plain.join(', ')})` : type;
}
