/**
 * The hash chain over an account's journal.
 *
 * Invariants: hash(n) covers hash(n − 1) and every column of row n; texts are length-prefixed, so no two
 * different rows have the same preimage; a changed, missing or swapped row breaks the chain at its n.
 */
import { hash } from 'node:crypto';
import { BulkheadError } from '../core/errors.ts';
import type { JournalHead, JournalRow, RowDraft } from './journal.ts';

/** What the first row's hash covers. */
export const GENESIS_HASH = '0'.repeat(64);

export const EMPTY_HEAD: JournalHead = { n: 0, hash: GENESIS_HASH };

const text = (value: string | null): string => (value === null ? '-;' : `${value.length}:${value};`);

export function rowHash(previous: string, n: number, epoch: number, row: RowDraft): string {
  const preimage =
    `${previous}|${n}|${epoch}|${row.seq}|${row.at}|${row.final ? 1 : 0}|` +
    text(row.actor) +
    text(row.kind) +
    text(row.machine) +
    text(row.event) +
    text(row.cause) +
    text(row.snapshot) +
    text(row.intents) +
    text(row.host) +
    text(row.note);
  return hash('sha256', preimage, 'hex');
}

/** Gives drafts their places after `head`, in order. */
export function sealRows(head: JournalHead, epoch: number, drafts: readonly RowDraft[]): JournalRow[] {
  let { n, hash: previous } = head;
  return drafts.map((draft) => {
    n += 1;
    previous = rowHash(previous, n, epoch, draft);
    return { ...draft, n, epoch, hash: previous };
  });
}

/** Checks a run of rows that follows `head` and returns the new head; STORE_CORRUPT names the first bad n. */
export function verifyChain(rows: readonly JournalRow[], head: JournalHead = EMPTY_HEAD): JournalHead {
  let { n, hash: previous } = head;
  for (const row of rows) {
    n += 1;
    if (row.n !== n) throw corrupt(n, `row ${n} is missing (the next one there is ${row.n})`);
    if (row.hash !== rowHash(previous, n, row.epoch, row)) throw mismatch(row);
    previous = row.hash;
  }
  return { n, hash: previous };
}

/** Checks one row by itself; `previous` is the hash of the row before it, wherever that is. */
export function verifyRow(row: JournalRow, previous: string | undefined): void {
  if (previous === undefined) throw corrupt(row.n, `nothing says what stood before row ${row.n}`);
  if (row.hash !== rowHash(previous, row.n, row.epoch, row)) throw mismatch(row);
}

const mismatch = ({ n, actor, seq }: JournalRow): BulkheadError =>
  corrupt(n, `row ${n} (${actor}, seq ${seq}) does not match its hash`);

function corrupt(n: number, what: string): BulkheadError {
  return new BulkheadError('STORE_CORRUPT', `The journal is damaged: ${what}.`, {
    hint: `Rows up to ${n - 1} are sound. Restore the journal from a backup; do not edit it by hand.`,
  });
}
