/**
 * What every supervisor has in common: its phases, its one end, and how it reports itself.
 *
 * Invariants: a stop is answered once everything below has ended; a kill ends everything below, in reverse
 * start order, before it returns; a supervisor that ends by its own decision does so with reason 'shutdown'.
 */
import { type Owner, ownerOf, runAs } from './attribution.ts';
import { Child } from './child.ts';
import type { ChildDescription, ChildHandle, ChildSpec, RestartLimits } from './child-spec.ts';
import type { ChildRef, ExitReason } from './exit.ts';
import type { ChildCounts, Describable, TreeNode } from './introspection.ts';
import { countChildren } from './introspection.ts';
import { RestartWindow } from './restart-policy.ts';
import type { Tree } from './tree.ts';

/** Where a supervisor stands: a ChildContext, or the end of the program for the root. */
export interface SupervisorHost {
  readonly path: string;
  readonly incarnation: number;
  exit(reason: ExitReason): void;
}

export type SupervisorPhase = 'new' | 'starting' | 'running' | 'stopping' | 'stopped';

export abstract class SupervisorBase implements ChildHandle, Describable {
  readonly id: string;
  protected readonly tree: Tree;
  protected readonly limits: RestartLimits;
  protected readonly window: RestartWindow;
  protected phase: SupervisorPhase = 'new';
  readonly #host: SupervisorHost;
  readonly #label: string;
  /** Our own failures are ours, also when a child's last call is on the stack. */
  readonly #self: Owner | undefined = ownerOf();
  #stopAnswers: (() => void)[] = [];
  #startedAt = 0;
  #lastError: string | undefined;

  constructor(id: string, label: string, limits: RestartLimits, tree: Tree, host: SupervisorHost) {
    this.id = id;
    this.#label = label;
    this.limits = limits;
    this.tree = tree;
    this.#host = host;
    this.window = new RestartWindow(limits);
  }

  /** In start order. */
  protected abstract kids(): readonly Child[];
  /** Gives up what is in progress and ends all children, then calls `finish`. */
  protected abstract beginStop(): void;
  /** Forgets what is in progress and what waits: nothing of it may run any more. */
  protected abstract abandon(): void;
  protected abstract onExit(child: Child, incarnation: number, reason: ExitReason): void;

  get isRunning(): boolean {
    return this.phase === 'running';
  }

  protected get isEnding(): boolean {
    return this.phase === 'stopping' || this.phase === 'stopped';
  }

  stop(_reason: ExitReason = 'shutdown'): Promise<void> | void {
    if (this.phase === 'new') this.phase = 'stopped';
    if (this.phase === 'stopped') return;
    if (this.phase !== 'stopping') {
      this.phase = 'stopping';
      runAs(this.#self, () => this.beginStop());
    }
    if (this.#hasStopped()) return;
    return new Promise((resolve) => this.#stopAnswers.push(resolve));
  }

  kill(): void {
    if (this.#hasStopped()) return;
    this.phase = 'stopped';
    this.abandon();
    for (const child of this.kids().toReversed()) child.kill('killed with its supervisor');
    this.#answerStops();
  }

  describe(): ChildDescription {
    const children = this.kids().map((child) => child.node());
    const description = { state: this.#label, children };
    return this.#lastError === undefined ? description : { ...description, lastError: this.#lastError };
  }

  /** This supervisor as the root of what is below it. */
  node(): TreeNode {
    const { state, children, lastError } = this.describe();
    const { phase } = this;
    const isUp = phase === 'running' || phase === 'stopping';
    return {
      id: this.id,
      kind: 'supervisor',
      state: phase === 'new' ? 'stopped' : phase,
      status: state,
      restarts: 0,
      uptimeMs: isUp ? this.tree.time.monotonic.now() - this.#startedAt : 0,
      lastError,
      children: children ?? [],
    };
  }

  countChildren(): ChildCounts {
    return countChildren(this.node());
  }

  /** The living incarnation of that child. */
  child(id: string): ChildRef | undefined {
    const found = this.kids().find((child) => child.id === id);
    return found?.isAlive() ? found.ref : undefined;
  }

  protected makeChild(spec: ChildSpec): Child {
    return new Child({
      spec,
      path: `${this.#host.path} / ${spec.id}`,
      tree: this.tree,
      onExit: (child, incarnation, reason) =>
        runAs(this.#self, () => this.onExit(child, incarnation, reason)),
    });
  }

  protected markRunning(): void {
    this.phase = 'running';
    this.#startedAt = this.tree.time.monotonic.now();
  }

  /** Notes why it gives up; the caller then ends the children and calls `leave`. */
  protected giveUp(type: 'escalated' | 'auto-shutdown', child: Child): void {
    this.phase = 'stopping';
    if (type === 'escalated') {
      this.#lastError = `too many restarts, the last of ${child.id}: ${child.lastError ?? 'ended without an error'}`;
    }
    const { path, incarnation } = this.#host;
    this.tree.report({ type, id: this.id, path, incarnation, culprit: child.id });
  }

  /** All children have ended, as somebody asked. */
  protected finish(): void {
    this.phase = 'stopped';
    this.#answerStops();
  }

  /** All children have ended, by our own decision. */
  protected leave(): void {
    this.finish();
    this.#host.exit('shutdown');
  }

  protected reportRestart(child: Child, delayMs: number): void {
    const path = `${this.#host.path} / ${child.id}`;
    const incarnation = child.ref?.incarnation ?? 0;
    this.tree.report({
      ...{ type: 'restarting', id: child.id, path, incarnation },
      ...{ delayMs, supervisor: this.id },
    });
  }

  // A method, because the compiler cannot know that beginStop changes the phase.
  #hasStopped(): boolean {
    return this.phase === 'stopped';
  }

  #answerStops(): void {
    const answers = this.#stopAnswers;
    this.#stopAnswers = [];
    for (const answer of answers) answer();
  }
}
