/**
 * A real XState actor with gated effects. Emitted intents and `after` timers are collected during `send` and
 * handed to the host, which journals them before anybody acts on them.
 *
 * The scheduler seam (`actor.system.scheduler`) is in XState's published types but not in its documentation:
 * the version is pinned and tests/unit/xstate-contract.test.ts holds it to what this file relies on.
 */
import { type AnyActorRef, type AnyStateMachine, createActor, type Snapshot } from 'xstate';
import type { MachineDefinition, PersistedSnapshot } from '../machines/definition.ts';
import { assert, defined } from '../src/core/assert.ts';
import { BulkheadError, errorText } from '../src/core/errors.ts';
import type { ActorEvent, Emitted } from '../src/domain/events.ts';
import type { ActorLogic, StateTimer, Step } from './actor-logic.ts';
import { SnapshotText, type WritableSnapshot } from './snapshot-text.ts';

/** XState sets no end to a cycle of eventless transitions: the process would never do anything else again. */
const MOST_MICROSTEPS = 1_000;

interface LiveActor {
  send(event: ActorEvent): void;
  start(): void;
  getSnapshot(): WritableSnapshot;
  getPersistedSnapshot(): unknown;
}

export class XStateLogic implements ActorLogic {
  readonly machine: string;
  readonly #definition: MachineDefinition;
  #actor: LiveActor | undefined;
  #emitted: Emitted[] = [];
  #stateTimers: StateTimer[] = [];
  #failure: { readonly error: unknown } | undefined;
  readonly #text = new SnapshotText();

  constructor(definition: MachineDefinition) {
    Object.assign(definition.machine.options, { maxIterations: MOST_MICROSTEPS });
    this.#definition = definition;
    this.machine = `${definition.type}@${definition.version}`;
  }

  start(input: unknown): Step {
    this.#actor = this.#create({ input });
    return this.#collect(() => this.#live().start());
  }

  send(event: ActorEvent): Step {
    return this.#collect(() => this.#live().send(event));
  }

  /** Parses anew each time: XState mutates the snapshot it restores from. */
  restore(snapshot: string): void {
    try {
      // A snapshot that is nothing would quietly start the machine anew.
      const parsed = assertObject(JSON.parse(snapshot));
      this.#actor = this.#create({ snapshot: parsed as unknown as Snapshot<unknown> });
      this.#collect(() => this.#live().start());
    } catch (error) {
      throw unrestorable(this.machine, errorText(error));
    }
    const { status, error } = this.#live().getSnapshot();
    if (status === 'error') throw unrestorable(this.machine, errorText(error));
  }

  snapshot(): string {
    const live = this.#live();
    return this.#text.of(live.getSnapshot()) ?? JSON.stringify(live.getPersistedSnapshot());
  }

  stateKey(): string {
    const value = this.#live().getSnapshot().value;
    return typeof value === 'string' ? value : this.#text.state(value);
  }

  context(): unknown {
    return this.#live().getSnapshot().context;
  }

  isDone(): boolean {
    return this.#live().getSnapshot().status === 'done';
  }

  #live(): LiveActor {
    return defined(this.#actor, `started ${this.machine}`);
  }

  #create(options: { input?: unknown; snapshot?: Snapshot<unknown> }): LiveActor {
    this.#failure = undefined;
    const actor = createActor(this.#definition.machine as AnyStateMachine, options as never);
    actor.on('*', (emitted: unknown) => this.#emitted.push(emitted as Emitted));
    // Without an error observer XState rethrows on a later macrotask, outside anybody's reach.
    actor.subscribe({ error: (error) => (this.#failure = { error }) });
    const scheduler = (actor as AnyActorRef).system as unknown as { scheduler: Scheduler };
    scheduler.scheduler.schedule = (_source, _target, event, delayMs, id) =>
      this.#stateTimers.push({ op: 'set', id, delayMs, event });
    scheduler.scheduler.cancel = (_source, id) => this.#stateTimers.push({ op: 'cancel', id });
    return actor as unknown as LiveActor;
  }

  #collect(act: () => void): Step {
    this.#emitted = [];
    this.#stateTimers = [];
    act();
    if (this.#failure) throw this.#failure.error;
    return { emitted: this.#emitted, stateTimers: this.#stateTimers };
  }
}

function assertObject(value: unknown): object {
  assert(typeof value === 'object' && value !== null, 'the snapshot is no object');
  return value;
}

interface Scheduler {
  schedule: (source: unknown, target: unknown, event: ActorEvent, delayMs: number, id: string) => void;
  cancel: (source: unknown, id: string) => void;
}

/** Carries a snapshot of an older machine version forward, one version at a time. */
export function migrateSnapshot(definition: MachineDefinition, rowMachine: string, snapshot: string): string {
  const [type, versionText] = rowMachine.split('@');
  const from = Number(versionText);
  if (type !== definition.type || !Number.isInteger(from)) {
    throw unrestorable(rowMachine, `this program knows it as ${definition.type}@${definition.version}`);
  }
  if (from === definition.version) return snapshot;
  if (from > definition.version) {
    throw unrestorable(rowMachine, `written by a newer program; this one has version ${definition.version}`);
  }
  let migrated = JSON.parse(snapshot) as PersistedSnapshot;
  for (let version = from; version < definition.version; version++) {
    const migrate = definition.migrations[version];
    if (!migrate) throw unrestorable(rowMachine, `no migration from version ${version} to ${version + 1}`);
    migrated = attempt(migrate, migrated, rowMachine);
  }
  return JSON.stringify(migrated);
}

/** A defective migration costs its own actors, not the system. */
function attempt(
  migrate: (snapshot: PersistedSnapshot) => PersistedSnapshot,
  snapshot: PersistedSnapshot,
  rowMachine: string,
): PersistedSnapshot {
  try {
    return migrate(snapshot);
  } catch (error) {
    throw unrestorable(rowMachine, `its migration failed: ${errorText(error)}`);
  }
}

function unrestorable(machine: string, why: string): BulkheadError {
  return new BulkheadError('ACTOR_UNRESTORABLE', `cannot restore ${machine}: ${why}`, {
    hint: 'Its protection stays at the venue. Run the version that wrote it, or add the missing migration.',
  });
}
