/**
 * What a start must know of the journal: who lives, what is still to be delivered, and where time stands.
 * A first start is the same path over an empty journal.
 *
 * Invariants: a message is pending exactly when its intent is durable and no row names it as its cause;
 * pending messages come in the order of (n, i); whatever is built on is what was written: the hash chain is verified
 * from settledN to the newest row, and each older row that an actor is restored from against its own hash (all of the
 * journal by `bulkhead replay`).
 */
import { BulkheadError } from '../src/core/errors.ts';
import type { ActorId } from '../src/core/ids.ts';
import type { ActorEvent, Cause, InputPhase, Intent, Message } from '../src/domain/events.ts';
import type { JournalHead, JournalRow, JournalStore } from '../src/journal/journal.ts';
import { GENESIS_HASH, verifyChain, verifyRow } from '../src/journal/row-hash.ts';
import { DEAD_LETTERS } from './dead-letters.ts';
import { route } from './routing.ts';

/** How far market time has come: the last input whose rows are durable. */
export interface InputCursor {
  readonly at: number;
  /** 'timers': the whole step at `at` is done, timers at or after it may be due. */
  readonly phase: InputPhase | 'timers';
}

export interface LiveActor {
  readonly row: JournalRow;
  /** The snapshot to restore and the events since it, for logics that checkpoint. */
  readonly checkpoint: string;
  readonly eventsSince: readonly ActorEvent[];
}

export interface Recovered {
  readonly head: JournalHead;
  readonly settledN: number;
  /** `at` of the newest row; undefined for an empty journal. */
  readonly headAt: number | undefined;
  readonly cursor: InputCursor | undefined;
  readonly live: ReadonlyMap<ActorId, LiveActor>;
  readonly deadLetters: JournalRow | undefined;
  readonly pending: readonly Message[];
  /** For every row above settledN, in order: how many of its intents nobody has consumed. */
  readonly unconsumed: readonly { readonly n: number; readonly count: number }[];
}

const PAGE_ROWS = 2_000;
const LOOK_BACK_ROWS = 64;

export async function readRecovery(store: JournalStore): Promise<Recovered> {
  const head = await store.head();
  const settledN = await store.settledN();
  const tail = await readTail(store, settledN);
  const { pending, unconsumed } = unconsumedOf(tail);
  const { live, deadLetters } = await readLive(store);
  const newest = head.n === 0 ? undefined : (await store.rowsAfter(head.n - 1, 1))[0];
  const cursor = await lastInput(store, head.n);
  return { head, settledN, headAt: newest?.at, cursor, live, deadLetters, pending, unconsumed };
}

/** Everybody who lives, from rows that are as they were written. */
export async function readLive(store: JournalStore): Promise<Pick<Recovered, 'live' | 'deadLetters'>> {
  const live = new Map<ActorId, LiveActor>();
  let deadLetters: JournalRow | undefined;
  const used: JournalRow[] = [];
  for (const row of await store.liveRows()) {
    used.push(row);
    if (row.actor === DEAD_LETTERS) deadLetters = row;
    else live.set(row.actor, await liveActor(store, row, used));
  }
  await verifyRows(store, used);
  return { live, deadLetters };
}

/** `used` gets the rows that it took besides. */
async function liveActor(store: JournalStore, row: JournalRow, used: JournalRow[]): Promise<LiveActor> {
  if (row.snapshot !== null) return { row, checkpoint: row.snapshot, eventsSince: [] };
  const checkpoint = await store.lastCheckpoint(row.actor);
  if (!checkpoint || checkpoint.snapshot === null) {
    throw new BulkheadError('STORE_CORRUPT', `no checkpoint of ${row.actor} in the journal`, {
      hint: 'Restore the journal from a backup.',
    });
  }
  used.push(checkpoint);
  // Somebody else still writes: what it checkpointed meanwhile is newer, and as good.
  if (checkpoint.seq > row.seq) return { row: checkpoint, checkpoint: checkpoint.snapshot, eventsSince: [] };
  const since = await store.rowsOf(row.actor, checkpoint.seq, row.seq - checkpoint.seq);
  used.push(...since);
  const eventsSince = since.filter((r) => r.kind === 'event').map((r) => JSON.parse(r.event) as ActorEvent);
  return { row, checkpoint: checkpoint.snapshot, eventsSince };
}

async function verifyRows(store: JournalStore, rows: readonly JournalRow[]): Promise<void> {
  const before = await store.hashesBefore(rows.map(({ n }) => n));
  for (const row of rows) verifyRow(row, before.get(row.n));
}

/** The rows above `settledN`, their chain verified. */
export async function readTail(store: JournalStore, settledN: number): Promise<JournalRow[]> {
  const tail: JournalRow[] = [];
  const before = settledN === 0 ? undefined : (await store.rowsAfter(settledN - 1, 1))[0];
  let hash = before?.hash ?? GENESIS_HASH;
  for (let after = settledN; ; ) {
    const page = await store.rowsAfter(after, PAGE_ROWS);
    const last = page.at(-1);
    if (!last) return tail;
    verifyChain(page, { n: after, hash });
    tail.push(...page);
    after = last.n;
    hash = last.hash;
  }
}

/** Which intents of these rows no row among them consumes (a consumer always comes later). */
export function unconsumedOf(tail: readonly JournalRow[]): Pick<Recovered, 'pending' | 'unconsumed'> {
  const consumed = new Set<string>();
  for (const row of tail) {
    const cause = JSON.parse(row.cause) as Cause;
    if (cause.kind === 'intent') consumed.add(`${cause.n}:${cause.i}`);
  }
  const pending: Message[] = [];
  const unconsumed: { n: number; count: number }[] = [];
  for (const row of tail) {
    let count = 0;
    for (const [i, intent] of (JSON.parse(row.intents) as Intent[]).entries()) {
      const message = route(intent, row.actor, row.n, i);
      if (!message || consumed.has(`${row.n}:${i}`)) continue;
      pending.push(message);
      count += 1;
    }
    unconsumed.push({ n: row.n, count });
  }
  return { pending, unconsumed };
}

/** Looks back from the newest row for the input that everything after it followed from. */
export async function lastInput(store: JournalStore, headN: number): Promise<InputCursor | undefined> {
  for (let end = headN; end > 0; end -= LOOK_BACK_ROWS) {
    const start = Math.max(0, end - LOOK_BACK_ROWS);
    const rows = await store.rowsAfter(start, end - start);
    await verifyRows(store, rows);
    for (const row of rows.toReversed()) {
      const cursor = cursorOf(row);
      if (cursor) return cursor;
    }
  }
  return undefined;
}

/** How far market time had come with this row, where an input caused it. */
export function cursorOf(row: JournalRow): InputCursor | undefined {
  const cause = JSON.parse(row.cause) as Cause;
  if (cause.kind === 'input') return { at: cause.at, phase: cause.phase };
  return cause.kind === 'timer' ? { at: row.at, phase: 'timers' } : undefined;
}
