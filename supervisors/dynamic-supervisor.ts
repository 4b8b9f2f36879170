/**
 * The supervisor of any number of independent children that come and go (OTP's simple_one_for_one).
 *
 * Invariants: a synchronous child is live when startChild returns, also in the midst of another child's turn;
 * ids are unique among the living and the restarting; all children stop in parallel under one shared timer; a
 * child that has ended for good leaves nothing behind.
 */
import { assert } from '../src/core/assert.ts';
import type { Child } from './child.ts';
import {
  type ChildSpec,
  checkChildSpec,
  checkDynamicSpec,
  DEFAULT_GRACE_MS,
  DEFAULT_MAX_CHILDREN,
  type DynamicSupervisorSpec,
} from './child-spec.ts';
import type { ChildRef, ExitReason } from './exit.ts';
import type { StartOutcome } from './incarnation.ts';
import { shouldRestart } from './restart-policy.ts';
import { soon } from './steps.ts';
import { failureOf, type SupervisorChildOptions, supervisorAsChild } from './supervisor.ts';
import { SupervisorBase, type SupervisorHost } from './supervisor-base.ts';
import type { Tree } from './tree.ts';

export class DynamicSupervisor extends SupervisorBase {
  readonly #spec: DynamicSupervisorSpec;
  readonly #children = new Map<string, Child>();
  #exits: (() => void)[] = [];
  #isReacting = false;

  constructor(spec: DynamicSupervisorSpec, tree: Tree, host: SupervisorHost) {
    checkDynamicSpec(spec);
    super(spec.id, 'dynamic', spec, tree, host);
    this.#spec = spec;
  }

  get size(): number {
    return this.#children.size;
  }

  /** Starts the initial children; one that does not start is treated as one that crashed, and harms no other. */
  start(): Promise<void> | void {
    assert(this.phase === 'new', `supervisor ${this.id} was started twice`);
    this.phase = 'starting';
    const specs = this.#spec.initial?.() ?? [];
    checkInitial(specs, this.#spec);
    const pending: Promise<void>[] = [];
    for (const spec of specs) {
      if (this.isEnding) break;
      const started = this.#startInitial(spec);
      if (started !== undefined) pending.push(started);
    }
    const ready = (): void => {
      if (this.isEnding) throw new Error(`supervisor ${this.id} was stopped while starting`);
      this.markRunning();
    };
    return pending.length === 0 ? ready() : Promise.all(pending).then(ready);
  }

  /** A child whose start fails is not kept: the caller is told, and decides. */
  startChild(spec: ChildSpec): StartOutcome | Promise<StartOutcome> {
    checkChildSpec(spec, this.id, 'never');
    if (this.phase === 'new' || this.isEnding) return failed(`supervisor ${this.id} is not running`);
    const present = this.#children.get(spec.id);
    if (present !== undefined) return alreadyThere(present);
    const { maxChildren = DEFAULT_MAX_CHILDREN } = this.#spec;
    if (this.#children.size >= maxChildren) {
      return failed(`max_children: supervisor ${this.id} has ${maxChildren} children already`);
    }
    const child = this.#add(spec);
    return soon((answer) =>
      child.begin((outcome) => {
        if (outcome.kind !== 'started') this.#forget(child);
        answer(outcome);
      }),
    );
  }

  /** Stops a child for good, by its own grace. False: there is no such child. */
  terminateChild(id: string, reason: ExitReason = 'shutdown'): boolean | Promise<boolean> {
    const child = this.#children.get(id);
    if (child === undefined) return false;
    return soon((answer) =>
      child.stop(reason, child.spec.shutdown, () => {
        this.#forget(child);
        answer(true);
      }),
    );
  }

  override child(id: string): ChildRef | undefined {
    const child = this.#children.get(id);
    return child?.isAlive() ? child.ref : undefined;
  }

  /** The running child's handle. */
  handle(id: string): ReturnType<Child['handle']> {
    return this.#children.get(id)?.handle();
  }

  protected kids(): readonly Child[] {
    return [...this.#children.values()];
  }

  protected beginStop(): void {
    this.#endAll(() => this.finish());
  }

  protected abandon(): void {
    this.#exits = [];
  }

  protected onExit(child: Child, incarnation: number, reason: ExitReason): void {
    // A child that crashes within its own restart must not recurse.
    this.#exits.push(() => this.#react(child, incarnation, reason));
    if (this.#isReacting) return;
    this.#isReacting = true;
    try {
      for (let next = this.#exits.shift(); next !== undefined; next = this.#exits.shift()) next();
    } finally {
      this.#isReacting = false;
    }
  }

  #react(child: Child, incarnation: number, reason: ExitReason): void {
    if (this.isEnding || !child.takeExit(incarnation)) return;
    if (shouldRestart(child.spec.restart, reason)) this.#restart(child);
    else this.#forget(child);
  }

  #restart(child: Child): void {
    if (this.isEnding) return;
    if (!this.window.tolerates(this.tree.time.monotonic.now())) {
      this.giveUp('escalated', child);
      this.#endAll(() => this.leave());
      return;
    }
    child.awaitRestart();
    const delayMs = child.nextDelayMs(this.limits.backoff);
    this.reportRestart(child, delayMs);
    if (delayMs > 0) child.retryIn(delayMs, () => this.#bringUp(child));
    else this.#bringUp(child);
  }

  #bringUp(child: Child): void {
    child.begin((outcome) => {
      if (this.isEnding) return;
      if (outcome.kind === 'ignored') this.#forget(child);
      else if (failureOf(outcome) !== undefined) child.retryIn(0, () => this.#restart(child));
    });
  }

  #startInitial(spec: ChildSpec): Promise<void> | undefined {
    const child = this.#add(spec);
    const started = soon<void>((answer) =>
      child.begin((outcome) => {
        this.#startedInitial(child, outcome);
        answer();
      }),
    );
    return started instanceof Promise ? started : undefined;
  }

  #startedInitial(child: Child, outcome: StartOutcome): void {
    if (this.isEnding || outcome.kind === 'started') return;
    if (outcome.kind === 'ignored' || child.spec.restart === 'temporary') {
      this.#forget(child);
      return;
    }
    child.awaitRestart();
    child.retryIn(0, () => this.#restart(child));
  }

  #endAll(done: () => void): void {
    const children = this.kids().toReversed();
    const { shutdown = { graceMs: DEFAULT_GRACE_MS } } = this.#spec;
    let left = children.length;
    const finish = (): void => {
      this.#children.clear();
      done();
    };
    if (left === 0) {
      finish();
      return;
    }
    const overdue = (): void => {
      for (const child of children) child.kill('did not stop within the shared grace');
    };
    const timer =
      typeof shutdown === 'object' ? this.tree.time.timers.set(shutdown.graceMs, overdue) : undefined;
    const isBrutal = (child: Child): boolean => shutdown === 'brutal' || child.spec.shutdown === 'brutal';
    for (const child of children) {
      child.stop('shutdown', isBrutal(child) ? 'brutal' : 'infinity', () => {
        left--;
        if (left > 0) return;
        timer?.cancel();
        if (this.phase === 'stopping') finish();
      });
    }
  }

  #add(spec: ChildSpec): Child {
    const child = this.makeChild(spec);
    this.#children.set(spec.id, child);
    return child;
  }

  #forget(child: Child): void {
    if (this.#children.get(child.id) === child) this.#children.delete(child.id);
  }
}

function checkInitial(specs: readonly ChildSpec[], { id, maxChildren }: DynamicSupervisorSpec): void {
  const ids = new Set<string>();
  for (const spec of specs) {
    checkChildSpec(spec, id, 'never');
    assert(!ids.has(spec.id), `supervisor ${id}: two children are called ${spec.id}`);
    ids.add(spec.id);
  }
  assert(ids.size <= (maxChildren ?? DEFAULT_MAX_CHILDREN), `supervisor ${id}: too many initial children`);
}

const failed = (message: string): StartOutcome => ({ kind: 'failed', error: new Error(message) });

function alreadyThere(child: Child): StartOutcome {
  const { ref } = child;
  if (ref !== undefined && child.isAlive()) return { kind: 'already_started', ref };
  return failed(`child ${child.id} is there already, ${child.state}`);
}

/** A dynamic supervisor as a child; give it a name, and `tree.registry.get(name, DynamicSupervisor)` finds it. */
export function dynamicSupervisorChild(
  spec: DynamicSupervisorSpec,
  options: SupervisorChildOptions = {},
): ChildSpec {
  checkDynamicSpec(spec);
  return supervisorAsChild(spec.id, options, (context) => new DynamicSupervisor(spec, context.tree, context));
}
