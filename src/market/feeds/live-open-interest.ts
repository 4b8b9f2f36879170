/**
 * Open interest, which Binance has no stream for: asked symbol by symbol, each once in a while, one at a time.
 *
 * Invariant: a failure costs that symbol's turn and nothing else.
 */
import type { Time, TimerHandle } from '../../core/clock.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { InterestEvent } from '../live/live-hub.ts';
import { figureOf } from './ccxt-answers.ts';

export interface OpenInterestPollOptions {
  readonly symbols: readonly SymbolName[];
  /** The venue's time: its figure changes with it. */
  readonly time: Time;
  readonly ask: (symbol: SymbolName) => Promise<unknown>;
  readonly onInterest: (event: InterestEvent) => void;
  /** How often each symbol is asked about. */
  readonly everyMs?: number;
}

const EVERY_MS = 300_000;

export class OpenInterestPoll {
  readonly #options: OpenInterestPollOptions;
  #timer: TimerHandle | undefined;
  #next = 0;
  #running = false;

  constructor(options: OpenInterestPollOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running || this.#options.symbols.length === 0) return;
    this.#running = true;
    void this.#ask();
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  async #ask(): Promise<void> {
    const { symbols, time, ask, onInterest, everyMs = EVERY_MS } = this.#options;
    const symbol = symbols[this.#next++ % symbols.length] as SymbolName;
    try {
      const answer = (await ask(symbol)) as { openInterest?: unknown; time?: unknown };
      const amount = figureOf(answer.openInterest);
      const at = figureOf(answer.time);
      if (this.#running && amount >= 0 && at > 0) onInterest({ type: 'open-interest', symbol, at, amount });
    } catch {
      // The next turn asks again.
    }
    if (this.#running) this.#timer = time.timers.set(everyMs / symbols.length, () => void this.#ask());
  }
}
