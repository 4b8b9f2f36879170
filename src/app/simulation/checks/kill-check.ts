/**
 * The kill switch does what it says (15): from the moment it is engaged nothing that opens leaves; within a bound
 * everything that is ours is closed; and it stays so over restarts, on the same machine and on another.
 */
import type { VenueRequest } from '../../../exchange/venue-client.ts';
import type { LiveSystem } from '../../compose-live.ts';
import type { Oracle } from './oracle.ts';

/** The file is looked for four times a second, and what has left by then is on its way. */
const NOTICED_MS = 1_000;
const DUST = 1e-9;
const OURS = /^bh-/;

export class KillCheck {
  readonly #oracle: Oracle;
  /** What of the venue's positions is not a person's. */
  readonly #isOurs: (symbol: string) => boolean;
  #engagedAt: number | undefined;

  constructor(oracle: Oracle, isOurs: (symbol: string) => boolean) {
    this.#oracle = oracle;
    this.#isOurs = isOurs;
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
    const reduces = [params.reduceOnly, params.closePosition].some((flag) => String(flag) === 'true');
    if (OURS.test(id) && !reduces)
      violate(15, `${id} opens on ${params.symbol}, and the kill switch is engaged`);
  }

  /** Symbols on which something of ours is open. */
  get open(): string[] {
    const { held } = this.#oracle.venue;
    return [...held]
      .filter(([symbol, { amount }]) => Math.abs(amount) > DUST && this.#isOurs(symbol))
      .map(([symbol]) => symbol);
  }

  mustBeFlat(withinMs: number): void {
    const { open } = this;
    if (open.length === 0) return;
    const what = open.map((symbol) => `${this.#oracle.venue.amount(symbol)} ${symbol}`).join(', ');
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
