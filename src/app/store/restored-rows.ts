/**
 * Rows on their way from an archive into a store: cut at a row or a moment, and what was settled among them counted
 * anew, because below the end of a journal nobody has noted it.
 */
import { route } from '../../../supervisors/routing.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { Cause, Intent } from '../../domain/events.ts';
import type { JournalRow } from '../../journal/journal.ts';
import type { ReplayTarget } from '../cli/io.ts';

/** Which intents of rows that are read one after the other no later row has consumed yet. */
export class OpenIntents {
  /** Rows with such intents: how many. */
  readonly #open = new Map<number, number>();
  #lastN = 0;

  /** Every intent of rows up to here has been consumed by a row. */
  get settledN(): number {
    const [oldest] = this.#open.keys();
    return oldest === undefined ? this.#lastN : oldest - 1;
  }

  take(row: JournalRow): void {
    this.#lastN = row.n;
    const { consumes, count } = read(row);
    if (consumes !== undefined) this.#consume(consumes);
    if (count > 0) this.#open.set(row.n, count);
  }

  #consume(n: number): void {
    const left = (this.#open.get(n) ?? 0) - 1;
    if (left > 0) this.#open.set(n, left);
    else this.#open.delete(n);
  }
}

/** The row whose intent it answers, and how many intents of its own somebody must answer. */
function read({ n, actor, cause, intents }: JournalRow): {
  readonly consumes?: number;
  readonly count: number;
} {
  try {
    const by = JSON.parse(cause) as Cause;
    const all = JSON.parse(intents) as Intent[];
    const count = all.filter((intent, i) => route(intent, actor, n, i) !== undefined).length;
    return by.kind === 'intent' ? { consumes: by.n, count } : { count };
  } catch (error) {
    throw new BulkheadError(
      'STORE_CORRUPT',
      `Row ${n} (${actor}) stands as it was written, and cannot be read.`,
      {
        hint: 'Take an older backup, or restore up to the row before it: "bulkhead restore --to N".',
        cause: error,
      },
    );
  }
}

export class RestoredRows {
  readonly #intents = new OpenIntents();
  #last: JournalRow | undefined;
  #rows = 0;

  get last(): JournalRow | undefined {
    return this.#last;
  }

  get count(): number {
    return this.#rows;
  }

  /** Every intent of rows up to here has been consumed by a row. */
  get settledN(): number {
    return this.#intents.settledN;
  }

  /** Reads `batches` to their end, so that a damaged one is noticed, and yields those up to `to`. */
  async *upTo(
    batches: AsyncIterable<readonly JournalRow[]>,
    to: ReplayTarget | undefined,
  ): AsyncGenerator<readonly JournalRow[]> {
    let isOver = false;
    for await (const batch of batches) {
      if (isOver) continue;
      const wanted = batch.filter((row) => isWanted(row, to));
      isOver = wanted.length < batch.length;
      for (const row of wanted) this.#take(row);
      if (wanted.length > 0) yield wanted;
    }
  }

  #take(row: JournalRow): void {
    this.#last = row;
    this.#rows += 1;
    this.#intents.take(row);
  }
}

export function isWanted(row: Pick<JournalRow, 'n' | 'at'>, to: ReplayTarget | undefined): boolean {
  if (to === undefined) return true;
  return 'n' in to ? row.n <= to.n : row.at <= to.at;
}
