/** All logics by type: what an actor id's first part means in this program. */
import type { MachineDefinition } from '../machines/definition.ts';
import { BulkheadError } from '../src/core/errors.ts';
import type { LogicFactory } from './actor-logic.ts';
import { type EngineFactory, ReplayedLogic } from './replayed-logic.ts';
import { migrateSnapshot, XStateLogic } from './xstate-logic.ts';

export interface EngineEntry {
  readonly type: string;
  readonly factory: EngineFactory;
  readonly checkpointEvery: number;
}

/** Lays something around a logic, by the type of its actors. */
export type WrapLogic = (type: string, factory: LogicFactory) => LogicFactory;

export class MachineRegistry {
  readonly #definitions = new Map<string, MachineDefinition>();
  readonly #engines = new Map<string, EngineEntry>();

  readonly #wrap: WrapLogic | undefined;

  constructor(
    definitions: readonly MachineDefinition[],
    engines: readonly EngineEntry[] = [],
    wrap?: WrapLogic,
  ) {
    this.#wrap = wrap;
    for (const definition of definitions) this.#definitions.set(definition.type, definition);
    for (const engine of engines) this.#engines.set(engine.type, engine);
  }

  has(type: string): boolean {
    return this.#definitions.has(type) || this.#engines.has(type);
  }

  /** Throws ACTOR_UNRESTORABLE for a type this program does not have. */
  factory(type: string): LogicFactory {
    const factory = this.#bare(type);
    return this.#wrap ? this.#wrap(type, factory) : factory;
  }

  #bare(type: string): LogicFactory {
    const definition = this.#definitions.get(type);
    if (definition) return () => new XStateLogic(definition);
    const engine = this.#engines.get(type);
    if (engine) return () => new ReplayedLogic(engine.factory, engine.checkpointEvery);
    throw new BulkheadError('ACTOR_UNRESTORABLE', `no machine of type "${type}" in this program`, {
      hint: 'The journal was written by another version; run that one.',
    });
  }

  /** Whether this program has exactly that machine, e.g. "position@1". */
  runs(machine: string): boolean {
    const type = machine.split('@')[0] ?? '';
    const definition = this.#definitions.get(type);
    if (definition) return machine === `${type}@${definition.version}`;
    return this.#hasEngine(machine);
  }

  /** The snapshot as this program's version of the machine understands it. */
  migrate(rowMachine: string, snapshot: string): { readonly snapshot: string; readonly migrated: boolean } {
    const definition = this.#definitions.get(rowMachine.split('@')[0] ?? '');
    if (definition) {
      const migrated = migrateSnapshot(definition, rowMachine, snapshot);
      return { snapshot: migrated, migrated: rowMachine !== `${definition.type}@${definition.version}` };
    }
    if (this.#hasEngine(rowMachine)) return { snapshot, migrated: false };
    if (this.#engineAfter(rowMachine)) return { snapshot, migrated: true };
    throw new BulkheadError('ACTOR_UNRESTORABLE', `this program cannot read snapshots of ${rowMachine}`, {
      hint: 'Run the version that wrote it.',
    });
  }

  /** An engine is named after what it is, which need not be the actor that runs it: the venue may be an executor. */
  #hasEngine(machine: string): boolean {
    return [...this.#engines.values()].some(({ factory }) => factory.machine === machine);
  }

  #engineAfter(machine: string): boolean {
    return [...this.#engines.values()].some(({ factory }) => factory.older?.includes(machine));
  }
}
