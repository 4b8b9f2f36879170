/** The thread of chart-layout.ts: a drawing in, the same with places out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ElkExtendedEdge, ElkNode } from 'elkjs';
// Its own worker support is for browsers; this is a thread already.
import elk from 'elkjs/lib/elk.bundled.js';
import type {
  Box,
  ChartDrawing,
  ChartLayout,
  DrawnEdge,
  DrawnState,
  Point,
} from '../operator/chart-drawing.ts';

/** The package's types say that its class lies under `default`; in Node it is what is exported itself. */
const Elk = elk as unknown as typeof elk.default;

/** Of the type that the page draws with: 12 px monospace. */
const CHARACTER_WIDTH = 6.7;
const LINE_HEIGHT = 15;
const PADDING = 10;
const TITLE_HEIGHT = 22;

const OPTIONS = {
  'elk.direction': 'DOWN',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '36',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.edgeLabels.inline': 'false',
};

/** The lines inside a box, as the page prints them. */
const linesOf = (state: DrawnState): string[] => [
  ...state.arrivals.map((words) => `⇥ ${words}`),
  ...(state.entry.length > 0 ? [`entry / ${state.entry.join(', ')}`] : []),
  ...(state.exit.length > 0 ? [`exit / ${state.exit.join(', ')}`] : []),
];

const textWidth = (text: string): number => text.length * CHARACTER_WIDTH;

/** The chain of states from the root down to one, itself included. */
function pathTo(id: string, drawing: ChartDrawing): string[] {
  const state = drawing.states.find((one) => one.id === id);
  return state ? [...(state.parent === null ? [] : pathTo(state.parent, drawing)), id] : [];
}

/**
 * No arrow runs between two of its children, nor from inside it to elsewhere: its children can be packed like boxes.
 * Laid out in layers they would stand in one endless row.
 */
function isLoose(id: string, drawing: ChartDrawing): boolean {
  const childOf = (of: string): string | undefined => {
    const path = pathTo(of, drawing);
    const at = path.indexOf(id);
    return at < 0 ? undefined : path[at + 1];
  };
  return drawing.edges.every(({ source, target }) => childOf(source) === childOf(target));
}

const LAYERS = { 'elk.algorithm': 'layered', 'elk.hierarchyHandling': 'INCLUDE_CHILDREN' };
const PACKED = {
  'elk.algorithm': 'rectpacking',
  'elk.hierarchyHandling': 'SEPARATE_CHILDREN',
  'elk.aspectRatio': '1.8',
  'elk.contentAlignment': 'H_CENTER V_CENTER',
};

function nodeOf(state: DrawnState, drawing: ChartDrawing, inPacked = false): ElkNode {
  const children = drawing.states.filter(({ parent }) => parent === state.id);
  const lines = linesOf(state);
  const width = Math.max(textWidth(state.key) + 24, ...lines.map(textWidth)) + 2 * PADDING;
  const top = TITLE_HEIGHT + lines.length * LINE_HEIGHT + PADDING;
  if (children.length === 0) return { id: state.id, width: Math.max(90, width), height: top };
  const loose = isLoose(state.id, drawing);
  const own = loose ? PACKED : inPacked ? { ...OPTIONS, ...LAYERS } : {};
  const options = {
    ...own,
    'elk.padding': `[top=${top + 8},left=18,bottom=18,right=18]`,
    'elk.nodeSize.constraints': 'MINIMUM_SIZE',
    'elk.nodeSize.minimum': `(${width},${top})`,
  };
  const inner = children.map((child) => nodeOf(child, drawing, loose));
  return { id: state.id, layoutOptions: options, children: inner, edges: ownEdges(state.id, drawing) };
}

/** ELK takes an edge at the innermost state that holds both of its ends. */
function ownEdges(id: string | null, drawing: ChartDrawing): ElkExtendedEdge[] {
  const holder = ({ source, target }: DrawnEdge): string | null => {
    const from = pathTo(source, drawing).slice(0, -1);
    const to = new Set(pathTo(target, drawing).slice(0, -1));
    return from.findLast((one) => to.has(one)) ?? null;
  };
  return drawing.edges.filter((edge) => holder(edge) === id).map(edgeOf);
}

function edgeOf(edge: DrawnEdge): ElkExtendedEdge {
  const lines = edge.ways.map(({ words }) => words);
  const width = Math.max(...lines.map(textWidth)) + 6;
  const label = { text: lines.join('\n'), width, height: lines.length * LINE_HEIGHT };
  return { id: edge.id, sources: [edge.source], targets: [edge.target], labels: [label] };
}

const boxOf = ({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box => ({ x, y, width, height });

async function place(drawing: ChartDrawing): Promise<ChartLayout> {
  const top = drawing.states.filter(({ parent }) => parent === null);
  const placed: ElkNode = await new Elk().layout({
    id: '',
    layoutOptions: { ...OPTIONS, ...LAYERS },
    children: top.map((state) => nodeOf(state, drawing)),
    edges: ownEdges(null, drawing),
  });
  const boxes = new Map<string, Box>();
  const ways = new Map<string, ElkExtendedEdge>();
  const walk = (node: ElkNode): void => {
    boxes.set(node.id, boxOf(node));
    for (const edge of node.edges ?? []) ways.set(edge.id, edge);
    for (const child of node.children ?? []) walk(child);
  };
  walk(placed);
  const { width, height } = boxOf(placed);
  return {
    width,
    height,
    states: drawing.states.map((state) => ({ ...state, ...(boxes.get(state.id) ?? boxOf({})) })),
    edges: drawing.edges.map((edge) => {
      const way = ways.get(edge.id);
      const label = way?.labels?.[0];
      return { ...edge, points: pointsOf(way), label: label ? boxOf(label) : null };
    }),
  };
}

function pointsOf(way: ElkExtendedEdge | undefined): Point[] {
  const [section] = way?.sections ?? [];
  if (!section) return [];
  return [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
}

parentPort?.postMessage(await place(workerData as ChartDrawing));
