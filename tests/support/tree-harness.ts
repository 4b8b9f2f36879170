/** The real tree, guardian and host over a memory journal, with toy machines as positions and scanners. */
import type { MachineDefinition } from '../../machines/definition.ts';
import { createGuardianMachine } from '../../machines/guardian.ts';
import { systemTime, VirtualTime } from '../../src/core/clock.ts';
import type { ActorId } from '../../src/core/ids.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type ActorEvent, GUARDIAN, VENUE } from '../../src/domain/events.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { ActorHost } from '../../supervisors/actor-host.ts';
import { ActorRuntime } from '../../supervisors/actor-runtime.ts';
import type { TreeNode } from '../../supervisors/introspection.ts';
import { MachineRegistry } from '../../supervisors/machine-registry.ts';
import { readRecovery } from '../../supervisors/recovery.ts';
import type { EngineFactory } from '../../supervisors/replayed-logic.ts';
import { rootSpec, startPosition } from '../../supervisors/root-supervisor.ts';
import { rootSupervisor, type Supervisor } from '../../supervisors/supervisor.ts';
import { Tree, type TreeEvent } from '../../supervisors/tree.ts';
import { toyMachine } from './toy-machine.ts';

export const toyAs = (
  type: string,
  version = 1,
  migrations: MachineDefinition['migrations'] = {},
): MachineDefinition => ({ ...toyMachine(version, migrations), type });

export interface TreeHarnessOptions {
  readonly database?: MemoryDatabase;
  readonly position?: MachineDefinition;
  /** What the venue's actor runs, with a checkpoint every four rows; absent: there is none. */
  readonly venue?: EngineFactory;
  readonly onTreeEvent?: (event: TreeEvent, harness: TreeHarness) => void;
}

const SCANNERS: readonly ActorId[] = ['scanner/A', 'scanner/B'];

export class TreeHarness {
  readonly database: MemoryDatabase;
  readonly machines: MachineRegistry;
  readonly time = new VirtualTime(1_000);
  readonly treeEvents: TreeEvent[] = [];
  readonly quarantined: ActorId[] = [];
  #runtime: ActorRuntime | undefined;
  #host: ActorHost | undefined;
  #root: Supervisor | undefined;
  #tree: Tree | undefined;

  private constructor({ database, position, venue }: TreeHarnessOptions) {
    this.database = database ?? new MemoryDatabase();
    this.machines = new MachineRegistry(
      [position ?? toyAs('position'), toyAs('scanner'), createGuardianMachine()],
      venue ? [{ type: VENUE, factory: venue, checkpointEvery: 4 }] : [],
    );
  }

  static async start(options: TreeHarnessOptions = {}): Promise<TreeHarness> {
    const harness = new TreeHarness(options);
    await harness.#start(options);
    return harness;
  }

  async #start({ onTreeEvent, venue: hasVenue }: TreeHarnessOptions): Promise<void> {
    const { time, database } = this;
    const store = new MemoryJournal({ account: 'test', clock: time, database });
    await store.open();
    const lease = await store.acquireLease('harness', 1_000_000);
    const recovered = await readRecovery(store);
    if (recovered.headAt !== undefined) time.advanceTo(recovered.headAt);
    const writer = new JournalWriter(store, lease, recovered.head, {
      time: systemTime(),
      initialSettledN: recovered.settledN,
    });
    const tree = new Tree({
      time,
      random: seededRandom('tree'),
      onEvent: (event) => {
        this.treeEvents.push(event);
        onTreeEvent?.(event, this);
      },
    });
    const runtime: ActorRuntime = new ActorRuntime({
      instance: 'test-instance',
      clock: time,
      writer,
      settledN: recovered.settledN,
      hooks: {
        startChild: (actor, _machine, input, cause) => startPosition(tree, host, actor, input, cause),
        crashed: (actor, error) => host.crashed(actor, error),
        finished: (actor) => host.finished(actor),
        quarantined: (actor) => this.quarantined.push(actor),
      },
    });
    const host: ActorHost = new ActorHost(runtime, this.machines, recovered);
    const scanners = SCANNERS.map((id) => ({ id, input: {} }));
    const venue = hasVenue ? [{ id: VENUE, input: {} }] : [];
    const system = { venue, risk: [{ id: GUARDIAN, input: { at: 0 } }], feeds: [], desks: [], scanners };
    this.#runtime = runtime;
    this.#host = host;
    this.#tree = tree;
    this.#root = rootSupervisor(rootSpec(host, system), tree);
    for (const { n, count } of recovered.unconsumed) runtime.recoverOutstanding(n, count);
    if (recovered.deadLetters) runtime.recoverDeadLetters(recovered.deadLetters);
    for (const message of recovered.pending) runtime.tell(message);
    await this.#root.start();
    runtime.open();
    await runtime.quiescent();
  }

  get runtime(): ActorRuntime {
    return present(this.#runtime);
  }

  get host(): ActorHost {
    return present(this.#host);
  }

  get root(): Supervisor {
    return present(this.#root);
  }

  /** As the runtime's hook does for an `actor.start` intent. */
  startPosition(actor: ActorId): void {
    startPosition(present(this.#tree), this.host, actor, {}, { kind: 'external', id: 'test' });
  }

  /** Sends all at once and waits until everything, restarts by message included, has settled. */
  async tell(...messages: readonly (readonly [ActorId, ActorEvent])[]): Promise<void> {
    for (const [to, event] of messages)
      this.runtime.tell({ to, event, cause: { kind: 'external', id: 'test' } });
    await this.settle();
  }

  async settle(): Promise<void> {
    for (;;) {
      await this.runtime.quiescent();
      const due = this.time.nextDeadline();
      if (due === undefined || due > this.time.now()) return;
      this.time.advanceTo(due);
    }
  }

  context(actor: ActorId): { readonly count: number; readonly cases?: readonly { actor: string }[] } {
    return JSON.parse(this.runtime.actor(actor)?.snapshotText ?? '{"context":{}}').context;
  }

  rows(): readonly JournalRow[] {
    return this.database.account('test').rows;
  }

  node(id: string): TreeNode | undefined {
    const find = (node: TreeNode): TreeNode | undefined =>
      node.id === id ? node : node.children.map(find).find((found) => found !== undefined);
    return find(this.root.node());
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the harness has not started');
  return value;
}
