/**
 * The supervisor of a fixed, ordered set of children: one_for_one, one_for_all, rest_for_one.
 *
 * Invariants: one job at a time (a start, a restart, a stop, a call), in the order they came in; a shutdown
 * goes before all that waits and interrupts a start; children start in order and stop in reverse; synchronous
 * children are handled within the caller's turn. It runs no user code but start, stop, kill and describe.
 */
import { assert, defined } from '../src/core/assert.ts';
import type { Child } from './child.ts';
import type { ChildHandle } from './child-handle.ts';
import {
  type ChildContext,
  type ChildSpec,
  checkChildSpec,
  checkSupervisorSpec,
  type Restart,
  type Shutdown,
  type SupervisorSpec,
} from './child-spec.ts';
import type { ExitReason } from './exit.ts';
import type { StartOutcome } from './incarnation.ts';
import { affected, shouldRestart } from './restart-policy.ts';
import { drive, type Steps, soon } from './steps.ts';
import { SupervisorBase, type SupervisorHost } from './supervisor-base.ts';
import type { Tree } from './tree.ts';

interface Job {
  readonly steps: () => Steps;
  /** Answers whoever waits for a job that will not be done any more. */
  readonly drop?: () => void;
}

export class Supervisor extends SupervisorBase {
  readonly #spec: SupervisorSpec;
  #children: Child[];
  #inbox: Job[] = [];
  #current: Job | undefined;
  #isAbandoned = false;

  constructor(spec: SupervisorSpec, tree: Tree, host: SupervisorHost) {
    checkSupervisorSpec(spec);
    super(spec.id, spec.strategy, spec, tree, host);
    this.#spec = spec;
    this.#children = spec.children.map((child) => this.makeChild(child));
  }

  /** Starts the children in order. When one fails, those before it are stopped again and the start fails. */
  start(): Promise<void> | void {
    assert(this.phase === 'new', `supervisor ${this.id} was started twice`);
    this.phase = 'starting';
    const stopped = new Error(`supervisor ${this.id} was stopped while starting`);
    const result = this.#call<Error | undefined>(() => this.#startAll(stopped), stopped);
    const fail = (error: Error | undefined): void => {
      if (error !== undefined) throw error;
    };
    return result instanceof Promise ? result.then(fail) : fail(result);
  }

  /** Adds a child behind the others and starts it; a child whose start fails is not added. */
  startChild(spec: ChildSpec): StartOutcome | Promise<StartOutcome> {
    checkChildSpec(spec, this.id, this.#spec.autoShutdown ?? 'never');
    return this.#ask(() => this.#addChild(spec));
  }

  /** Starts a child that has ended and was kept: a finished transient one, say. */
  restartChild(id: string): StartOutcome | Promise<StartOutcome> {
    return this.#ask(() => this.#restartChild(id));
  }

  /** Stops a child and keeps its spec (a temporary one is forgotten). False: there is no such child. */
  terminateChild(id: string): boolean | Promise<boolean> {
    return this.#call(() => this.#terminateChild(id), false);
  }

  /** Forgets a child that is not running. False: there is none, or it runs. */
  deleteChild(id: string): boolean | Promise<boolean> {
    return this.#call(() => this.#deleteChild(id), false);
  }

  protected kids(): readonly Child[] {
    return this.#children;
  }

  protected beginStop(): void {
    this.#dropInbox();
    this.#post({ steps: () => this.#shutDown() });
    // A start in progress may never end; giving it up lets the shutdown have its turn.
    const starting = this.#children.find(({ isStarting }) => isStarting);
    starting?.stop('shutdown', starting.spec.shutdown, () => {});
  }

  protected abandon(): void {
    this.#isAbandoned = true;
    this.#dropInbox();
    this.#current?.drop?.();
  }

  protected onExit(child: Child, incarnation: number, reason: ExitReason): void {
    this.#post({ steps: () => this.#react(child, incarnation, reason) });
  }

  // Jobs.

  #post(job: Job): void {
    this.#inbox.push(job);
    this.#pump();
  }

  #pump(): void {
    while (this.#current === undefined && !this.#isAbandoned) {
      const job = this.#inbox.shift();
      if (job === undefined) return;
      this.#current = job;
      // A job that ends at once leaves the next one to this loop.
      let isLooping = true;
      drive(
        job.steps(),
        () => this.#isAbandoned,
        () => {
          this.#current = undefined;
          if (!isLooping) this.#pump();
        },
      );
      isLooping = false;
    }
  }

  #dropInbox(): void {
    const dropped = this.#inbox;
    this.#inbox = [];
    for (const job of dropped) job.drop?.();
  }

  /** The job's result: at once when it could be done at once. */
  #call<T>(body: () => Steps<T>, dropped: T): T | Promise<T> {
    return soon((answer) => {
      const steps = function* (): Steps {
        answer(yield* body());
      };
      this.#post({ steps, drop: () => answer(dropped) });
    });
  }

  #ask(body: () => Steps<StartOutcome>): StartOutcome | Promise<StartOutcome> {
    const refusal = { kind: 'failed', error: new Error(`supervisor ${this.id} is not running`) } as const;
    return this.isRunning ? this.#call<StartOutcome>(body, refusal) : refusal;
  }

  // Steps.

  *#startAll(stopped: Error): Steps<Error | undefined> {
    for (const child of [...this.#children]) {
      const outcome = yield* this.#begin(child);
      if (this.isEnding) return stopped;
      const error = failureOf(outcome);
      if (error === undefined) continue;
      this.phase = 'stopping';
      yield* this.#endAll();
      this.finish();
      return new Error(`supervisor ${this.id}: child ${child.id} did not start`, { cause: error });
    }
    this.markRunning();
    return undefined;
  }

  *#begin(child: Child): Steps<StartOutcome> {
    let answer: StartOutcome | undefined;
    yield (resume) =>
      child.begin((outcome) => {
        answer = outcome;
        resume();
      });
    const outcome = defined(answer, `the outcome of starting ${child.id}`);
    if (outcome.kind === 'ignored' && child.spec.restart === 'temporary') this.#remove(child);
    return outcome;
  }

  *#end(child: Child): Steps {
    yield (resume) => child.stop('shutdown', child.spec.shutdown, resume);
    if (child.spec.restart === 'temporary') this.#remove(child);
  }

  *#endAll(): Steps {
    for (const child of this.#children.toReversed()) yield* this.#end(child);
  }

  *#shutDown(): Steps {
    yield* this.#endAll();
    this.finish();
  }

  *#react(child: Child, incarnation: number, reason: ExitReason): Steps {
    // Its siblings' restart, or a call, may have dealt with it meanwhile.
    if (this.isEnding || !child.takeExit(incarnation)) return;
    if (shouldRestart(child.spec.restart, reason)) {
      yield* this.#restart(child);
      return;
    }
    if (child.spec.restart === 'temporary') this.#remove(child);
    if (!this.#endsWith(child)) return;
    this.giveUp('auto-shutdown', child);
    yield* this.#endAll();
    this.leave();
  }

  /** Whether this child's own end is the end of the supervisor. */
  #endsWith(child: Child): boolean {
    const { autoShutdown = 'never' } = this.#spec;
    if (!child.spec.significant || autoShutdown === 'never') return false;
    if (autoShutdown === 'any_significant') return true;
    return !this.#children.some(({ spec, state }) => spec.significant === true && state !== 'stopped');
  }

  *#restart(child: Child): Steps {
    if (!this.window.tolerates(this.tree.time.monotonic.now())) {
      this.giveUp('escalated', child);
      yield* this.#endAll();
      this.leave();
      return;
    }
    for (const sibling of this.#scope(child).toReversed()) {
      if (sibling !== child) yield* this.#end(sibling);
    }
    if (this.isEnding) return;
    for (const member of this.#scope(child)) member.awaitRestart();
    const delayMs = child.nextDelayMs(this.limits.backoff);
    this.reportRestart(child, delayMs);
    if (delayMs > 0) child.retryIn(delayMs, () => this.#post({ steps: () => this.#bringUp(child) }));
    else yield* this.#bringUp(child);
  }

  *#bringUp(child: Child): Steps {
    if (this.isEnding || child.state !== 'restarting') return;
    for (const member of this.#scope(child)) {
      // Added while the restart was waiting for its time.
      if (member.isAlive()) continue;
      const outcome = yield* this.#begin(member);
      if (this.isEnding) return;
      if (failureOf(outcome) === undefined) continue;
      // By message and counted anew: a start that always fails escalates, and a shutdown is heard in between.
      member.retryIn(0, () => this.#post({ steps: () => this.#retry(member) }));
      return;
    }
  }

  *#retry(child: Child): Steps {
    if (!this.isEnding && child.state === 'restarting') yield* this.#restart(child);
  }

  #scope(child: Child): readonly Child[] {
    return affected(this.#spec.strategy, this.#children, child);
  }

  #remove(child: Child): void {
    this.#children = this.#children.filter((other) => other !== child);
  }

  *#addChild(spec: ChildSpec): Steps<StartOutcome> {
    const present = this.#find(spec.id);
    if (present !== undefined) return alreadyThere(present);
    const child = this.makeChild(spec);
    this.#children.push(child);
    const outcome = yield* this.#begin(child);
    if (failureOf(outcome) !== undefined) this.#remove(child);
    return outcome;
  }

  *#restartChild(id: string): Steps<StartOutcome> {
    const child = this.#find(id);
    if (child === undefined) return { kind: 'failed', error: new Error(`${this.id} has no child ${id}`) };
    return child.state === 'stopped' ? yield* this.#begin(child) : alreadyThere(child);
  }

  *#terminateChild(id: string): Steps<boolean> {
    const child = this.#find(id);
    if (child === undefined) return false;
    const { hasRetry } = child;
    yield* this.#end(child);
    // It carried the restart of its whole group: somebody else must, or the others would wait for ever.
    const heir = hasRetry ? this.#children.find((c) => c.state === 'restarting' && !c.hasRetry) : undefined;
    heir?.retryIn(0, () => this.#post({ steps: () => this.#bringUp(heir) }));
    return true;
  }

  // biome-ignore lint/correctness/useYield: a job like the others, so that it takes its turn
  *#deleteChild(id: string): Steps<boolean> {
    const child = this.#find(id);
    if (child === undefined || child.state !== 'stopped') return false;
    this.#remove(child);
    return true;
  }

  #find(id: string): Child | undefined {
    return this.#children.find((child) => child.id === id);
  }
}

function alreadyThere(child: Child): StartOutcome {
  const { ref } = child;
  if (ref !== undefined && child.isAlive()) return { kind: 'already_started', ref };
  return { kind: 'failed', error: new Error(`child ${child.id} is there already, ${child.state}`) };
}

export function failureOf(outcome: StartOutcome): unknown {
  if (outcome.kind === 'failed') return outcome.error ?? new Error('failed without an error');
  if (outcome.kind === 'already_started') return new Error(`already_started: ${outcome.ref.path}`);
  return undefined;
}

export interface SupervisorChildOptions {
  readonly restart?: Restart;
  readonly shutdown?: Shutdown;
  readonly significant?: boolean;
  /** By which `tree.registry` finds it. */
  readonly name?: string;
}

/** A supervisor as a child of another; its specs are checked now, not when it starts. */
export function supervisorChild(spec: SupervisorSpec, options: SupervisorChildOptions = {}): ChildSpec {
  checkSupervisorSpec(spec);
  return supervisorAsChild(spec.id, options, (context) => new Supervisor(spec, context.tree, context));
}

/** What supervisors of every kind are to the one above them. */
export function supervisorAsChild(
  id: string,
  options: SupervisorChildOptions,
  create: (context: ChildContext) => ChildHandle & { start(): Promise<void> | void },
): ChildSpec {
  return {
    restart: 'permanent',
    shutdown: 'infinity',
    ...options,
    id,
    type: 'supervisor',
    start: (context: ChildContext) => {
      const supervisor = create(context);
      context.announce(supervisor);
      const starting = supervisor.start();
      return starting === undefined ? supervisor : starting.then(() => supervisor);
    },
  };
}

/** The top of a tree; `onExit` is called when it gives up by itself, after everything below has ended. */
export function rootSupervisor(
  spec: SupervisorSpec,
  tree: Tree,
  onExit: (reason: ExitReason) => void = () => {},
): Supervisor {
  return new Supervisor(spec, tree, { path: spec.id, incarnation: 0, exit: onExit });
}
