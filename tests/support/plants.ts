/** What a planted bug lays around parts of the program: gateways, stores and logics with some of them changed. */
import * as D from '../../src/core/decimal.ts';
import type { ActorEvent, Emitted } from '../../src/domain/events.ts';
import type { IdentifiedOrder, OrderRequest } from '../../src/domain/order.ts';
import { keysIn } from '../../src/domain/position-key.ts';
import type { RemoteCall } from '../../src/domain/remote.ts';
import type { GatewayEvent, VenueGateway } from '../../src/exchange/venue-gateway.ts';
import type { Executor } from '../../src/execution/executor.ts';
import type { JournalRow, JournalStore } from '../../src/journal/journal.ts';
import type { ActorLogic, LogicFactory, Step } from '../../supervisors/actor-logic.ts';

type Call = VenueGateway['call'];

/** A gateway whose calls go through `call`, and whose events through `event`. */
export const gatewayWith =
  (
    call: (inner: Call, call: RemoteCall) => ReturnType<Call>,
    event?: (event: GatewayEvent) => GatewayEvent[],
  ) =>
  (inner: VenueGateway): VenueGateway => ({
    name: inner.name,
    open: (hear) =>
      inner.open((heard) => {
        for (const each of event?.(heard) ?? [heard]) hear(each);
      }),
    instruments: (symbols) => inner.instruments(symbols),
    call: ((asked: RemoteCall) => call((each) => inner.call(each), asked)) as Call,
    venueNow: () => inner.venueNow(),
    close: () => inner.close(),
  });

export const passing = (inner: Call, call: RemoteCall): ReturnType<Call> => inner(call);

/** The store with some of it replaced. */
export function storeWith(inner: JournalStore, over: Partial<JournalStore>): JournalStore {
  return new Proxy(inner, {
    get: (target, key) => {
      const own = (over as Record<PropertyKey, unknown>)[key];
      if (own !== undefined) return own;
      const value = Reflect.get(target, key) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface Change {
  /** Of one logic: what it is given for each event. */
  readonly events?: () => (event: ActorEvent) => readonly ActorEvent[];
  readonly emitted?: (emitted: readonly Emitted[]) => readonly Emitted[];
}

/** The logics of some types of actor, with their events and what they emit changed. */
export const logicWith =
  (types: readonly string[], { events, emitted }: Change) =>
  (of: string, factory: LogicFactory): LogicFactory =>
    types.includes(of) ? () => changedLogic(factory(), events?.(), emitted) : factory;

function changedLogic(
  inner: ActorLogic,
  events: ((event: ActorEvent) => readonly ActorEvent[]) | undefined,
  emitted: Change['emitted'],
): ActorLogic {
  const given = (event: ActorEvent): readonly ActorEvent[] => events?.(event) ?? [event];
  const changed = (step: Step): Step => ({ ...step, emitted: emitted?.(step.emitted) ?? step.emitted });
  return {
    machine: inner.machine,
    start: (input) => changed(inner.start(input)),
    send: (event) => {
      const steps = given(event).map((each) => changed(inner.send(each)));
      return {
        emitted: steps.flatMap((step) => step.emitted),
        stateTimers: steps.flatMap((step) => step.stateTimers),
      };
    },
    restore: (snapshot, since) => inner.restore(snapshot, since.flatMap(given)),
    snapshot: (seq, isDemanded) => inner.snapshot(seq, isDemanded),
    stateKey: () => inner.stateKey(),
    isDone: () => inner.isDone(),
  };
}

/** Each fill waits for the event after it. */
export const swapped = () => {
  let held: ActorEvent | undefined;
  return (event: ActorEvent): readonly ActorEvent[] => {
    if (held === undefined && event.type === 'ORDER_FILLED') {
      held = event;
      return [];
    }
    const before = held;
    held = undefined;
    return before ? [event, before] : [event];
  };
};

/** The row's timers, gone. */
export function withoutTimers(row: JournalRow): JournalRow {
  return { ...row, host: JSON.stringify({ ...(JSON.parse(row.host) as object), timers: [] }) };
}

export const submits = (emitted: Emitted): emitted is Extract<Emitted, { type: 'order.submit' }> =>
  emitted.type === 'order.submit';
export const isStop = (order: OrderRequest): boolean => order.type === 'STOP_MARKET';

export const changedOrder = (
  call: RemoteCall,
  change: (order: IdentifiedOrder) => Partial<IdentifiedOrder>,
): RemoteCall =>
  call.call === 'submit' ? { ...call, order: { ...call.order, ...change(call.order) } } : call;

/** Neither stops nor the emergency that would make up for them. */
export const noStops = logicWith(['position'], {
  emitted: (emitted) =>
    emitted.filter(
      (each) => !submits(each) || !(isStop(each.order) || each.order.ref.startsWith('emergency')),
    ),
});
export const asleep = logicWith(['guardian'], { events: () => () => [] });

/** What an executor says of itself, but whatever it holds is called somebody else's. */
export function disowned({ state }: Executor): Executor {
  const foreign = { ...state.foreign };
  for (const place of keysIn(state.holdings)) {
    const amount = D.sum(Object.values(state.holdings[place] ?? {}).map((held) => held.amount));
    foreign[place] = {
      ...{ amount, entryPrice: '0', markPrice: '0', orders: [] },
      ...{ blocked: true, ignored: false, offered: null },
    };
  }
  return { state: { ...state, holdings: {}, foreign } } as unknown as Executor;
}
