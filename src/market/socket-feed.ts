/**
 * A market-data socket that stays up: connects, subscribes, hands on every frame, notices silence, reconnects.
 *
 * Invariants: frames are handed on in the order received, none dropped, merged or queued here; after a loss the
 * next attempt waits a random part of a doubling bound (so that many clients do not come back at once); nothing of
 * a closed connection is heard any more; frames missed while away are gone: `connected` with attempt > 0 tells
 * the owner to fetch its snapshots anew.
 */
import { WebSocket } from 'ws';
import type { Time, TimerHandle } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import type { Random } from '../core/random.ts';

export type FeedEvent =
  | { readonly type: 'connected'; readonly attempt: number }
  | { readonly type: 'stale'; readonly silentMs: number }
  | { readonly type: 'disconnected'; readonly reason: string; readonly retryInMs: number };

export interface SocketFeedOptions {
  readonly url: string;
  /** Stream names to subscribe to once connected; none when the URL names them. */
  readonly streams?: readonly string[];
  readonly time: Time;
  readonly random: Random;
  readonly onFrame: (bytes: Buffer) => void;
  readonly onEvent: (event: FeedEvent) => void;
  /** So long without any frame, and the connection is given up as dead. */
  readonly staleAfterMs?: number;
  readonly connectTimeoutMs?: number;
  readonly firstRetryMs?: number;
  readonly longestRetryMs?: number;
}

/** Binance takes at most 10 incoming messages a second, and 1024 streams a connection. */
const STREAMS_PER_REQUEST = 200;
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export class SocketFeed {
  readonly #options: SocketFeedOptions;
  readonly #staleAfterMs: number;
  #socket: WebSocket | undefined;
  #timer: TimerHandle | undefined;
  #frames = 0;
  #attempt = 0;
  #lossesInARow = 0;
  #running = false;

  constructor(options: SocketFeedOptions) {
    this.#options = options;
    this.#staleAfterMs = options.staleAfterMs ?? 10_000;
  }

  /** Frames handed on since the start. */
  get frames(): number {
    return this.#frames;
  }

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  stop(): void {
    this.#running = false;
    this.#drop();
  }

  #connect(): void {
    const { url, connectTimeoutMs = 10_000, onFrame } = this.#options;
    const socket = new WebSocket(url, {
      handshakeTimeout: connectTimeoutMs,
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
    });
    this.#socket = socket;
    socket.on('message', (bytes: Buffer) => {
      this.#frames++;
      onFrame(bytes);
    });
    socket.on('open', () => this.#opened(socket));
    let reason = 'closed';
    socket.on('error', (error) => {
      reason = errorText(error);
    });
    socket.on('close', (code) => this.#lost(reason === 'closed' ? `closed with code ${code}` : reason));
  }

  #opened(socket: WebSocket): void {
    const { streams = [], onEvent } = this.#options;
    for (let from = 0; from < streams.length; from += STREAMS_PER_REQUEST) {
      const params = streams.slice(from, from + STREAMS_PER_REQUEST);
      socket.send(JSON.stringify({ method: 'SUBSCRIBE', params, id: from / STREAMS_PER_REQUEST + 1 }));
    }
    onEvent({ type: 'connected', attempt: this.#attempt++ });
    this.#watch(this.#frames);
  }

  /** Compares frame counts once per period, so that a frame costs no look at the clock. */
  #watch(framesBefore: number): void {
    this.#timer = this.#options.time.timers.set(this.#staleAfterMs, () => {
      if (this.#frames > framesBefore) {
        this.#lossesInARow = 0;
        this.#watch(this.#frames);
        return;
      }
      this.#options.onEvent({ type: 'stale', silentMs: this.#staleAfterMs });
      this.#lost('silent');
    });
  }

  #lost(reason: string): void {
    if (!this.#running) return;
    this.#drop();
    const { random, time, onEvent, firstRetryMs = 500, longestRetryMs = 30_000 } = this.#options;
    const boundMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#lossesInARow, 20));
    this.#lossesInARow++;
    // At least half of the bound, so that a venue that is down is not hammered by unlucky draws.
    const retryInMs = Math.round(boundMs * (0.5 + random.next() / 2));
    onEvent({ type: 'disconnected', reason, retryInMs });
    if (this.#running) this.#timer = time.timers.set(retryInMs, () => this.#connect());
  }

  /** Forgets the connection at once; its close handshake goes on unheard. */
  #drop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.removeAllListeners();
    // Without a listener a late error would end the process.
    socket.on('error', () => {});
    socket.terminate();
  }
}
