/**
 * Any past moment of a journal: what every actor was when row n had just become durable, its rows, and the way from
 * one row to the next and back. What `bulkhead replay` shows, and what an inspector can page through.
 *
 * Invariants: it only reads; a statechart's state is the snapshot that its row holds, an engine's is rebuilt from its
 * newest checkpoint and the inputs since; a moment shows nothing of a later row.
 */
import { BulkheadError } from '../src/core/errors.ts';
import { type ActorId, actorType } from '../src/core/ids.ts';
import { stateText } from '../src/core/state-text.ts';
import type { ActorEvent, Cause, Intent } from '../src/domain/events.ts';
import type { JournalRow, JournalStore } from '../src/journal/journal.ts';
import type { HostState } from './host-state.ts';
import type { MachineRegistry } from './machine-registry.ts';

/** An actor at a moment: its newest row up to then. */
export interface ActorMoment {
  readonly actor: ActorId;
  readonly type: string;
  readonly machine: string;
  /** Of its newest row. */
  readonly seq: number;
  readonly n: number;
  /** Epoch ms. */
  readonly at: number;
  /** It was over. */
  readonly final: boolean;
  /** For people: "open filled protected"; an engine's is "engine". */
  readonly state: string;
  /** The state value of a statechart; null for an engine. */
  readonly value: unknown;
  /** A statechart's context, an engine's checkpoint; null for an engine that was not rebuilt. */
  readonly context: unknown;
  readonly host: HostState;
}

/** A row with its texts parsed, for a reader. */
export interface RowView
  extends Pick<JournalRow, 'n' | 'epoch' | 'actor' | 'seq' | 'at' | 'kind' | 'machine'> {
  readonly event: ActorEvent;
  readonly cause: Cause;
  readonly intents: readonly Intent[];
  readonly note: string | null;
  readonly final: boolean;
  readonly hash: string;
}

export interface Bounds {
  readonly n: number;
  readonly at: number;
}

export class Moments {
  readonly #store: JournalStore;
  readonly #machines: MachineRegistry | undefined;

  /** Without the machines engines are shown without their state. */
  constructor(store: JournalStore, machines?: MachineRegistry) {
    this.#store = store;
    this.#machines = machines;
  }

  /** The newest row; undefined: the journal is empty. */
  async last(): Promise<Bounds | undefined> {
    const { n } = await this.#store.head();
    const row = await this.#raw(n);
    return row && { n: row.n, at: row.at };
  }

  async row(n: number): Promise<RowView | undefined> {
    const row = await this.#raw(n);
    return row && rowView(row);
  }

  /** The last row at or before a moment of the runtime's time; 0, or the anchor's: there is none. */
  async rowAt(at: number): Promise<number> {
    let low = (await this.#store.anchor()).n;
    let high = (await this.#store.head()).n;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const row = await this.#raw(middle);
      if (row && row.at <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Everybody who lived at row n, or had; engines are not rebuilt here. */
  async actors(n: number, isOver: 'all' | 'alive' = 'all'): Promise<readonly ActorMoment[]> {
    const rows = await this.#store.rowsAt(n);
    return rows.filter((row) => isOver === 'all' || !row.final).map((row) => momentOf(row, row.snapshot));
  }

  /** One actor, whole; undefined: it had no row yet. */
  async actor(id: ActorId, n: number): Promise<ActorMoment | undefined> {
    const [row] = await this.#store.rowsAt(n, id);
    if (!row) return undefined;
    return momentOf(row, row.snapshot ?? (await this.#rebuilt(row)));
  }

  /** An actor's rows after `afterSeq`, oldest first. */
  async rowsOf(id: ActorId, afterSeq: number, limit: number): Promise<readonly RowView[]> {
    return (await this.#store.rowsOf(id, afterSeq, limit)).map(rowView);
  }

  /** The next row after n, of one actor or of all. */
  async next(n: number, id?: ActorId): Promise<RowView | undefined> {
    if (id === undefined) return this.row(n + 1);
    const [row] = await this.#store.rowsAt(n, id);
    const [next] = await this.#store.rowsOf(id, row?.seq ?? 0, 1);
    return next && rowView(next);
  }

  /** The row before n, of one actor or of all. */
  async previous(n: number, id?: ActorId): Promise<RowView | undefined> {
    if (id === undefined) return this.row(n - 1);
    const [row] = await this.#store.rowsAt(n - 1, id);
    return row && rowView(row);
  }

  async #raw(n: number): Promise<JournalRow | undefined> {
    const [row] = n < 1 ? [] : await this.#store.rowsAfter(n - 1, 1);
    return row?.n === n ? row : undefined;
  }

  /** The engine's state after this row, from the rows before it; null without the machines. */
  async #rebuilt(row: JournalRow): Promise<string | null> {
    if (!this.#machines?.runs(row.machine)) return null;
    const since: JournalRow[] = [row];
    while (since[0]?.snapshot === null) {
      const firstSeq = since[0].seq;
      const from = Math.max(0, firstSeq - 1 - CHECKPOINT_PAGE);
      const earlier = await this.#store.rowsOf(row.actor, from, firstSeq - 1 - from);
      if (earlier.length === 0) throw noCheckpoint(row.actor);
      since.unshift(...earlier);
    }
    const start = since.findLastIndex(({ snapshot }) => snapshot !== null);
    const checkpoint = since[start]?.snapshot ?? null;
    if (checkpoint === null) throw noCheckpoint(row.actor);
    const events = since.slice(start + 1).filter(({ kind }) => kind === 'event');
    const logic = this.#machines.factory(actorType(row.actor))();
    logic.restore(
      checkpoint,
      events.map(({ event }) => JSON.parse(event) as ActorEvent),
    );
    return logic.snapshot(1);
  }
}

const CHECKPOINT_PAGE = 64;

const noCheckpoint = (actor: ActorId): BulkheadError =>
  new BulkheadError('STORE_CORRUPT', `no checkpoint of ${actor} in the journal`, {
    hint: 'Restore the journal from a backup.',
  });

function momentOf(row: JournalRow, snapshot: string | null): ActorMoment {
  const parsed = snapshot === null ? null : (JSON.parse(snapshot) as { value?: unknown; context?: unknown });
  const isChart = parsed?.value !== undefined;
  return {
    actor: row.actor,
    type: actorType(row.actor),
    machine: row.machine,
    seq: row.seq,
    n: row.n,
    at: row.at,
    final: row.final,
    state: isChart ? stateText(parsed.value) : 'engine',
    value: isChart ? parsed.value : null,
    context: isChart ? parsed.context : parsed,
    host: JSON.parse(row.host) as HostState,
  };
}

function rowView(row: JournalRow): RowView {
  const { n, epoch, actor, seq, at, kind, machine, note, final, hash } = row;
  return {
    ...{ n, epoch, actor, seq, at, kind, machine },
    event: JSON.parse(row.event) as ActorEvent,
    cause: JSON.parse(row.cause) as Cause,
    intents: JSON.parse(row.intents) as Intent[],
    ...{ note, final, hash },
  };
}
