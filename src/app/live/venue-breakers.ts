/**
 * What the breakers hear of a remote venue: calls that went wrong or slowly, throttling, the clock; and that it is
 * well again. Being refused is an answer; only calls that ended unknown count against the venue's interface. Also
 * what the journal's breaker hears: while the journal halts nothing can be entered anyway, so it is told when that
 * is over, before anything that waited goes on, and its pause runs from there.
 *
 * Invariant: bad news is told each time; good news only to a breaker that is not closed (each is a row in the
 * journal), and not more often than once a second.
 */
import { breakerOf } from '../../../machines/messages.ts';
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import { stateJson } from '../../core/snapshot-parts.ts';
import type { ActorEvent, Message } from '../../domain/events.ts';
import type { GatewayEvent } from '../../exchange/venue-gateway.ts';
import type { WriterState } from '../../journal/journal-writer.ts';

const API_ERRORS = breakerOf('api-errors');
const RATE_LIMIT = breakerOf('rate-limit');
const CLOCK = breakerOf('clock');
const LATENCY = breakerOf('latency');
const JOURNAL = breakerOf('journal');
const CLOSED = JSON.stringify('closed');
const TRIED = JSON.stringify('halfOpen');
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
  /** Since when the journal has taken nothing. */
  #haltedAt: number | undefined;
  #journalIsTried = false;
  #counter = 0;

  constructor(options: VenueBreakersOptions) {
    this.#options = options;
  }

  /** An observer of committed rows, also of those recovered. */
  readonly observe = ({ row }: Pick<Committed, 'row'>): void => {
    if (!row.actor.startsWith('breaker/') || row.snapshot === null) return;
    const state = stateJson(row.snapshot);
    if (state === CLOSED) this.#notClosed.delete(row.actor);
    else this.#notClosed.add(row.actor);
    if (row.actor !== JOURNAL) return;
    this.#journalIsTried = state === TRIED;
    this.#journalWrote();
  };

  journal(state: WriterState, reason: string): void {
    const now = this.#options.now();
    if (state === 'halted') this.#haltedAt ??= now;
    if (state !== 'ok' || this.#haltedAt === undefined) return;
    const seconds = ((now - this.#haltedAt) / 1000).toFixed(1);
    this.#haltedAt = undefined;
    this.#say(JOURNAL, { type: 'FAULT', reason: `it took no rows for ${seconds} s: ${reason}` });
  }

  hear(event: GatewayEvent): void {
    this.#journalWrote();
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

  /** A row in which the breaker is on trial stands in the journal, which is all the proof there can be. */
  #journalWrote(): void {
    if (this.#journalIsTried && this.#haltedAt === undefined) this.#goodNews(JOURNAL, { type: 'OK' });
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
