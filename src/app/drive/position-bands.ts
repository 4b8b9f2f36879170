/**
 * Which open positions a price concerns: each one's guard band, kept in step with its committed state. A price
 * inside the band costs two comparisons and wakes nobody.
 */
import type { PositionContext } from '../../../machines/position/context.ts';
import { followsBars, positionBand } from '../../../machines/position.ts';
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import { type ActorId, actorType } from '../../core/ids.ts';
import { type SnapshotParts, snapshotParts } from '../../core/snapshot-parts.ts';
import { type Candle, closeTime } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { Direction } from '../../domain/order.ts';
import { GuardBandIndex } from '../../market/guard-band-index.ts';
import type { Tell } from './market-driver.ts';

interface Position extends SnapshotParts {
  readonly context: PositionContext;
}

/** What a position that watches prices has at stake. */
export interface WatchingPosition {
  readonly actor: ActorId;
  readonly symbol: SymbolName;
  readonly direction: Direction;
  readonly firstFillAt: number | null;
  /** It has to hear of closed bars. */
  readonly followsBars: boolean;
}

export class PositionBands {
  readonly #bands = new GuardBandIndex();
  readonly #watching = new Map<ActorId, WatchingPosition>();

  observe({ row, context }: Committed): void {
    if (actorType(row.actor) !== 'position') return;
    if (row.final || context === undefined) this.watch(row.actor, row.final ? null : row.snapshot);
    else this.#follow(row.actor, context as PositionContext);
  }

  watch(actor: ActorId, snapshot: string | null): void {
    this.#follow(actor, snapshot === null ? undefined : snapshotParts<Position>(snapshot).context);
  }

  #follow(actor: ActorId, context: PositionContext | undefined): void {
    const symbol = actor.split('/')[1] ?? '';
    const band = context ? positionBand(context) : { low: null, high: null };
    if (!context || (band.low === null && band.high === null)) {
      this.#bands.remove(symbol, actor);
      this.#watching.delete(actor);
      return;
    }
    this.#bands.set(symbol, actor, band.low ?? undefined, band.high ?? undefined);
    const { direction, firstFillAt } = context;
    this.#watching.set(actor, {
      actor,
      symbol,
      direction,
      firstFillAt,
      followsBars: followsBars(context),
    });
  }

  watching(): WatchingPosition[] {
    return [...this.#watching.values()];
  }

  /** Tells the positions that follow its symbol's bars of one that has closed. */
  tellBar(bar: Candle | undefined, tell: Tell): void {
    if (!bar) return;
    const { symbol, open, high, low, close } = bar;
    for (const one of this.#watching.values())
      if (one.followsBars && one.symbol === symbol)
        tell(one.actor, { type: 'BAR_CLOSED', open, high, low, close, closeAt: closeTime(bar) });
  }

  /** Positions whose band this mark lies outside of. */
  crossed(symbol: SymbolName, mark: number): readonly ActorId[] {
    return this.#bands.check(symbol, mark, mark);
  }
}
