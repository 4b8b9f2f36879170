/**
 * Recovery while somebody else still writes: reads once what a start must know, and from then on follows the journal
 * row by row, so that a takeover has only the newest rows left to read.
 *
 * Invariants: `finish` gives what `readRecovery` would give at that moment (held by a property); each row's hash is
 * verified as it comes; a follower that cannot go on (rows missing under it) begins anew instead of guessing.
 */
import { BulkheadError, isBulkheadError } from '../src/core/errors.ts';
import type { ActorId } from '../src/core/ids.ts';
import type { ActorEvent } from '../src/domain/events.ts';
import type { JournalHead, JournalRow, JournalStore } from '../src/journal/journal.ts';
import { EMPTY_HEAD, verifyChain } from '../src/journal/row-hash.ts';
import { DEAD_LETTERS } from './dead-letters.ts';
import {
  cursorOf,
  type InputCursor,
  type LiveActor,
  lastInput,
  type Recovered,
  readLive,
  readTail,
  unconsumedOf,
} from './recovery.ts';

const PAGE_ROWS = 2_000;

/** As `LiveActor`, still growing. */
interface Followed {
  row: JournalRow;
  checkpoint: string;
  eventsSince: ActorEvent[];
}

export class RecoveryFollower {
  readonly #store: JournalStore;
  #isBegun = false;
  #head: JournalHead = EMPTY_HEAD;
  #headAt: number | undefined;
  #cursor: InputCursor | undefined;
  /** Rows above the settled one, in order. */
  #tail: JournalRow[] = [];
  readonly #live = new Map<ActorId, Followed>();
  #deadLetters: JournalRow | undefined;

  constructor(store: JournalStore) {
    this.#store = store;
  }

  /** The newest row that is known here; 0 before the first reading. */
  get followedN(): number {
    return this.#head.n;
  }

  get headAt(): number | undefined {
    return this.#headAt;
  }

  /** Takes what is new. Throws the store's errors; may then be called again. */
  async follow(): Promise<void> {
    if (!this.#isBegun) await this.#begin();
    for (;;) {
      const page = await this.#store.rowsAfter(this.#head.n, PAGE_ROWS);
      if (page.length === 0) return;
      try {
        this.#head = verifyChain(page, this.#head);
      } catch (error) {
        // A journal that was changed under us is looked at anew, and judged by whoever recovers from it.
        this.#isBegun = false;
        throw error;
      }
      for (const row of page) this.#take(row);
      if (page.length < PAGE_ROWS) break;
    }
    await this.#forgetSettled();
  }

  /** The state to start from, once the lease is ours and nobody else can write. */
  async finish(): Promise<Recovered> {
    await this.follow();
    const settledN = await this.#forgetSettled();
    const head = await this.#store.head();
    if (head.n !== this.#head.n || head.hash !== this.#head.hash)
      throw new BulkheadError(
        'STORE_CORRUPT',
        `The journal ends at row ${head.n}; ${this.#head.n} were read.`,
        {
          hint: 'Run `bulkhead doctor`: the journal was changed by something else.',
        },
      );
    return {
      head,
      settledN,
      headAt: this.#headAt,
      cursor: this.#cursor,
      live: new Map<ActorId, LiveActor>(this.#live),
      deadLetters: this.#deadLetters,
      ...unconsumedOf(this.#tail),
    };
  }

  /** The live rows are read last, so some may be newer than the tail: `#take` passes over what they hold already. */
  async #begin(): Promise<void> {
    const settledN = await this.#store.settledN();
    this.#tail = await readTail(this.#store, settledN);
    const last = this.#tail.at(-1) ?? (settledN > 0 ? await this.#rowAt(settledN) : undefined);
    this.#head = last ? { n: last.n, hash: last.hash } : EMPTY_HEAD;
    this.#headAt = last?.at;
    this.#cursor = await lastInput(this.#store, this.#head.n);
    this.#live.clear();
    const { live, deadLetters } = await readLive(this.#store);
    this.#deadLetters = deadLetters;
    for (const [actor, known] of live) this.#live.set(actor, followed(known));
    this.#isBegun = true;
  }

  async #rowAt(n: number): Promise<JournalRow | undefined> {
    return (await this.#store.rowsAfter(n - 1, 1))[0];
  }

  #take(row: JournalRow): void {
    this.#tail.push(row);
    this.#headAt = row.at;
    this.#cursor = cursorOf(row) ?? this.#cursor;
    if (row.actor === DEAD_LETTERS) {
      if (row.n > (this.#deadLetters?.n ?? 0)) this.#deadLetters = row;
      return;
    }
    if (row.final) this.#live.delete(row.actor);
    const known = this.#live.get(row.actor);
    if (row.final || (known && known.row.n >= row.n)) return;
    if (row.snapshot !== null) this.#live.set(row.actor, { row, checkpoint: row.snapshot, eventsSince: [] });
    else if (known) {
      known.row = row;
      if (row.kind === 'event') known.eventsSince.push(JSON.parse(row.event) as ActorEvent);
    }
  }

  async #forgetSettled(): Promise<number> {
    const settledN = await this.#store.settledN();
    const first = this.#tail.findIndex(({ n }) => n > settledN);
    this.#tail.splice(0, first < 0 ? this.#tail.length : first);
    return settledN;
  }
}

const followed = ({ row, checkpoint, eventsSince }: LiveActor): Followed => ({
  row,
  checkpoint,
  eventsSince: [...eventsSince],
});

/** Follows once; what passes by itself (the store being away) is for the next time. False: it did not come about. */
export async function followOnce(follower: RecoveryFollower): Promise<boolean> {
  try {
    await follower.follow();
    return true;
  } catch (error) {
    if (isBulkheadError(error) && error.kind !== 'terminal') return false;
    throw error;
  }
}
