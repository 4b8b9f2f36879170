/**
 * The venue's private stream: a listen key that is kept alive, a socket that is kept up, and every event of it, in
 * the order received.
 *
 * Invariants: nothing is merged or dropped; an event heard on two connections during a planned move is told once;
 * whenever something may have been missed (a new connection, or an event that cannot be read) `stream-up` says so
 * after it, for the owner to take a full reading; a renewal that fails is tried again and only the venue's word
 * that the key is gone, or its hour having passed, ends the connection. The key is in no event and no text.
 */
import type { Time, TimerHandle } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import { type Dial, KeptSocket, type KeptSocketEvent, type LifeSigns } from '../../core/kept-socket.ts';
import type { Random } from '../../core/random.ts';
import type { RemoteEvent } from '../../domain/remote.ts';
import { readUserFrames, type UserFrame, userFrameIdentity } from './user-stream-frames.ts';

export interface ListenKeys {
  /** The venue gives the key that is alive, or a new one. */
  create(): Promise<string>;
  renew(key: string): Promise<void>;
  /** Ends the key for everybody who listens with it: never used while another process may have taken over. */
  close(key: string): Promise<void>;
}

export type UserStreamEvent =
  | { readonly type: 'stream'; readonly event: RemoteEvent }
  /** Whatever happened before it is known only from a full reading. */
  | { readonly type: 'stream-up' }
  | { readonly type: 'stream-down'; readonly reason: string };

export interface UserStreamOptions {
  /** Scheme, host and port: wss://fstream.binance.com, or ws://127.0.0.1:7700. */
  readonly url: string;
  readonly keys: ListenKeys;
  /** The venue's time, perhaps scaled: its keys live an hour of it, its connections a day. */
  readonly time: Time;
  /** For what the network does: dead peers, waits between dials. */
  readonly realTime: Time;
  readonly random: Random;
  readonly onEvent: (event: UserStreamEvent) => void;
  /** Things a person may want to know: unknown events (once each), failed renewals. */
  readonly onNotice?: (text: string) => void;
  readonly life?: LifeSigns;
  readonly overlapMs?: number;
  readonly dial?: Dial;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RENEW_EVERY_MS = 20 * MINUTE_MS;
/** The key lives for 60 minutes after its last renewal. */
const KEY_LIFE_MS = 58 * MINUTE_MS;
/** The venue ends a connection after 24 hours. */
const MOVE_AFTER_MS = 23 * HOUR_MS;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
const KEY_IS_GONE = -1125;

/** Whether the venue says that there is no such listen key (−1125). */
export function listenKeyIsGone(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, venueCode } = error as { code?: unknown; venueCode?: unknown };
  return code === KEY_IS_GONE || venueCode === KEY_IS_GONE || /-1125\b/.test(errorText(error));
}

export class UserStream {
  readonly #options: UserStreamOptions;
  readonly #socket: KeptSocket;
  readonly #noticed = new Set<string>();
  #key: string | undefined;
  #renewal: TimerHandle | undefined;
  /** When the venue lets the key die, on its clock. */
  #keyEndsAt = 0;
  #failedRenewals = 0;
  #running = false;

  constructor(options: UserStreamOptions) {
    this.#options = options;
    const { realTime, random, time, life, overlapMs, dial } = options;
    this.#socket = new KeptSocket({
      url: () => this.#dialUrl(),
      time: realTime,
      random,
      onFrame: (bytes) => {
        for (const frame of readUserFrames(bytes)) this.#heard(frame);
      },
      onEvent: (event) => this.#changed(event),
      identity: userFrameIdentity,
      move: { time, afterMs: MOVE_AFTER_MS },
      ...(life && { life }),
      ...(dial && { dial }),
      ...(overlapMs !== undefined && { overlapMs }),
    });
  }

  get isUp(): boolean {
    return this.#socket.isUp;
  }

  start(): void {
    this.#running = true;
    this.#socket.start();
  }

  /** The key is left to die by itself: a successor of this process may be listening with it already. */
  stop(): void {
    this.#running = false;
    this.#renewal?.cancel();
    this.#socket.stop();
  }

  async #dialUrl(): Promise<string> {
    const { keys, url, time } = this.#options;
    const key = await keys.create();
    this.#key = key;
    this.#failedRenewals = 0;
    this.#keyEndsAt = time.clock.now() + KEY_LIFE_MS;
    this.#renewLater();
    return `${url.replace(/\/+$/, '')}/private/ws?listenKey=${encodeURIComponent(key)}`;
  }

  #renewLater(): void {
    this.#renewal?.cancel();
    if (!this.#running) return;
    this.#renewal = this.#options.time.timers.set(RENEW_EVERY_MS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const key = this.#key;
    if (key === undefined) return;
    const { keys, time, realTime, random, onNotice } = this.#options;
    const askedAt = time.clock.now();
    try {
      await keys.renew(key);
      if (key !== this.#key) return;
      this.#failedRenewals = 0;
      this.#keyEndsAt = askedAt + KEY_LIFE_MS;
      this.#renewLater();
    } catch (error) {
      if (key !== this.#key || !this.#running) return;
      if (listenKeyIsGone(error)) {
        this.#socket.lose('the venue no longer knows the listen key');
        return;
      }
      onNotice?.(`The listen key could not be renewed: ${this.#clean(errorText(error))}`);
      if (time.clock.now() >= this.#keyEndsAt) {
        this.#socket.lose('the listen key could not be renewed for an hour');
        return;
      }
      const boundMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failedRenewals, 10));
      this.#failedRenewals++;
      const waitMs = Math.round(boundMs * (0.5 + random.next() / 2));
      this.#renewal?.cancel();
      this.#renewal = realTime.timers.set(waitMs, () => void this.#renew());
    }
  }

  #changed(event: KeptSocketEvent): void {
    const { onEvent } = this.#options;
    if (event.type === 'up') onEvent({ type: 'stream-up' });
    else if (event.type === 'down') onEvent({ type: 'stream-down', reason: this.#clean(event.reason) });
  }

  #heard(frame: UserFrame): void {
    if (!this.#running) return;
    switch (frame.kind) {
      case 'event':
        this.#options.onEvent({ type: 'stream', event: frame.event });
        return;
      case 'key-expired':
        // Another key's end is not ours; the socket of ours would stay open and mute.
        if (frame.listenKey === undefined || frame.listenKey === this.#key)
          this.#socket.lose('the listen key expired');
        return;
      case 'ignored':
        return;
      case 'unknown':
        this.#noticeOnce(frame.type, `The private stream has events of a new type: ${frame.type}`);
        return;
      case 'unreadable':
        this.#noticeOnce(
          `${frame.type} ${frame.detail}`,
          `An event of the private stream could not be read: ${frame.type} ${frame.detail}`,
        );
        // What it said is to be found in a full reading.
        this.#options.onEvent({ type: 'stream-up' });
    }
  }

  #noticeOnce(what: string, text: string): void {
    if (this.#noticed.has(what) || this.#noticed.size > 1000) return;
    this.#noticed.add(what);
    this.#options.onNotice?.(text);
  }

  #clean(text: string): string {
    return this.#key === undefined ? text : text.replaceAll(this.#key, '…');
  }
}
