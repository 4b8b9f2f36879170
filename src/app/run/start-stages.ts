/**
 * How far a start, or a takeover, has come: what it took from the moment on when the account was this process's. Each
 * stage counts once, when it is first reached.
 */
import type { Time } from '../../core/clock.ts';

export type StartStage =
  /** The journal is read, up to its newest row. */
  | 'journal'
  /** The configuration that it goes by is known. */
  | 'configuration'
  /** People can look on, and be told. */
  | 'seat'
  /** The venue is connected and checked. */
  | 'venue'
  /** The tree is put together. */
  | 'tree'
  /** Its actors run. */
  | 'actors'
  /** The account was read as a whole. */
  | 'account'
  /** Everything open is protected and agrees with the venue. */
  | 'safe';

export class StartStages {
  readonly #monotonic: Time['monotonic'];
  readonly #since: number;
  readonly #reached = new Map<StartStage, number>();
  readonly #waiting: { readonly stage: StartStage; readonly resolve: () => void }[] = [];

  constructor({ monotonic }: Pick<Time, 'monotonic'>) {
    this.#monotonic = monotonic;
    this.#since = monotonic.now();
  }

  reach(stage: StartStage): void {
    if (this.#reached.has(stage)) return;
    this.#reached.set(stage, Math.round(this.#monotonic.now() - this.#since));
    for (const one of this.#waiting) if (one.stage === stage) one.resolve();
  }

  when(stage: StartStage): Promise<void> {
    if (this.#reached.has(stage)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ stage, resolve }));
  }

  /** When each was reached, in ms from the beginning. */
  get reached(): Readonly<Partial<Record<StartStage, number>>> {
    return Object.fromEntries(this.#reached);
  }
}
