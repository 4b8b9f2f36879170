/**
 * Whose what stands at the venue is, by who sent the orders whose trades made it: ours, a person's, or the venue's
 * own doing. Read from the venue's books alone; what the program says of it is what this is held against.
 *
 * Invariant: ours + theirs is what the venue holds.
 */
import type { PositionKey } from '../../../domain/position-key.ts';
import type { OrderRecord } from '../../../venue-server/account/records.ts';

export type By = 'us' | 'a person' | 'the venue';

/** Of a run, of its closing of what is foreign, of the kill switch. */
const OURS = /^bh[a-z]?-/;
/** Quantities are sums of floats in the checks: what is less than this is nothing. */
export const DUST = 1e-9;

export function senderOf({ clientOrderId, cause }: Pick<OrderRecord, 'clientOrderId' | 'cause'>): By {
  if (cause !== '') return 'the venue';
  return OURS.test(clientOrderId) ? 'us' : 'a person';
}

/** Of a person at the venue. */
export const isByHand = (clientOrderId: string): boolean => clientOrderId.startsWith('web_');

export class Ownership {
  readonly #ours = new Map<PositionKey, number>();
  readonly #theirs = new Map<PositionKey, number>();
  readonly #mixed = new Set<PositionKey>();

  /** Signed. */
  ours(place: PositionKey): number {
    return this.#ours.get(place) ?? 0;
  }

  theirs(place: PositionKey): number {
    return this.#theirs.get(place) ?? 0;
  }

  /** A person or the venue has had a hand in what is or was ours there. */
  isMixed(place: PositionKey): boolean {
    return this.#mixed.has(place);
  }

  /** A person has said that it is ours from now on; no more of it than is theirs. */
  adopted(place: PositionKey, signed: number): void {
    const taken = within(signed, this.theirs(place));
    this.#mixed.add(place);
    add(this.#ours, place, taken);
    add(this.#theirs, place, -taken);
  }

  traded(place: PositionKey, by: By, signed: number): void {
    if (by === 'us') {
      add(this.#ours, place, signed);
      return;
    }
    this.#mixed.add(place);
    // By hand one closes first what one opened by hand; the rest changes what we hold, and nobody's is what is left.
    const first = by === 'a person' ? -within(-signed, this.theirs(place)) : 0;
    const held = this.ours(place);
    const rest = signed - first;
    const grows = Math.abs(held) > DUST && Math.sign(held) === Math.sign(rest);
    const taken = grows ? rest : -within(-rest, held);
    add(this.#ours, place, taken);
    add(this.#theirs, place, signed - taken);
  }
}

/** Of `amount` what lies within `most`, which is signed as it is; else nothing. */
const within = (amount: number, most: number): number =>
  Math.sign(amount) === Math.sign(most) ? Math.sign(amount) * Math.min(Math.abs(amount), Math.abs(most)) : 0;

function add(to: Map<PositionKey, number>, place: PositionKey, signed: number): void {
  const sum = (to.get(place) ?? 0) + signed;
  to.set(place, Math.abs(sum) < DUST ? 0 : sum);
}
