/**
 * How much of the last thirty days the account was looked after: by this process, and by those before it as the journal
 * tells. Where rows of the account's heart, the portfolio, are missing for long, and between two processes, nobody was
 * there.
 *
 * Invariants: time between two processes counts as down, whole; so does time in which this one was not well, or too busy
 * to look; what was before the journal's first row is not counted at all (a journal that is kept for less than thirty
 * days tells of less, and `since` says so); until the past is read nothing is said.
 */
import { sleep, type Timers } from '../../core/clock.ts';
import { PORTFOLIO } from '../../domain/events.ts';
import type { JournalStore, Pause } from '../../journal/journal.ts';

export const UPTIME_WINDOW_MS = 30 * 86_400_000;
/** This process looks every second; after so long without a look it was not there either. */
const LONGEST_LOOK_MS = 5_000;
const STRETCH_ROWS = 10_000;
/** Between two stretches: the journal's writer comes first. */
const PAUSE_MS = 50;

interface Span {
  readonly from: number;
  readonly to: number;
}

export interface PastOptions {
  readonly store: Pick<JournalStore, 'pauses' | 'rowsOf'>;
  /** Of the portfolio's newest row. */
  readonly seq: number;
  readonly headAt: number;
  /** A portfolio that runs is never silent for longer. */
  readonly longestQuietMs: number;
  readonly timers: Timers;
  readonly now: number;
}

export class Uptime {
  #from: number | undefined;
  #last: number | undefined;
  /** In order, disjoint. */
  #downs: Span[] = [];
  #isReading = false;
  #isStopped = false;

  /** Looks at health once a second. */
  look(now: number, isWell: boolean): void {
    const since = this.#last ?? now;
    this.#from ??= now;
    if (!isWell || now - since > LONGEST_LOOK_MS) this.#down(since, now);
    this.#last = Math.max(now, since);
  }

  /** Reads what was before this process, the newest first, as far back as it counts. */
  async load({ store, seq, headAt, longestQuietMs, timers, now }: PastOptions): Promise<void> {
    this.#isReading = true;
    const oldest = now - UPTIME_WINDOW_MS;
    let downs: Span[] = [];
    let from = headAt;
    for (let upto = seq; upto > 0 && from > oldest && !this.#isStopped; upto -= STRETCH_ROWS) {
      const after = Math.max(0, upto - STRETCH_ROWS);
      const query = { actor: PORTFOLIO, afterSeq: after, uptoSeq: upto, longerThanMs: longestQuietMs };
      downs = [...(await store.pauses(query)).map(spanOf), ...downs];
      const [first] = await store.rowsOf(PORTFOLIO, after, 1);
      from = first?.at ?? from;
      await sleep(timers, PAUSE_MS);
    }
    if (this.#isStopped) return;
    const own = this.#downs;
    this.#downs = [];
    for (const { from: start, to } of downs) this.#down(start, to);
    this.#down(headAt, this.#from ?? now);
    for (const { from: start, to } of own) this.#down(start, to);
    this.#from = Math.min(from, this.#from ?? now);
    this.#isReading = false;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Null: nothing is known yet. */
  get share(): number | null {
    const { seconds, downMs } = this.#counted();
    return seconds === 0 ? null : 1 - downMs / (seconds * 1_000);
  }

  /** How many seconds it speaks of. */
  get seconds(): number {
    return this.#counted().seconds;
  }

  /** From when on it counts: thirty days ago, or since there are rows. Null: nothing is known yet. */
  get since(): number | null {
    return this.#counted().from;
  }

  #counted(): { readonly from: number | null; readonly seconds: number; readonly downMs: number } {
    const to = this.#last;
    if (this.#isReading || this.#from === undefined || to === undefined)
      return { from: null, seconds: 0, downMs: 0 };
    const from = Math.max(this.#from, to - UPTIME_WINDOW_MS);
    this.#downs = this.#downs.filter((down) => down.to > from);
    const downMs = this.#downs.reduce((sum, down) => sum + down.to - Math.max(down.from, from), 0);
    return { from, seconds: Math.max(0, to - from) / 1_000, downMs };
  }

  #down(from: number, to: number): void {
    const last = this.#downs.at(-1);
    const start = Math.max(from, last?.to ?? from);
    if (to <= start) return;
    if (last && start === last.to) this.#downs[this.#downs.length - 1] = { from: last.from, to };
    else this.#downs.push({ from: start, to });
  }
}

const spanOf = ({ beforeAt, at }: Pause): Span => ({ from: beforeAt, to: Math.max(at, beforeAt) });
