/**
 * The kill switch does what it says (15): from the moment it is engaged nothing that opens leaves; within a bound
 * everything that is ours is closed; and it stays so over restarts, on the same machine and on another.
 */
import { opensPosition, type PositionSide } from '../../../domain/order.ts';
import type { PositionKey } from '../../../domain/position-key.ts';
import type { VenueRequest } from '../../../exchange/venue-client.ts';
import type { LiveSystem } from '../../compose/compose-live.ts';
import type { Oracle } from './oracle.ts';

/** The file is looked for four times a second, and what has left by then is on its way. */
const NOTICED_MS = 1_000;
const OURS = /^bh-/;

export class KillCheck {
  readonly #oracle: Oracle;
  #engagedAt: number | undefined;

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  engaged(): void {
    this.#engagedAt = this.#oracle.now();
  }

  /** A request leaves a process. */
  sending({ method, path, params }: VenueRequest): void {
    const { now, violate } = this.#oracle;
    if (this.#engagedAt === undefined || now() - this.#engagedAt < NOTICED_MS) return;
    if (method !== 'POST' || (path !== 'order' && path !== 'algoOrder')) return;
    const id = String(params.newClientOrderId ?? params.clientAlgoId ?? '');
    const { side, positionSide = 'BOTH' } = params;
    const [reduceOnly, closePosition] = [params.reduceOnly, params.closePosition].map(
      (flag) => String(flag) === 'true',
    );
    const opens = opensPosition({
      ...{ side: side === 'BUY' ? 'BUY' : 'SELL', positionSide: positionSide as PositionSide },
      ...{ reduceOnly: reduceOnly === true, closePosition: closePosition === true },
    });
    if (OURS.test(id) && opens)
      violate(15, `${id} opens on ${params.symbol}, and the kill switch is engaged`);
  }

  /** Where something of ours is open. */
  get open(): PositionKey[] {
    const { venue } = this.#oracle;
    return [...venue.held.keys()].filter((place) => venue.isOpen(place));
  }

  mustBeFlat(withinMs: number): void {
    const { open } = this;
    if (open.length === 0) return;
    const what = open.map((place) => `${this.#oracle.venue.ours(place)} ${place}`).join(', ');
    this.#oracle.violate(
      15,
      `${withinMs / 1_000} s after the kill switch was engaged there still is ${what}`,
    );
  }

  /** Whoever came after the process that heard of it. */
  mustHold(system: LiveSystem | undefined, when: string): void {
    const { violate } = this.#oracle;
    if (!system) {
      violate(15, `${when} nobody runs any more`);
      return;
    }
    const text = system.runtime.actor('breaker/kill')?.snapshotText ?? '{}';
    const { value } = JSON.parse(text) as { value?: unknown };
    if (!JSON.stringify(value ?? null).includes('open'))
      violate(15, `${when} the kill switch's breaker is ${JSON.stringify(value)}`);
    this.mustBeFlat(0);
  }
}
