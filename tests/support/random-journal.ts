/** A journal whose rows are in order, whatever was drawn: for properties of what reads one. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Lease, RowDraft } from '../../src/journal/journal.ts';
import type { MemoryJournal } from '../../src/journal/memory-journal.ts';
import { EMPTY_HEAD, sealRows } from '../../src/journal/row-hash.ts';
import { draft } from './journal-rows.ts';

const ACTORS = ['toy/a', 'toy/b', 'venue', 'dead-letters'];

export const randomRow = fc.record({
  actor: fc.constantFrom(...ACTORS),
  /** A row without a snapshot, where the actor has one already. */
  bare: fc.boolean(),
  final: fc.boolean(),
  sends: fc.integer({ min: 0, max: 2 }),
  /** Which of the open intents this row consumes; beyond them: an input or a timer. */
  cause: fc.nat({ max: 5 }),
  /** Whether everything so far counts as settled as far as it is consumed. */
  settles: fc.boolean(),
});
export type RandomRow = typeof randomRow extends fc.Arbitrary<infer T> ? T : never;

export class RandomWriter {
  readonly #store: MemoryJournal;
  readonly #lease: Lease;
  #head = EMPTY_HEAD;
  #settledN = 0;
  readonly #seq = new Map<string, number>();
  readonly #over = new Set<string>();
  #open: { n: number; i: number }[] = [];

  private constructor(store: MemoryJournal, lease: Lease) {
    this.#store = store;
    this.#lease = lease;
  }

  static async over(store: MemoryJournal): Promise<RandomWriter> {
    return new RandomWriter(store, await store.acquireLease('leader', 60_000));
  }

  async write({ actor, bare, final, sends, cause, settles }: RandomRow): Promise<void> {
    if (this.#over.has(actor)) return;
    const seq = (this.#seq.get(actor) ?? 0) + 1;
    this.#seq.set(actor, seq);
    const isFinal = final && actor.startsWith('toy/') && seq > 2;
    if (isFinal) this.#over.add(actor);
    const [row] = sealRows(this.#head, this.#lease.epoch, [
      draft(actor, seq, {
        at: (this.#head.n + 1) * 1_000,
        snapshot: JSON.stringify({ value: `${actor} ${seq}` }),
        ...(bare && seq > 1 && actor === 'venue' ? { snapshot: null } : {}),
        cause: JSON.stringify(this.#cause(cause)),
        intents: JSON.stringify(
          Array.from({ length: sends }, (_, i) => ({ type: 'send', to: 'toy/a', event: { type: `E${i}` } })),
        ),
        final: isFinal,
      } satisfies Partial<RowDraft>),
    ]);
    assert.ok(row);
    this.#head = { n: row.n, hash: row.hash };
    for (let i = 0; i < sends; i++) this.#open.push({ n: row.n, i });
    if (settles) this.#settledN = Math.min(row.n - 1, ...this.#open.map(({ n }) => n - 1));
    await this.#store.append(this.#lease, [row], this.#settledN);
  }

  #cause(pick: number): object {
    const [consumed] = this.#open.splice(pick, 1);
    if (consumed) return { kind: 'intent', ...consumed };
    if (pick === 4) return { kind: 'timer', id: 't', due: 1 };
    if (pick === 5) return { kind: 'input', phase: 'market', at: this.#head.n * 10 };
    return { kind: 'external', id: 'x' };
  }
}
