/**
 * The newest value of each key, handed on once a turn: under load, when many frames come in one chunk, prices
 * that are old already are not worked through one by one.
 *
 * Invariants: what is handed on is the newest put; keys go in the order in which they first changed; nothing is
 * handed on twice; `flush` hands on at once, for what must not overtake.
 */
export class Conflation<K, V> {
  readonly #handOn: (value: V, key: K) => void;
  readonly #newest = new Map<K, V>();
  #armed = false;
  #conflated = 0;

  constructor(handOn: (value: V, key: K) => void) {
    this.#handOn = handOn;
  }

  /** How many values were overtaken by a newer one. */
  get conflated(): number {
    return this.#conflated;
  }

  put(key: K, value: V): void {
    if (this.#newest.has(key)) this.#conflated++;
    this.#newest.set(key, value);
    if (this.#armed) return;
    this.#armed = true;
    // All frames of one chunk are heard in one turn, before any microtask.
    queueMicrotask(() => {
      this.#armed = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#newest.size === 0) return;
    const newest = [...this.#newest];
    this.#newest.clear();
    for (const [key, value] of newest) this.#handOn(value, key);
  }

  clear(): void {
    this.#newest.clear();
  }
}
