/**
 * Each open position has a way out (7): a stop at the venue for all of it; where that is missing, an actor with a
 * deadline that will see to it; and never for longer than the bound while everything needed for a stop is in order.
 *
 * It also measures how long positions stood bare.
 */

import type { OrderRecord } from '../../../../machines/position/context.ts';
import { GUARDIAN, VENUE } from '../../../domain/events.ts';
import { keyOf, type Placed, type PositionKey, symbolOf } from '../../../domain/position-key.ts';
import { type LiveActor, timersOf } from './journal-index.ts';
import type { Oracle } from './oracle.ts';
import { DUST } from './ownership.ts';

/** Of time in which a process runs, the venue answers and the journal takes rows. */
const BOUND_MS = 120_000;
/** Of what an actor has not heard of: the next full reading, a minute later at most, tells it. */
const UNHEARD_MS = 75_000;
/** A row and its call are on their way. */
const GRACE_MS = 5_000;

/** The wall clocks of the machines differ from the venue's by less. */
const CLOCKS_MS = 5 * 60_000;

/** The position's own; the executor's next reading of the account, which is always due, is no deadline of what it knows. */
const isOf = (place: PositionKey, actor: string): boolean => actor.startsWith(`position/${place}/`);

/** The guardian looks again, and it is this place's gap that it holds. */
function isGuarded(place: PositionKey, actor: string, row: LiveActor): boolean {
  if (actor !== GUARDIAN || !timersOf(row).some(({ id }) => id === 'look')) return false;
  const { context } = JSON.parse(row.snapshot ?? '{}') as { context?: { gaps?: readonly Placed[] } };
  const gaps = context?.gaps ?? [];
  return gaps.some((gap) => keyOf(gap) === place);
}

interface Believed {
  readonly quantity: number;
  /** Of the stops that it takes for standing. */
  readonly cover: number;
}

type Stop = Pick<OrderRecord, 'role' | 'status' | 'quantity' | 'filled' | 'whole'>;
const STANDING: ReadonlySet<string> = new Set(['live', 'triggered']);

/** What its actor believes; undefined: it has none. */
function believedAt(place: PositionKey, live: ReadonlyMap<string, LiveActor>): Believed | undefined {
  const row = [...live].find(([actor]) => isOf(place, actor))?.[1];
  const { context } = JSON.parse(row?.snapshot ?? '{}') as {
    context?: { quantity?: string; orders?: readonly Stop[] };
  };
  if (context?.quantity === undefined) return undefined;
  const open = Number(context.quantity);
  const stops = (context.orders ?? []).filter(({ role, status }) => role === 'stop' && STANDING.has(status));
  const cover = stops.reduce(
    (sum, { whole, quantity, filled }) => sum + (whole ? open : Number(quantity) - Number(filled)),
    0,
  );
  return { quantity: open, cover };
}

interface Bare {
  readonly since: number;
  /** Of it, in order. */
  healthyMs: number;
  reported: boolean;
}

export class ProtectionCheck {
  readonly #oracle: Oracle;
  readonly #isHealthy: () => boolean;
  readonly #bare = new Map<PositionKey, Bare>();
  /** Conditional orders whose cancels were sent; and those of them beside which another stood at that moment. */
  readonly #leaving = new Set<string>();
  readonly #spare = new Set<string>();
  /** How long each bare time lasted, in ms: all of it, and of that what was in order. */
  readonly gaps: { readonly ms: number; readonly healthyMs: number }[] = [];
  #last: number;

  constructor(oracle: Oracle, isHealthy: () => boolean) {
    this.#oracle = oracle;
    this.#isHealthy = isHealthy;
    this.#last = oracle.now();
  }

  /** A process asks for a conditional order to be cancelled: is it the last that covers what it covers? */
  cancelling(symbol: string, id: string): void {
    const { venue } = this.#oracle;
    this.#leaving.add(id);
    for (const [place, { amount }] of venue.held)
      if (symbolOf(place) === symbol && amount !== 0 && venue.coverOf(place, this.#leaving) > 0)
        this.#spare.add(id);
  }

  /** The venue's books have moved, by that cancel of ours where it was one: who is bare now? */
  moved(cancelled: { readonly symbol: string; readonly id: string } | undefined): void {
    const { venue, now, violate } = this.#oracle;
    for (const place of venue.held.keys()) {
      const isBare = venue.trades(place) && venue.isBare(place);
      const known = this.#bare.get(place);
      if (isBare && !known) {
        this.#bare.set(place, { since: now(), healthyMs: 0, reported: false });
        // Some cover may be missing for what has just been added, but never all of it; unless what stood beside the
        // cancelled one when that was decided has triggered since, and a thin book has left something.
        const isOurs = symbolOf(place) === cancelled?.symbol && !this.#spare.has(cancelled.id);
        if (isOurs && venue.coverOf(place) === 0) violate(7, `${place} stands bare by our own cancel`);
      }
      if (!isBare && known) {
        this.#bare.delete(place);
        this.gaps.push({ ms: now() - known.since, healthyMs: known.healthyMs });
      }
    }
  }

  step(): void {
    const now = this.#oracle.now();
    const elapsed = now - this.#last;
    this.#last = now;
    if (this.#bare.size === 0 || elapsed === 0 || !this.#isHealthy()) return;
    for (const [place, bare] of this.#bare) {
      bare.healthyMs += elapsed;
      if (!bare.reported && bare.healthyMs > GRACE_MS) this.#judge(place, bare);
    }
  }

  /** A deadline that comes too late is none. */
  #isSoon(row: LiveActor): boolean {
    return timersOf(row).some(({ due }) => due - this.#oracle.now() <= BOUND_MS + CLOCKS_MS);
  }

  /** The word of a fill, or of a stop's end, was lost, and the executor asks: nobody sees to what he does not know. */
  #isUnheard(place: PositionKey): boolean {
    const { journal, venue } = this.#oracle;
    const believed = believedAt(place, journal.live);
    const executor = journal.live.get(VENUE);
    if (believed === undefined || executor === undefined) return false;
    const { quantity, cover } = believed;
    const isNews = Math.abs(quantity - Math.abs(venue.ours(place))) > DUST || cover > quantity - DUST;
    return isNews && this.#isSoon(executor);
  }

  #judge(place: PositionKey, bare: Bare): void {
    const { journal, venue, violate } = this.#oracle;
    if (!venue.trades(place)) return;
    const seesToIt = [...journal.live].some(
      ([actor, row]) => (isOf(place, actor) || isGuarded(place, actor, row)) && this.#isSoon(row),
    );
    if (seesToIt && bare.healthyMs <= BOUND_MS) return;
    if (this.#isUnheard(place) && bare.healthyMs <= UNHEARD_MS) return;
    bare.reported = true;
    const why = seesToIt
      ? `for ${Math.round(bare.healthyMs / 1000)} s of quiet time`
      : 'and no deadline is armed';
    violate(7, `${place}: ${venue.ours(place)} stands without its stop ${why}`);
  }
}
