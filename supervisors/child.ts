/**
 * A child as its supervisor keeps it: the spec, the present incarnation, and what must outlive incarnations
 * (counts, the last error, a pending restart).
 *
 * Invariant: at most one incarnation is alive, and at most one restart is pending, never both.
 */
import type { TimerHandle } from '../src/core/clock.ts';
import type { Random } from '../src/core/random.ts';
import type { Backoff, ChildDescription, ChildHandle, ChildSpec, Shutdown } from './child-spec.ts';
import { type ChildRef, type ExitReason, exitText, isAbnormal } from './exit.ts';
import { Incarnation, type StartOutcome } from './incarnation.ts';
import type { ChildState, TreeNode } from './introspection.ts';
import { backoffDelayMs, shouldRestart } from './restart-policy.ts';
import type { Tree } from './tree.ts';

export interface ChildOptions {
  readonly spec: ChildSpec;
  readonly path: string;
  readonly tree: Tree;
  /** Told when it ended by itself; the supervisor decides what follows. */
  readonly onExit: (child: Child, incarnation: number, reason: ExitReason) => void;
}

export class Child {
  readonly #options: ChildOptions;
  #incarnation: Incarnation | undefined;
  #startedAt = 0;
  /** How long the last incarnation ran before it ended by itself. */
  #ranMs = 0;
  #restarts = 0;
  /** Restarts in a row, none of which became stable. */
  #attempt = 0;
  #awaitsRestart = false;
  #exitPending = false;
  #retry: TimerHandle | undefined;
  #previousExit: ExitReason | undefined;
  #lastError: string | undefined;
  #random: Random | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  get spec(): ChildSpec {
    return this.#options.spec;
  }

  get id(): string {
    return this.#options.spec.id;
  }

  get ref(): ChildRef | undefined {
    return this.#incarnation;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  isAlive(): boolean {
    return this.#incarnation?.isAlive() ?? false;
  }

  /** The running incarnation's handle. */
  handle(): ChildHandle | undefined {
    return this.isAlive() ? this.#incarnation?.handle() : undefined;
  }

  get isStarting(): boolean {
    return this.#incarnation?.phase === 'starting';
  }

  get state(): ChildState {
    const phase = this.#incarnation?.phase;
    if (phase === 'running' || phase === 'stopping') return phase;
    if (phase === 'starting') return this.#awaitsRestart ? 'restarting' : 'starting';
    return this.#awaitsRestart ? 'restarting' : 'stopped';
  }

  begin(answer: (outcome: StartOutcome) => void): void {
    this.cancelRetry();
    this.#exitPending = false;
    const { spec, path, tree } = this.#options;
    const incarnation = new Incarnation({
      spec,
      path,
      tree,
      previousExit: this.#previousExit,
      onEnd: (reason, byItself) => this.#ended(incarnation, reason, byItself),
    });
    this.#incarnation = incarnation;
    if (this.#awaitsRestart) this.#restarts++;
    incarnation.start((outcome) => {
      this.#startedAt = tree.time.monotonic.now();
      if (outcome.kind === 'started' || outcome.kind === 'ignored') this.#awaitsRestart = false;
      if (outcome.kind === 'already_started') this.#lastError = `the name ${spec.name} is taken`;
      answer(outcome);
    });
  }

  stop(reason: ExitReason, shutdown: Shutdown, answer: () => void): void {
    this.#forgetRestart();
    if (this.#incarnation === undefined) answer();
    else this.#incarnation.stop(reason, shutdown, answer);
  }

  kill(why: string): void {
    this.#forgetRestart();
    this.#incarnation?.kill(why);
  }

  /** Whether this incarnation's own end has not been dealt with yet, by a restart or a stop. */
  takeExit(incarnation: number): boolean {
    const pending = this.#exitPending && this.#incarnation?.incarnation === incarnation;
    if (pending) this.#exitPending = false;
    return pending;
  }

  /** From here to its next start it counts as restarting. */
  awaitRestart(): void {
    this.cancelRetry();
    this.#awaitsRestart = true;
  }

  /** Calls back by message, so that the supervisor can hear of a shutdown in between. */
  retryIn(delayMs: number, fire: () => void): void {
    this.cancelRetry();
    this.#retry = this.#options.tree.time.timers.set(delayMs, () => {
      this.#retry = undefined;
      fire();
    });
  }

  get hasRetry(): boolean {
    return this.#retry !== undefined;
  }

  cancelRetry(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  /** The delay before the next restart in a row; the die is this child's own, whatever its siblings do. */
  nextDelayMs(backoff: Backoff | undefined): number {
    if (backoff === undefined) return 0;
    if (this.#ranMs >= backoff.stableMs) this.#attempt = 0;
    this.#ranMs = 0;
    const attempt = this.#attempt++;
    const { tree, path } = this.#options;
    this.#random ??= tree.random.fork(`backoff/${path}`);
    return backoffDelayMs(backoff, attempt, this.#random);
  }

  node(): TreeNode {
    const { spec, tree } = this.#options;
    const { state } = this;
    const description = describe(this.handle());
    const isUp = state === 'running' || state === 'stopping';
    return {
      id: spec.id,
      kind: spec.type,
      state,
      status: description?.state,
      restarts: this.#restarts,
      uptimeMs: isUp ? tree.time.monotonic.now() - this.#startedAt : 0,
      lastError: this.#lastError ?? description?.lastError,
      children: description?.children ?? [],
    };
  }

  #ended(incarnation: Incarnation, reason: ExitReason, byItself: boolean): void {
    this.#previousExit = reason;
    if (isAbnormal(reason)) {
      if (this.spec.shutdown !== 'brutal' || byItself) this.#lastError = exitText(reason);
    } else if (byItself) {
      // A supervisor that gave up exits with a mere 'shutdown'; its description tells why.
      this.#lastError = describe(incarnation.handle())?.lastError ?? this.#lastError;
    }
    if (!byItself) return;
    this.#exitPending = true;
    this.#ranMs = this.#options.tree.time.monotonic.now() - this.#startedAt;
    this.#awaitsRestart = shouldRestart(this.spec.restart, reason);
    this.#options.onExit(this, incarnation.incarnation, reason);
  }

  #forgetRestart(): void {
    this.cancelRetry();
    this.#awaitsRestart = false;
    this.#exitPending = false;
  }
}

function describe(handle: ChildHandle | undefined): ChildDescription | undefined {
  try {
    return handle?.describe();
  } catch (error) {
    return { state: 'unknown', lastError: `describe failed: ${exitText({ error })}` };
  }
}
