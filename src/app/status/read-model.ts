/**
 * What people look at: the account and its positions, fed from committed rows only.
 * Invariant: a view. Nothing decides by it, and it is rebuilt from the newest rows at every start.
 */
import { createStore } from '@xstate/store';
import type { BreakerContext } from '../../../machines/breaker.ts';
import type { EntryContext } from '../../../machines/entry.ts';
import type { GuardianContext } from '../../../machines/guardian.ts';
import { desksNamed } from '../../../machines/messages.ts';
import type { PortfolioContext } from '../../../machines/portfolio.ts';
import type { PositionContext } from '../../../machines/position/context.ts';
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import type { Decimal } from '../../core/decimal.ts';
import type { ActorId } from '../../core/ids.ts';
import { actorType } from '../../core/ids.ts';
import { snapshotParts } from '../../core/snapshot-parts.ts';
import { GUARDIAN, PORTFOLIO } from '../../domain/events.ts';
import { keyOf } from '../../domain/position-key.ts';
import type { JournalRow } from '../../journal/journal.ts';

export interface Snapshot<C> {
  readonly value: unknown;
  readonly context: C;
}

function emptyModel() {
  return createStore({
    context: {
      /**
       * Newest snapshot text of every live actor; parsed only when somebody looks. One map for all
       * versions of the store: to copy it for each row would cost the square of the positions.
       */
      snapshots: new Map<ActorId, string>(),
      rows: 0,
    },
    on: {
      row: (context, event: { actor: ActorId; snapshot: string | null; final: boolean }) => {
        const { snapshots } = context;
        if (event.final || event.snapshot === null) snapshots.delete(event.actor);
        else snapshots.set(event.actor, event.snapshot);
        return { ...context, rows: context.rows + 1 };
      },
    },
  });
}

/** An actor as its newest durable row left it; `snapshot` is the newest that any row held. */
export interface Newest {
  readonly row: JournalRow;
  readonly snapshot: string | null;
}

export class ReadModel {
  readonly #store = emptyModel();
  readonly #rows = new Map<ActorId, JournalRow>();
  /** What was last looked at, parsed once however often it is asked for; held against its text. */
  readonly #parsed = new Map<ActorId, { readonly text: string; readonly snapshot: Snapshot<unknown> }>();

  observe({ row }: Pick<Committed, 'row'>): void {
    if (row.final) {
      this.#rows.delete(row.actor);
      this.#parsed.delete(row.actor);
    } else this.#rows.set(row.actor, row);
    // What checkpoints now and then keeps the last one.
    if (row.snapshot === null && !row.final) return;
    this.#store.trigger.row({ actor: row.actor, snapshot: row.snapshot, final: row.final });
  }

  actors(): ActorId[] {
    return [...this.#rows.keys()];
  }

  newest(actor: ActorId): Newest | undefined {
    const row = this.#rows.get(actor);
    return row && { row, snapshot: this.#store.getSnapshot().context.snapshots.get(actor) ?? null };
  }

  /** Its snapshot, parsed; shared by all who ask, and changed by nobody. */
  of<C>(actor: ActorId): Snapshot<C> | undefined {
    const text = this.#store.getSnapshot().context.snapshots.get(actor);
    return text === undefined ? undefined : this.#parse<C>(actor, text);
  }

  /** At a start: what the journal knows of an actor. */
  seed(row: JournalRow): void {
    this.observe({ row });
  }

  portfolio(): Snapshot<PortfolioContext> | undefined {
    return this.of<PortfolioContext>(PORTFOLIO);
  }

  guardian(): Snapshot<GuardianContext> | undefined {
    return this.of<GuardianContext>(GUARDIAN);
  }

  /** Of a symbol that has a desk. */
  tickSize(symbol: string): Decimal | undefined {
    const [desk] = desksNamed(keyOf({ symbol }), (named) => this.#rows.has(named));
    return desk === undefined ? undefined : this.of<EntryContext>(desk)?.context.instrument.tickSize;
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
      .map(([actor, text]) => [actor, this.#parse<C>(actor, text)]);
  }

  #parse<C>(actor: ActorId, text: string): Snapshot<C> {
    const known = this.#parsed.get(actor);
    if (known?.text === text) return known.snapshot as Snapshot<C>;
    const snapshot = snapshotParts<Snapshot<C>>(text);
    this.#parsed.set(actor, { text, snapshot });
    return snapshot;
  }
}
