/**
 * One symbol's market data, as far as trading may rely on it.
 *
 * Invariants: scanner and desk hear of trouble in the row that learns of it; after trouble the feed must show
 * clean data for a while before it counts as live; an open position is never touched for its feed's sake.
 */
import { setup } from 'xstate';
import type { ActorId } from '../src/core/ids.ts';
import type { Emitted } from '../src/domain/events.ts';
import type { SymbolName } from '../src/domain/instrument.ts';
import { keysOn, type Moded, moded, modeOf } from '../src/domain/position-key.ts';
import type { MachineDefinition } from './definition.ts';
import { entryDeskOf, feedOf, scannerOf, type Timed } from './messages.ts';
import {
  bounded,
  NOTHING_UNEXPECTED,
  notify,
  type Step,
  send,
  step,
  timeOf,
  type Unexpected,
  unexpected,
} from './step.ts';

export interface FeedInput extends Moded {
  readonly symbol: SymbolName;
  readonly at: number;
  /** Hears STALE and LIVE; null: nobody counts. */
  readonly breaker?: ActorId | null;
  /** Clean ticks, or this long without trouble, make a recovering feed live. */
  readonly cleanTicks?: number;
  readonly recoverMs?: number;
}

export interface FeedContext extends Moded {
  readonly symbol: SymbolName;
  readonly at: number;
  readonly breaker: ActorId | null;
  readonly cleanTicks: number;
  readonly recoverMs: number;
  readonly downSince: number | null;
  readonly downMs: number;
  readonly ticksSeen: number;
  /** How often each kind of fault was seen. */
  readonly faults: { readonly [kind: string]: number };
  readonly recent: readonly { readonly kind: string; readonly detail: string; readonly at: number }[];
  readonly unexpected: Unexpected;
}

export type FeedEvent =
  | ({ readonly type: 'TICK' } & Timed)
  | ({ readonly type: 'FAULT'; readonly kind: string; readonly detail: string } & Timed)
  | ({ readonly type: 'STALE'; readonly detail?: string } & Timed)
  | ({ readonly type: 'RESUMED' } & Timed)
  /** The venue halted or delists the symbol. */
  | ({ readonly type: 'HALTED'; readonly reason: string } & Timed)
  | ({ readonly type: 'TRADING' } & Timed);

const RECENT_KEPT = 10;

function record(context: FeedContext, kind: string, detail: string): FeedContext {
  return {
    ...context,
    ticksSeen: 0,
    faults: { ...context.faults, [kind]: (context.faults[kind] ?? 0) + 1 },
    recent: bounded(context.recent, { kind, detail, at: context.at }, RECENT_KEPT),
  };
}

function describe(event: FeedEvent): { readonly kind: string; readonly detail: string } {
  if (event.type === 'FAULT') return { kind: event.kind, detail: event.detail };
  if (event.type === 'HALTED') return { kind: 'halted', detail: event.reason };
  if (event.type === 'STALE') return { kind: 'stale', detail: event.detail ?? 'no data' };
  return { kind: event.type, detail: '' };
}

const source = (context: FeedContext): string => feedOf(context.symbol);
const desksOf = (context: FeedContext): readonly ActorId[] =>
  keysOn(context.symbol, modeOf(context)).map(entryDeskOf);

function note(context: FeedContext, event: FeedEvent): Step<FeedContext> {
  const { kind, detail } = describe(event);
  return step(record(context, kind, detail));
}

function goDown(context: FeedContext, event: FeedEvent): Step<FeedContext> {
  const { kind, detail } = describe(event);
  const reason = `${kind}: ${detail}`;
  const { symbol, breaker } = context;
  return step(
    { ...record(context, kind, detail), downSince: context.downSince ?? context.at },
    send(scannerOf(symbol), { type: 'FEED_DOWN', reason }),
    ...desksOf(context).map((desk) => send(desk, { type: 'BLOCK', source: source(context), reason })),
    ...(breaker === null ? [] : [send(breaker, { type: 'STALE', symbol })]),
    notify('warning', `${symbol}: feed down, ${reason}`),
  );
}

function goUp(context: FeedContext): Step<FeedContext> {
  const { symbol, breaker } = context;
  const downMs = context.downSince === null ? 0 : context.at - context.downSince;
  return step(
    { ...context, downSince: null, downMs: context.downMs + downMs, ticksSeen: 0 },
    send(scannerOf(symbol), { type: 'FEED_UP' }),
    ...desksOf(context).map((desk) => send(desk, { type: 'UNBLOCK', source: source(context) })),
    ...(breaker === null ? [] : [send(breaker, { type: 'LIVE', symbol })]),
    notify('info', `${symbol}: feed live again after ${Math.round(downMs / 1000)} s`),
  );
}

const base = setup({
  types: {} as { context: FeedContext; events: FeedEvent; input: FeedInput; emitted: Emitted },
});

const act = (behave: (context: FeedContext, event: FeedEvent) => Step<FeedContext>) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const next = behave({ ...context, at: timeOf(context, event) }, event);
    enqueue.assign(() => next.context);
    for (const intent of next.intents) enqueue.emit(intent);
  });

/** A bar was withheld or is missing; duplicates and late bars are dropped by the gate and leave no hole. */
const HARMLESS = new Set(['duplicate', 'out-of-order']);

const NO_ACTION = {};

const machine = base
  .extend({
    actions: {
      note: act(note),
      goDown: act(goDown),
      goUp: act(goUp),
      countTick: act((context) => step({ ...context, ticksSeen: context.ticksSeen + 1 })),
      unexpected: act((context, event) => unexpected(feedOf(context.symbol), context, event)),
    },
    guards: {
      harmless: ({ event }) => event.type === 'FAULT' && HARMLESS.has(event.kind),
      enoughTicks: ({ context }) => context.ticksSeen + 1 >= context.cleanTicks,
    },
    delays: { recover: ({ context }) => context.recoverMs },
  })
  .createMachine({
    id: 'feed',
    context: ({ input }) => ({
      symbol: input.symbol,
      ...moded(modeOf(input)),
      at: input.at,
      breaker: input.breaker ?? null,
      cleanTicks: input.cleanTicks ?? 2,
      recoverMs: input.recoverMs ?? 60_000,
      downSince: null,
      downMs: 0,
      ticksSeen: 0,
      faults: {},
      recent: [],
      unexpected: NOTHING_UNEXPECTED,
    }),
    initial: 'live',
    on: { '*': { actions: 'unexpected' } },
    states: {
      live: {
        on: {
          TICK: NO_ACTION,
          RESUMED: NO_ACTION,
          TRADING: NO_ACTION,
          FAULT: [
            { guard: 'harmless', actions: 'note' },
            { target: 'gapped', actions: 'goDown' },
          ],
          STALE: { target: 'stale', actions: 'goDown' },
          HALTED: { target: 'halted', actions: 'goDown' },
        },
      },
      stale: {
        on: {
          TICK: 'recovering',
          RESUMED: 'recovering',
          TRADING: NO_ACTION,
          STALE: NO_ACTION,
          FAULT: [
            { guard: 'harmless', actions: 'note' },
            { target: 'gapped', actions: 'note' },
          ],
          HALTED: { target: 'halted', actions: 'note' },
        },
      },
      gapped: {
        on: {
          // Bars of a gapped symbol are still suspect until the gate says that it has resumed.
          TICK: NO_ACTION,
          RESUMED: 'recovering',
          TRADING: NO_ACTION,
          FAULT: { actions: 'note' },
          STALE: { target: 'stale', actions: 'note' },
          HALTED: { target: 'halted', actions: 'note' },
        },
      },
      recovering: {
        on: {
          TICK: [{ guard: 'enoughTicks', target: 'live', actions: 'goUp' }, { actions: 'countTick' }],
          RESUMED: NO_ACTION,
          TRADING: NO_ACTION,
          FAULT: [
            { guard: 'harmless', actions: 'note' },
            { target: 'gapped', actions: 'note' },
          ],
          STALE: { target: 'stale', actions: 'note' },
          HALTED: { target: 'halted', actions: 'note' },
        },
        after: { recover: { target: 'live', actions: 'goUp' } },
      },
      halted: {
        on: {
          TICK: NO_ACTION,
          RESUMED: NO_ACTION,
          STALE: NO_ACTION,
          HALTED: NO_ACTION,
          FAULT: { actions: 'note' },
          TRADING: 'recovering',
        },
      },
    },
  });

export const createFeedMachine = (): MachineDefinition => ({
  type: 'feed',
  version: 1,
  machine,
  migrations: {},
});
