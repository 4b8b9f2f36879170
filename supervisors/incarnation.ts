/**
 * One life of a child, from its start to its one end.
 *
 * Invariants: it ends once; from then on its context does nothing, its name is free and its watchers have been
 * told; every start and every stop is answered exactly once; all the child's code runs inside try/catch and in
 * the child's own name, and none of it can keep a stop from being answered once the grace is over.
 */
import type { TimerHandle } from '../src/core/clock.ts';
import { type Owner, runAs } from './attribution.ts';
import type { ChildContext, ChildHandle, ChildSpec, Shutdown, StartResult } from './child-spec.ts';
import {
  type ChildRef,
  type ExitReason,
  isAbnormal,
  killed,
  Termination,
  type Watch,
  type Watcher,
} from './exit.ts';
import type { Holder } from './registry.ts';
import type { Tree, TreeEvent } from './tree.ts';

export type StartOutcome =
  | { readonly kind: 'started'; readonly ref: ChildRef; readonly handle: ChildHandle }
  /** The child found that it had nothing to do. */
  | { readonly kind: 'ignored' }
  /** Its id or its name belongs to this living child. */
  | { readonly kind: 'already_started'; readonly ref: ChildRef }
  | { readonly kind: 'failed'; readonly error: unknown };

type Phase = 'new' | 'starting' | 'running' | 'stopping' | 'ended';
type Event = TreeEvent extends infer E
  ? E extends TreeEvent
    ? Omit<E, 'id' | 'path' | 'incarnation'>
    : never
  : never;

interface End {
  /** The child does not know yet: its handle must be killed. */
  readonly drop?: boolean;
  /** Its supervisor wanted it so. */
  readonly asked?: boolean;
  readonly ignored?: boolean;
}

export interface IncarnationOptions {
  readonly spec: ChildSpec;
  readonly path: string;
  readonly tree: Tree;
  readonly previousExit: ExitReason | undefined;
  /** Told of every end; `byItself` when it had been running and nobody had asked it to end. */
  readonly onEnd: (reason: ExitReason, byItself: boolean) => void;
}

export class Incarnation implements ChildRef, Owner, Holder {
  readonly id: string;
  readonly path: string;
  readonly incarnation: number;
  readonly #options: IncarnationOptions;
  readonly #termination: Termination;
  #phase: Phase = 'new';
  #handle: ChildHandle | undefined;
  #timer: TimerHandle | undefined;
  #answerStart: ((outcome: StartOutcome) => void) | undefined;
  #answerStop: (() => void)[] = [];

  constructor(options: IncarnationOptions) {
    this.#options = options;
    this.id = options.spec.id;
    this.path = options.path;
    this.incarnation = options.tree.nextIncarnation();
    this.#termination = new Termination(options.tree.time.timers);
  }

  get ref(): ChildRef {
    return this;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** While starting, only what the child announced. */
  handle(): ChildHandle | undefined {
    return this.#handle;
  }

  isAlive(): boolean {
    return this.#phase !== 'ended';
  }

  watch(watcher: Watcher): Watch {
    return this.#termination.watch(watcher);
  }

  start(answer: (outcome: StartOutcome) => void): void {
    const { spec, tree } = this.#options;
    const holder = spec.name === undefined ? undefined : tree.registry.whereis(spec.name);
    if (holder !== undefined) {
      this.#phase = 'ended';
      answer({ kind: 'already_started', ref: holder });
      return;
    }
    if (spec.name !== undefined) tree.registry.claim(spec.name, this);
    this.#phase = 'starting';
    this.#answerStart = answer;
    try {
      const result = runAs(this, () => spec.start(this.#context()));
      if (isPromise(result)) this.#awaitStart(result);
      else this.#begun(result);
    } catch (error) {
      this.#end({ error });
    }
  }

  /** Asks it to end and answers when it has; past the grace it is killed. */
  stop(reason: ExitReason, shutdown: Shutdown, answer: () => void): void {
    if (this.#phase === 'ended') {
      answer();
      return;
    }
    this.#answerStop.push(answer);
    if (shutdown === 'brutal') {
      this.kill('killed by its supervisor');
    } else if (this.#phase === 'starting' && this.#handle === undefined) {
      this.kill('stopped while starting');
    } else if (this.#phase !== 'stopping') {
      this.#timer?.cancel();
      this.#phase = 'stopping';
      this.#askToStop(reason, shutdown);
    }
  }

  kill(why: string): void {
    this.#end(killed(why), { drop: true, asked: true });
  }

  crash(error: unknown): void {
    if (this.#phase === 'ended') {
      this.#report({ type: 'stray-error', error });
      return;
    }
    this.#end({ error }, { drop: true });
  }

  #context(): ChildContext {
    const { tree, previousExit } = this.#options;
    return {
      id: this.id,
      path: this.path,
      incarnation: this.incarnation,
      previousExit,
      tree,
      exit: (reason) => this.#end(reason),
      isAlive: () => this.isAlive(),
      announce: (handle) => {
        if (this.#phase === 'starting') this.#handle = handle;
        else if (this.#phase === 'ended') this.#quietly(() => handle.kill());
      },
      guard: (callback) => {
        return (...args) => {
          if (!this.isAlive()) return;
          try {
            runAs(this, () => callback(...args));
          } catch (error) {
            this.crash(error);
          }
        };
      },
    };
  }

  #awaitStart(result: Promise<StartResult>): void {
    const { spec, tree } = this.#options;
    const limitMs = spec.startWithinMs;
    if (limitMs !== undefined) {
      this.#timer = tree.time.timers.set(limitMs, () =>
        this.#end(killed(`did not start within ${limitMs} ms`)),
      );
    }
    result.then(
      (started) => this.#begun(started),
      // Too late it means nothing: the start was given up already.
      (error: unknown) => {
        if (this.#phase === 'starting') this.#end({ error });
      },
    );
  }

  #begun(result: StartResult): void {
    if (this.#phase !== 'starting') {
      // It ended, or was given up, before its start was through: what came of the start must not live on.
      const isKnown = result === this.#handle;
      if (result !== 'ignore' && !isKnown) this.#quietly(() => result.kill());
      return;
    }
    if (result === 'ignore') {
      this.#end('normal', { ignored: true });
      return;
    }
    if (typeof result?.stop !== 'function' || typeof result.kill !== 'function') {
      this.#end({ error: new TypeError(`child ${this.path}: start returned no handle`) });
      return;
    }
    this.#timer?.cancel();
    this.#handle = result;
    this.#report({ type: 'started' });
    // A listener may have ended it: then the start has failed and was answered so.
    if (!this.isAlive()) return;
    this.#phase = 'running';
    this.#takeStartAnswer()?.({ kind: 'started', ref: this, handle: result });
  }

  #askToStop(reason: ExitReason, shutdown: Exclude<Shutdown, 'brutal'>): void {
    try {
      const result = runAs(this, () => this.#handle?.stop(reason));
      if (!isPromise(result)) {
        this.#end(reason);
        return;
      }
      if (shutdown !== 'infinity' && this.isAlive()) {
        const { graceMs } = shutdown;
        const giveUp = (): void => this.kill(`did not stop within ${graceMs} ms`);
        this.#timer = this.#options.tree.time.timers.set(graceMs, giveUp);
      }
      result.then(
        () => this.#end(reason),
        (error: unknown) => this.crash(error),
      );
    } catch (error) {
      this.crash(error);
    }
  }

  #end(reason: ExitReason, how: End = {}): void {
    const before = this.#phase;
    if (before === 'ended') return;
    // First of all: whatever the child does while it is dropped, it is dead already.
    this.#phase = 'ended';
    this.#timer?.cancel();
    const handle = this.#handle;
    const isUnwanted = how.drop || before === 'starting';
    if (isUnwanted && handle !== undefined) this.#quietly(() => handle.kill());
    const { spec, tree, onEnd } = this.#options;
    if (spec.name !== undefined) tree.registry.free(spec.name, this);
    const outcome = how.ignored ? ({ kind: 'ignored' } as const) : this.#outcomeOf(reason);
    this.#report(eventOf(before, reason, outcome, how.asked === true));
    const stray = (error: unknown): void => this.#report({ type: 'stray-error', error });
    const { id, path, incarnation } = this;
    this.#termination.conclude({ id, path, incarnation, reason }, stray);
    onEnd(reason, before === 'running' && !how.asked);
    this.#takeStartAnswer()?.(outcome);
    const answers = this.#answerStop;
    this.#answerStop = [];
    for (const answer of answers) answer();
  }

  /** What an end means while starting: a clean one of a child that need not run is no failure. */
  #outcomeOf(reason: ExitReason): StartOutcome {
    if (isAbnormal(reason)) return { kind: 'failed', error: reason.error };
    if (this.#options.spec.restart !== 'permanent') return { kind: 'ignored' };
    return { kind: 'failed', error: new Error(`ended (${reason}) while starting`) };
  }

  #takeStartAnswer(): ((outcome: StartOutcome) => void) | undefined {
    const answer = this.#answerStart;
    this.#answerStart = undefined;
    return answer;
  }

  #quietly(work: () => void): void {
    try {
      runAs(this, work);
    } catch (error) {
      this.#report({ type: 'stray-error', error });
    }
  }

  #report(event: Event): void {
    const { id, path, incarnation } = this;
    this.#options.tree.report({ ...event, id, path, incarnation } as TreeEvent);
  }
}

function eventOf(before: Phase, reason: ExitReason, outcome: StartOutcome, wasKilled: boolean): Event {
  if (before === 'starting')
    return outcome.kind === 'failed' ? { type: 'start-failed', reason } : { type: 'ignored' };
  if (wasKilled) return { type: 'killed' };
  return before === 'stopping' && !isAbnormal(reason) ? { type: 'stopped' } : { type: 'exited', reason };
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
