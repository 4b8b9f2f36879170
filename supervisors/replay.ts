/**
 * Rebuilds actors from their events alone and holds the result against the journaled snapshots and intents:
 * the oracle for "replay is byte-identical", for `bulkhead replay --verify`, and for new machine versions.
 *
 * Invariants: replay runs no effect; it looks at rows and changes nothing. Rows of another machine version
 * than this program's cannot be run again by it: they are counted and taken as given, up to the 'restored' row
 * that carried the actor over. That row is the last of them migrated, and is checked like any other. With
 * `carry` they are run all the same: by the present machine, from the row before, migrated.
 */
import { errorText } from '../src/core/errors.ts';
import type { ActorId } from '../src/core/ids.ts';
import { actorType } from '../src/core/ids.ts';
import { differenceText, jsonDifferences } from '../src/core/json-diff.ts';
import type { ActorEvent, Cause } from '../src/domain/events.ts';
import type { JournalRow } from '../src/journal/journal.ts';
import { DEAD_LETTERS } from './dead-letters.ts';
import { type Drafted, DurableActor } from './durable-actor.ts';
import type { MachineRegistry } from './machine-registry.ts';

export interface Mismatch {
  readonly n: number;
  readonly actor: ActorId;
  readonly what: 'snapshot' | 'intents' | 'host' | 'final' | 'error';
  readonly detail: string;
}

interface Left {
  readonly snapshot: string;
  readonly events: ActorEvent[];
}

const startedAt = (snapshot: string): Left => ({ snapshot, events: [] });

/** Takes rows in order of n; remembers one machine per actor. */
export class Replay {
  readonly #machines: MachineRegistry;
  readonly #instanceAt: (n: number) => string;
  readonly #carry: boolean;
  readonly #actors = new Map<ActorId, DurableActor>();
  readonly #rows = new Map<ActorId, JournalRow>();
  /** Of actors of another version: the newest snapshot and the events since, which its carrying over began with. */
  readonly #left = new Map<ActorId, Left>();
  #count = 0;
  #foreign = 0;

  /** `instanceAt` says which installation wrote row n: order ids derive from it. */
  constructor(machines: MachineRegistry, instanceAt: (n: number) => string, { carry = false } = {}) {
    this.#machines = machines;
    this.#instanceAt = instanceAt;
    this.#carry = carry;
  }

  get rowCount(): number {
    return this.#count;
  }

  /** Rows of other machine versions, which this program cannot run again. */
  get foreignRows(): number {
    return this.#foreign;
  }

  /** The newest row seen of every actor, dead ones included. */
  get rows(): ReadonlyMap<ActorId, JournalRow> {
    return this.#rows;
  }

  /** The state with which a journal begins whose older rows were removed: what is carried over its anchor. */
  seed(carried: readonly JournalRow[]): void {
    const since = new Map<ActorId, JournalRow[]>();
    for (const row of carried) {
      this.#rows.set(row.actor, row);
      const rows = since.get(row.actor);
      if (rows && row.snapshot === null) rows.push(row);
      else since.set(row.actor, [row]);
    }
    for (const [first, ...later] of since.values()) {
      const last = later.at(-1) ?? first;
      if (!first || !last || first.snapshot === null || first.actor === DEAD_LETTERS) continue;
      if (!this.#machines.runs(last.machine)) {
        for (const row of [first, ...later]) this.#leave(row);
        continue;
      }
      const events = later.filter(({ kind }) => kind === 'event').map(({ event }) => JSON.parse(event));
      this.#newActor(last).resume(last, first.snapshot, events as ActorEvent[]);
    }
  }

  /** What the row says and the replayed machine does not; empty when they agree. */
  take(row: JournalRow): Mismatch[] {
    const before = this.#rows.get(row.actor);
    this.#count += 1;
    this.#rows.set(row.actor, row);
    if (row.actor === DEAD_LETTERS) return [];
    if (!this.#machines.runs(row.machine)) {
      this.#foreign += 1;
      const mismatches = this.#carry ? this.#takeForeign(row, before) : [];
      this.#leave(row);
      if (this.#carry) return mismatches;
      this.#actors.delete(row.actor);
      return [];
    }
    try {
      const drafted = this.#redo(row, before);
      if (row.final) this.#actors.delete(row.actor);
      return drafted ? compare(row, drafted) : [];
    } catch (error) {
      return [{ n: row.n, actor: row.actor, what: 'error', detail: errorText(error) }];
    }
  }

  #redo(row: JournalRow, before: JournalRow | undefined): Drafted | undefined {
    const event = JSON.parse(row.event) as ActorEvent & { readonly at: number };
    const cause = JSON.parse(row.cause) as Cause;
    if (row.kind === 'start') {
      const actor = this.#newActor(row);
      return actor.begin(event.input, cause, row.at);
    }
    if (row.kind === 'restored') return this.#carryOver(row, before).restored(cause, row.at);
    const actor = this.#actors.get(row.actor);
    if (!actor) throw new Error('its first rows are missing');
    actor.rename(this.#instanceAt(row.n));
    const message = { to: row.actor, event, cause };
    if (row.kind === 'dead-letter') return actor.deadLetter(message, row.at, row.note ?? '');
    return actor.step(message, row.at, row);
  }

  #newActor({ actor: id, n }: JournalRow): DurableActor {
    const actor = new DurableActor(id, this.#machines.factory(actorType(id)), this.#instanceAt(n));
    this.#actors.set(id, actor);
    return actor;
  }

  /** The actor as the program found it at that start: the row before, migrated. */
  #carryOver(row: JournalRow, before: JournalRow | undefined): DurableActor {
    const left =
      before && (before.snapshot === null ? this.#left.get(row.actor) : startedAt(before.snapshot));
    if (!before || !left) throw new Error('the row that was migrated is missing');
    const { snapshot } = this.#machines.migrate(before.machine, left.snapshot);
    const actor = this.#newActor(row);
    actor.resume(before, snapshot, left.events);
    return actor;
  }

  #leave({ actor, kind, snapshot, event }: JournalRow): void {
    if (snapshot !== null) this.#left.set(actor, startedAt(snapshot));
    else if (kind === 'event') this.#left.get(actor)?.events.push(JSON.parse(event) as ActorEvent);
  }

  /** What the present machine makes of the event of an older one; then it goes on from what that one made of it. */
  #takeForeign(row: JournalRow, before: JournalRow | undefined): Mismatch[] {
    if (row.snapshot === null) return [];
    try {
      const { snapshot } = this.#machines.migrate(row.machine, row.snapshot);
      if (row.kind !== 'start') this.#carryOver(row, before);
      const drafted = row.kind === 'restored' ? undefined : this.#redo(row, before);
      this.#newActor(row).resume(row, snapshot, []);
      return drafted ? compareMeaning({ ...row, snapshot }, drafted) : [];
    } catch (error) {
      return [{ n: row.n, actor: row.actor, what: 'error', detail: errorText(error) }];
    }
  }
}

/** Texts of two versions differ in the order of their keys, and mean the same. */
function compareMeaning(row: JournalRow, drafted: Drafted): Mismatch[] {
  return compare(row, drafted).flatMap((mismatch) => {
    const { what } = mismatch;
    if (what === 'final' || what === 'error') return [mismatch];
    const [journaled, replayed] = [
      JSON.parse(row[what] ?? 'null'),
      JSON.parse(drafted.draft[what] ?? 'null'),
    ];
    const where = jsonDifferences(journaled, replayed);
    const detail = where.slice(0, DIFFERENCES_NAMED).map(differenceText).join('; ');
    return where.length === 0 ? [] : [{ ...mismatch, detail }];
  });
}

const DIFFERENCES_NAMED = 8;

function compare(row: JournalRow, { draft }: Drafted): Mismatch[] {
  const differing = (['snapshot', 'intents', 'host', 'final'] as const).filter(
    (key) => draft[key] !== row[key],
  );
  return differing.map((what) => ({
    n: row.n,
    actor: row.actor,
    what,
    detail: `journaled ${String(row[what]).slice(0, 200)}, replayed ${String(draft[what]).slice(0, 200)}`,
  }));
}
