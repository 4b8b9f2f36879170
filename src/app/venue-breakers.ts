/**
 * What the breakers hear of a remote venue: calls that went wrong or slowly, throttling, the clock; and that it is
 * well again. Being refused is an answer; only calls that ended unknown count against the venue's interface.
 *
 * Invariant: bad news is told each time; good news only to a breaker that is not closed (each is a row in the
 * journal), and not more often than once a second.
 */
import { breakerOf } from '../../machines/messages.ts';
import type { Committed } from '../../supervisors/actor-runtime.ts';
import type { ActorEvent, Message } from '../domain/events.ts';
import type { GatewayEvent } from '../exchange/venue-gateway.ts';

const API_ERRORS = breakerOf('api-errors');
const RATE_LIMIT = breakerOf('rate-limit');
const CLOCK = breakerOf('clock');
const LATENCY = breakerOf('latency');
const GOOD_NEWS_EVERY_MS = 1_000;

export interface VenueBreakersOptions {
  readonly epoch: number;
  /** Monotonic. */
  readonly now: () => number;
  readonly timeFactor: number;
  readonly maxLatencyMs: number;
  readonly maxClockSkewMs: number;
  /** Whether the actor is there to hear it. */
  readonly knows: (actor: string) => boolean;
  readonly tell: (message: Message) => void;
}

export class VenueBreakers {
  readonly #options: VenueBreakersOptions;
  readonly #notClosed = new Set<string>();
  readonly #goodNewsAt = new Map<string, number>();
  #counter = 0;

  constructor(options: VenueBreakersOptions) {
    this.#options = options;
  }

  /** An observer of committed rows, also of those recovered. */
  readonly observe = ({ row }: Pick<Committed, 'row'>): void => {
    if (!row.actor.startsWith('breaker/') || row.snapshot === null) return;
    const { value } = JSON.parse(row.snapshot) as { value?: unknown };
    if (value === 'closed') this.#notClosed.delete(row.actor);
    else this.#notClosed.add(row.actor);
  };

  hear(event: GatewayEvent): void {
    switch (event.type) {
      case 'called':
        this.#called(event);
        break;
      case 'throttled':
        this.#say(RATE_LIMIT, { type: 'THROTTLED', until: event.untilMs, banned: event.code === 418 });
        break;
      case 'clock':
        this.#skew(Math.round(event.offsetMs / this.#options.timeFactor));
        break;
      default:
        break;
    }
  }

  #called({ call, outcome, latencyMs }: Extract<GatewayEvent, { type: 'called' }>): void {
    const ms = Math.round(latencyMs);
    if (outcome === 'unknown') this.#say(API_ERRORS, { type: 'FAULT', reason: `${call}: no answer` });
    else {
      this.#goodNews(API_ERRORS, { type: 'OK' });
      if (outcome === 'done') this.#goodNews(RATE_LIMIT, { type: 'OK' });
    }
    // A full reading is many requests; how long it takes says nothing of an order's way.
    if (call === 'report' || call === 'income') return;
    if (ms > this.#options.maxLatencyMs) this.#say(LATENCY, { type: 'LATENCY', ms });
    else this.#goodNews(LATENCY, { type: 'LATENCY', ms });
  }

  #skew(ms: number): void {
    if (Math.abs(ms) > this.#options.maxClockSkewMs) this.#say(CLOCK, { type: 'SKEW', ms });
    else this.#goodNews(CLOCK, { type: 'SKEW', ms });
  }

  #goodNews(to: string, event: ActorEvent): void {
    const now = this.#options.now();
    const last = this.#goodNewsAt.get(to) ?? Number.NEGATIVE_INFINITY;
    if (!this.#notClosed.has(to) || now - last < GOOD_NEWS_EVERY_MS) return;
    this.#goodNewsAt.set(to, now);
    this.#say(to, event);
  }

  #say(to: string, event: ActorEvent): void {
    if (!this.#options.knows(to)) return;
    this.#counter += 1;
    const id = `breaker:${this.#options.epoch}:${this.#counter}`;
    this.#options.tell({ to, event, cause: { kind: 'external', id } });
  }
}
