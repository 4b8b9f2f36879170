/**
 * The last `size` numbers in a ring, and the highest or lowest of them.
 * Invariant: saved oldest first, so the state does not depend on where the ring's head happens to stand.
 */
export class Window {
  readonly size: number;
  readonly #values: Float64Array;
  #head = 0;
  #count = 0;

  constructor(size: number) {
    this.size = size;
    this.#values = new Float64Array(size);
  }

  get full(): boolean {
    return this.#count === this.size;
  }

  /** The number that the next push drops; meaningful only when full. */
  get oldest(): number {
    return this.#values[this.#head] as number;
  }

  push(value: number): void {
    this.#values[this.#head] = value;
    this.#head = this.#head + 1 === this.size ? 0 : this.#head + 1;
    if (this.#count < this.size) this.#count++;
  }

  highest(): number {
    let best = -Infinity;
    for (let i = 0; i < this.#count; i++) {
      const value = this.#values[i] as number;
      if (value > best) best = value;
    }
    return best;
  }

  lowest(): number {
    let best = Infinity;
    for (let i = 0; i < this.#count; i++) {
      const value = this.#values[i] as number;
      if (value < best) best = value;
    }
    return best;
  }

  /** Σ(x − centre)² over a full window, oldest first: the order must not depend on the head. */
  squaredDeviations(centre: number): number {
    let total = 0;
    for (let i = this.#head; i < this.size; i++) total += ((this.#values[i] as number) - centre) ** 2;
    for (let i = 0; i < this.#head; i++) total += ((this.#values[i] as number) - centre) ** 2;
    return total;
  }

  copy(from: Window): void {
    this.#values.set(from.#values);
    this.#head = from.#head;
    this.#count = from.#count;
  }

  save(): number[] {
    const start = this.full ? this.#head : 0;
    return Array.from({ length: this.#count }, (_, i) => this.#values[(start + i) % this.size] as number);
  }

  load(values: readonly number[]): void {
    this.#head = 0;
    this.#count = 0;
    for (const value of values) this.push(value);
  }
}

/**
 * The highest (or lowest) of the last `size` numbers, scanning only when the extreme itself drops out.
 * Invariant: equals Window.highest() after every push.
 */
export class RollingExtreme {
  readonly #window: Window;
  readonly #sign: 1 | -1;
  #extreme = -Infinity;

  constructor(size: number, kind: 'highest' | 'lowest') {
    this.#window = new Window(size);
    this.#sign = kind === 'highest' ? 1 : -1;
  }

  get full(): boolean {
    return this.#window.full;
  }

  get value(): number {
    return this.#sign * this.#extreme;
  }

  push(value: number): void {
    const signed = this.#sign * value;
    const dropped = this.#window.full ? this.#window.oldest : -Infinity;
    this.#window.push(signed);
    if (signed >= this.#extreme) this.#extreme = signed;
    else if (dropped === this.#extreme) this.#extreme = this.#window.highest();
  }

  copy(from: RollingExtreme): void {
    this.#window.copy(from.#window);
    this.#extreme = from.#extreme;
  }

  save(): number[] {
    return this.#window.save().map((value) => this.#sign * value);
  }

  load(values: readonly number[]): void {
    this.#window.load(values.map((value) => this.#sign * value));
    this.#extreme = this.#window.highest();
  }
}
