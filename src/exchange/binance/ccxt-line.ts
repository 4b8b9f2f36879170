/**
 * What one API key opens at the venue: the client that signs with it, and those who ask through it. A gateway whose key
 * is changed has two of them for a while: calls that were begun with the old one end with it.
 *
 * Invariant: a retired line is closed when nothing is under way on it and no late answer can be heard any more.
 */
import type { Time } from '../../core/clock.ts';
import type { RemoteAnswers, RemoteCall } from '../../domain/remote.ts';
import type { OrderNames } from '../order-names.ts';
import type { VenueClient } from '../venue-client.ts';
import type { VenueCaller } from './ccxt-caller.ts';
import type { VenueInstruments } from './ccxt-instruments.ts';
import type { VenueOrders } from './ccxt-orders.ts';
import { VenueReadings } from './ccxt-report.ts';

export interface LineParts {
  readonly client: VenueClient;
  readonly caller: VenueCaller;
  readonly orders: VenueOrders;
  readonly instruments: VenueInstruments;
  readonly names: OrderNames;
  /** Of the wallet. */
  readonly asset: string;
  readonly venueNow: () => number;
}

/** A full reading is many requests, which may have to wait for the budget. */
export const REPORT_CALLS = 6;

export class Line {
  readonly parts: LineParts;
  #underWay = 0;
  #isLate = false;

  constructor(parts: LineParts) {
    this.parts = parts;
  }

  /** Whatever is asked here keeps the line open until it has ended. */
  async use<T>(act: (parts: LineParts) => Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await act(this.parts);
    } finally {
      this.#underWay -= 1;
      this.#closeWhenDone();
    }
  }

  call(call: RemoteCall): Promise<RemoteAnswers[RemoteCall['call']]> {
    return this.use(() => this.#perform(call));
  }

  /** Closes by itself, not before `afterMs`. */
  retire(realTime: Time, afterMs: number): void {
    realTime.timers.set(afterMs, () => {
      this.#isLate = true;
      this.#closeWhenDone();
    });
  }

  close(): Promise<void> {
    return this.parts.client.close();
  }

  async #perform(call: RemoteCall): Promise<RemoteAnswers[RemoteCall['call']]> {
    const { orders, venueNow } = this.parts;
    switch (call.call) {
      case 'submit':
        return orders.submit(call);
      case 'cancel':
        return orders.cancel(call);
      case 'leverage':
        return orders.leverage(call);
      case 'query':
        return orders.query(call);
      case 'report':
        return this.#reading((readings, signal) => readings.report(call.since, call.symbols, signal));
      case 'income':
        return this.#reading(async (readings, signal) => ({
          rows: await readings.income(call.since, venueNow(), signal),
        }));
    }
  }

  async #reading<T>(read: (readings: VenueReadings, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { caller, asset, names } = this.parts;
    const deadline = caller.deadline(REPORT_CALLS);
    try {
      return await read(new VenueReadings({ caller, asset, names }), deadline.signal);
    } finally {
      deadline.done();
    }
  }

  #closeWhenDone(): void {
    // Nobody waits for it, and whatever goes wrong with an old connection is nobody's loss.
    if (this.#isLate && this.#underWay === 0) this.close().catch(() => {});
  }
}
