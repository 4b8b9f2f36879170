/**
 * The durable step for one actor: event in, one row out. No queues, no journal, no clock of its own: the
 * runtime decides when to step and what to do with the row.
 *
 * Invariants:
 * - a row is drafted only after the machine has taken the event completely; a throw drafts nothing;
 * - seq is contiguous from 1; the draft's snapshot, timers and postponed events belong together;
 * - an actor that threw is `down` until it is restored from its newest drafted row, never from its memory.
 */
import { defined } from '../src/core/assert.ts';
import { type ActorId, clientOrderId } from '../src/core/ids.ts';
import type { ActorEvent, Cause, Emitted, Intent, Message } from '../src/domain/events.ts';
import type { JournalRow, RowDraft } from '../src/journal/journal.ts';
import type { ActorLogic, LogicFactory, Step } from './actor-logic.ts';
import { afterStep, EMPTY_HOST, type HostState, takeReplay, takeTimer } from './host-state.ts';

/** An event and its cause as their row has them already, where one is redone. */
type Written = Pick<RowDraft, 'event' | 'cause'>;

/** What one step wants journaled, with the parsed forms kept for the release after the commit. */
export interface Drafted {
  readonly draft: RowDraft;
  readonly intents: readonly Intent[];
  readonly host: HostState;
  readonly cause: Cause;
  readonly event: ActorEvent;
  /** A statechart's, after the event; undefined: only the snapshot tells. */
  readonly context: unknown;
}

const START_EVENT = 'actor.start';

export class DurableActor {
  readonly id: ActorId;
  readonly #factory: LogicFactory;
  #instance: string;
  #logic: ActorLogic | undefined;
  #seq = 0;
  #host: HostState = EMPTY_HOST;
  #hostText = JSON.stringify(EMPTY_HOST);
  /** The newest drafted snapshot, and the events drafted since it (empty where every row has a snapshot). */
  #checkpoint: string | undefined;
  #eventsSince: ActorEvent[] = [];
  #machine = '';
  #stateKey = '';
  #done = false;

  constructor(id: ActorId, factory: LogicFactory, instance: string) {
    this.id = id;
    this.#factory = factory;
    this.#instance = instance;
  }

  /** From now on orders are named after another installation: the journal was restored from a backup here. */
  rename(instance: string): void {
    this.#instance = instance;
  }

  get seq(): number {
    return this.#seq;
  }

  get isUp(): boolean {
    return this.#logic !== undefined;
  }

  get isDone(): boolean {
    return this.#done;
  }

  get host(): HostState {
    return this.#host;
  }

  /** The newest drafted snapshot text; for checkpointing logics an older one. */
  get snapshotText(): string | undefined {
    return this.#checkpoint;
  }

  /** A statechart's context as it was drafted last, to be read at once; undefined: only the snapshot tells. */
  get context(): unknown {
    return this.#logic?.context?.();
  }

  get stateKey(): string {
    return this.#stateKey;
  }

  /** The actor's first row. */
  begin(input: unknown, cause: Cause, at: number): Drafted {
    const logic = this.#factory();
    const event: ActorEvent = { type: START_EVENT, input, at };
    const step = logic.start(input);
    this.#logic = logic;
    this.#machine = logic.machine;
    const host = afterStep(EMPTY_HOST, step, event, at, false);
    return this.#draft('start', event, cause, at, step, host, logic.snapshot(1));
  }

  /** Takes the actor up from its newest row; `checkpoint` and `eventsSince` where that row has no snapshot. */
  resume(row: JournalRow, checkpoint: string, eventsSince: readonly ActorEvent[]): void {
    this.#seq = row.seq;
    this.#host = JSON.parse(row.host) as HostState;
    this.#hostText = row.host;
    this.#checkpoint = checkpoint;
    this.#eventsSince = [...eventsSince];
    this.#done = row.final;
    this.restore();
  }

  /** Throws the in-memory machine away and builds it anew from what was drafted last. */
  restore(): void {
    const logic = this.#factory();
    this.#logic = undefined;
    logic.restore(defined(this.#checkpoint, `checkpoint of ${this.id}`), this.#eventsSince);
    this.#logic = logic;
    this.#machine = logic.machine;
    this.#stateKey = logic.stateKey();
  }

  drop(): void {
    this.#logic = undefined;
  }

  /** A migrated snapshot gets a row of its own, so that every later row follows from rows of this version. */
  restored(cause: Cause, at: number): Drafted {
    const step: Step = { emitted: [], stateTimers: [] };
    const snapshot = defined(this.#logic, this.id).snapshot(this.#seq + 1, true);
    return this.#draft('restored', { type: 'actor.restored', at }, cause, at, step, this.#host, snapshot);
  }

  /** The postponed event that goes before the mailbox, because its state change has come. */
  nextPostponed(): Message | undefined {
    const event = this.#host.replay[0];
    return event && { to: this.id, event, cause: { kind: 'postponed', seq: this.#seq } };
  }

  /** Undefined when nothing is to be journaled: a stale timer, or a look at the market that changed nothing. */
  step(message: Message, at: number, written?: Written): Drafted | undefined {
    const { cause } = message;
    const before = this.#hostWithout(cause);
    if (!before) return undefined;
    const event: ActorEvent = { ...message.event, at };
    const step = this.#send(event);
    const logic = defined(this.#logic, this.id);
    const host = afterStep(before, step, event, at, this.#stateKey !== logic.stateKey());
    const snapshot = logic.snapshot(this.#seq + 1);
    const quiet = cause.kind === 'input' && step.emitted.length === 0 && host === this.#host;
    if (quiet && snapshot !== null && snapshot === this.#checkpoint) return undefined;
    return this.#draft('event', event, cause, at, step, host, snapshot, null, written);
  }

  /** Consumes an event that the machine cannot take; state and timers stay, the reason is kept. */
  deadLetter(message: Message, at: number, note: string): Drafted {
    const step: Step = { emitted: [], stateTimers: [] };
    const host = this.#hostWithout(message.cause) ?? this.#host;
    const event = { ...message.event, at };
    return this.#draft('dead-letter', event, message.cause, at, step, host, this.#unmovedSnapshot(), note);
  }

  /** The host state with the timer or postponed event taken that is now being delivered. */
  #hostWithout(cause: Cause): HostState | undefined {
    if (cause.kind === 'timer') return takeTimer(this.#host, cause.id, cause.due);
    if (cause.kind === 'postponed') return takeReplay(this.#host);
    return this.#host;
  }

  #send(event: ActorEvent): Step {
    try {
      return defined(this.#logic, `running ${this.id}`).send(event);
    } catch (error) {
      this.#logic = undefined;
      throw error;
    }
  }

  #draft(
    kind: RowDraft['kind'],
    event: ActorEvent,
    cause: Cause,
    at: number,
    step: Step,
    host: HostState,
    snapshot: string | null,
    note: string | null = null,
    written?: Written,
  ): Drafted {
    const logic = defined(this.#logic, this.id);
    const seq = this.#seq + 1;
    const intents = this.#identify(step.emitted, seq);
    if (host !== this.#host) this.#hostText = JSON.stringify(host);
    const draft: RowDraft = {
      actor: this.id,
      seq,
      at,
      kind,
      machine: this.#machine,
      event: written?.event ?? JSON.stringify(event),
      cause: written?.cause ?? JSON.stringify(cause),
      snapshot,
      intents: intents.length === 0 ? '[]' : JSON.stringify(intents),
      host: this.#hostText,
      note,
      final: kind === 'event' && logic.isDone(),
    };
    this.#seq = seq;
    this.#host = host;
    this.#done = draft.final;
    this.#stateKey = logic.stateKey();
    if (snapshot !== null) {
      this.#checkpoint = snapshot;
      this.#eventsSince = [];
    } else if (kind === 'event') {
      this.#eventsSince.push(event);
    }
    return { draft, intents, host, cause, event, context: logic.context?.() };
  }

  /** A dead letter must not move a checkpointing logic on: the event was never applied. */
  #unmovedSnapshot(): string | null {
    return this.#eventsSince.length > 0 ? null : defined(this.#checkpoint, this.id);
  }

  /** Emitted wishes become intents: orders get their identity, timers and postponements stay with the host. */
  #identify(emitted: readonly Emitted[], seq: number): Intent[] {
    const intents: Intent[] = [];
    for (const wish of emitted) {
      if (wish.type === 'timer.set' || wish.type === 'timer.clear' || wish.type === 'postpone') continue;
      if (wish.type !== 'order.submit') {
        intents.push(wish);
        continue;
      }
      const id = clientOrderId(this.#instance, this.id, seq, intents.length);
      intents.push({ type: 'order.submit', order: { ...wish.order, clientOrderId: id, owner: this.id } });
    }
    return intents;
  }
}
