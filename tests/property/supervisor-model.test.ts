/**
 * Supervisors against a reference model that is too simple to be wrong: an ordered list of children, and for
 * each event which of them are up, gone, or new.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Restart, Strategy } from '../../supervisors/child-spec.ts';
import { DynamicSupervisor } from '../../supervisors/dynamic-supervisor.ts';
import type { ExitReason } from '../../supervisors/exit.ts';
import { rootSupervisor, type Supervisor } from '../../supervisors/supervisor.ts';
import { ToyTree } from '../support/toy-tree.ts';

interface ModelChild {
  readonly id: string;
  readonly restart: Restart;
  up: boolean;
}

interface Model {
  readonly strategy: Strategy | 'dynamic';
  children: ModelChild[];
  /** Ids in the order in which starts were due. */
  started: string[];
  next: number;
}

interface Real {
  readonly toys: ToyTree;
  readonly supervisor: Supervisor | DynamicSupervisor;
  /** How many of the coming starts fail, over all children. */
  failures: number;
}

function modelScope(model: Model, child: ModelChild): ModelChild[] {
  const at = model.children.indexOf(child);
  if (model.strategy === 'one_for_all') return [...model.children];
  return model.strategy === 'rest_for_one' ? model.children.slice(at) : [child];
}

function modelExit(model: Model, child: ModelChild, isAbnormal: boolean): void {
  const restarts = child.restart === 'permanent' || (child.restart === 'transient' && isAbnormal);
  child.up = false;
  if (restarts) {
    const scope = modelScope(model, child);
    model.children = model.children.filter((c) => c.restart !== 'temporary' || !scope.includes(c));
    for (const member of scope.filter((c) => c.restart !== 'temporary')) {
      member.up = true;
      model.started.push(member.id);
    }
  } else if (child.restart === 'temporary' || model.strategy === 'dynamic') {
    model.children = model.children.filter((c) => c !== child);
  }
}

function agree(model: Model, real: Real, command?: object): void {
  if (command !== undefined)
    tally.set(command.constructor.name, (tally.get(command.constructor.name) ?? 0) + 1);
  const { toys, supervisor } = real;
  const starts = toys.takeLog().filter((line) => line.startsWith('start '));
  if (real.failures === 0) {
    assert.deepEqual(
      starts,
      model.started.map((id) => `start ${id}`),
    );
  }
  model.started = [];
  real.failures = 0;
  assert.deepEqual(
    supervisor.node().children.map(({ id, state }) => `${id} ${state}`),
    model.children.map(({ id, up }) => `${id} ${up ? 'running' : 'stopped'}`),
  );
  const up = model.children.filter((child) => child.up).map(({ id }) => id);
  assert.deepEqual(toys.live(), up.sort());
  assert.equal(toys.armedTimers(), 0);
}

const pick = (model: Model, index: number): ModelChild | undefined =>
  model.children[index % model.children.length];

class Exit implements fc.Command<Model, Real> {
  readonly #index: number;
  readonly #reason: 'normal' | 'shutdown' | 'error';
  readonly #failures: number;

  constructor(index: number, reason: 'normal' | 'shutdown' | 'error', failures: number) {
    this.#index = index;
    this.#reason = reason;
    this.#failures = failures;
  }

  check(model: Model): boolean {
    return pick(model, this.#index)?.up === true;
  }

  run(model: Model, real: Real): void {
    const child = pick(model, this.#index);
    assert.ok(child);
    real.failures = this.#failures;
    const failing = this.#failures;
    const reason: ExitReason = this.#reason === 'error' ? { error: new Error('boom') } : this.#reason;
    real.toys.exit(child.id, reason);
    // Each failed start is retried by message; all of them within this one moment.
    real.toys.time.advanceTo(real.toys.time.now());
    modelExit(model, child, this.#reason === 'error');
    real.failures = failing;
    agree(model, real, this);
  }

  toString(): string {
    return `Exit(${this.#index}, ${this.#reason}, ${this.#failures} failed starts)`;
  }
}

class Terminate implements fc.Command<Model, Real> {
  readonly #index: number;

  constructor(index: number) {
    this.#index = index;
  }

  check(model: Model): boolean {
    return model.children.length > 0;
  }

  run(model: Model, real: Real): void {
    const child = pick(model, this.#index);
    assert.ok(child);
    assert.equal(real.supervisor.terminateChild(child.id), true);
    child.up = false;
    if (child.restart === 'temporary' || model.strategy === 'dynamic') {
      model.children = model.children.filter((c) => c !== child);
    }
    agree(model, real, this);
  }

  toString(): string {
    return `Terminate(${this.#index})`;
  }
}

class Add implements fc.Command<Model, Real> {
  readonly #restart: Restart;

  constructor(restart: Restart) {
    this.#restart = restart;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    const child = { id: `n${model.next++}`, restart: this.#restart, up: true };
    const outcome = real.supervisor.startChild(spec(real, child));
    assert.ok(!(outcome instanceof Promise) && outcome.kind === 'started');
    model.children.push(child);
    model.started.push(child.id);
    agree(model, real, this);
  }

  toString(): string {
    return `Add(${this.#restart})`;
  }
}

class Revive implements fc.Command<Model, Real> {
  readonly #index: number;

  constructor(index: number) {
    this.#index = index;
  }

  check(model: Model): boolean {
    return model.strategy !== 'dynamic' && pick(model, this.#index)?.up === false;
  }

  run(model: Model, real: Real): void {
    const child = pick(model, this.#index);
    assert.ok(child && !(real.supervisor instanceof DynamicSupervisor));
    const outcome = real.supervisor.restartChild(child.id);
    assert.ok(!(outcome instanceof Promise) && outcome.kind === 'started');
    child.up = true;
    model.started.push(child.id);
    agree(model, real, this);
  }

  toString(): string {
    return `Revive(${this.#index})`;
  }
}

function spec(real: Real, child: ModelChild) {
  const onStart = (): void => {
    if (real.failures === 0) return;
    real.failures--;
    throw new Error('not yet');
  };
  return real.toys.spec(child.id, { restart: child.restart }, { onStart });
}

function setUp(strategy: Model['strategy'], restarts: readonly Restart[]): { model: Model; real: Real } {
  const children = restarts.map((restart, i) => ({ id: `c${i}`, restart, up: true }));
  const toys = new ToyTree();
  const limits = { intensity: 1_000_000, periodMs: 1 };
  const host = { path: 'sup', incarnation: 0, exit: () => assert.fail('the supervisor gave up') };
  const holder: { real?: Real } = {};
  const specs = children.map((child) =>
    toys.spec(
      child.id,
      { restart: child.restart },
      {
        onStart: () => {
          if (holder.real === undefined || holder.real.failures === 0) return;
          holder.real.failures--;
          throw new Error('not yet');
        },
      },
    ),
  );
  const supervisor =
    strategy === 'dynamic'
      ? new DynamicSupervisor({ id: 'sup', ...limits, initial: () => specs }, toys.tree, host)
      : rootSupervisor({ id: 'sup', strategy, ...limits, children: specs }, toys.tree, host.exit);
  supervisor.start();
  const real: Real = { toys, supervisor, failures: 0 };
  holder.real = real;
  const model: Model = { strategy, children, started: children.map(({ id }) => id), next: 0 };
  agree(model, real);
  return { model, real };
}

/** How often each command really ran: a model test whose commands never apply proves nothing. */
const tally = new Map<string, number>();

const restart = fc.constantFrom<Restart>('permanent', 'transient', 'temporary');
const index = fc.nat({ max: 20 });
const commands = fc.commands(
  [
    fc
      .tuple(index, fc.constantFrom('normal', 'shutdown', 'error'), fc.constantFrom(0, 0, 0, 1, 3))
      .map(([at, reason, failures]) => new Exit(at, reason, failures)),
    index.map((at) => new Terminate(at)),
    index.map((at) => new Revive(at)),
    restart.map((type) => new Add(type)),
  ],
  { maxCommands: 40, size: 'max' },
);

for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one', 'dynamic'] as const) {
  test(`properties 02 to 08 and 12: ${strategy} agrees with the reference model`, () => {
    tally.clear();
    fc.assert(
      fc.property(fc.array(restart, { maxLength: 6 }), commands, (restarts, list) => {
        fc.modelRun(() => setUp(strategy, restarts), list);
      }),
      { numRuns: 400, seed: 2026 },
    );
    for (const command of strategy === 'dynamic' ? [Exit, Terminate, Add] : [Exit, Terminate, Add, Revive]) {
      const count = tally.get(command.name) ?? 0;
      assert.ok(count >= 300, `${command.name} ran ${count} times`);
    }
  });
}

test('property 09: gives up exactly when the window says so, for any crash times', () => {
  const gaps = fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(
      gaps,
      fc.nat({ max: 5 }),
      fc.integer({ min: 1, max: 1_000 }),
      (waits, intensity, periodMs) => {
        const toys = new ToyTree();
        let hasLeft = false;
        const children = [toys.spec('a')];
        const root = rootSupervisor(
          { id: 'r', strategy: 'one_for_one', intensity, periodMs, children },
          toys.tree,
          () => {
            hasLeft = true;
          },
        );
        root.start();
        const times: number[] = [];
        for (const wait of waits) {
          toys.time.advanceTo(toys.time.now() + wait);
          const now = toys.time.now();
          times.push(now);
          toys.crash('a');
          const expected = times.filter((time) => now - time <= periodMs).length > intensity;
          assert.equal(hasLeft, expected);
          if (hasLeft) return;
        }
      },
    ),
    { numRuns: 300, seed: 2026 },
  );
});
