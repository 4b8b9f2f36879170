/**
 * How far the market of a local exchange has been played, by its own journal: what a restart goes on from.
 *
 * Invariant: what people and faults give the exchange between two beats of the market moves nothing here.
 */
import type { Json } from '../../core/json.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { EngineInput } from '../../exchange/engine/engine-types.ts';
import type { CoreEntry } from '../../venue-server/core.ts';
import { speedFactor, type VenueClock } from '../../venue-server/venue-clock.ts';

/** The market looks at its clock at least this often, in real time. */
const BEAT_REAL_MS = 16;
const SECOND_MS = 1_000;

/** What a snapshot holds. */
export interface ExchangeSnapshot {
  readonly core: Json;
  readonly playedTo: number;
  readonly changed: readonly Instrument[];
  /** Funding that is in the books at the instant of the last input; others of that instant may be missing. */
  readonly settled: readonly string[];
}

/** What the source itself tells; the rest comes from people and faults, at any moment between two of its beats. */
const OF_THE_MARKET: ReadonlySet<EngineInput['type']> = new Set(['BAR', 'PRICE', 'BOOK', 'TRADE', 'FUNDING']);

/** Where the market resumes, and what of it is in the books already. */
export class MarketProgress {
  readonly #clock: VenueClock;
  readonly #settled = new Set<string>();
  readonly #changed = new Map<string, Instrument>();
  #lastFed = 0;
  #lastFunded = 0;
  #lastAsked = 0;
  #playedTo = 0;

  constructor(clock: VenueClock) {
    this.#clock = clock;
  }

  resume(kept: ExchangeSnapshot | undefined): void {
    this.#playedTo = kept?.playedTo ?? 0;
    for (const name of kept?.settled ?? []) {
      this.#settled.add(name);
      this.#lastFunded = Number(name.split(' ')[1]);
      this.#lastFed = this.#lastFunded;
    }
    for (const instrument of kept?.changed ?? []) this.#changed.set(instrument.symbol, instrument);
  }

  saw(entry: CoreEntry): void {
    if (entry.type !== 'feed') {
      this.#lastAsked = Math.max(this.#lastAsked, entry.at);
      return;
    }
    const { input } = entry;
    if (input.type === 'INSTRUMENT') this.#changed.set(input.instrument.symbol, input.instrument);
    if (!OF_THE_MARKET.has(input.type)) {
      this.#lastAsked = Math.max(this.#lastAsked, input.at);
      return;
    }
    this.#lastFed = Math.max(this.#lastFed, input.at);
    if (input.type === 'FUNDING') {
      // Only those of one instant can be half done.
      if (input.at > this.#lastFunded) this.#settled.clear();
      this.#lastFunded = input.at;
      this.#settled.add(`${input.symbol} ${input.at}`);
    }
  }

  isSettled(symbol: string, at: number): boolean {
    return this.#settled.has(`${symbol} ${at}`);
  }

  settled(): readonly string[] {
    return [...this.#settled].filter((name) => name.endsWith(` ${this.#lastFed}`));
  }

  changed(): readonly Instrument[] {
    return [...this.#changed.values()];
  }

  /** The market has surely told everything up to then. */
  playedTo(): number {
    return Math.max(this.#lastFed, this.#clock.now() - 2 * this.#beatMs());
  }

  /** A request shows that the market had been played up to a beat before it. */
  resumeAt(): number {
    return Math.max(this.#playedTo, this.#lastFed, this.#lastAsked - 2 * this.#beatMs());
  }

  #beatMs(): number {
    return Math.max(SECOND_MS, BEAT_REAL_MS * speedFactor(this.#clock));
  }
}
