/**
 * Which open positions a price concerns: each one's guard band, kept in step with its committed state. A price
 * inside the band costs two comparisons and wakes nobody.
 */
import type { PositionContext } from '../../machines/position/context.ts';
import { positionBand } from '../../machines/position.ts';
import type { Committed } from '../../supervisors/actor-runtime.ts';
import { type ActorId, actorType } from '../core/ids.ts';
import type { SymbolName } from '../domain/instrument.ts';
import { GuardBandIndex } from '../market/guard-band-index.ts';

export class PositionBands {
  readonly #bands = new GuardBandIndex();

  observe({ row }: Committed): void {
    if (actorType(row.actor) === 'position') this.watch(row.actor, row.final ? null : row.snapshot);
  }

  watch(actor: ActorId, snapshot: string | null): void {
    const symbol = actor.split('/')[1] ?? '';
    const context = snapshot && (JSON.parse(snapshot) as { context: PositionContext }).context;
    const band = context ? positionBand(context) : { low: null, high: null };
    if (band.low === null && band.high === null) this.#bands.remove(symbol, actor);
    else this.#bands.set(symbol, actor, band.low ?? undefined, band.high ?? undefined);
  }

  /** Positions whose band this mark lies outside of. */
  crossed(symbol: SymbolName, mark: number): readonly ActorId[] {
    return this.#bands.check(symbol, mark, mark);
  }
}
