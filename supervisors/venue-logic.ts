/** The simulated venue as a replayed logic: its outputs leave as messages to the owners of the orders. */
import type { ActorEvent, Emitted } from '../src/domain/events.ts';
import { type EngineInput, type EngineOptions, VenueEngine } from '../src/exchange/engine.ts';
import type { EngineFactory, ReplayedEngine } from './replayed-logic.ts';

/** Rows between two checkpoints: a start replays at most so many inputs, microseconds each. */
export const VENUE_CHECKPOINT_ROWS = 64;

export const VENUE_MACHINE = 'venue@1';

/** Said to whoever stands in the venue's place; a venue in the process cannot differ from what it told. */
const FOR_THE_EXECUTOR: ReadonlySet<string> = new Set(['RECONCILE', 'HOLD']);

export interface VenueFactory extends EngineFactory {
  /** The engine of the live actor, for the driver's wake bands and for reports; undefined before its start. */
  readonly current: () => VenueEngine | undefined;
}

export function venueFactory(options: EngineOptions): VenueFactory {
  let current: VenueEngine | undefined;
  const asEngine = (engine: VenueEngine): ReplayedEngine => {
    current = engine;
    return {
      apply: (event: ActorEvent): readonly Emitted[] =>
        FOR_THE_EXECUTOR.has(event.type)
          ? []
          : engine
              .apply(event as unknown as EngineInput)
              .map(({ to, event: output }) => ({ type: 'send', to, event: output as unknown as ActorEvent })),
      checkpoint: () => engine.checkpoint(),
    };
  };
  return {
    machine: VENUE_MACHINE,
    create: () => asEngine(new VenueEngine(options)),
    restore: (checkpoint) => asEngine(VenueEngine.restore(checkpoint, options)),
    current: () => current,
  };
}
