/**
 * Which intents nobody has consumed yet. Its low-water mark is stored with every append, so that recovery
 * looks only at rows above it instead of the whole journal.
 *
 * Invariant: `settledN` never passes a row that has an unconsumed intent.
 */
import { assert } from '../src/core/assert.ts';

export class Outstanding {
  /** Row n → how many of its intents are unconsumed; in ascending n, as rows become durable in that order. */
  readonly #left = new Map<number, number>();
  #durableN: number;

  constructor(settledN: number) {
    this.#durableN = settledN;
  }

  opened(n: number, intents: number): void {
    assert(n > this.#durableN, `row ${n} became durable after ${this.#durableN}`);
    this.#durableN = n;
    if (intents > 0) this.#left.set(n, intents);
  }

  consumed(n: number): void {
    const left = this.#left.get(n);
    assert(left !== undefined, `an intent of row ${n} was consumed twice`);
    if (left === 1) this.#left.delete(n);
    else this.#left.set(n, left - 1);
  }

  get settledN(): number {
    const first = this.#left.keys().next();
    return first.done ? this.#durableN : first.value - 1;
  }

  get size(): number {
    return this.#left.size;
  }
}
