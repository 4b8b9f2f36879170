/** The executor as a replayed logic: what the actor VENUE runs when the venue is a remote one. */
import type { ActorEvent, Emitted } from '../src/domain/events.ts';
import { Executor, type ExecutorInput, type ExecutorOptions } from '../src/execution/executor.ts';
import type { EngineFactory, ReplayedEngine } from './replayed-logic.ts';

/** Rows between two checkpoints: a start replays at most so many inputs, microseconds each. */
export const EXECUTOR_CHECKPOINT_ROWS = 64;

export const EXECUTOR_MACHINE = 'executor@2';

/** Version 1 asked later what had become of orders that end at once. */
const OLDER = ['executor@1'];

export interface ExecutorFactory extends EngineFactory {
  /** The executor of the live actor, for status and reports; undefined before its start. */
  readonly current: () => Executor | undefined;
}

export function executorFactory(options: ExecutorOptions): ExecutorFactory {
  let current: Executor | undefined;
  const asEngine = (executor: Executor): ReplayedEngine => {
    current = executor;
    return {
      apply: (event: ActorEvent): readonly Emitted[] => executor.apply(event as unknown as ExecutorInput),
      checkpoint: () => executor.checkpoint(),
    };
  };
  return {
    machine: EXECUTOR_MACHINE,
    older: OLDER,
    create: () => asEngine(new Executor(options)),
    restore: (checkpoint) => asEngine(Executor.restore(checkpoint, options)),
    current: () => current,
  };
}
