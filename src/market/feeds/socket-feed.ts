/**
 * A market-data socket that stays up: connects, subscribes, hands on every frame, notices silence, reconnects,
 * and moves to a new connection before the venue's day is over.
 *
 * Invariants: those of KeptSocket; frames missed while away are gone: `connected` with attempt > 0 and without
 * `continuous` tells the owner to fetch its snapshots anew. A feed asks for its streams again on every connection,
 * in so few requests that the venue's ten messages a second are never reached.
 */
import { assert } from '../../core/assert.ts';
import type { Time } from '../../core/clock.ts';
import { type Greeting, KeptSocket, type LifeSigns } from '../../core/kept-socket.ts';
import type { Random } from '../../core/random.ts';

export type FeedEvent =
  /** Continuous: it took over from a connection that still served; nothing was missed. */
  | { readonly type: 'connected'; readonly attempt: number; readonly continuous?: true }
  | { readonly type: 'stale'; readonly silentMs: number }
  | { readonly type: 'disconnected'; readonly reason: string; readonly retryInMs: number };

export interface SocketFeedOptions {
  readonly url: string;
  /** Stream names to subscribe to once connected; none when the URL names them. */
  readonly streams?: readonly string[];
  /** Counts as connected only once the venue has answered every request for streams. */
  readonly confirm?: boolean;
  /** Real time. */
  readonly time: Time;
  readonly random: Random;
  readonly onFrame: (bytes: Buffer) => void;
  readonly onEvent: (event: FeedEvent) => void;
  /** So long without any frame, and the connection is given up as dead. */
  readonly staleAfterMs?: number;
  /** Instead: asks the peer, where silence of the streams themselves is nothing unusual. */
  readonly ask?: boolean;
  readonly move?: { readonly time: Time; readonly afterMs: number };
  readonly connectTimeoutMs?: number;
  readonly firstRetryMs?: number;
  readonly longestRetryMs?: number;
}

/** Binance takes at most 10 incoming messages a second, and 1024 streams a connection. */
const STREAMS_PER_REQUEST = 200;
const MOST_STREAMS = 1024;
const CHECKS_PER_PERIOD = 4;

export class SocketFeed {
  readonly #socket: KeptSocket;

  constructor(options: SocketFeedOptions) {
    const { url, streams = [], staleAfterMs = 10_000, ask = false, onEvent, confirm = false } = options;
    assert(streams.length <= MOST_STREAMS, 'a connection carries at most 1024 streams');
    const life: LifeSigns = {
      checkEveryMs: Math.ceil(staleAfterMs / CHECKS_PER_PERIOD),
      quietChecks: CHECKS_PER_PERIOD,
      sign: ask ? 'pong' : 'data',
    };
    this.#socket = new KeptSocket({
      ...options,
      url: () => url,
      life,
      greeting: () => subscription(streams, confirm),
      onEvent: (event) => {
        if (event.type === 'up')
          onEvent({
            type: 'connected',
            attempt: event.attempt,
            ...(event.continuous && { continuous: true }),
          });
        else if (event.type === 'silent') onEvent({ type: 'stale', silentMs: event.silentMs });
        else onEvent({ type: 'disconnected', reason: event.reason, retryInMs: event.retryInMs });
      },
    });
  }

  /** Frames handed on since the start. */
  get frames(): number {
    return this.#socket.frames;
  }

  get connected(): boolean {
    return this.#socket.isUp;
  }

  start(): void {
    this.#socket.start();
  }

  stop(): void {
    this.#socket.stop();
  }

  /** Gives the connection up and dials anew. */
  lose(reason: string): void {
    this.#socket.lose(reason);
  }
}

function subscription(streams: readonly string[], confirm: boolean): Greeting {
  const messages: string[] = [];
  for (let from = 0; from < streams.length; from += STREAMS_PER_REQUEST) {
    const params = streams.slice(from, from + STREAMS_PER_REQUEST);
    messages.push(JSON.stringify({ method: 'SUBSCRIBE', params, id: from / STREAMS_PER_REQUEST + 1 }));
  }
  return confirm ? { messages, answer: answerOf } : { messages };
}

const EVENT_START = Buffer.from('{"e"');
const WRAPPED_START = Buffer.from('{"stream"');

const startsWith = (bytes: Buffer, start: Buffer): boolean => {
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
  return true;
};

/** {"result":null,"id":1}, or {"error":{"code":2,"msg":"…"},"id":1}. */
function answerOf(bytes: Buffer): true | string | undefined {
  if (bytes[0] !== 0x7b || startsWith(bytes, EVENT_START) || startsWith(bytes, WRAPPED_START))
    return undefined;
  try {
    const value = JSON.parse(bytes.toString()) as { id?: unknown; error?: { msg?: unknown } };
    if (value.id === undefined || 'e' in value) return undefined;
    return value.error ? String(value.error.msg ?? 'no reason given') : true;
  } catch {
    return undefined;
  }
}
