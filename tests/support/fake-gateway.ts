/**
 * A gateway onto a little venue in this process: a whole implementation of the port, whose lines can be cut and
 * whose answers can be lost.
 */
import * as D from '../../src/core/decimal.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import type { Instrument, SymbolName } from '../../src/domain/instrument.ts';
import type { RemoteAnswers, RemoteCall, RemoteEvent, RemoteOutcome } from '../../src/domain/remote.ts';
import type { GatewayEvent, VenueCheck, VenueGateway } from '../../src/exchange/venue-gateway.ts';
import type { ModelVenue } from './model-venue.ts';

/** What becomes of a call instead of its answer. */
export type Mishap = 'lost-after' | 'lost-before' | 'throws' | 'never' | undefined;

/** The venue and the lines to it; outlives any gateway, as a venue outlives its clients. */
export interface VenueLines {
  readonly venue: ModelVenue;
  readonly instruments: readonly Instrument[];
  /** Every call that reached a gateway, in order. */
  readonly calls: RemoteCall[];
  isReachable: boolean;
  mishap: (call: RemoteCall) => Mishap;
  /** Gateways that are open hear the private stream. */
  readonly listeners: Set<(event: RemoteEvent) => void>;
}

export class FakeGateway implements VenueGateway {
  readonly name = 'model';
  readonly #lines: VenueLines;
  readonly #mayAct: () => boolean;
  #onEvent: ((event: GatewayEvent) => void) | undefined;
  #listener: ((event: RemoteEvent) => void) | undefined;
  /** The process is dead: nothing reaches it, and nothing leaves it. */
  isDead = false;

  constructor(lines: VenueLines, mayAct: () => boolean) {
    this.#lines = lines;
    this.#mayAct = mayAct;
  }

  venueNow(): number {
    return this.#lines.venue.now;
  }

  async open(onEvent: (event: GatewayEvent) => void): Promise<readonly VenueCheck[]> {
    if (!this.#lines.isReachable)
      throw new BulkheadError('VENUE_UNREACHABLE', 'model cannot be asked: no line', { hint: 'wait' });
    this.#onEvent = onEvent;
    this.#listener = (event) => this.#tell({ type: 'stream', event });
    this.#lines.listeners.add(this.#listener);
    this.#tell({ type: 'clock', offsetMs: 3, roundTripMs: 7 });
    this.#tell({ type: 'stream-up' });
    return [{ check: 'clock', ok: true, detail: 'the model has no clock of its own' }];
  }

  async instruments(symbols?: readonly SymbolName[]): Promise<readonly Instrument[]> {
    const wanted = symbols && symbols.length > 0 ? new Set(symbols) : undefined;
    return this.#lines.instruments.filter(({ symbol }) => !wanted || wanted.has(symbol));
  }

  async call<C extends RemoteCall>(call: C): Promise<RemoteOutcome<RemoteAnswers[C['call']]>> {
    const outcome = await this.#perform(call);
    this.#tell({ type: 'called', call: call.call, outcome: outcome.outcome, latencyMs: 4 });
    // The model pairs each call with its own answer.
    return outcome as RemoteOutcome<RemoteAnswers[C['call']]>;
  }

  async #perform(call: RemoteCall): Promise<RemoteOutcome<RemoteAnswers[RemoteCall['call']]>> {
    if (this.isDead) return new Promise(() => {});
    const acts = call.call === 'submit' || call.call === 'cancel' || call.call === 'leverage';
    if (acts && !this.#mayAct()) return { outcome: 'rejected', code: 0, reason: 'may not act' };
    this.#lines.calls.push(call);
    const mishap = this.#lines.mishap(call);
    if (mishap === 'never') return new Promise(() => {});
    if (mishap === 'throws') throw new Error('the gateway broke');
    if (!this.#lines.isReachable || mishap === 'lost-before')
      return { outcome: 'unknown', reason: 'the line broke' };
    const outcome = this.#answer(call);
    for (const event of this.#lines.venue.takeEvents()) for (const hear of this.#lines.listeners) hear(event);
    return mishap === 'lost-after' ? { outcome: 'unknown', reason: 'the answer was lost' } : outcome;
  }

  #answer(call: RemoteCall): RemoteOutcome<RemoteAnswers[RemoteCall['call']]> {
    const { venue } = this.#lines;
    switch (call.call) {
      case 'submit':
        return venue.submit(call.order);
      case 'cancel':
        return venue.cancel(call);
      case 'leverage':
        return { outcome: 'done', value: { leverage: call.leverage } };
      case 'query':
        venue.keep();
        return { outcome: 'done', value: venue.query(call, venue.now) };
      case 'report': {
        venue.keep();
        const { now } = venue;
        return { outcome: 'done', value: venue.report(call, [now, now, now, now]) };
      }
      case 'income':
        return {
          outcome: 'done',
          value: { rows: venue.state.income.filter((row) => row.at >= call.since) },
        };
    }
  }

  dropStream(): void {
    this.#tell({ type: 'stream-down', reason: 'cut' });
  }

  raiseStream(): void {
    this.#tell({ type: 'stream-up' });
  }

  async close(): Promise<void> {
    if (this.#listener) this.#lines.listeners.delete(this.#listener);
    this.#onEvent = undefined;
  }

  #tell(event: GatewayEvent): void {
    if (!this.isDead) this.#onEvent?.(event);
  }
}

/** The mark moves: stops that it reaches trigger, and everybody on the private stream hears. */
export function movePrice({ venue, listeners }: VenueLines, symbol: SymbolName, price: string): void {
  venue.price[symbol] = price;
  for (const algo of venue.state.algos) {
    if (algo.symbol !== symbol || algo.status !== 'NEW') continue;
    const reached = algo.side === 'SELL' ? D.lte(price, algo.triggerPrice) : D.gte(price, algo.triggerPrice);
    if (reached) venue.trigger(algo);
  }
  for (const event of venue.takeEvents()) for (const hear of listeners) hear(event);
}
