/** The cache inside the process: the default, with nothing to install. */
import type { Monotonic } from '../core/clock.ts';
import type { Cache } from './cache.ts';

interface Entry {
  readonly value: string;
  readonly expiresAt: number;
}

const DEFAULT_MAX_ENTRIES = 10_000;

export class MemoryCache implements Cache {
  readonly name = 'memory';
  readonly #clock: Monotonic;
  readonly #maxEntries: number;
  /** In the order of writing, so that the first one is the oldest. */
  readonly #entries = new Map<string, Entry>();
  readonly #channels = new Map<string, Set<(message: string) => void>>();

  constructor(clock: Monotonic, maxEntries = DEFAULT_MAX_ENTRIES) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
  }

  async get(key: string): Promise<string | undefined> {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (entry.expiresAt > this.#clock.now()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    this.#entries.delete(key);
    this.#entries.set(key, { value, expiresAt: this.#clock.now() + ttlMs });
    if (this.#entries.size > this.#maxEntries) this.#evict();
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
  }

  async publish(channel: string, message: string): Promise<void> {
    // Not within the caller's turn: with Redis it could not be either.
    for (const receive of this.#channels.get(channel) ?? []) queueMicrotask(() => receive(message));
  }

  async subscribe(channel: string, receive: (message: string) => void): Promise<() => Promise<void>> {
    // One function may subscribe twice; each subscription is its own.
    const own = (message: string): void => receive(message);
    const receivers = this.#channels.get(channel) ?? new Set();
    receivers.add(own);
    this.#channels.set(channel, receivers);
    return async () => {
      receivers.delete(own);
      if (receivers.size === 0) this.#channels.delete(channel);
    };
  }

  async close(): Promise<void> {
    this.#entries.clear();
    this.#channels.clear();
  }

  #evict(): void {
    const now = this.#clock.now();
    for (const [key, entry] of this.#entries) if (entry.expiresAt <= now) this.#entries.delete(key);
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries) return;
      this.#entries.delete(key);
    }
  }
}
