/** A map of the newest few thousand; the oldest goes first. */
export class Recent<K, V> {
  readonly #map = new Map<K, V>();
  readonly #most: number;

  constructor(most = 5_000) {
    this.#most = most;
  }

  set(key: K, value: V): void {
    this.#map.set(key, value);
    if (this.#map.size <= this.#most) return;
    const [oldest] = this.#map.keys();
    if (oldest !== undefined) this.#map.delete(oldest);
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  take(key: K): V | undefined {
    const value = this.#map.get(key);
    this.#map.delete(key);
    return value;
  }
}
