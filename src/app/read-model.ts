/**
 * What people look at: the account and its positions, fed from committed rows only.
 * Invariant: a view. Nothing decides by it, and it is rebuilt from the newest rows at every start.
 */
import { createStore } from '@xstate/store';
import type { BreakerContext } from '../../machines/breaker.ts';
import type { PortfolioContext } from '../../machines/portfolio.ts';
import type { PositionContext } from '../../machines/position/context.ts';
import type { Committed } from '../../supervisors/actor-runtime.ts';
import type { ActorId } from '../core/ids.ts';
import { actorType } from '../core/ids.ts';
import type { Level } from '../domain/events.ts';
import type { JournalRow } from '../journal/journal.ts';

export interface Snapshot<C> {
  readonly value: unknown;
  readonly context: C;
}

export interface Notice {
  readonly at: number;
  readonly level: Level;
  readonly text: string;
}

const NOTICES_KEPT = 20;
const SHOWN = new Set(['portfolio', 'position', 'breaker', 'entry', 'guardian']);

function emptyModel() {
  return createStore({
    context: {
      /**
       * Newest snapshot text of every actor that is shown; parsed only when somebody looks. One map for all
       * versions of the store: to copy it for each row would cost the square of the positions.
       */
      snapshots: new Map<ActorId, string>(),
      notices: [] as readonly Notice[],
      rows: 0,
    },
    on: {
      row: (
        context,
        event: { actor: ActorId; snapshot: string | null; final: boolean; notices: readonly Notice[] },
      ) => {
        const { snapshots } = context;
        if (event.final || event.snapshot === null) snapshots.delete(event.actor);
        else snapshots.set(event.actor, event.snapshot);
        const notices =
          event.notices.length > 0
            ? [...context.notices, ...event.notices].slice(-NOTICES_KEPT)
            : context.notices;
        return { ...context, notices, rows: context.rows + 1 };
      },
    },
  });
}

export class ReadModel {
  readonly #store = emptyModel();

  observe({ row, intents }: Committed): void {
    const notices = intents.flatMap((intent) =>
      intent.type === 'notify' ? [{ at: row.at, level: intent.level, text: intent.text }] : [],
    );
    if (!SHOWN.has(actorType(row.actor)) && notices.length === 0) return;
    this.#store.trigger.row({
      actor: row.actor,
      snapshot: SHOWN.has(actorType(row.actor)) ? row.snapshot : null,
      final: row.final,
      notices,
    });
  }

  /** At a start: what the journal knows of an actor. */
  seed(row: JournalRow): void {
    this.observe({ row, intents: [], event: { type: '' }, cause: { kind: 'external', id: 'recovery' } });
  }

  get notices(): readonly Notice[] {
    return this.#store.getSnapshot().context.notices;
  }

  portfolio(): Snapshot<PortfolioContext> | undefined {
    return this.#of<PortfolioContext>('portfolio')[0]?.[1];
  }

  positions(): [ActorId, Snapshot<PositionContext>][] {
    return this.#of('position');
  }

  breakers(): [ActorId, Snapshot<BreakerContext>][] {
    return this.#of('breaker');
  }

  #of<C>(type: string): [ActorId, Snapshot<C>][] {
    return [...this.#store.getSnapshot().context.snapshots]
      .filter(([actor]) => actorType(actor) === type)
      .map(([actor, text]) => [actor, JSON.parse(text) as Snapshot<C>]);
  }
}
