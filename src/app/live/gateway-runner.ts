/**
 * Carries calls from the executor's committed rows to the venue, and brings what comes back as messages.
 *
 * Invariants: a call leaves only after its row is durable, and once; rows that a start finds in the journal are
 * never called again (the executor hears RESTARTED and looks for evidence instead); whatever goes wrong with a
 * call is an outcome; each message from outside has a cause of its own; while draining, nothing that could open
 * is sent; and none of it past an open breaker or an engaged kill switch.
 */
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import { defined } from '../../core/assert.ts';
import { errorText } from '../../core/errors.ts';
import { type ActorEvent, type Message, VENUE } from '../../domain/events.ts';
import { type IdentifiedOrder, opensPosition } from '../../domain/order.ts';
import type { CallEnded, RemoteCall, RemoteOutcome } from '../../domain/remote.ts';
import type { GatewayEvent, VenueGateway } from '../../exchange/venue-gateway.ts';

export interface GatewayRunnerOptions {
  /** Of this process: makes the causes of its messages unlike those of any other. */
  readonly epoch: number;
  /** Every event of the gateway, for breakers, metrics and people. */
  readonly onEvent?: (event: GatewayEvent) => void;
  /** A reason not to send an order that could open. */
  readonly refuses?: (order: IdentifiedOrder) => string | undefined;
}

/** Orders go before questions: a stop must not wait for a reading. */
const RANK: Readonly<Record<RemoteCall['call'], number>> = {
  submit: 0,
  cancel: 1,
  leverage: 2,
  query: 3,
  income: 4,
  report: 5,
};

export class GatewayRunner {
  readonly #options: GatewayRunnerOptions;
  readonly #underWay = new Set<string>();
  #gateway: VenueGateway | undefined;
  #tell: ((message: Message) => void) | undefined;
  /** What the gateway said before anybody could hear it. */
  #early: ActorEvent[] = [];
  #waiting: RemoteCall[] = [];
  #counter = 0;
  #draining = false;
  #stopped = false;
  #quietWaiters: (() => void)[] = [];

  constructor(options: GatewayRunnerOptions) {
    this.#options = options;
  }

  /** Calls that have no outcome yet. */
  get inFlight(): number {
    return this.#underWay.size + this.#waiting.length;
  }

  /** Whom to call; before the first row is written. */
  use(gateway: VenueGateway): void {
    this.#gateway = gateway;
  }

  /**
   * Whether the private stream has come up before anybody was told: then that is said with the start itself, not after
   * it, or the reading that the start asks for would count for nothing and a second one be made.
   */
  takeStreamUp(): boolean {
    const isState = ({ type }: ActorEvent): boolean => type === 'STREAM_UP' || type === 'STREAM_DOWN';
    if (this.#early.findLast(isState)?.type !== 'STREAM_UP') return false;
    this.#early = this.#early.filter((event) => !isState(event));
    return true;
  }

  /** From now on outcomes and events are told; what came before is told now, in its order. */
  attach(tell: (message: Message) => void): void {
    this.#tell = tell;
    for (const event of this.#early.splice(0)) this.#say(event);
  }

  /** An observer of committed rows. */
  readonly observe = ({ row, intents }: Committed): void => {
    if (row.actor !== VENUE || this.#stopped) return;
    for (const intent of intents) if (intent.type === 'venue.call') this.#take(intent.call);
  };

  /** What the gateway is opened with. */
  readonly hear = (event: GatewayEvent): void => {
    if (this.#stopped) return;
    this.#options.onEvent?.(event);
    if (event.type === 'stream') this.#say({ type: 'STREAM', event: event.event });
    else if (event.type === 'stream-up') this.#say({ type: 'STREAM_UP' });
    else if (event.type === 'stream-down') this.#say({ type: 'STREAM_DOWN', reason: event.reason });
  };

  /** Nothing that could open is sent any more; protection, cancels and questions still are. */
  drain(): void {
    this.#draining = true;
  }

  /** Resolves when no call is under way. */
  quiet(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#quietWaiters.push(resolve));
  }

  /** Nothing is sent and nothing is told any more; outcomes that are missing are for the next start. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
    this.#settle();
  }

  #take(call: RemoteCall): void {
    this.#waiting.push(call);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#leave());
  }

  /** All calls of one commit, the urgent ones first; within a kind in the order of their rows. */
  #leave(): void {
    const calls = this.#waiting.splice(0).sort((a, b) => RANK[a.call] - RANK[b.call]);
    for (const call of calls) void this.#perform(call);
  }

  async #perform(call: RemoteCall): Promise<void> {
    this.#underWay.add(call.id);
    const result = await this.#outcome(call);
    this.#underWay.delete(call.id);
    if (!this.#stopped) {
      const venueAt = this.#gateway?.venueNow() ?? 0;
      // The outcome of a call of this kind, which TypeScript cannot see through the union.
      const ended = { type: 'CALL_ENDED', call: call.call, id: call.id, result, venueAt } as CallEnded;
      this.#say({ ...ended });
    }
    this.#settle();
  }

  async #outcome(call: RemoteCall): Promise<RemoteOutcome<unknown>> {
    if (this.#draining && couldOpen(call))
      return { outcome: 'rejected', code: 0, reason: 'this process is stopping' };
    const refused = call.call === 'submit' ? this.#options.refuses?.(call.order) : undefined;
    if (refused !== undefined) return { outcome: 'rejected', code: 0, reason: refused };
    try {
      return await defined(this.#gateway, 'gateway').call(call);
    } catch (error) {
      // A gateway never throws; one that does has not said what happened.
      return { outcome: 'unknown', reason: errorText(error) };
    }
  }

  #say(event: ActorEvent): void {
    if (this.#stopped) return;
    if (!this.#tell) {
      this.#early.push(event);
      return;
    }
    this.#counter += 1;
    const id = `venue:${this.#options.epoch}:${this.#counter}`;
    this.#tell({ to: VENUE, event, cause: { kind: 'external', id } });
  }

  #settle(): void {
    if (this.inFlight > 0) return;
    for (const resolve of this.#quietWaiters.splice(0)) resolve();
  }
}

/** Anything but protection, cancels and questions. */
const couldOpen = (call: RemoteCall): boolean => call.call === 'submit' && opensPosition(call.order);
