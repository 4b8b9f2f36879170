/**
 * Events a second of one actor: the machine alone, with its snapshot as the row has it, and through the whole
 * runtime on a memory journal. The baseline is bare XState in the same round. Two machines: the real position,
 * life after life from its start to its stop, and the small cycle machine.
 */
import { type AnyStateMachine, createActor } from 'xstate';
import type { MachineDefinition } from '../machines/definition.ts';
import { createPositionMachine } from '../machines/position.ts';
import { systemTime } from '../src/core/clock.ts';
import type { ActorEvent } from '../src/domain/events.ts';
import { JournalWriter } from '../src/journal/journal-writer.ts';
import { MemoryJournal } from '../src/journal/memory-journal.ts';
import { EMPTY_HEAD } from '../src/journal/row-hash.ts';
import type { ActorLogic } from '../supervisors/actor-logic.ts';
import { ActorRuntime } from '../supervisors/actor-runtime.ts';
import { XStateLogic } from '../supervisors/xstate-logic.ts';
import { positionInput } from '../tests/support/machine-bench.ts';
import { CYCLE, cycleMachine } from './cycle-machine.ts';
import { median, report, timed } from './measure.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const EVENTS = 20_000;
const AT = 1_750_000_000_000;
const BOOT = { kind: 'external', id: 'bench' } as const;

/** A machine and the events of one of its lives; after the last one the next life begins. */
interface Case {
  readonly name: string;
  readonly definition: MachineDefinition;
  readonly input: Record<string, unknown>;
  readonly life: readonly ActorEvent[];
  /** Actors that it tells things; they keep quiet. */
  readonly others: readonly string[];
  /** Whether a life ends in a final state. */
  readonly ends: boolean;
}

const order = (type: string, ref: string, more: object = {}): ActorEvent => ({
  type,
  ref,
  clientOrderId: `bh-${ref}`,
  symbol: 'BTCUSDT',
  at: AT,
  ...more,
});

const fill = (ref: string, side: 'BUY' | 'SELL', price: string, realizedPnl: string): ActorEvent =>
  order('ORDER_FILLED', ref, {
    tradeId: ref,
    side,
    price,
    quantity: '2',
    cumulative: '2',
    complete: true,
    maker: false,
    fee: '0.1',
    realizedPnl,
  });

/** Entered, protected, trailed once, stopped out. */
const POSITION_LIFE: readonly ActorEvent[] = [
  { type: 'LEVERAGE_SET', symbol: 'BTCUSDT', leverage: 5, at: AT },
  { type: 'CONFIRMED', at: AT },
  order('ORDER_ACKNOWLEDGED', 'entry-1', { orderId: '1' }),
  fill('entry-1', 'BUY', '100', '0'),
  order('ORDER_ACKNOWLEDGED', 'stop-1', { orderId: '2' }),
  { type: 'FUNDING_SETTLED', symbol: 'BTCUSDT', amount: '-0.01', rate: '0.0001', markPrice: '100', at: AT },
  { type: 'PRICE', mark: 103, last: 103, at: AT },
  order('ORDER_ACKNOWLEDGED', 'stop-2', { orderId: '3' }),
  order('ORDER_CLOSED', 'stop-1', { outcome: 'canceled', cumulative: '0', reason: 'canceled' }),
  order('ORDER_TRIGGERED', 'stop-2', { orderId: '4' }),
  fill('stop-2', 'SELL', '100', '0'),
];

const CASES: readonly Case[] = [
  {
    name: 'position',
    definition: createPositionMachine(),
    input: { ...positionInput(), at: AT },
    life: POSITION_LIFE,
    others: ['venue', 'portfolio', 'entry/BTCUSDT'],
    ends: true,
  },
  {
    name: 'cycle',
    definition: cycleMachine(),
    input: {},
    life: CYCLE.map((event) => ({ ...event, at: AT })),
    others: [],
    ends: false,
  },
];

const lives = ({ life }: Case): number => Math.ceil(EVENTS / life.length);

function bare(given: Case): void {
  for (let i = lives(given); i > 0; i--) {
    const actor = createActor(given.definition.machine as AnyStateMachine, { input: given.input });
    actor.start();
    for (const event of given.life) actor.send(event);
  }
}

function asLogic(given: Case, withSnapshot: boolean): void {
  for (let i = lives(given); i > 0; i--) {
    const logic = new XStateLogic(given.definition);
    logic.start(given.input);
    for (const event of given.life) {
      logic.send(event);
      if (withSnapshot) logic.snapshot();
    }
    if (!withSnapshot && given.ends !== logic.isDone())
      throw new Error(`a ${given.name} did not end as it should`);
  }
}

/** Takes everything and says nothing. */
const QUIET: ActorLogic = {
  machine: 'quiet@1',
  start: () => ({ emitted: [], stateTimers: [] }),
  send: () => ({ emitted: [], stateTimers: [] }),
  restore: () => undefined,
  snapshot: () => '{}',
  stateKey: () => '',
  isDone: () => false,
};

/** Each event when the last one's row is durable; the rows of those it tells something are part of it. */
async function throughRuntime(given: Case): Promise<{ seconds: number; rowsPerEvent: number }> {
  const time = systemTime();
  const store = new MemoryJournal({ account: 'bench', clock: time.clock });
  await store.open();
  const lease = await store.acquireLease('bench', 3_600_000);
  const writer = new JournalWriter(store, lease, EMPTY_HEAD, { time });
  const runtime: ActorRuntime = new ActorRuntime({
    instance: 'bench',
    clock: time.clock,
    writer,
    settledN: 0,
    hooks: { startChild: () => {}, crashed: () => {}, finished: () => {} },
  });
  for (const other of given.others) runtime.startActor(other, () => QUIET, {}, BOOT);
  runtime.open();
  let actor = '';
  let turn = 0;
  runtime.observe(({ row }) => {
    const event = row.actor === actor ? given.life[turn++] : undefined;
    if (event) runtime.tell({ to: actor, event, cause: BOOT });
  });
  const start = performance.now();
  for (let i = lives(given); i > 0; i--) {
    actor = `${given.name}/BTCUSDT/BOTH/${i}`;
    turn = 0;
    runtime.startActor(actor, () => new XStateLogic(given.definition), { ...given.input, actor }, BOOT);
    await runtime.quiescent();
    if (turn <= given.life.length) throw new Error(`${actor} stopped after ${turn} events`);
  }
  const seconds = (performance.now() - start) / 1000;
  const rowsPerEvent = writer.durableN / (lives(given) * given.life.length);
  await writer.close();
  return { seconds, rowsPerEvent };
}

for (const given of CASES) {
  const results: { bare: number; send: number; snapshot: number; runtime: number; rowsPerEvent: number }[] =
    [];
  const events = lives(given) * given.life.length;
  for (let round = 0; round < ROUNDS; round++) {
    const durable = await throughRuntime(given);
    results.push({
      bare: events / timed(() => bare(given)),
      send: events / timed(() => asLogic(given, false)),
      snapshot: events / timed(() => asLogic(given, true)),
      runtime: events / durable.seconds,
      rowsPerEvent: durable.rowsPerEvent,
    });
  }
  const of = (key: 'bare' | 'send' | 'snapshot' | 'runtime' | 'rowsPerEvent'): number =>
    median(results.map((result) => result[key]));
  report({
    bench: 'actor',
    machine: given.name,
    rounds: ROUNDS,
    bareXStatePerSecond: of('bare'),
    sendPerSecond: of('send'),
    sendAndSnapshotPerSecond: of('snapshot'),
    runtimePerSecond: of('runtime'),
    rowsPerEvent: of('rowsPerEvent'),
    sendOfBare: median(results.map(({ send, bare }) => send / bare)),
  });
}
