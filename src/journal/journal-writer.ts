/**
 * Group commit across actors: one statement in flight, everything pending goes into the next one.
 *
 * Invariants: a row's callback runs only once the row is durable, in order of n; rows appended in one
 * synchronous turn are never split over two statements; per actor, seq is contiguous; a batch whose outcome is
 * unknown is looked up before it is sent again, unchanged; after FENCED nothing is released ever again.
 */
import { assert } from '../core/assert.ts';
import type { Time, TimerHandle } from '../core/clock.ts';
import { BulkheadError, isBulkheadError } from '../core/errors.ts';
import type { ActorId } from '../core/ids.ts';
import type { JournalHead, JournalRow, JournalStore, Lease, RowDraft } from './journal.ts';
import { sealRows } from './row-hash.ts';

/** 'halted' heals by itself; 'fenced' and 'failed' end the runtime; 'closed' is our own doing. */
export type WriterState = 'ok' | 'halted' | 'fenced' | 'failed' | 'closed';

export type OnDurable = (row: JournalRow) => void;

export interface WriterLimits {
  /** Appends beyond this many waiting rows throw JOURNAL_OVERLOADED. */
  readonly maxQueuedRows: number;
  /** A statement takes whole turns up to this many rows (and one turn of any size). */
  readonly maxBatchRows: number;
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
}

export const DEFAULT_WRITER_LIMITS: WriterLimits = {
  maxQueuedRows: 50_000,
  maxBatchRows: 500,
  firstRetryMs: 20,
  longestRetryMs: 5_000,
};

export interface JournalWriterOptions {
  /** Real time also in virtual runs: it paces retries only, and virtual time waits for the journal. */
  readonly time: Time;
  readonly limits?: Partial<WriterLimits>;
  readonly initialSettledN?: number;
  readonly onState?: (state: WriterState, error?: BulkheadError) => void;
  /** A row's callback (or `onState`) threw. The other callbacks still ran. Without a handler the process stops on it. */
  readonly onError?: (error: unknown, row: JournalRow | undefined) => void;
}

interface Entry {
  readonly draft: RowDraft;
  readonly onDurable: OnDurable;
}

interface Batch {
  readonly entries: readonly Entry[];
  readonly rows: readonly JournalRow[];
  readonly end: JournalHead;
}

const NUL = /\0/g;

/** PostgreSQL refuses NUL, UTF-8 lone surrogates: a free text must never be able to jam the journal. */
function cleanNote(draft: RowDraft): RowDraft {
  if (draft.note === null) return draft;
  const note = draft.note.toWellFormed().replace(NUL, '\uFFFD');
  return note === draft.note ? draft : { ...draft, note };
}

export class JournalWriter {
  readonly #store: JournalStore;
  readonly #lease: Lease;
  readonly #options: JournalWriterOptions;
  readonly #limits: WriterLimits;
  /** The last durable row. */
  #durable: JournalHead;
  #lastN: number;
  #settledN: number;
  #state: WriterState = 'ok';
  #stateError: BulkheadError | undefined;
  /** Whole synchronous turns, oldest first; the last one is still open while `#turnOpen`. */
  #turns: Entry[][] = [];
  #turnOpen = false;
  #batch: Batch | undefined;
  #retry: TimerHandle | undefined;
  #closing = false;
  readonly #lastSeq = new Map<ActorId, number>();
  #idleWaiters: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor(store: JournalStore, lease: Lease, head: JournalHead, options: JournalWriterOptions) {
    this.#store = store;
    this.#lease = lease;
    this.#durable = head;
    this.#lastN = head.n;
    this.#options = options;
    this.#limits = { ...DEFAULT_WRITER_LIMITS, ...options.limits };
    this.#settledN = options.initialSettledN ?? 0;
  }

  get state(): WriterState {
    return this.#state;
  }

  /** Rows up to this n are durable and released. */
  get durableN(): number {
    return this.#durable.n;
  }

  /** Rows given an n that are not durable yet. */
  get pendingRows(): number {
    return this.#lastN - this.#durable.n;
  }

  /** True while the row sits in a batch already sent to the store. */
  inFlight(n: number): boolean {
    const batch = this.#batch;
    return batch !== undefined && n > this.#durable.n && n <= batch.end.n;
  }

  /** Every intent of rows up to n has been consumed; stored along with the next append. */
  setSettled(n: number): void {
    assert(n >= this.#settledN && n <= this.#lastN, `settledN ${n} out of order`);
    this.#settledN = n;
  }

  /** Gives the row its n at once and queues it. Throws JOURNAL_OVERLOADED, or the error that ended the writer. */
  append(draft: RowDraft, onDurable: OnDurable): { readonly n: number } {
    this.#checkOpen();
    if (this.pendingRows >= this.#limits.maxQueuedRows) {
      throw new BulkheadError('JOURNAL_OVERLOADED', `${this.pendingRows} rows wait for the journal.`, {
        hint: 'The database is too slow or away; see the journal metrics and the log.',
      });
    }
    this.#checkSequence(draft);
    this.#lastN += 1;
    const entry: Entry = { draft: cleanNote(draft), onDurable };
    const open = this.#turnOpen ? this.#turns.at(-1) : undefined;
    if (open) open.push(entry);
    else this.#openTurn(entry);
    return { n: this.#lastN };
  }

  /** Resolves when nothing is queued or in flight; rejects when the writer ended before that. */
  idle(): Promise<void> {
    if (this.pendingRows === 0) return Promise.resolve();
    if (this.#state === 'fenced' || this.#state === 'failed' || this.#state === 'closed') {
      return Promise.reject(this.#endError());
    }
    return new Promise((resolve, reject) => this.#idleWaiters.push({ resolve, reject }));
  }

  /** Takes no more rows and drains what is queued, unless the store is away: then what waits is given up. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#state === 'ok') await this.idle().catch(() => undefined);
    this.#retry?.cancel();
    if (this.#state === 'ok' || this.#state === 'halted') this.#enter('closed');
    this.#settleIdle();
  }

  #openTurn(entry: Entry): void {
    this.#turns.push([entry]);
    this.#turnOpen = true;
    queueMicrotask(() => {
      this.#turnOpen = false;
      if (!this.#batch) this.#sendNext();
    });
  }

  #checkOpen(): void {
    if (this.#state === 'fenced' || this.#state === 'failed') throw this.#endError();
    if (this.#closing) throw new BulkheadError('STORE_UNAVAILABLE', 'The journal writer is closed.');
  }

  #endError(): BulkheadError {
    return this.#stateError ?? new BulkheadError('STORE_UNAVAILABLE', 'The journal writer is closed.');
  }

  #checkSequence({ actor, seq, final }: RowDraft): void {
    const last = this.#lastSeq.get(actor);
    assert(last === undefined || seq === last + 1, `${actor}: seq ${seq} after ${last}`);
    if (final) this.#lastSeq.delete(actor);
    else this.#lastSeq.set(actor, seq);
  }

  /** Takes as many whole turns as fit, at least one. The hash chain is closed here, in the order of n. */
  #sendNext(): void {
    const closed = this.#turnOpen ? this.#turns.length - 1 : this.#turns.length;
    let count = 0;
    let size = 0;
    while (count < closed) {
      const turn = this.#turns[count]?.length ?? 0;
      if (count > 0 && size + turn > this.#limits.maxBatchRows) break;
      size += turn;
      count += 1;
    }
    if (count === 0) return;
    const entries = this.#turns.splice(0, count).flat();
    const drafts = entries.map((entry) => entry.draft);
    const rows = sealRows(this.#durable, this.#lease.epoch, drafts);
    const last = rows.at(-1);
    assert(last, 'a batch has rows');
    this.#batch = { entries, rows, end: { n: last.n, hash: last.hash } };
    void this.#send(this.#batch, 0);
  }

  /** Appends the batch; from the second attempt on it first asks whether an earlier one took effect. */
  async #send(batch: Batch, attempt: number): Promise<void> {
    try {
      const landed = attempt > 0 && (await this.#hasLanded(batch));
      if (!landed) await this.#store.append(this.#lease, batch.rows, this.#settledN);
    } catch (error) {
      this.#failed(batch, attempt, error);
      return;
    }
    // Closed while the store was away: what landed late belongs to the next start.
    if (this.#state === 'closed') return;
    if (this.#state === 'halted') this.#enter('ok');
    this.#release(batch);
  }

  async #hasLanded(batch: Batch): Promise<boolean> {
    const head = await this.#store.head();
    return head.n === batch.end.n && head.hash === batch.end.hash;
  }

  #failed(batch: Batch, attempt: number, error: unknown): void {
    if (this.#state === 'closed') return;
    if (isBulkheadError(error, 'FENCED')) {
      this.#enter('fenced', error);
    } else if (isBulkheadError(error) && error.kind !== 'terminal') {
      if (this.#closing) {
        this.#enter('closed', error);
        return;
      }
      const delayMs = Math.min(this.#limits.firstRetryMs * 2 ** attempt, this.#limits.longestRetryMs);
      this.#retry = this.#options.time.timers.set(delayMs, () => void this.#send(batch, attempt + 1));
      this.#enter('halted', error);
    } else {
      const cause = isBulkheadError(error)
        ? error
        : new BulkheadError('INTERNAL', 'The journal store refused a batch.', { cause: error });
      this.#enter('failed', cause);
    }
  }

  #release(batch: Batch): void {
    this.#durable = batch.end;
    this.#batch = undefined;
    for (const [index, row] of batch.rows.entries()) {
      try {
        batch.entries[index]?.onDurable(row);
      } catch (error) {
        this.#report(error, row);
      }
    }
    // The callbacks' own appends form an open turn, whose microtask sends it; older turns go now.
    if (!this.#batch) this.#sendNext();
    if (this.pendingRows === 0) this.#settleIdle();
  }

  #report(error: unknown, row: JournalRow | undefined): void {
    if (this.#options.onError) {
      this.#options.onError(error, row);
      return;
    }
    queueMicrotask(() => {
      throw error;
    });
  }

  #enter(state: WriterState, error?: BulkheadError): void {
    if (error) this.#stateError = error;
    const changed = this.#state !== state;
    this.#state = state;
    if (state !== 'ok' && state !== 'halted') this.#settleIdle();
    if (changed) this.#tell(state, error);
  }

  /** A listener that throws must not keep a durable batch from its release, nor a failed one from its retry. */
  #tell(state: WriterState, error?: BulkheadError): void {
    try {
      this.#options.onState?.(state, error);
    } catch (thrown) {
      this.#report(thrown, undefined);
    }
  }

  #settleIdle(): void {
    const waiters = this.#idleWaiters.splice(0);
    for (const { resolve, reject } of waiters) {
      if (this.pendingRows === 0) resolve();
      else reject(this.#endError());
    }
  }
}
