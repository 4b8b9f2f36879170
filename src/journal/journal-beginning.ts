/**
 * With what a journal begins, checked: every reader of the whole chain starts here instead of at row 1.
 *
 * Invariant: what is handed out is what the anchor signed off, row by row.
 */
import { BulkheadError } from '../core/errors.ts';
import type { CarriedRow, JournalAnchor } from './cut-types.ts';
import type { JournalHead, JournalRow, JournalStore } from './journal.ts';
import { carriedHashOf } from './journal-cut.ts';
import { rowHash, verifyChain } from './row-hash.ts';

export interface Beginning {
  readonly anchor: JournalAnchor;
  readonly carried: readonly CarriedRow[];
  /** The carried rows themselves, ascending. */
  readonly rows: readonly JournalRow[];
}

type Store = Pick<JournalStore, 'anchor' | 'carried' | 'rowsAfter' | 'kept'>;

const PAGE_ROWS = 500;

/** Reads and checks it; STORE_CORRUPT where it is not what was signed off. */
export async function readBeginning(store: Omit<Store, 'kept'>): Promise<Beginning> {
  const anchor = await store.anchor();
  if (anchor.n === 0) return { anchor, carried: [], rows: [] };
  const carried = await store.carried();
  const rows: JournalRow[] = [];
  for (let after = 0; after < anchor.n; ) {
    const page = await store.rowsAfter(after, PAGE_ROWS);
    rows.push(...page.filter(({ n }) => n <= anchor.n));
    after = page.length < PAGE_ROWS ? anchor.n : (page.at(-1)?.n ?? anchor.n);
  }
  const beginning = { anchor, carried, rows };
  checkBeginning(beginning);
  return beginning;
}

export function checkBeginning({ anchor, carried, rows }: Beginning): void {
  if (rows.length !== anchor.carried || carried.length !== rows.length)
    throw damaged(`${rows.length} rows are there up to row ${anchor.n}, ${anchor.carried} should be`);
  for (const [i, row] of rows.entries()) {
    const known = carried[i];
    const isSound =
      known?.n === row.n &&
      known.actor === row.actor &&
      known.hash === row.hash &&
      row.hash === rowHash(known.previousHash, row.n, row.epoch, row);
    if (!isSound) throw damaged(`row ${row.n} (${row.actor}, seq ${row.seq}) does not match its hash`);
  }
  if (carriedHashOf(carried) !== anchor.carriedHash)
    throw damaged(`the rows carried over row ${anchor.n} are not those that were signed off`);
}

/** From the beginning to the head: STORE_CORRUPT names the first row that is not as it was written. */
export async function readChain(store: Omit<Store, 'kept'>): Promise<JournalHead> {
  let chain: JournalHead = (await readBeginning(store)).anchor;
  for (;;) {
    const page = await store.rowsAfter(chain.n, PAGE_ROWS);
    if (page.length === 0) return chain;
    chain = verifyChain(page, chain);
  }
}

/** What is kept of every removed row, page by page. */
export async function* keptRows(store: Pick<JournalStore, 'kept'>): AsyncGenerator<readonly JournalRow[]> {
  for (let after = 0; ; ) {
    const page = await store.kept(after, PAGE_ROWS);
    const last = page.at(-1);
    if (!last) return;
    yield page;
    after = last.n;
  }
}

/** All there is to tell, in order: what is kept of the removed rows, the carried ones, and everything since. */
export async function* allRows(store: Store, upToN = Number.POSITIVE_INFINITY): AsyncGenerator<JournalRow> {
  const carried = new Map<number, JournalRow>();
  const { anchor, rows } = await readBeginning(store);
  for (const row of rows) carried.set(row.n, row);
  for await (const page of keptRows(store))
    for (const kept of page) {
      yield* before(carried, kept.n);
      const whole = carried.get(kept.n);
      carried.delete(kept.n);
      if (kept.n <= upToN) yield whole ?? kept;
    }
  yield* before(carried, Math.min(anchor.n, upToN) + 1);
  yield* rowsFrom(store, anchor.n, upToN);
}

/** Rows after that one, page by page. */
export async function* rowsFrom(
  store: Pick<JournalStore, 'rowsAfter'>,
  afterN: number,
  upToN = Number.POSITIVE_INFINITY,
): AsyncGenerator<JournalRow> {
  for (let after = afterN; after < upToN; ) {
    const page = await store.rowsAfter(after, Math.min(PAGE_ROWS, upToN - after));
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = last.n;
  }
}

function* before(carried: Map<number, JournalRow>, n: number): Generator<JournalRow> {
  for (const [at, row] of carried) {
    if (at >= n) return;
    carried.delete(at);
    yield row;
  }
}

/** One actor's rows from its first on, as far as anything of them is left. */
export async function rowsOfLife(
  store: Pick<JournalStore, 'rowsOf' | 'kept'>,
  actor: JournalRow['actor'],
): Promise<JournalRow[]> {
  const rows: JournalRow[] = [];
  for (;;) {
    const page = await store.rowsOf(actor, rows.at(-1)?.seq ?? 0, PAGE_ROWS);
    rows.push(...page);
    if (page.length < PAGE_ROWS) break;
  }
  return rows[0]?.seq === 1 ? rows : inOrder(await keptOfLife(store, actor), rows);
}

/** What is kept of one actor's removed rows. */
export async function keptOfLife(
  store: Pick<JournalStore, 'kept'>,
  actor: JournalRow['actor'],
): Promise<JournalRow[]> {
  const kept: JournalRow[] = [];
  for (;;) {
    const page = await store.kept(kept.at(-1)?.n ?? 0, PAGE_ROWS, actor);
    kept.push(...page);
    if (page.length < PAGE_ROWS) return kept;
  }
}

/** Kept rows and whole ones together; where there are both of a row, the whole one. */
export function inOrder(kept: readonly JournalRow[], whole: readonly JournalRow[]): JournalRow[] {
  if (kept.length === 0) return [...whole];
  const there = new Set(whole.map(({ n }) => n));
  return [...kept.filter(({ n }) => !there.has(n)), ...whole].sort((a, b) => a.n - b.n);
}

const damaged = (what: string): BulkheadError =>
  new BulkheadError('STORE_CORRUPT', `The journal's beginning is damaged: ${what}.`, {
    hint: 'Restore the journal from a backup; do not edit it by hand.',
  });

/** For whoever asks for a moment that was cut away. */
export const beforeAnchor = (what: string, { n, at }: Pick<JournalAnchor, 'n' | 'at'>): BulkheadError =>
  new BulkheadError('NOT_FOUND', `${what} lies before row ${n}: the rows of then were removed (retention).`, {
    hint: `The journal begins after ${new Date(at).toISOString()}; an archive of those rows or an older backup ("bulkhead restore" into another folder) reaches further back.`,
  });
