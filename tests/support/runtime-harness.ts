/** A runtime over a memory journal with toy actors, restartable as a killed process would be. */
import type { MachineDefinition } from '../../machines/definition.ts';
import { systemTime, VirtualTime } from '../../src/core/clock.ts';
import type { ActorId } from '../../src/core/ids.ts';
import type { ActorEvent, Cause, Message } from '../../src/domain/events.ts';
import type { JournalRow, JournalStore } from '../../src/journal/journal.ts';
import { JournalWriter, type WriterState } from '../../src/journal/journal-writer.ts';
import { MemoryDatabase, type MemoryFaults, MemoryJournal } from '../../src/journal/memory-journal.ts';
import type { LogicFactory } from '../../supervisors/actor-logic.ts';
import { ActorRuntime, type Committed } from '../../supervisors/actor-runtime.ts';
import { readRecovery } from '../../supervisors/recovery.ts';
import { XStateLogic } from '../../supervisors/xstate-logic.ts';
import { toyMachine } from './toy-machine.ts';

export interface HarnessOptions {
  readonly database?: MemoryDatabase;
  readonly store?: JournalStore;
  readonly faults?: MemoryFaults;
  readonly time?: VirtualTime;
  readonly definition?: MachineDefinition;
  readonly actors?: readonly ActorId[];
  readonly poisonLimit?: number;
  readonly owner?: string;
  /** Left out, as what this program cannot restore is. */
  readonly absent?: readonly ActorId[];
  readonly maxQueuedRows?: number;
  /** Else what a row's callback throws fails the test. */
  readonly collectErrors?: boolean;
}

export class Harness {
  readonly store: JournalStore;
  readonly runtime: ActorRuntime;
  readonly writer: JournalWriter;
  readonly time: VirtualTime;
  readonly committed: Committed[] = [];
  readonly crashes: string[] = [];
  readonly states: WriterState[] = [];
  readonly quarantined: string[] = [];
  readonly errors: string[] = [];
  readonly broken: string[] = [];

  private constructor(store: JournalStore, runtime: ActorRuntime, writer: JournalWriter, time: VirtualTime) {
    this.store = store;
    this.runtime = runtime;
    this.writer = writer;
    this.time = time;
  }

  /** Opens the journal, takes up who lives, starts who is missing, delivers what is pending. */
  static async start(options: HarnessOptions = {}): Promise<Harness> {
    const time = options.time ?? new VirtualTime(1_000);
    const definition = options.definition ?? toyMachine();
    const factory: LogicFactory = () => new XStateLogic(definition);
    const database = options.database ?? new MemoryDatabase();
    const store =
      options.store ??
      new MemoryJournal({
        account: 'test',
        clock: time,
        database,
        ...(options.faults ? { faults: options.faults } : {}),
      });
    await store.open();
    const lease = await store.acquireLease(options.owner ?? 'one', 0);
    const recovered = await readRecovery(store);
    if (recovered.headAt !== undefined) time.advanceTo(recovered.headAt);
    let harness: Harness | undefined;
    const writer = new JournalWriter(store, lease, recovered.head, {
      time: systemTime(),
      limits: {
        firstRetryMs: 1,
        longestRetryMs: 2,
        ...(options.maxQueuedRows === undefined ? {} : { maxQueuedRows: options.maxQueuedRows }),
      },
      initialSettledN: recovered.settledN,
      onState: (state) => harness?.states.push(state),
      ...(options.collectErrors ? { onError: (error) => harness?.errors.push(String(error)) } : {}),
    });
    const runtime: ActorRuntime = new ActorRuntime({
      instance: 'test-instance',
      clock: time,
      writer,
      settledN: recovered.settledN,
      poisonLimit: options.poisonLimit ?? 3,
      hooks: {
        startChild: (actor, _machine, input, cause) => runtime.startActor(actor, factory, input, cause),
        crashed: (actor, error) => {
          harness?.crashes.push(`${actor}: ${String(error)}`);
          runtime.restartActor(actor);
        },
        finished: () => {},
        quarantined: (actor) => harness?.quarantined.push(actor),
        broken: (error) => harness?.broken.push(String(error)),
      },
    });
    harness = new Harness(store, runtime, writer, time);
    runtime.observe((committed) => harness.committed.push(committed));
    for (const { n, count } of recovered.unconsumed) runtime.recoverOutstanding(n, count);
    if (recovered.deadLetters) runtime.recoverDeadLetters(recovered.deadLetters);
    for (const { row, checkpoint, eventsSince } of recovered.live.values()) {
      if (options.absent?.includes(row.actor)) {
        runtime.leaveAbsent(row.actor);
        continue;
      }
      runtime.resumeActor(row, factory, checkpoint, eventsSince);
    }
    for (const actor of options.actors ?? []) {
      if (!runtime.knows(actor)) runtime.startActor(actor, factory, {}, { kind: 'external', id: 'boot' });
    }
    for (const message of recovered.pending) runtime.tell(message);
    runtime.open();
    return harness;
  }

  /** Tells and waits until all has settled. */
  async tell(to: ActorId, event: ActorEvent, cause: Cause = { kind: 'external', id: 'test' }): Promise<void> {
    this.runtime.tell({ to, event, cause } satisfies Message);
    await this.runtime.quiescent();
  }

  /** Moves time, firing durable timers each at its own deadline. */
  async advanceTo(at: number): Promise<void> {
    for (let due = this.runtime.timers.nextDue(); due <= at; due = this.runtime.timers.nextDue()) {
      this.time.advanceTo(due);
      this.runtime.fireDueTimers();
      await this.runtime.quiescent();
    }
    this.time.advanceTo(at);
  }

  context(actor: ActorId): { count: number; log: string[] } {
    const text = this.runtime.actor(actor)?.snapshotText ?? '{}';
    return (JSON.parse(text) as { context: { count: number; log: string[] } }).context;
  }

  rows(): Promise<readonly JournalRow[]> {
    return this.store.rowsAfter(0, 1_000_000);
  }
}

export { MemoryDatabase };
