/**
 * Child specifications: data, checked as a whole before anything starts, and the contract between a
 * supervisor and its child.
 *
 * A child promises: `start` returns when it is live; `stop` ends it gracefully (a plain return means it has
 * ended, a promise that it will have when that resolves); `kill` drops everything at once, synchronously;
 * `context.exit` is the last thing it does, because its successor may be started before that call returns.
 */
import { assert } from '../src/core/assert.ts';
import type { ChildHandle } from './child-handle.ts';
import type { ExitReason } from './exit.ts';
import type { Tree } from './tree.ts';

export type { ChildDescription, ChildHandle } from './child-handle.ts';

/** permanent: always restarted; transient: only after an abnormal end; temporary: never. */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** How long a child may take to stop before it is killed; 'brutal' kills at once. */
export type Shutdown = { readonly graceMs: number } | 'brutal' | 'infinity';

/** What a child is given at its start, valid for this one incarnation. */
export interface ChildContext {
  readonly id: string;
  readonly path: string;
  /** This incarnation's token: unique in the tree, ascending. */
  readonly incarnation: number;
  /** How the previous incarnation ended (or why its start failed), so that identical crashes can be counted. */
  readonly previousExit: ExitReason | undefined;
  readonly tree: Tree;
  /** Reports this incarnation's own end. Ignored when it has ended already. */
  exit(reason: ExitReason): void;
  /** False from the moment this incarnation ended: what it left behind must do nothing any more. */
  isAlive(): boolean;
  /**
   * For a start that takes its time: shows its handle before it is through. It is then described, stopped
   * gracefully, and killed when the start comes to nothing, so that half a start leaves nothing behind.
   */
  announce(handle: ChildHandle): void;
  /** For callbacks of timers, sockets, promises: does nothing once dead, and a throw crashes this child only. */
  guard<A extends unknown[]>(callback: (...args: A) => void): (...args: A) => void;
}

export type StartResult = ChildHandle | 'ignore';

export interface ChildSpec {
  /** Unique among its siblings. */
  readonly id: string;
  /** Unique among all living children of the tree, when given. */
  readonly name?: string;
  readonly restart: Restart;
  readonly shutdown: Shutdown;
  /** Its own end, when it is not restarted, may end the supervisor: see AutoShutdown. */
  readonly significant?: boolean;
  readonly type: 'worker' | 'supervisor';
  /** An asynchronous start that takes longer has failed. Default: no limit. */
  readonly startWithinMs?: number;
  readonly start: (context: ChildContext) => StartResult | Promise<StartResult>;
}

export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

/** Whether the end of one, or of the last, significant child ends the supervisor. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Default 2. */
  readonly factor?: number;
  /** Share of the delay that is left to the die, 0 to 1. Default 0.5. */
  readonly jitter?: number;
  /** A child that ran this long starts from initialMs again. */
  readonly stableMs: number;
}

export interface RestartLimits {
  /** Restarts tolerated within the period; one more escalates. Default 1. */
  readonly intensity?: number;
  /** Default 5,000. */
  readonly periodMs?: number;
  /** Default: restart at once. */
  readonly backoff?: Backoff;
}

export interface SupervisorSpec extends RestartLimits {
  readonly id: string;
  readonly strategy: Strategy;
  readonly autoShutdown?: AutoShutdown;
  /** In start order; stopped in reverse. */
  readonly children: readonly ChildSpec[];
}

export interface DynamicSupervisorSpec extends RestartLimits {
  readonly id: string;
  /** Starting more fails with 'max_children'. Default 100,000. */
  readonly maxChildren?: number;
  /** The one timer under which all children stop together. Default 5,000 ms. */
  readonly shutdown?: Shutdown;
  /** Started with the supervisor, at each of its starts: where durable children come back from the journal. */
  readonly initial?: () => readonly ChildSpec[];
}

export const DEFAULT_INTENSITY = 1;
export const DEFAULT_PERIOD_MS = 5_000;
export const DEFAULT_GRACE_MS = 5_000;
export const DEFAULT_MAX_CHILDREN = 100_000;

const isSpan = (value: number): boolean => Number.isFinite(value) && value >= 0;

export function checkChildSpec(spec: ChildSpec, supervisor: string, autoShutdown: AutoShutdown): void {
  assert(typeof spec.id === 'string' && spec.id !== '', `supervisor ${supervisor}: a child has no id`);
  const child = `supervisor ${supervisor}, child ${spec.id}`;
  assert(['permanent', 'transient', 'temporary'].includes(spec.restart), `${child}: unknown restart type`);
  assert(spec.type === 'worker' || spec.type === 'supervisor', `${child}: unknown type`);
  assert(typeof spec.start === 'function', `${child}: start is not a function`);
  assert(spec.name !== '', `${child}: the name is empty`);
  checkShutdown(spec.shutdown, child);
  if (spec.startWithinMs !== undefined) {
    assert(isSpan(spec.startWithinMs), `${child}: startWithinMs must be a finite number of at least 0`);
  }
  if (spec.significant) {
    assert(spec.restart !== 'permanent', `${child}: a permanent child cannot be significant`);
    assert(autoShutdown !== 'never', `${child}: significant, but autoShutdown is never`);
  }
}

function checkShutdown(shutdown: Shutdown, owner: string): void {
  if (shutdown === 'brutal' || shutdown === 'infinity') return;
  assert(
    typeof shutdown === 'object' && isSpan(shutdown.graceMs),
    `${owner}: shutdown must be 'brutal', 'infinity' or a graceMs of at least 0`,
  );
}

export function checkLimits(limits: RestartLimits, supervisor: string): void {
  const { intensity = DEFAULT_INTENSITY, periodMs = DEFAULT_PERIOD_MS, backoff } = limits;
  const where = `supervisor ${supervisor}`;
  assert(Number.isInteger(intensity) && intensity >= 0, `${where}: intensity must be a whole number ≥ 0`);
  assert(Number.isFinite(periodMs) && periodMs > 0, `${where}: periodMs must be a finite number above 0`);
  if (backoff === undefined) return;
  const { initialMs, maxMs, factor = 2, jitter = 0.5, stableMs } = backoff;
  assert(
    isSpan(initialMs) && isSpan(maxMs) && initialMs <= maxMs,
    `${where}: backoff needs 0 ≤ initialMs ≤ maxMs`,
  );
  assert(Number.isFinite(factor) && factor >= 1, `${where}: the backoff factor must be at least 1`);
  assert(jitter >= 0 && jitter <= 1, `${where}: the backoff jitter must be between 0 and 1`);
  assert(isSpan(stableMs), `${where}: the backoff's stableMs must be at least 0`);
}

/** Throws an AssertionError that names the supervisor and the child at fault. */
export function checkSupervisorSpec(spec: SupervisorSpec): void {
  assert(typeof spec.id === 'string' && spec.id !== '', 'a supervisor has no id');
  assert(
    ['one_for_one', 'one_for_all', 'rest_for_one'].includes(spec.strategy),
    `supervisor ${spec.id}: unknown strategy ${String(spec.strategy)}`,
  );
  const autoShutdown = spec.autoShutdown ?? 'never';
  assert(
    ['never', 'any_significant', 'all_significant'].includes(autoShutdown),
    `supervisor ${spec.id}: unknown autoShutdown ${String(autoShutdown)}`,
  );
  checkLimits(spec, spec.id);
  const ids = new Set<string>();
  for (const child of spec.children) {
    checkChildSpec(child, spec.id, autoShutdown);
    assert(!ids.has(child.id), `supervisor ${spec.id}: two children are called ${child.id}`);
    ids.add(child.id);
  }
}

export function checkDynamicSpec(spec: DynamicSupervisorSpec): void {
  assert(typeof spec.id === 'string' && spec.id !== '', 'a dynamic supervisor has no id');
  checkLimits(spec, spec.id);
  if (spec.shutdown !== undefined) checkShutdown(spec.shutdown, `supervisor ${spec.id}`);
  const { maxChildren = DEFAULT_MAX_CHILDREN } = spec;
  assert(
    Number.isInteger(maxChildren) && maxChildren > 0,
    `supervisor ${spec.id}: maxChildren must be a whole number above 0`,
  );
}
