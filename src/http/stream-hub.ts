/**
 * The live stream: what happens, to every page that looks on, as server-sent events.
 *
 * Invariants: an event is put into words once, however many listen, and only when somebody does; a client that does not read is
 * dropped at a bound, and what trades never waits for one; who comes back with the last id it saw gets what it missed,
 * or is told to begin anew.
 */
import type { ServerResponse } from 'node:http';
import type { TimerHandle, Timers } from '../core/clock.ts';
import type { Feed, FeedEvent } from '../operator/feed.ts';

interface Client {
  readonly response: ServerResponse;
  /** Undefined: all. */
  readonly types: ReadonlySet<string> | undefined;
  /** Opened with the token. */
  readonly isKeyed: boolean;
  waiting: string;
}

export interface HubOptions {
  readonly feed: Feed;
  readonly timers: Timers;
  readonly maxClients: () => number;
  /** Said first to everybody. */
  readonly hello: () => object;
}

const HEARTBEAT_MS = 15_000;
/** Between two writes: a burst of rows goes out as one. */
const GATHER_MS = 20;
const MOST_UNREAD_BYTES = 1_048_576;

const words = ({ id, type, data }: FeedEvent): string =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

export class StreamHub {
  readonly #options: HubOptions;
  readonly #clients = new Set<Client>();
  #unsubscribe: (() => void) | undefined;
  #flushing: TimerHandle | undefined;
  #beating: TimerHandle | undefined;
  #dropped = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#beat();
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Clients that were cut off because they did not read. */
  get dropped(): number {
    return this.#dropped;
  }

  get isFull(): boolean {
    return this.#clients.size >= this.#options.maxClients();
  }

  /** `lastId`: the newest event that it has seen. */
  open(
    response: ServerResponse,
    types: readonly string[],
    lastId: number | undefined,
    isKeyed = false,
  ): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const client: Client = {
      response,
      types: types.length === 0 ? undefined : new Set([...types, 'reset']),
      isKeyed,
      waiting: '',
    };
    this.#clients.add(client);
    response.on('close', () => this.#forget(client));
    response.on('error', () => this.#forget(client));
    this.#unsubscribe ??= this.#options.feed.subscribe((event) => this.#hear(event));
    this.#greet(client, lastId);
  }

  /** The token was changed: whoever was let in by the old one comes back with the new one, or not at all. */
  endKeyed(): void {
    for (const { response, isKeyed } of this.#clients) if (isKeyed) response.destroy();
  }

  close(): void {
    for (const client of this.#clients) client.response.destroy();
    this.#clients.clear();
    this.#unsubscribe?.();
    this.#beating?.cancel();
    this.#flushing?.cancel();
  }

  #greet(client: Client, lastId: number | undefined): void {
    const { feed, hello } = this.#options;
    const missed = lastId === undefined ? [] : feed.since(lastId);
    client.waiting += `retry: 2000\nevent: hello\ndata: ${JSON.stringify(hello())}\n\n`;
    if (missed === undefined) client.waiting += `id: ${feed.lastId}\nevent: reset\ndata: {}\n\n`;
    for (const event of missed ?? [])
      if (client.types?.has(event.type) !== false) client.waiting += words(event);
    this.#flushLater();
  }

  #hear(event: FeedEvent): void {
    let text: string | undefined;
    for (const client of this.#clients) {
      if (client.types?.has(event.type) === false) continue;
      text ??= words(event);
      client.waiting += text;
    }
    if (text !== undefined) this.#flushLater();
  }

  #flushLater(): void {
    this.#flushing ??= this.#options.timers.set(GATHER_MS, () => {
      this.#flushing = undefined;
      for (const client of this.#clients) this.#flush(client);
    });
  }

  #flush(client: Client): void {
    const { response, waiting } = client;
    if (waiting === '') return;
    if (response.writableLength > MOST_UNREAD_BYTES) {
      this.#dropped += 1;
      response.destroy();
      this.#forget(client);
      return;
    }
    client.waiting = '';
    response.write(waiting);
  }

  #beat(): void {
    this.#beating = this.#options.timers.set(HEARTBEAT_MS, () => {
      for (const { response } of this.#clients) response.write(': still here\n\n');
      this.#beat();
    });
  }

  #forget(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }
}
