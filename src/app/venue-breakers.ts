/**
 * What the breakers hear of a remote venue: calls that went wrong, and that they go right again. Being refused
 * is an answer; only calls that ended unknown count against the venue's interface.
 */
import { breakerOf } from '../../machines/messages.ts';
import type { Committed } from '../../supervisors/actor-runtime.ts';
import type { ActorEvent, Message } from '../domain/events.ts';
import type { GatewayEvent } from '../exchange/venue-gateway.ts';

const API_ERRORS = breakerOf('api-errors');
const RATE_LIMIT = breakerOf('rate-limit');
const CLOCK = breakerOf('clock');
/** Good news is told to an open breaker, not more often than this. */
const GOOD_NEWS_EVERY_MS = 1_000;

export interface VenueBreakersOptions {
  readonly epoch: number;
  readonly now: () => number;
  /** Breakers that this version has, by actor. */
  readonly knows: (actor: string) => boolean;
  readonly tell: (message: Message) => void;
}

export class VenueBreakers {
  readonly #options: VenueBreakersOptions;
  readonly #notClosed = new Set<string>();
  #counter = 0;
  #lastGoodNews = Number.NEGATIVE_INFINITY;

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
        if (event.outcome === 'unknown')
          this.#say(API_ERRORS, { type: 'FAULT', reason: `${event.call}: no answer` });
        else this.#goodNews();
        break;
      case 'throttled':
        this.#say(RATE_LIMIT, { type: 'THROTTLED', code: event.code, until: event.untilMs });
        break;
      case 'clock':
        this.#say(CLOCK, { type: 'CLOCK', offsetMs: event.offsetMs, roundTripMs: event.roundTripMs });
        break;
      default:
        break;
    }
  }

  #goodNews(): void {
    const now = this.#options.now();
    if (!this.#notClosed.has(API_ERRORS) || now - this.#lastGoodNews < GOOD_NEWS_EVERY_MS) return;
    this.#lastGoodNews = now;
    this.#say(API_ERRORS, { type: 'OK' });
  }

  #say(to: string, event: ActorEvent): void {
    if (!this.#options.knows(to)) return;
    this.#counter += 1;
    const id = `breaker:${this.#options.epoch}:${this.#counter}`;
    this.#options.tell({ to, event, cause: { kind: 'external', id } });
  }
}
