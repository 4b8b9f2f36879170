/**
 * Defects put in on purpose, one at a time, to see that simulated worlds show each of them. They are laid around
 * parts of the program from outside, by the composition of a world: nothing in the program can switch one on.
 */

import { breakerOf } from '../../machines/messages.ts';
import type { Invariant } from '../../src/app/simulation/checks/violation.ts';
import type { FaultSet } from '../../src/app/simulation/fault-plan.ts';
import type { Plant } from '../../src/app/simulation/world.ts';
import * as D from '../../src/core/decimal.ts';
import type { ActorEvent, Emitted } from '../../src/domain/events.ts';
import type { RemoteAnswers, RemoteOutcome } from '../../src/domain/remote.ts';
import type { JournalRow, JournalStore } from '../../src/journal/journal.ts';
import { rowHash } from '../../src/journal/row-hash.ts';
import {
  asleep,
  changedOrder,
  disowned,
  gatewayWith,
  isStop,
  logicWith,
  noStops,
  passing,
  storeWith,
  submits,
  swapped,
  withoutTimers,
} from './plants.ts';

export interface PlantedBug extends Plant {
  /** The invariants that are there for it: one of them must be what shows it, and no other. */
  readonly expects: readonly Invariant[];
  /** The faults that bring it out. */
  readonly faults: readonly FaultSet[];
  /** Known to show it; tried first. */
  readonly seeds?: readonly number[];
}

export const PLANTED: readonly PlantedBug[] = [
  {
    name: 'the disk says that it wrote, and has not',
    expects: [10],
    faults: ['process'],
    // What was written in the last seconds is lost with the process.
    store: (inner, world) => {
      synced.set(world, world.rows.length);
      let lastAt = world.now;
      return storeWith(inner, {
        append: async (lease, rows, settledN) => {
          if (world.now - lastAt > 3_000) {
            synced.set(world, world.rows.length);
            lastAt = world.now;
          }
          await inner.append(lease, rows, settledN);
        },
      });
    },
    crashed: (world) => world.database.truncate(synced.get(world) ?? 0),
  },
  {
    name: 'effects are released before the commit',
    expects: [1, 12],
    faults: ['disk'],
    store: (inner, world) => {
      let last: Promise<unknown> = Promise.resolve();
      return storeWith(inner, {
        append: async (lease, rows, settledN) => {
          const written = last.then(() => new Promise<void>((resolve) => world.scheduler.set(60, resolve)));
          last = written.then(() => inner.append(lease, rows, settledN)).catch(() => {});
        },
      });
    },
  },
  {
    name: 'a statement that failed is taken for one that did not',
    expects: [1, 12],
    faults: ['database', 'disk'],
    store: (inner) =>
      storeWith(inner, {
        append: (lease, rows, settledN) => inner.append(lease, rows, settledN).catch(() => {}),
      }),
  },
  {
    name: 'messages of one actor change places',
    expects: [9],
    seeds: [27, 30],
    faults: [],
    wrap: logicWith(['position'], { events: swapped }),
  },
  {
    name: 'an order without an outcome is sent again',
    expects: [2],
    seeds: [23],
    faults: ['network', 'venue'],
    gateway: gatewayWith(async (inner, call) => {
      const first = await inner(call);
      return call.call === 'submit' && first.outcome === 'unknown' ? inner(call) : first;
    }),
  },
  {
    name: 'conditional orders are never cancelled',
    expects: [13],
    faults: [],
    gateway: gatewayWith(async (inner, call) =>
      call.call === 'cancel' && call.book === 'algo'
        ? ({ outcome: 'done', value: { canceled: true } } as RemoteOutcome<RemoteAnswers['cancel']>)
        : inner(call),
    ),
  },
  {
    name: 'a partial exit is booked one step short',
    expects: [4],
    faults: [],
    wrap: logicWith(['position'], {
      events: () => (event) =>
        event.type === 'ORDER_FILLED' && String(event.ref).startsWith('exit')
          ? [{ ...event, quantity: D.mul(String(event.quantity), '0.9') }]
          : [event],
    }),
  },
  {
    name: 'the lease is not looked at before sending',
    expects: [11],
    seeds: [23],
    faults: ['process'],
    request: (request) => ({ ...request, mayAct: () => true }),
    // Without it the time limit alone would hide it, for orders.
    gateway: gatewayWith((inner, call) =>
      call.call === 'submit' ? inner({ ...call, sendBy: Number.MAX_SAFE_INTEGER }) : inner(call),
    ),
  },
  {
    name: 'a fill that is told twice counts twice',
    expects: [5],
    faults: [],
    gateway: gatewayWith(passing, (event) => {
      if (event.type !== 'stream' || event.event.kind !== 'order' || !event.event.fill) return [event];
      const { fill } = event.event;
      const again = { ...event.event, fill: { ...fill, tradeId: `${fill.tradeId}9` } };
      return [event, { ...event, event: again }];
    }),
  },
  {
    name: 'the epoch is part of an order’s id',
    expects: [2],
    faults: ['process'],
    store: (inner, _, process) =>
      storeWith(inner, {
        getMeta: async (key) => {
          const value = await inner.getMeta(key);
          return key === 'instance' && value !== undefined && process.life > 1
            ? `${value}-${process.life}`
            : value;
        },
      }),
  },
  {
    name: 'timers are not armed again after a restart',
    expects: [9, 12],
    faults: ['process'],
    store: (inner) =>
      storeWith(inner, {
        liveRows: async () => resealed(inner, (await inner.liveRows()).map(withoutTimers)),
      }),
  },
  {
    name: 'a state is built on that is not as it was written',
    expects: [9],
    faults: ['disk'],
    store: (inner) => storeWith(inner, { liveRows: async () => resealed(inner, await inner.liveRows()) }),
  },
  {
    name: 'the stop keeps its size when the position grows',
    expects: [7],
    faults: [],
    gateway: (inner) => {
      const first = new Map<string, string>();
      return gatewayWith((ask, call) =>
        ask(
          changedOrder(call, ({ type, owner, quantity = '0' }) => {
            if (type !== 'STOP_MARKET') return {};
            const size = first.get(owner) ?? quantity;
            first.set(owner, size);
            return { quantity: D.min(size, quantity) };
          }),
        ),
      )(inner);
    },
  },
  {
    name: 'the old stop is cancelled before the new one is there',
    expects: [7],
    faults: ['network'],
    wrap: logicWith(['position'], {
      emitted: (emitted) =>
        emitted.flatMap((each) => {
          const number = submits(each) ? Number(/^stop-(\d+)$/.exec(each.order.ref)?.[1] ?? 0) : 0;
          if (!submits(each) || number < 2) return [each];
          const cancel: Emitted = {
            type: 'order.cancel',
            ref: `stop-${number - 1}`,
            symbol: each.order.symbol,
          };
          return [cancel, each];
        }),
    }),
    // The new one waits until the old one is gone.
    gateway: (inner, world) =>
      gatewayWith(async (ask, call) => {
        if (call.call === 'submit' && isStop(call.order) && call.order.ref !== 'stop-1')
          await new Promise<void>((resolve) => world.scheduler.set(100, resolve));
        return ask(call);
      })(inner),
  },
  {
    name: 'an unknown outcome is taken for a refusal',
    expects: [3],
    seeds: [23],
    faults: ['network', 'venue'],
    gateway: gatewayWith(async (inner, call) => {
      const result = await inner(call);
      return result.outcome === 'unknown' && call.call === 'submit'
        ? { outcome: 'rejected', code: -1, reason: result.reason }
        : result;
    }),
  },
  {
    name: 'open breakers are not asked',
    expects: [8],
    // Worlds in which a breaker opens while an entry is on its way.
    seeds: [25, 28],
    faults: ['network', 'venue', 'database'],
    wrap: logicWith(['venue', 'portfolio', 'entry'], {
      events: () => (event) => {
        if (event.type === 'BREAKER_CHANGED') return [{ ...event, state: 'closed' }];
        const { gate: _, ...rest } = event;
        return [rest as ActorEvent];
      },
    }),
    request: ({ refuses: _, ...request }) => request,
    // Those who look at committed rows see no open breaker either.
    system: ({ runtime }) => {
      const observe = runtime.observe.bind(runtime);
      runtime.observe = (observer) =>
        observe((committed) =>
          observer(
            committed.row.actor.startsWith('breaker/')
              ? { ...committed, row: { ...committed.row, snapshot: null } }
              : committed,
          ),
        );
    },
  },
  {
    name: 'orders are sent however late',
    expects: [11],
    seeds: [23],
    faults: ['process'],
    gateway: gatewayWith((inner, call) =>
      inner(call.call === 'submit' ? { ...call, sendBy: Number.MAX_SAFE_INTEGER } : call),
    ),
  },
  {
    name: 'stops are forgotten, and the guardian sleeps',
    expects: [7],
    faults: [],
    wrap: (type, factory) => asleep(type, noStops(type, factory)),
  },
  {
    name: 'stops are forgotten, and what stands without one is called foreign',
    expects: [7],
    faults: [],
    wrap: (type, factory) => asleep(type, noStops(type, factory)),
    system: ({ executor }) => {
      const { current } = executor;
      Object.assign(executor, {
        current: () => {
          const own = current();
          return own && disowned(own);
        },
      });
    },
  },
  {
    name: 'stops are sent without saying that they only reduce',
    expects: [1],
    faults: [],
    gateway: gatewayWith((inner, call) => inner(changedOrder(call, () => ({ reduceOnly: false })))),
  },
  {
    name: 'nobody knows how large the venue lets an order be',
    expects: [14],
    faults: [],
    gateway: gatewayWith((inner, call) =>
      inner(
        changedOrder(call, ({ quantity, reduceOnly }) =>
          quantity !== undefined && !reduceOnly ? { quantity: D.mul(quantity, '1000000') } : {},
        ),
      ),
    ),
  },
  {
    name: 'entries are twice as large as approved',
    expects: [1],
    faults: [],
    gateway: gatewayWith((inner, call) =>
      inner(
        changedOrder(call, ({ quantity, reduceOnly }) =>
          quantity !== undefined && !reduceOnly ? { quantity: D.mul(quantity, '2') } : {},
        ),
      ),
    ),
  },
  {
    name: 'the kill switch is heard of, and closes nothing',
    expects: [15],
    // A world that is killed, with something open.
    seeds: [22],
    faults: [],
    wrap: logicWith(['breaker'], {
      events: () => (event) => {
        const { closing: _, ...rest } = event;
        return [event.type === 'OPERATOR_TRIP' ? rest : event];
      },
    }),
    // Nor does the kill's own way to the venue, past the journal.
    request: (request) => (request.bare === true ? { ...request, mayAct: () => false } : request),
  },
  {
    name: 'a kill is forgotten with the process that heard of it',
    expects: [15],
    seeds: [22],
    faults: [],
    // On another machine, where no file says it again, it is as if it had never been.
    store: (inner) =>
      storeWith(inner, {
        liveRows: async () => {
          const [first] = await inner.rowsOf(KILL, 0, 1);
          const live = await inner.liveRows();
          const forgotten = live.map((row) =>
            row.actor === KILL ? { ...row, snapshot: first?.snapshot ?? null } : row,
          );
          return resealed(inner, forgotten);
        },
      }),
  },
];

const KILL = breakerOf('kill');

/** What a program with the bug would have written: as sound as any row. */
async function resealed(store: JournalStore, rows: readonly JournalRow[]): Promise<readonly JournalRow[]> {
  const before = await store.hashesBefore(rows.map(({ n }) => n));
  return rows.map((row) => ({ ...row, hash: rowHash(before.get(row.n) ?? '', row.n, row.epoch, row) }));
}

/** Rows that a lying disk has really written, by world. */
const synced = new WeakMap<object, number>();
