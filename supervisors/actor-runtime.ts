/**
 * The host of all durable actors: one queue of messages in, rows to the journal, intents out after commit.
 *
 * Invariants:
 * - messages are taken strictly in the order of the intents that caused them, (n, i); so a killed process that
 *   takes up the unconsumed ones in that order has the same future as one that was never killed;
 * - an actor whose newest row has been sent and is not yet durable takes nothing: row k+1 is never written
 *   before row k is durable (rows of one batch commit together);
 * - nothing of a row is visible outside (intents, timers, observers) before the row is durable;
 * - a message with a durable cause is consumed by exactly one row, a dead letter if need be;
 * - before `open()` messages wait; after a fencing or failed journal nothing moves any more.
 */
import { assert } from '../src/core/assert.ts';
import type { Clock } from '../src/core/clock.ts';
import { errorText } from '../src/core/errors.ts';
import type { ActorId } from '../src/core/ids.ts';
import type { ActorEvent, Cause, Intent, Message } from '../src/domain/events.ts';
import type { JournalRow, RowDraft } from '../src/journal/journal.ts';
import type { JournalWriter, OnDurable } from '../src/journal/journal-writer.ts';
import type { LogicFactory } from './actor-logic.ts';
import { DeadLetters } from './dead-letters.ts';
import { type Drafted, DurableActor } from './durable-actor.ts';
import { DurableTimers } from './durable-timers.ts';
import { Outstanding } from './outstanding.ts';
import { PoisonWatch } from './poison-watch.ts';
import { route } from './routing.ts';
import type { RuntimeHooks } from './runtime-hooks.ts';

/** A row that just became durable, with its parsed parts. */
export interface Committed {
  readonly row: JournalRow;
  readonly event: ActorEvent;
  readonly cause: Cause;
  readonly intents: readonly Intent[];
  /** Of a statechart, as its snapshot in this row has it, and never changed; undefined: only the snapshot tells. */
  readonly context?: unknown;
}

/** A message with its place in the order of arrival, which it keeps however often it is held back. */
interface Letter {
  readonly message: Message;
  readonly order: number;
}

interface Cell {
  readonly actor: DurableActor;
  readonly mailbox: Letter[];
  lastN: number;
  /** Kept through a graceful stop of its supervisor: the actor lives on in the journal. */
  stopped: boolean;
}

export interface RuntimeOptions {
  readonly instance: string;
  readonly clock: Clock;
  readonly writer: JournalWriter;
  readonly settledN: number;
  readonly hooks: RuntimeHooks;
  /** Identical crashes of one event before it is dead-lettered. */
  readonly poisonLimit?: number;
}

export class ActorRuntime {
  readonly timers = new DurableTimers();
  readonly #options: RuntimeOptions;
  readonly #writer: JournalWriter;
  readonly #outstanding: Outstanding;
  readonly #poison: PoisonWatch;
  readonly #deadLetters: DeadLetters;
  readonly #cells = new Map<ActorId, Cell>();
  /** Actors that cannot be restored: what is theirs stays unconsumed, for the version that can. */
  readonly #absent = new Set<ActorId>();
  readonly #observers: ((committed: Committed) => void)[] = [];
  #queue: Letter[] = [];
  #order = 0;
  #lost = 0;
  /** Why nothing moves any more: a step was taken that the journal did not take. */
  #broken: { readonly error: unknown } | undefined;
  #opened = false;
  #drainScheduled = false;
  #draining = false;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#writer = options.writer;
    this.#outstanding = new Outstanding(options.settledN);
    this.#poison = new PoisonWatch(options.poisonLimit ?? 3);
    this.#deadLetters = new DeadLetters();
  }

  /**
   * Called for every durable row, in order of n. One that throws keeps no other observer and no intent from
   * its due; the journal writer's `onError` hears of it, and a run ends on it.
   */
  observe(observer: (committed: Committed) => void): void {
    this.#observers.push(observer);
  }

  actor(id: ActorId): DurableActor | undefined {
    return this.#cells.get(id)?.actor;
  }

  actorIds(): ActorId[] {
    return [...this.#cells.keys()];
  }

  /** Events that no actor took in this process: it was over or never was, or crashed on one again and again. */
  get deadLetterCount(): number {
    return this.#lost;
  }

  get outstandingRows(): number {
    return this.#outstanding.size;
  }

  /** Rows in the journal above settledN, as recovery read them: their intents count as outstanding again. */
  recoverOutstanding(n: number, unconsumed: number): void {
    this.#outstanding.opened(n, unconsumed);
  }

  recoverDeadLetters(row: JournalRow): void {
    this.#deadLetters.resume(row);
  }

  /** Starts an actor that has no row yet. Synchronous: it is live when this returns. */
  startActor(id: ActorId, factory: LogicFactory, input: unknown, cause: Cause): void {
    assert(!this.#cells.has(id), `${id} is already running`);
    const actor = new DurableActor(id, factory, this.#options.instance);
    const cell: Cell = { actor, mailbox: [], lastN: 0, stopped: false };
    const drafted = actor.begin(input, cause, this.#options.clock.now());
    this.#cells.set(id, cell);
    this.#append(cell, drafted);
  }

  /** Takes an actor up from its newest row. Throws ACTOR_UNRESTORABLE. */
  resumeActor(
    row: JournalRow,
    factory: LogicFactory,
    checkpoint: string,
    eventsSince: readonly ActorEvent[],
  ): void {
    assert(!this.#cells.has(row.actor), `${row.actor} is already running`);
    const actor = new DurableActor(row.actor, factory, this.#options.instance);
    actor.resume(row, checkpoint, eventsSince);
    const cell: Cell = { actor, mailbox: [], lastN: row.n, stopped: false };
    this.#cells.set(row.actor, cell);
    if (actor.host.timers.length > 0) this.timers.replace(row.actor, actor.host.timers);
  }

  /** The actor lives in the journal but not in this process: its messages wait there for a start that has it. */
  leaveAbsent(id: ActorId): void {
    this.#absent.add(id);
  }

  /** Writes down that the actor now runs a migrated snapshot. */
  recordMigration(id: ActorId, from: string): void {
    const cell = this.#cells.get(id);
    assert(cell, `${id} is not running`);
    this.#append(
      cell,
      cell.actor.restored({ kind: 'external', id: `migrated:${from}` }, this.#options.clock.now()),
    );
  }

  /** A supervisor's restart: the machine is rebuilt from its newest row and goes on with its mailbox. */
  restartActor(id: ActorId): void {
    const cell = this.#cells.get(id);
    assert(cell, `${id} is not known`);
    cell.stopped = false;
    if (!cell.actor.isUp) cell.actor.restore();
    if (this.#opened) this.#wake(cell);
  }

  /** A supervisor's stop: memory goes, the journal keeps the actor. */
  stopActor(id: ActorId): void {
    const cell = this.#cells.get(id);
    if (!cell) return;
    cell.stopped = true;
    cell.actor.drop();
  }

  knows(id: ActorId): boolean {
    return this.#cells.has(id);
  }

  /** Queues a message from outside (market, timer, person, socket). */
  tell(message: Message): void {
    this.#enqueue(message);
    this.#scheduleDrain();
  }

  open(): void {
    this.#opened = true;
    for (const cell of this.#cells.values()) this.#wake(cell);
    this.#scheduleDrain();
  }

  /** Fires every durable timer due by now. */
  fireDueTimers(): number {
    const due = this.timers.takeDue(this.#options.clock.now());
    for (const { actor, timer } of due) {
      const cause: Cause = { kind: 'timer', id: timer.id, due: timer.due };
      this.tell({ to: actor, event: timer.event, cause });
    }
    return due.length;
  }

  /** Resolves when no message waits and every row is durable and released; rejects when that cannot be. */
  async quiescent(): Promise<void> {
    for (;;) {
      this.#drain();
      if (this.#broken) throw this.#broken.error;
      await this.#writer.idle();
      if (
        !this.#broken &&
        this.#queue.length === 0 &&
        !this.#drainScheduled &&
        this.#writer.pendingRows === 0
      )
        return;
    }
  }

  #enqueue(message: Message): void {
    this.#queue.push({ message, order: this.#order++ });
  }

  #scheduleDrain(): void {
    if (this.#drainScheduled || !this.#opened) return;
    this.#drainScheduled = true;
    queueMicrotask(() => {
      this.#drainScheduled = false;
      this.#drain();
    });
  }

  #drain(): void {
    if (!this.#opened || this.#draining || this.#broken) return;
    this.#draining = true;
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue;
        this.#queue = [];
        for (const letter of batch) this.#deliver(letter);
      }
    } catch (error) {
      // What was left of the batch is lost to this process; the journal has it for the next.
      this.#break(error);
    } finally {
      this.#draining = false;
    }
  }

  #deliver(letter: Letter): void {
    const { message } = letter;
    const cell = this.#cells.get(message.to);
    if (this.#absent.has(message.to)) return;
    if (message.event.type === 'actor.start') {
      if (cell) this.#bury(message, 'already started');
      else this.#start(message);
      return;
    }
    if (!cell || cell.actor.isDone) {
      this.#bury(message, cell ? 'the actor is over' : 'no such actor');
      return;
    }
    cell.mailbox.push(letter);
    this.#wake(cell);
  }

  #start(message: Message): void {
    const { to, event, cause } = message;
    let reason = 'its supervisor did not start it';
    try {
      this.#options.hooks.startChild(to, String(event.machine), event.input, cause);
    } catch (error) {
      reason = errorText(error);
    }
    if (!this.#cells.has(to)) this.#bury(message, reason);
  }

  /** Steps the actor through its mailbox as far as it may go now. */
  #wake(cell: Cell): void {
    const { actor, mailbox } = cell;
    while (!this.#broken && !cell.stopped && actor.isUp && !this.#writer.inFlight(cell.lastN)) {
      if (actor.isDone) {
        for (const { message } of mailbox.splice(0)) this.#bury(message, 'the actor is over');
        return;
      }
      const postponed = actor.nextPostponed();
      const message = postponed ?? mailbox[0]?.message;
      if (!message) return;
      const at = this.#options.clock.now();
      let drafted: Drafted | undefined;
      try {
        drafted = actor.step(postponed ?? this.#enriched(message), at);
      } catch (error) {
        this.#crash(cell, message, error);
        return;
      }
      if (!postponed) mailbox.shift();
      if (drafted) this.#append(cell, drafted);
    }
  }

  #enriched(message: Message): Message {
    const event = this.#options.hooks.enrich?.(message.to, message.event);
    return event && event !== message.event ? { ...message, event } : message;
  }

  /** Counts the crash; a poisonous event is dead-lettered by the restored actor, then the supervisor hears. */
  #crash(cell: Cell, message: Message, error: unknown): void {
    const { actor, mailbox } = cell;
    actor.drop();
    const reason = errorText(error);
    if (this.#poison.isPoison(actor.id, message, reason)) {
      if (message.cause.kind !== 'postponed') mailbox.shift();
      actor.restore();
      this.#append(cell, actor.deadLetter(message, this.#options.clock.now(), reason));
      this.#lost += 1;
      this.#options.hooks.quarantined?.(actor.id, message, reason);
      this.#wake(cell);
      return;
    }
    this.#options.hooks.crashed(actor.id, error);
  }

  #append(cell: Cell, drafted: Drafted): void {
    this.#writer.setSettled(this.#outstanding.settledN);
    cell.lastN = this.#write(drafted.draft, (row) => this.#release(cell, drafted, row));
  }

  #bury(message: Message, reason: string): void {
    if (message.cause.kind === 'input') return;
    this.#lost += 1;
    const { draft, cause, event } = this.#deadLetters.draft(message, this.#options.clock.now(), reason);
    this.#write(draft, (row) => this.#publish({ row, event, cause, intents: [] }));
  }

  /** Memory has gone ahead of a row that is refused: no later row may follow it, so nothing moves any more. */
  #write(draft: RowDraft, onDurable: OnDurable): number {
    try {
      return this.#writer.append(draft, onDurable).n;
    } catch (error) {
      this.#break(error);
      throw error;
    }
  }

  #break(error: unknown): void {
    if (this.#broken) return;
    this.#broken = { error };
    this.#options.hooks.broken?.(error);
  }

  /** The row is durable: only now does anything of it exist for others. */
  #release(cell: Cell, drafted: Drafted, row: JournalRow): void {
    const { intents, cause, event, host, context } = drafted;
    this.timers.replace(row.actor, host.timers);
    const messages = intents
      .map((intent, i) => route(intent, row.actor, row.n, i))
      .filter((message) => message !== undefined);
    try {
      this.#publish({ row, event, cause, intents, context }, messages.length);
    } finally {
      for (const message of messages) this.#enqueue(message);
      this.#goOn(cell, row);
    }
  }

  #goOn(cell: Cell, row: JournalRow): void {
    if (row.final) {
      this.timers.replace(row.actor, []);
      for (const { message } of cell.mailbox.splice(0)) this.#bury(message, 'the actor is over');
      this.#cells.delete(row.actor);
      this.#options.hooks.finished(row.actor);
    } else if (cell.mailbox.length > 0) {
      // Held back while this row was in flight: their causes are older than what this row brought about.
      this.#queue = [...cell.mailbox.splice(0), ...this.#queue].sort((a, b) => a.order - b.order);
    } else {
      this.#wake(cell);
    }
    this.#scheduleDrain();
  }

  #publish(committed: Committed, opened = 0): void {
    const { row, cause } = committed;
    this.#outstanding.opened(row.n, opened);
    if (cause.kind === 'intent') this.#outstanding.consumed(cause.n);
    let failure: { readonly error: unknown } | undefined;
    for (const observer of this.#observers) {
      try {
        observer(committed);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure) throw failure.error;
  }
}
