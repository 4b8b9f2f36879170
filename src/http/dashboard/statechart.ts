/** A laid out statechart: what is active is lit, the step just taken runs along its arrow. Drag to move, wheel or two fingers to zoom. */
import type { ChartLayout } from '../../operator/chart-drawing.ts';
import { arrivalId, type Taken } from './chart-state.ts';
import { html, useEffect, useRef, useState, type VNode } from './ui.ts';

interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const MARGIN = 12;
/** Wider charts are shown in part at first. */
const LEGIBLE_PX = 1_500;
const LINE_PX = 15;
const TITLE_PX = 22;

const whole = ({ width, height }: ChartLayout): Window => ({
  x: -MARGIN,
  y: -MARGIN,
  width: width + 2 * MARGIN,
  height: height + 2 * MARGIN,
});

/** On the screen. */
interface Spot {
  readonly x: number;
  readonly y: number;
}

const apart = (a: Spot, b: Spot): number => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
const between = (a: Spot, b: Spot): Spot => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
const spotOf = ({ clientX, clientY }: MouseEvent): Spot => ({ x: clientX, y: clientY });

export interface Step {
  readonly lit: ReadonlySet<string>;
  readonly entered: ReadonlySet<string>;
  readonly left: ReadonlySet<string>;
  readonly taken: Taken;
  /** Another for each step, so that it runs again. */
  readonly key: string;
}

export function Statechart({ layout, step, name }: { layout: ChartLayout; step: Step; name: string }): VNode {
  const [view, setView] = useState<Window>(() => whole(layout));
  const frame = useRef<SVGSVGElement>(null);
  /** Pointers that are down: one drags, two zoom. */
  const held = useRef(new Map<number, Spot>());
  const isLit = step.lit.size > 0;
  const boxOf = () => frame.current?.getBoundingClientRect() ?? { width: 0, height: 0 };
  /** Whoever moved it by hand looks at what they want to see. */
  const isFree = useRef(false);
  // What is large is looked at where it happens, or nothing could be read.
  useEffect(
    () => setView(layout.width > LEGIBLE_PX ? around(layout, step.lit, boxOf()) : whole(layout)),
    [layout, isLit],
  );
  useEffect(() => {
    if (!isFree.current)
      setView((one) => (isInSight(one, layout, step.lit) ? one : around(layout, step.lit, boxOf())));
  }, [step.key]);
  const show = (there: Window, byHand: boolean): void => {
    isFree.current = byHand;
    setView(there);
  };
  const zoom = (factor: number, at?: Spot): void => {
    isFree.current = true;
    setView((one) => {
      const centre = at ?? { x: one.x + one.width / 2, y: one.y + one.height / 2 };
      return {
        x: centre.x - (centre.x - one.x) * factor,
        y: centre.y - (centre.y - one.y) * factor,
        width: one.width * factor,
        height: one.height * factor,
      };
    });
  };
  /** Chart pixels for each pixel of the screen. */
  const scale = (): number => {
    const box = frame.current?.getBoundingClientRect();
    return box ? Math.max(view.width / box.width, view.height / box.height) : 1;
  };
  const placeOf = (spot: Spot): Spot => {
    const box = frame.current?.getBoundingClientRect();
    if (!box) return { x: 0, y: 0 };
    const by = scale();
    return {
      x: view.x + view.width / 2 + (spot.x - box.left - box.width / 2) * by,
      y: view.y + view.height / 2 + (spot.y - box.top - box.height / 2) * by,
    };
  };
  const pan = (from: Spot, to: Spot): void => {
    const by = scale();
    isFree.current = true;
    setView((one) => ({ ...one, x: one.x - (to.x - from.x) * by, y: one.y - (to.y - from.y) * by }));
  };
  const move = (event: PointerEvent): void => {
    const from = held.current.get(event.pointerId);
    if (!from) return;
    const to = spotOf(event);
    const [other] = [...held.current].flatMap(([id, spot]) => (id === event.pointerId ? [] : [spot]));
    held.current.set(event.pointerId, to);
    if (!other) {
      pan(from, to);
      return;
    }
    zoom(apart(from, other) / apart(to, other), placeOf(between(from, other)));
    pan(between(from, other), between(to, other));
  };
  const letGo = (event: PointerEvent): void => {
    held.current.delete(event.pointerId);
  };
  return html`<div class="row">
      <button type="button" onClick=${() => zoom(0.8)} aria-label="Zoom in">+</button>
      <button type="button" onClick=${() => zoom(1.25)} aria-label="Zoom out">−</button>
      <button type="button" onClick=${() => show(whole(layout), true)}>Whole chart</button>
      <button type="button" onClick=${() => show(around(layout, step.lit, boxOf()), false)}>Where it is</button>
    </div>
    <div class="statechart">
      <svg
        ref=${frame}
        viewBox=${`${view.x} ${view.y} ${view.width} ${view.height}`}
        role="img"
        aria-label=${`Statechart of ${name}; active: ${[...step.lit].join(', ')}`}
        onWheel=${(event: WheelEvent) => {
          event.preventDefault();
          zoom(event.deltaY > 0 ? 1.15 : 0.87, placeOf(spotOf(event)));
        }}
        onPointerDown=${(event: PointerEvent) => {
          held.current.set(event.pointerId, spotOf(event));
          (event.currentTarget as Element).setPointerCapture(event.pointerId);
        }}
        onPointerMove=${move}
        onPointerUp=${letGo}
        onPointerCancel=${letGo}
      >
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path d="M0 0L8 4L0 8z" fill="currentColor" />
          </marker>
        </defs>
        ${layout.states.map((state) => html`<${State} key=${`${state.id} ${step.entered.has(state.id) || step.left.has(state.id) ? step.key : ''}`} state=${state} step=${step} />`)}
        ${layout.edges.map((edge) => html`<${Edge} key=${`${edge.id} ${step.taken.edges.has(edge.id) ? step.key : ''}`} edge=${edge} taken=${step.taken.edges.has(edge.id)} />`)}
      </svg>
    </div>`;
}

const litLeaves = (layout: ChartLayout, lit: ReadonlySet<string>): ChartLayout['states'] =>
  layout.states.filter(({ id, kind }) => lit.has(id) && (kind === 'atomic' || kind === 'final'));

/** Of several at once one is enough. */
const isInSight = (view: Window, layout: ChartLayout, lit: ReadonlySet<string>): boolean => {
  const leaves = litLeaves(layout, lit);
  return (
    leaves.length === 0 ||
    leaves.some(
      (box) =>
        box.x >= view.x &&
        box.y >= view.y &&
        box.x + box.width <= view.x + view.width &&
        box.y + box.height <= view.y + view.height,
    )
  );
};

/** No state is drawn larger than this many times its size: one alone shows where it stands. */
const LARGEST = 1.6;
/** And a small chart is still looked at from nearer than as a whole. */
const NEARER = 0.8;

/** The lit leaves, with room around them. */
function around(
  layout: ChartLayout,
  lit: ReadonlySet<string>,
  screen: { readonly width: number; readonly height: number },
): Window {
  const leaves = litLeaves(layout, lit);
  if (leaves.length === 0) return whole(layout);
  const x = Math.min(...leaves.map((box) => box.x)) - 120;
  const y = Math.min(...leaves.map((box) => box.y)) - 90;
  const right = Math.max(...leaves.map((box) => box.x + box.width)) + 120;
  const bottom = Math.max(...leaves.map((box) => box.y + box.height)) + 90;
  const all = whole(layout);
  const width = Math.max(right - x, Math.min(screen.width / LARGEST, all.width * NEARER));
  const height = Math.max(bottom - y, Math.min(screen.height / LARGEST, all.height * NEARER));
  return { x: (x + right - width) / 2, y: (y + bottom - height) / 2, width, height };
}

function State({ state, step }: { state: ChartLayout['states'][number]; step: Step }): VNode {
  const { id, key, kind, x, y, width, height, isInitial, arrivals, entry, exit, inside } = state;
  const holds = kind === 'compound' || kind === 'parallel';
  const classes = [
    'state',
    holds && 'compound',
    kind === 'final' && 'final',
    step.lit.has(id) && 'lit',
    step.entered.has(id) && 'entered',
    step.left.has(id) && 'left',
  ];
  const lines = [
    ...arrivals.map((words) => [`⇥ ${words}`, step.taken.arrivals.has(arrivalId(id, words))] as const),
    ...(entry.length > 0 ? [[`entry / ${entry.join(', ')}`, false] as const] : []),
    ...(exit.length > 0 ? [[`exit / ${exit.join(', ')}`, false] as const] : []),
  ];
  const told = inside.length > 0 ? `${id}\nstays on:\n${inside.join('\n')}` : id;
  return html`<g>
    <title>${told}</title>
    <rect class=${classes.filter(Boolean).join(' ')} x=${x} y=${y} width=${width} height=${height} rx="7" />
    ${isInitial && html`<circle cx=${x + 9} cy=${y + 12} r="3.5" fill="currentColor" />`}
    <text class="key" x=${x + (isInitial ? 18 : 10)} y=${y + 16}>${key}${kind === 'parallel' ? ' ∥' : ''}</text>
    ${lines.map(([words, taken], index) => html`<text class=${taken ? 'arrival taken' : 'quiet'} x=${x + 10} y=${y + TITLE_PX + LINE_PX * index + 10}>${words}</text>`)}
  </g>`;
}

function Edge({ edge, taken }: { edge: ChartLayout['edges'][number]; taken: boolean }): VNode {
  const { points, label, ways } = edge;
  const path = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  const told = ways.map((way) => [way.words, way.actions.join(', ')].filter(Boolean).join(' / ')).join('\n');
  return html`<g>
    <title>${told}</title>
    <path class=${taken ? 'edge taken' : 'edge'} d=${path} marker-end="url(#tip)" />
    ${label && ways.map((way, index) => html`<text class=${taken ? 'edge taken' : 'edge'} x=${label.x + 3} y=${label.y + 11 + LINE_PX * index}>${way.words}</text>`)}
  </g>`;
}
