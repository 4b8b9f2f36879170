/**
 * A registered machine: its statechart, its version, and how snapshots of older versions become this one's.
 *
 * Rules for machines: no invoke, no spawn, no promise, no clock, no dice, no I/O; context is plain JSON with
 * decimal strings; guards are total; effects leave only as `emit`ted intents; every event carries `at`.
 */
import type { AnyStateMachine } from 'xstate';
import type { Json } from '../src/core/json.ts';

/** A persisted XState snapshot, as parsed from its row. */
export type PersistedSnapshot = { readonly [key: string]: Json };

/** A migration that only gives the context what is new in it, or changed; the states are what they were. */
export const carry =
  (news: (context: { readonly [key: string]: Json }) => object) =>
  (snapshot: PersistedSnapshot): PersistedSnapshot => {
    const context = snapshot.context as { readonly [key: string]: Json };
    return { ...snapshot, context: { ...context, ...(news(context) as { readonly [key: string]: Json }) } };
  };

/** Parallel regions that a state has now and had not: whoever stands in it stands in their first states. */
export const enterRegions =
  (state: string, regions: { readonly [region: string]: string }) =>
  (snapshot: PersistedSnapshot): PersistedSnapshot => {
    const { value } = snapshot;
    const inside = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
    const known = (inside as { readonly [key: string]: Json })[state];
    if (typeof known !== 'object' || known === null) return snapshot;
    return { ...snapshot, value: { ...inside, [state]: { ...regions, ...known } } };
  };

export interface MachineDefinition {
  /** The first part of its actors' ids. */
  readonly type: string;
  readonly version: number;
  readonly machine: AnyStateMachine;
  /** migrations[v] turns a snapshot of version v into one of version v + 1. */
  readonly migrations: Readonly<Record<number, (snapshot: PersistedSnapshot) => PersistedSnapshot>>;
}
