/**
 * The exchange port over the in-process venue. It commits with the journal, so that an order it does not know
 * it never received.
 */
import type { Clock } from '../core/clock.ts';
import type { VenueEngine } from './engine/engine.ts';
import type { Exchange, VenueReport } from './exchange.ts';

export class SimulatedExchange implements Exchange {
  readonly name = 'simulated';
  readonly notFoundIsFinal = true;
  readonly #engine: () => VenueEngine;
  readonly #clock: Clock;

  /** `engine` is asked each time: the durable host replaces it when it restores a checkpoint. */
  constructor(engine: () => VenueEngine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  report(): Promise<VenueReport> {
    return Promise.resolve(this.#engine().report(this.#clock.now()));
  }
}
