/**
 * The journal as people search it, and an actor at any moment of its past. Each question is short; a search that finds
 * little says where it stopped, and goes on from there when it is asked again.
 */

import type { EntryContext } from '../../../machines/entry.ts';
import { desksNamed, placeNamed, positionOf, scannerOf } from '../../../machines/messages.ts';
import { BulkheadError } from '../../core/errors.ts';
import { type ActorId, actorType } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import type { Candle } from '../../domain/candle.ts';
import type { Intent } from '../../domain/events.ts';
import { keyOf } from '../../domain/position-key.ts';
import type { ClosedCandles } from '../../domain/signal.ts';
import type { JournalRow, JournalStore, ScannedRow } from '../../journal/journal.ts';
import { inOrder, keptOfLife } from '../../journal/journal-beginning.ts';
import { type Notice, noticesIn } from '../../operator/feed.ts';
import type { ActorMoment, JournalLine, JournalPage, JournalQuery } from '../../operator/views.ts';

const STRETCH_ROWS = 2_000;
const STRETCHES = 10;
const LONGEST_PAGE = 500;

type Store = Pick<JournalStore, 'scan' | 'rowsOf' | 'lastCheckpoint' | 'kept'>;

export async function searchJournal(
  store: Store,
  head: number,
  query: JournalQuery = {},
): Promise<JournalPage> {
  const limit = Math.min(Math.max(1, query.limit ?? 100), LONGEST_PAGE);
  const { newestFirst = true, after = 0 } = query;
  const end = Math.min(head, (query.before ?? head + 1) - 1);
  const rows: JournalLine[] = [];
  let low = after;
  let high = end;
  for (let i = 0; i < STRETCHES && low < high && rows.length < limit; i++) {
    const from = newestFirst ? Math.max(low, high - STRETCH_ROWS) : low;
    const to = newestFirst ? high : Math.min(high, low + STRETCH_ROWS);
    const found = await store.scan({
      ...{ afterN: from, uptoN: to, limit: limit - rows.length, newestFirst },
      ...(query.actor === undefined ? {} : { actor: query.actor }),
      ...(query.type === undefined ? {} : { type: query.type }),
      ...(query.text === undefined ? {} : { text: query.text }),
    });
    rows.push(...found.map(lineOf));
    if (newestFirst) high = from;
    else low = to;
  }
  const last = rows.at(-1);
  const isFull = rows.length === limit && last !== undefined;
  const next = isFull ? last.n : newestFirst ? (high > after ? high + 1 : null) : low < end ? low : null;
  return { rows, next, head };
}

const lineOf = (row: ScannedRow): JournalLine => ({
  ...row,
  event: JSON.parse(row.event) as Json,
  cause: JSON.parse(row.cause) as Json,
  intents: JSON.parse(row.intents) as Json,
});

/** What rows said to people, the newest first; of a journal that says little, as far as one search looks. */
export async function noticesOf(store: Store, head: number, limit = 50): Promise<readonly Notice[]> {
  const page = await searchJournal(store, head, { text: '"notify"', limit });
  return page.rows
    .flatMap((row) => noticesIn(row, row.intents as unknown as readonly Intent[]).toReversed())
    .slice(0, limit);
}

const unknown = (actor: ActorId): BulkheadError =>
  new BulkheadError('NOT_FOUND', `The journal knows no actor ${actor}.`, {
    hint: 'The list of actors names those that live; those that are over are found in the journal.',
  });

/** The actor as its newest row at or before n left it. */
export async function actorAt(store: Store, actor: ActorId, n: number): Promise<ActorMoment> {
  const [found] = await store.scan({ afterN: 0, uptoN: n, actor, limit: 1, newestFirst: true });
  if (!found) throw unknown(actor);
  const [row] = await store.rowsOf(actor, found.seq - 1, 1);
  if (row?.seq === found.seq) return momentOf(row);
  const [kept] = await store.kept(found.n - 1, 1, actor);
  if (!kept) throw unknown(actor);
  return momentOf(kept);
}

export function momentOf(row: JournalRow, checkpoint?: string | null): ActorMoment {
  const { actor, n, seq, at, machine, final } = row;
  const snapshot = row.snapshot ?? checkpoint ?? null;
  return {
    ...{ actor, n, seq, at, machine, final },
    event: JSON.parse(row.event) as Json,
    cause: JSON.parse(row.cause) as Json,
    intents: JSON.parse(row.intents) as Json,
    snapshot: snapshot === null ? null : (JSON.parse(snapshot) as Json),
  };
}

export async function rowsOfActor(
  store: Store,
  actor: ActorId,
  afterSeq: number,
  limit = 200,
): Promise<readonly JournalLine[]> {
  const most = Math.min(Math.max(1, limit), LONGEST_PAGE);
  const there = await store.rowsOf(actor, afterSeq, most);
  const isWhole = there[0]?.seq === afterSeq + 1;
  const kept = isWhole ? [] : (await keptOfLife(store, actor)).filter(({ seq }) => seq > afterSeq);
  const rows = inOrder(kept, there).slice(0, most);
  return rows.map(({ snapshot: _, host: __, ...row }) => lineOf(row));
}

/** `deskAt`: what the desk of that name knows; undefined where there is none. */
export function positionNamed(named: string, deskAt: (desk: ActorId) => EntryContext | undefined): ActorId {
  if (actorType(named) === 'position') return named;
  const { place, life } = placeNamed(named);
  const desks = desksNamed(place, (desk) => deskAt(desk) !== undefined).flatMap((desk) => deskAt(desk) ?? []);
  // Of a symbol whose sides have a desk each: where something is open, or was last.
  const rank = ({ position, life: lives }: EntryContext): number =>
    (position === null ? 0 : 2) + Number(lives > 0);
  const [desk] = desks.toSorted((a, b) => rank(b) - rank(a) || b.at - a.at);
  return positionOf(desk ? keyOf(desk) : place, life ?? desk?.life ?? 0);
}

/** Closed 15m candles as the symbol's scanner saw them, the oldest first. */
export async function candlesOf(store: Store, head: number, symbol: string, limit = 300): Promise<Candle[]> {
  const candles = new Map<number, Candle>();
  const actor = scannerOf(symbol);
  const wanted = Math.min(Math.max(1, limit), 1_500);
  let before = head + 1;
  for (let i = 0; i < STRETCHES && candles.size < wanted && before > 1; i++) {
    const page = await searchJournal(store, head, { actor, before, limit: wanted - candles.size });
    for (const row of page.rows) for (const candle of inRow(row)) candles.set(candle.openTime, candle);
    if (page.next === null) break;
    before = page.next;
  }
  return [...candles.values()].sort((a, b) => a.openTime - b.openTime).slice(-wanted);
}

function inRow({ event }: JournalLine): readonly Candle[] {
  const { closed, history = [] } = event as unknown as {
    closed?: ClosedCandles;
    history?: readonly ClosedCandles[];
  };
  return [...history, ...(closed ? [closed] : [])].flatMap((each) => each['15m'] ?? []);
}
