/**
 * Removes a journal's oldest rows, batch by batch, beside whatever writes it.
 *
 * Invariants: each batch is one transaction after which the journal is whole again, so it may be killed between any two;
 * removed is only what is older than asked for, settled by rows that are removed with it, below the newest input, and
 * known to every standby; nothing goes before its archive (where one is wanted) has been read back.
 */
import { cursorOf } from '../../../supervisors/recovery.ts';
import type { SealKey } from '../../backup/seal.ts';
import type { Time } from '../../core/clock.ts';
import type { CarriedRow, JournalAnchor } from '../../journal/cut-types.ts';
import type { JournalRow, JournalStore } from '../../journal/journal.ts';
import { readBeginning } from '../../journal/journal-beginning.ts';
import { planCut } from '../../journal/journal-cut.ts';
import type { PlaceSpec } from '../compose/open-backups.ts';
import { archivePiece } from './backup-job.ts';
import { GentlePace, type Pace, swiftly } from './compaction-pace.ts';
import { OpenIntents } from './restored-rows.ts';

export interface CompactionOrder {
  readonly store: JournalStore;
  readonly account: string;
  /** Rows older than this before the newest one may go. */
  readonly keepMs: number;
  readonly time: Time;
  /** 'trading': small batches, and pauses between them. */
  readonly beside: 'trading' | 'nothing';
  readonly archive?: { readonly place: PlaceSpec; readonly key: SealKey };
  readonly signal?: AbortSignal;
  /** Only says what would go. */
  readonly dryRun?: boolean;
  /** Of a batch; else as `beside` asks for. */
  readonly batchRows?: number;
}

export interface CompactionReport {
  /** Rows that are gone now and were there before. */
  readonly removed: number;
  readonly batches: number;
  /** The last row that was cut, by this or an earlier compaction; 0: none. */
  readonly anchorN: number;
  /** Epoch ms of that row. */
  readonly anchorAt: number;
  readonly carried: number;
  /** The archive's name, where one was wanted and there was something to remove. */
  readonly archived: string | null;
  /** Up to which row it would go, or has gone as far as messages allow. */
  readonly targetN: number;
}

const GENTLE = { rows: 20, least: 10, most: 200, aimMs: 20, pauseMs: 25 };
const SWIFT_ROWS = 1_000;
/** So far a batch is stretched until nothing of it waits for a later row. */
const LONGEST_BATCH = 20_000;
const LOOK_BACK_ROWS = 64;

export async function compact(order: CompactionOrder): Promise<CompactionReport> {
  const { store, time, signal, dryRun } = order;
  const { anchor: first, carried: known } = await readBeginning(store);
  const target = await targetOf(order, first.n);
  const pace = paceOf(order);
  let anchor: JournalAnchor = first;
  let carried: readonly CarriedRow[] = known;
  let batches = 0;
  let archived: string | null = null;
  if (target > first.n && order.archive && !dryRun) archived = await archive(order, first, target);
  const cutOne = async (): Promise<boolean> => {
    const page = await quietPage(store, anchor.n, target, pace.rows);
    if (page.length === 0) return false;
    const next = planCut(anchor, carried, page, time.clock.now());
    // Somebody else cuts, too: what is left is for the next time.
    if (!(await store.cut(next.cut))) return false;
    anchor = next.cut.to;
    carried = next.carried;
    batches += 1;
    return true;
  };
  while (anchor.n < target && !dryRun && signal?.aborted !== true) if (!(await pace.batch(cutOne))) break;
  return {
    ...{ removed: anchor.removed - first.removed, batches, archived, targetN: Math.max(target, first.n) },
    ...{ anchorN: anchor.n, anchorAt: anchor.at, carried: anchor.carried },
  };
}

function paceOf({ beside, batchRows, time }: CompactionOrder): Pace {
  if (beside === 'nothing') return swiftly(batchRows ?? SWIFT_ROWS);
  const fixed = batchRows === undefined ? {} : { rows: batchRows, least: batchRows, most: batchRows };
  return new GentlePace({ ...GENTLE, ...fixed }, time);
}

async function archive(order: CompactionOrder, from: JournalAnchor, toN: number): Promise<string | null> {
  const { store, archive: to } = order;
  const [last] = await store.rowsAfter(toN - 1, 1);
  if (!to || last?.n !== toN) return null;
  return (await archivePiece({ ...order, ...to }, from, last)).name;
}

/** The last row that may go. */
async function targetOf({ store, keepMs }: CompactionOrder, anchorN: number): Promise<number> {
  const settledN = await store.settledN();
  const { n: headN } = await store.head();
  const [newest] = headN === 0 ? [] : await store.rowsAfter(headN - 1, 1);
  if (!newest) return 0;
  const old = await lastBefore(store, anchorN, headN, newest.at - keepMs);
  const input = await lastInputN(store, anchorN, headN);
  const followed = (await store.standbys()).map(({ followedN }) => followedN);
  return Math.min(old, settledN - 1, input - 1, ...followed.map((n) => n - 1));
}

/** The last row before a moment of the runtime's time. */
async function lastBefore(store: JournalStore, anchorN: number, headN: number, at: number): Promise<number> {
  let low = anchorN;
  let high = headN;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const [row] = await store.rowsAfter(middle - 1, 1);
    if (row && row.at < at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where a restart finds out how far market time has come; 0: nowhere. */
async function lastInputN(store: JournalStore, anchorN: number, headN: number): Promise<number> {
  for (let end = headN; end > anchorN; end -= LOOK_BACK_ROWS) {
    const start = Math.max(anchorN, end - LOOK_BACK_ROWS);
    const rows = await store.rowsAfter(start, end - start);
    const found = rows.findLast((row) => cursorOf(row) !== undefined);
    if (found) return found.n;
  }
  return 0;
}

/** The rows of the next batch: as many as asked for, up to one after which none of them waits for a later row. */
async function quietPage(
  store: JournalStore,
  afterN: number,
  target: number,
  batchRows: number,
): Promise<readonly JournalRow[]> {
  const rows: JournalRow[] = [];
  const intents = new OpenIntents();
  let quiet = 0;
  while (rows.length < LONGEST_BATCH && quiet === 0) {
    const last = rows.at(-1)?.n ?? afterN;
    const page = await store.rowsAfter(last, Math.min(batchRows, target - last));
    if (page.length === 0 || last >= target) break;
    for (const row of page) {
      rows.push(row);
      intents.take(row);
      if (intents.settledN === row.n) quiet = rows.length;
    }
  }
  return rows.slice(0, quiet);
}
