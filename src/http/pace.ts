/** How often one address may ask: a bucket that fills again with time. Bounded: the longest silent are forgotten. */
interface Bucket {
  left: number;
  at: number;
}

const ADDRESSES = 10_000;

export class Pace {
  #perMinute: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** `now` is monotonic, in ms. */
  constructor(perMinute: number, now: () => number) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  setRate(perMinute: number): void {
    this.#perMinute = perMinute;
  }

  /** False: too often. */
  takes(address: string): boolean {
    const bucket = this.#bucket(address);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  isSpent(address: string): boolean {
    return this.#bucket(address).left < 1;
  }

  #bucket(address: string): Bucket {
    const now = this.#now();
    const known = this.#buckets.get(address) ?? { left: this.#perMinute, at: now };
    known.left = Math.min(this.#perMinute, known.left + ((now - known.at) * this.#perMinute) / 60_000);
    known.at = now;
    this.#buckets.delete(address);
    this.#buckets.set(address, known);
    if (this.#buckets.size > ADDRESSES) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return known;
  }
}
