/** Row drafts for journal tests: every field defaulted, so that each one set means something. */
import type { RowDraft } from '../../src/journal/journal.ts';

export function draft(actor: string, seq: number, overrides: Partial<RowDraft> = {}): RowDraft {
  return {
    actor,
    seq,
    at: 1_750_000_000_000 + seq,
    kind: seq === 1 ? 'start' : 'event',
    machine: `${actor.split('/')[0]}@1`,
    event: JSON.stringify({ type: 'tick', price: '64123.5' }),
    cause: JSON.stringify({ kind: 'external', id: `${actor}:${seq}` }),
    snapshot: JSON.stringify({ value: 'open', context: { qty: '0.001' } }),
    intents: '[]',
    host: '{}',
    note: null,
    final: false,
    ...overrides,
  };
}

/** `count` rows of one actor from `fromSeq` on. */
export function drafts(actor: string, count: number, fromSeq = 1): RowDraft[] {
  return Array.from({ length: count }, (_, index) => draft(actor, fromSeq + index));
}
