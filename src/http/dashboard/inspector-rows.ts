/**
 * An actor's rows as the inspector needs them: a stretch without gaps around the moment that is looked at, more of it
 * as rows are committed, another one for a moment outside; and the two moments that are held against each other.
 */
import type { ActorMoment } from '../../operator/views.ts';
import { Refused, read } from './api.ts';
import { later } from './browser.ts';
import { grown, holds, type Row, reachesNewest, type Stretch } from './inspector-stretch.ts';
import { eventType } from './parts.ts';
import { usePart } from './store.ts';
import { useEffect, useRef, useState } from './ui.ts';

export const eventOf = (row: Row): string => eventType(row.event);

/** Rows that are asked for at once: the most that the runtime gives. */
const STRETCH = 500;
const rowsAfter = (actor: string, afterSeq: number, limit = STRETCH): Promise<readonly Row[]> =>
  read<readonly Row[]>('actor/rows', { actor, afterSeq, limit });

/** The actor's own n-th row, from the stretch or the journal. */
export async function rowNumbered(actor: string, { rows }: Stretch, seq: number): Promise<Row | undefined> {
  return rows.find((row) => row.seq === seq) ?? (await rowsAfter(actor, seq - 1, 1))[0];
}

/** Null: the journal has no row of it. */
async function stretchAround(actor: string, n: number | null): Promise<Stretch | null> {
  const [oldest] = await rowsAfter(actor, 0, 1);
  if (!oldest) return null;
  const newest = await read<ActorMoment>('actor/at', { actor });
  const at = n === null || n < oldest.n ? null : await read<ActorMoment>('actor/at', { actor, n });
  const middle = n === null ? newest.seq : (at?.seq ?? oldest.seq);
  const from = Math.max(oldest.seq - 1, Math.min(middle - STRETCH / 2, newest.seq - STRETCH));
  return { rows: await rowsAfter(actor, from), oldest, newest: newest.seq };
}

/** `heard`: the newest row of it that the stream told of. */
async function stretchNow(
  actor: string,
  n: number | null,
  known: Stretch | null,
  heard: number,
): Promise<Stretch | null> {
  if (known === null || !holds(known, n)) return stretchAround(actor, n);
  if (!reachesNewest(known)) return { ...known, newest: Math.max(known.newest, heard) };
  return grown(known, await rowsAfter(actor, known.rows.at(-1)?.seq ?? 0));
}

export interface SeenRows {
  readonly stretch: Stretch | null;
  readonly error: string | null;
  readonly isUnknown: boolean;
}

/** One question at a time, and after it the newest wish: however fast an actor is, the page keeps up or skips. */
export function useStretch(actor: string, n: number | null): SeenRows {
  const [seen, setSeen] = useState<SeenRows>({ stretch: null, error: null, isUnknown: false });
  const heard = usePart((state) => state.rows.find((row) => row.actor === actor)?.seq ?? 0);
  const reset = usePart(({ version }) => version.reset);
  const wish = useRef({ n, heard });
  wish.current = { n, heard };
  const work = useRef({ isBusy: false, again: false, isOpen: true, known: null as Stretch | null });
  useEffect(() => {
    const { current } = work;
    const look = async (): Promise<void> => {
      current.again = true;
      if (current.isBusy) return;
      current.isBusy = true;
      while (current.again && current.isOpen) {
        current.again = false;
        const wanted = wish.current;
        try {
          current.known = await stretchNow(actor, wanted.n, current.known, wanted.heard);
          setSeen({ stretch: current.known, error: null, isUnknown: current.known === null });
        } catch (error) {
          setSeen((before) => ({
            ...before,
            error: error instanceof Refused ? error.message : String(error),
          }));
        }
      }
      current.isBusy = false;
    };
    void look();
  }, [actor, n, heard, reset]);
  useEffect(
    () => () => {
      work.current.isOpen = false;
    },
    [],
  );
  return seen;
}

/** Rows never change, so a moment that was read once is not asked for again while one steps to and fro. */
const MOMENTS_KEPT = 40;
const moments = new Map<string, Promise<ActorMoment>>();

function momentAt(actor: string, n: number): Promise<ActorMoment> {
  const key = `${actor} ${n}`;
  const made = moments.get(key) ?? read<ActorMoment>('actor/at', { actor, n });
  moments.delete(key);
  moments.set(key, made);
  const [oldest] = moments.keys();
  if (moments.size > MOMENTS_KEPT && oldest !== undefined) moments.delete(oldest);
  made.catch(() => moments.delete(key));
  return made;
}

/** A row, the actor after it, and what it is held against: all of one step, or nothing. */
export interface Shown {
  readonly row: Row;
  readonly now: ActorMoment;
  readonly before: ActorMoment | null;
}

/** The step before stays while the next is read, so that nothing flickers. */
export function useShown(actor: string, row: Row | undefined, other: number | null): Shown | null {
  const [shown, setShown] = useState<Shown | null>(null);
  useEffect(() => {
    let isOpen = true;
    if (!row) setShown(null);
    else
      Promise.all([momentAt(actor, row.n), other === null ? null : momentAt(actor, other)]).then(
        ([now, before]) => isOpen && setShown({ row, now, before }),
        () => isOpen && setShown(null),
      );
    return () => {
      isOpen = false;
    };
  }, [actor, row?.n, other]);
  return shown;
}

/** Each step of a burst stays so long, or nobody could see it. */
const STEP_MS = 350;
/** Who is so many rows behind does not catch up step by step. */
const FAR = 25;

/** Before its first row. */
const UNBORN = 0;

/**
 * Which row stands there while the page is live: one after the other, at a pace that eyes can follow. Who waited for an
 * actor to begin sees its life from the first row on.
 */
export function useLiveRow(
  { stretch, isUnknown }: SeenRows,
  isLive: boolean,
  drawn: number | null,
): Row | undefined {
  const [seq, setSeq] = useState<number | null>(null);
  const rows = stretch?.rows ?? [];
  const last = rows.at(-1);
  const next = seq === null ? undefined : rows.find((row) => row.seq > seq);
  useEffect(() => {
    if (!isLive) setSeq(null);
    else if (!last) setSeq(isUnknown ? UNBORN : null);
    else if (seq === null || !next || last.seq - seq > FAR) setSeq(last.seq);
    else if (seq === UNBORN) setSeq(next.seq);
    else if (drawn === seq) return later(STEP_MS, () => setSeq(next.seq));
    return undefined;
  }, [isLive, isUnknown, last?.seq, seq, next?.seq, drawn]);
  return seq === UNBORN ? next : (rows.find((row) => row.seq === seq) ?? last);
}
