/** A statechart as data: what a page needs to draw it, with the names of guards, actions and delays. Pure. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { MachineDefinition } from '../machines/definition.ts';

export interface ChartTransition {
  /** The event's type, "always", or "after DELAY". */
  readonly event: string;
  /** Ids of the states it leads to; empty: it stays. */
  readonly targets: readonly string[];
  readonly guard: string | null;
  readonly actions: readonly string[];
  readonly reenter: boolean;
}

export interface ChartNode {
  readonly id: string;
  readonly key: string;
  readonly type: string;
  readonly initial: string | null;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly transitions: readonly ChartTransition[];
  readonly states: readonly ChartNode[];
}

export interface ChartDefinition {
  readonly type: string;
  readonly version: number;
  readonly root: ChartNode;
}

export const chartOf = ({ type, version, machine }: MachineDefinition): ChartDefinition => ({
  type,
  version,
  root: nodeOf((machine as AnyStateMachine).root),
});

interface Transition {
  readonly eventType: string;
  readonly target?: readonly AnyStateNode[] | undefined;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
  readonly reenter: boolean;
}

function nodeOf(node: AnyStateNode): ChartNode {
  const own = [...node.transitions.values()].flat() as unknown as Transition[];
  const always = (node.always ?? []) as unknown as Transition[];
  const initial = node.initial?.target[0]?.key ?? null;
  return {
    id: node.id,
    key: node.key,
    type: node.type,
    initial,
    entry: node.entry.map(nameOf),
    exit: node.exit.map(nameOf),
    transitions: [...own, ...always].map(transitionOf),
    states: Object.values(node.states).map((child) => nodeOf(child as AnyStateNode)),
  };
}

const transitionOf = ({ eventType, target, guard, actions, reenter }: Transition): ChartTransition => ({
  event: eventName(eventType),
  targets: (target ?? []).map(({ id }) => id),
  guard: guard === undefined ? null : guardName(guard),
  actions: actions.map(nameOf),
  reenter,
});

/** "xstate.after.coolDown.entry.coolingDown" is "after coolDown". */
function eventName(type: string): string {
  const after = /^xstate\.after\.([^.]+)\./.exec(type);
  return after ? `after ${after[1]}` : type === '' ? 'always' : type;
}

const nameOf = (action: unknown): string =>
  typeof action === 'string' ? action : String((action as { type?: unknown }).type ?? 'inline');

function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  const { type, params } = guard as { type?: unknown; params?: Readonly<Record<string, unknown>> };
  const words = Object.values(params ?? {}).map(String);
  return words.length === 0 ? String(type ?? 'inline') : `${String(type)} ${words.join(' ')}`;
}
