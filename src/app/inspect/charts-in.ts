/**
 * The statecharts that a module exports, whichever way: XState machines, machine definitions and lists of them,
 * functions that make a definition of nothing (`createPositionMachine`), and strategies, which a scanner hosts.
 *
 * Invariant: what an author's module holds is looked at by its shape alone; nothing else of it is called.
 */
import type { MachineDefinition } from '../../../machines/definition.ts';
import { createScannerMachine } from '../../../machines/scanner.ts';
import type { Strategy } from '../../domain/signal.ts';
import { type ChartNode, drawingOf, eventsOf } from '../../operator/chart-drawing.ts';
import type { MachineChart } from '../../operator/views.ts';

export interface Loaded {
  readonly charts: readonly MachineChart[];
  /** Why there are none. */
  readonly error: string | null;
  /** What was read, or tried. */
  readonly files: readonly string[];
}

type Drawable = Pick<MachineDefinition, 'type' | 'version'> & {
  readonly machine: { readonly root: ChartNode };
};

export const chartsIn = (module: object): MachineChart[] =>
  Object.entries(module).flatMap(([name, value]) => drawablesIn(name, value).map(chartOf));

function drawablesIn(name: string, value: unknown): Drawable[] {
  if (Array.isArray(value)) return value.flatMap((one) => drawablesIn(name, one));
  if (typeof value === 'function')
    return /^create\w*Machine$/.test(name) && value.length === 0 ? drawablesIn(name, value()) : [];
  if (typeof value !== 'object' || value === null) return [];
  if (isDefinition(value)) return [value];
  if (isMachine(value)) return [{ type: value.root.key, version: 1, machine: value }];
  return isStrategy(value) ? drawablesIn(name, createScannerMachine(value)) : [];
}

function chartOf({ type, version, machine: { root } }: Drawable): MachineChart {
  return { type, version, events: eventsOf(root), drawing: drawingOf(root) };
}

const isMachine = (value: object): value is Drawable['machine'] => {
  const { root } = value as { root?: Partial<ChartNode> };
  return typeof root === 'object' && typeof root.id === 'string' && root.transitions instanceof Map;
};

const isDefinition = (value: object): value is Drawable => {
  const { type, machine } = value as { type?: unknown; machine?: unknown };
  return typeof type === 'string' && typeof machine === 'object' && machine !== null && isMachine(machine);
};

const isStrategy = (value: object): value is Strategy => {
  const { name, initial, step } = value as { [field: string]: unknown };
  return typeof name === 'string' && typeof initial === 'function' && typeof step === 'function';
};
