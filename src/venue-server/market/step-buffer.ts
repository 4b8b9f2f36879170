/**
 * The steps of a market read ahead of time, so that playing them never waits.
 * Invariant: steps come out once each, in order; at most one read is under way.
 */
import type { MarketStep } from '../../market/market-data.ts';

export class StepBuffer {
  readonly #chunks: AsyncIterator<readonly MarketStep[]>;
  readonly #onLoaded: (steps: readonly MarketStep[]) => void;
  #steps: MarketStep[] = [];
  #head = 0;
  #loading: Promise<boolean> | undefined;
  #ended = false;

  constructor(
    chunks: AsyncIterable<readonly MarketStep[]>,
    onLoaded: (steps: readonly MarketStep[]) => void,
  ) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#onLoaded = onLoaded;
  }

  /** Nothing more will come. */
  get ended(): boolean {
    return this.#ended;
  }

  get length(): number {
    return this.#steps.length - this.#head;
  }

  get lastAt(): number | undefined {
    return this.#steps.at(-1)?.at;
  }

  /** The next step, `skip` beyond it. */
  peek(skip = 0): MarketStep | undefined {
    return this.#steps[this.#head + skip];
  }

  shift(): void {
    this.#head++;
    if (this.#head < 1024 || this.#head * 2 < this.#steps.length) return;
    this.#steps = this.#steps.slice(this.#head);
    this.#head = 0;
  }

  /** False at the end. */
  load(): Promise<boolean> {
    this.#loading ??= this.#next().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#chunks.return?.();
  }

  async #next(): Promise<boolean> {
    if (this.#ended) return false;
    const { value, done } = await this.#chunks.next();
    if (done) {
      this.#ended = true;
      return false;
    }
    for (const step of value) this.#steps.push(step);
    this.#onLoaded(value);
    return true;
  }
}
