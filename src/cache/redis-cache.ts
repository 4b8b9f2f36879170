/** The cache in Redis or Valkey, shared by processes. Its home is the only one of ioredis. */
import { Redis } from 'ioredis';
import type { Cache } from './cache.ts';

export interface RedisCacheOptions {
  /** redis://…, rediss://…, or the path of a Unix socket. */
  readonly url: string;
  /** Keeps installations apart that share a server. */
  readonly prefix: string;
  /** Told of every failed command, for the log and a metric; the command itself is a miss. */
  readonly onError: (error: unknown) => void;
}

/** A cache that takes longer than this is as good as away. */
const COMMAND_TIMEOUT_MS = 500;
const CONNECT_TIMEOUT_MS = 2_000;
const LONGEST_RECONNECT_MS = 5_000;

export class RedisCache implements Cache {
  readonly name = 'redis';
  readonly #prefix: string;
  readonly #onError: (error: unknown) => void;
  readonly #commands: Redis;
  /** A connection that subscribes can do nothing else. */
  readonly #subscriber: Redis;
  readonly #channels = new Map<string, Set<(message: string) => void>>();

  constructor(options: RedisCacheOptions) {
    this.#prefix = options.prefix;
    this.#onError = options.onError;
    const settings = {
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxRetriesPerRequest: 1,
      retryStrategy: (attempt: number) => Math.min(attempt * 100, LONGEST_RECONNECT_MS),
    };
    this.#commands = new Redis(options.url, settings);
    // A subscription must outlive an outage, so this one waits and is made again on reconnect.
    this.#subscriber = new Redis(options.url, { ...settings, maxRetriesPerRequest: null });
    for (const connection of [this.#commands, this.#subscriber]) connection.on('error', this.#onError);
    this.#subscriber.on('message', (channel: string, message: string) => {
      for (const receive of this.#channels.get(channel) ?? []) receive(message);
    });
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#try(() => this.#commands.get(this.#name(key)))) ?? undefined;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    await this.#try(() => this.#commands.set(this.#name(key), value, 'PX', Math.max(1, Math.ceil(ttlMs))));
  }

  async delete(key: string): Promise<void> {
    await this.#try(() => this.#commands.del(this.#name(key)));
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#try(() => this.#commands.publish(this.#name(channel), message));
  }

  async subscribe(channel: string, receive: (message: string) => void): Promise<() => Promise<void>> {
    const name = this.#name(channel);
    const own = (message: string): void => receive(message);
    const receivers = this.#channels.get(name) ?? new Set();
    receivers.add(own);
    this.#channels.set(name, receivers);
    await this.#try(() => this.#subscriber.subscribe(name));
    return async () => {
      receivers.delete(own);
      if (receivers.size > 0) return;
      this.#channels.delete(name);
      await this.#try(() => this.#subscriber.unsubscribe(name));
    };
  }

  async close(): Promise<void> {
    this.#channels.clear();
    this.#commands.disconnect();
    this.#subscriber.disconnect();
  }

  #name(key: string): string {
    return `${this.#prefix}:${key}`;
  }

  async #try<T>(command: () => Promise<T>): Promise<T | undefined> {
    try {
      return await command();
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }
}
