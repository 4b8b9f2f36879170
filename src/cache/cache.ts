/**
 * The cache port: short-lived values and fan-out of messages between processes.
 *
 * Invariants: nothing lives here that cannot be rebuilt (advice can be asked for again, prices come again); a
 * cache that is away is a miss and a lost message, never an error that stops trading; messages are delivered
 * at most once, and to those subscribed at the time.
 */
export interface Cache {
  /** "memory" or "redis", for `status`. */
  readonly name: string;
  /** Undefined when absent, expired, or when the cache is away. */
  get(key: string): Promise<string | undefined>;
  /** Kept for at most `ttlMs`; every value has an end. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  publish(channel: string, message: string): Promise<void>;
  /** Resolves once messages arrive; the result ends this subscription. */
  subscribe(channel: string, receive: (message: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}
