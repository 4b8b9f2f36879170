/**
 * The simulated venue as a replayed logic: its outputs leave as messages to the owners of the orders.
 *
 * Invariant: what is refused at the gate never reaches the engine, and its owner hears why.
 */
import type { BreakerChanged } from '../machines/messages.ts';
import { cloneJson, type Json } from '../src/core/json.ts';
import type { ActorEvent, Emitted } from '../src/domain/events.ts';
import { opensPosition } from '../src/domain/order.ts';
import { type EngineInput, type EngineOptions, VenueEngine } from '../src/exchange/engine/engine.ts';
import { gateReason, hearBreaker, type OpenBreakers, refusedAtGate } from '../src/execution/entry-gate.ts';
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

/**
 * The engine behind the entry gate. The gate stands beside the engine's own checkpoint, and only while a breaker
 * is open, so that a checkpoint without one is the engine's alone.
 */
class GatedEngine implements ReplayedEngine {
  readonly engine: VenueEngine;
  #open: OpenBreakers | undefined;

  constructor(engine: VenueEngine, open?: OpenBreakers) {
    this.engine = engine;
    this.#open = open;
  }

  apply(event: ActorEvent): readonly Emitted[] {
    if (event.type === 'BREAKER_CHANGED') {
      this.#open = hearBreaker(this.#open, event as unknown as BreakerChanged);
      return [];
    }
    if (FOR_THE_EXECUTOR.has(event.type)) return [];
    const { gate, ...input } = event;
    const refused = this.#refuse(input as unknown as EngineInput, gate);
    if (refused) return [refused];
    return this.engine
      .apply(input as unknown as EngineInput)
      .map(({ to, event: output }) => ({ type: 'send', to, event: output as unknown as ActorEvent }));
  }

  checkpoint(): Json {
    const own = this.engine.checkpoint() as { readonly [key: string]: Json };
    return this.#open === undefined ? own : { ...own, [GATE]: cloneJson(this.#open) as unknown as Json };
  }

  #refuse(input: EngineInput, gate: unknown): Emitted | undefined {
    if (input.type !== 'order.submit' || !opensPosition(input.order)) return undefined;
    const reason = typeof gate === 'string' ? gate : gateReason(this.#open, input.order);
    if (reason === undefined) return undefined;
    const event = refusedAtGate(input.order, reason) as unknown as ActorEvent;
    return { type: 'send', to: input.order.owner, event };
  }
}

const GATE = 'gate';

export function venueFactory(options: EngineOptions): VenueFactory {
  let current: VenueEngine | undefined;
  const gated = (engine: VenueEngine, open?: OpenBreakers): ReplayedEngine => {
    current = engine;
    return new GatedEngine(engine, open);
  };
  return {
    machine: VENUE_MACHINE,
    create: () => gated(new VenueEngine(options)),
    restore: (checkpoint) => {
      const { [GATE]: open, ...engine } = checkpoint as { readonly [key: string]: Json };
      return gated(VenueEngine.restore(engine, options), open as unknown as OpenBreakers | undefined);
    },
    current: () => current,
  };
}
