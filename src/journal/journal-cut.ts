/**
 * Removing a journal's oldest rows, as data: where it begins afterwards, what stays, what is kept. Pure.
 *
 * Invariants: rows above the anchor are all there and chain from its hash; of those up to it only the carried ones
 * are there, which are the state at the anchor (of every actor that lived then its newest checkpoint and its rows
 * since), so that whatever could be rebuilt at the anchor or later still can be, to the byte; a page whose chain does
 * not hold is never signed off.
 */
import { hash } from 'node:crypto';
import type { ActorId } from '../core/ids.ts';
import type { CarriedRow, Cut, JournalAnchor } from './cut-types.ts';
import type { JournalRow } from './journal.ts';
import { keptOf } from './kept-rows.ts';
import { GENESIS_HASH, verifyChain } from './row-hash.ts';

const digest = (text: string): string => hash('sha256', text, 'hex');

export const carriedHashOf = (carried: readonly Pick<CarriedRow, 'n' | 'hash'>[]): string =>
  digest(carried.map(({ n, hash: own }) => `${n}:${own}\n`).join(''));

/** The anchor of a journal that is whole. */
export const ORIGIN: JournalAnchor = {
  ...{ n: 0, hash: GENESIS_HASH, at: 0, cutAt: 0, removed: 0, carried: 0 },
  carriedHash: carriedHashOf([]),
  seal: GENESIS_HASH,
};

/** `page`: all rows from the anchor on, up to where the journal is to begin. Throws STORE_CORRUPT. */
export function planCut(
  from: JournalAnchor,
  carried: readonly CarriedRow[],
  page: readonly JournalRow[],
  cutAt: number,
): { readonly cut: Cut; readonly carried: readonly CarriedRow[] } {
  const last = page.at(-1);
  if (!last) throw new Error('an empty page is no cut');
  verifyChain(page, from);
  const needed = neededOf(page);
  const carry = page.flatMap((row, i): CarriedRow[] => {
    const isNeeded = row.seq >= (needed.get(row.actor)?.fromSeq ?? 0);
    const previousHash = page[i - 1]?.hash ?? from.hash;
    return isNeeded ? [{ n: row.n, actor: row.actor, hash: row.hash, previousHash }] : [];
  });
  const [stay, drop] = [
    carried.filter(({ actor }) => needed.get(actor)?.earlierToo ?? true),
    carried.filter(({ actor }) => !(needed.get(actor)?.earlierToo ?? true)),
  ];
  const next = [...stay, ...carry];
  const to = nextAnchor(from, last, next, cutAt);
  const keep = page.map(keptOf).filter((kept) => kept !== undefined);
  return { cut: { from, to, carry, drop: drop.map(({ n }) => n), keep }, carried: next };
}

/** From which row on an actor can be rebuilt as the page leaves it; infinity: it is over. */
interface Needed {
  readonly fromSeq: number;
  /** The page has no checkpoint of it: what was carried of it before stays. */
  readonly earlierToo: boolean;
}

function neededOf(page: readonly JournalRow[]): Map<ActorId, Needed> {
  const needed = new Map<ActorId, Needed>();
  for (const { actor, seq, snapshot, final } of page) {
    if (final) needed.set(actor, { fromSeq: Number.POSITIVE_INFINITY, earlierToo: false });
    else if (snapshot !== null) needed.set(actor, { fromSeq: seq, earlierToo: false });
    else if (!needed.has(actor)) needed.set(actor, { fromSeq: seq, earlierToo: true });
  }
  return needed;
}

function nextAnchor(
  before: JournalAnchor,
  { n, hash: own, at }: JournalRow,
  carried: readonly CarriedRow[],
  cutAt: number,
): JournalAnchor {
  const body = {
    ...{ n, hash: own, at, cutAt, removed: n - carried.length, carried: carried.length },
    carriedHash: carriedHashOf(carried),
  };
  return { ...body, seal: digest(`${before.seal}|${JSON.stringify(body)}`) };
}
