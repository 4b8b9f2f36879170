/**
 * The guardian stands on a branch of its own. Its book: what could not be restored or no longer agrees with the
 * venue, and stays blocked until somebody has dealt with it. Its watch (guardian/watch.ts): that everything open
 * at the venue is protected there.
 *
 * Invariants: a symbol with an open case takes no entries; none does while the case is of an actor that is about no
 * symbol (a breaker: what it would have forbidden, nobody knows); only a person's word (RESOLVED, ADOPT) frees them.
 */
import { setup } from 'xstate';
import type { ActorId } from '../src/core/ids.ts';
import type { Emitted } from '../src/domain/events.ts';
import { GUARDIAN, PORTFOLIO, VENUE } from '../src/domain/events.ts';
import type { SymbolName } from '../src/domain/instrument.ts';
import {
  keyOf,
  keyOfActor,
  keysOn,
  type Moded,
  moded,
  modeOf,
  type PositionKey,
  positionSideOf,
} from '../src/domain/position-key.ts';
import type { Configured } from './configured.ts';
import { carry, type MachineDefinition } from './definition.ts';
import { emptyGuardBook, type GuardBook, type GuardEvent } from './guardian/book.ts';
import { hear } from './guardian/orders.ts';
import { answered, look, ownerOver, read } from './guardian/watch.ts';
import { entryDeskOf, GUARDIAN_BAR, guardianBlock, isOfSymbol, type Timed } from './messages.ts';
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

export interface Case {
  readonly actor: ActorId;
  readonly symbol: SymbolName;
  readonly reason: string;
  readonly at: number;
}

export interface GuardianInput extends Moded {
  readonly at: number;
  /** How old a gap in protection may be before the guardian acts. */
  readonly guardBoundMs?: number;
}

export interface GuardianContext extends GuardBook, Moded {
  readonly cases: readonly Case[];
  readonly closed: readonly (Case & { readonly by: string; readonly outcome: 'resolved' | 'adopted' })[];
  readonly unexpected: Unexpected;
}

export type GuardianEvent =
  | ({
      readonly type: 'HANDOVER';
      readonly actor: ActorId;
      readonly symbol: SymbolName;
      readonly reason: string;
    } & Timed)
  | ({ readonly type: 'RESOLVED'; readonly actor: ActorId; readonly by: string } & Timed)
  | ({ readonly type: 'ADOPT'; readonly actor: ActorId; readonly by: string } & Timed)
  | Configured<Pick<GuardianContext, 'boundMs'>>
  | GuardEvent;

const CLOSED_KEPT = 20;

/** What the guardian forbids to all, by the names under which it is released. */
export const barsOf = ({
  cases,
}: Pick<GuardianContext, 'cases'>): readonly (Case & { readonly breaker: string })[] =>
  cases
    .filter(({ actor }) => !isOfSymbol(actor))
    .map((one) => ({ ...one, breaker: `${GUARDIAN_BAR}${one.actor}` }));

/** Keeps entries away for a case, or, without a reason, lets them in again. */
function bar(
  context: GuardianContext,
  { actor, symbol }: Pick<Case, 'actor' | 'symbol'>,
  reason: string | null,
): readonly Emitted[] {
  if (isOfSymbol(actor)) {
    const source = guardianBlock(actor);
    const word = reason === null ? { type: 'UNBLOCK', source } : { type: 'BLOCK', source, reason };
    return desksOf(context, actor, symbol).map((desk) => send(desk, word));
  }
  const state = reason === null ? 'closed' : 'halted';
  const breaker = `${GUARDIAN_BAR}${actor}`;
  const changed = { type: 'BREAKER_CHANGED', breaker, state, cause: reason ?? '' };
  return [send(VENUE, changed), send(PORTFOLIO, changed)];
}

/** The desks that an actor's case concerns: its own side's, or all of its symbol's where it has none. */
function desksOf(context: GuardianContext, actor: ActorId, symbol: SymbolName): readonly ActorId[] {
  const own = keyOfActor(actor);
  const places: readonly PositionKey[] =
    positionSideOf(own) === 'BOTH' ? keysOn(symbol, modeOf(context)) : [own];
  return places.map(entryDeskOf);
}

function take(
  context: GuardianContext,
  event: Extract<GuardianEvent, { type: 'HANDOVER' }>,
): Step<GuardianContext> {
  const { actor, symbol, reason } = event;
  const known = context.cases.some((one) => one.actor === actor);
  const cases = [
    ...context.cases.filter((one) => one.actor !== actor),
    { actor, symbol, reason, at: context.at },
  ];
  return step(
    { ...context, cases },
    ...(known ? [] : bar(context, event, reason)),
    notify('critical', `guardian: ${actor} handed over: ${reason}`),
  );
}

function close(
  context: GuardianContext,
  event: Extract<GuardianEvent, { type: 'RESOLVED' | 'ADOPT' }>,
): Step<GuardianContext> {
  const open = context.cases.find((one) => one.actor === event.actor);
  if (!open) return step(context, notify('warning', `guardian: no case of ${event.actor}`));
  const outcome = event.type === 'ADOPT' ? 'adopted' : 'resolved';
  return step(
    {
      ...context,
      cases: context.cases.filter((one) => one !== open),
      closed: bounded(context.closed, { ...open, by: event.by, outcome }, CLOSED_KEPT),
    },
    ...bar(context, open, null),
    notify('info', `guardian: ${event.actor} ${outcome} by ${event.by}`),
  );
}

function watch(context: GuardianContext, event: GuardianEvent): Step<GuardianContext> {
  switch (event.type) {
    case 'HANDOVER':
    case 'RESOLVED':
    case 'ADOPT':
      return step(context);
    case 'CONFIG':
      return step({ ...context, ...event.settings });
    case 'PROTECTION':
      return read(context, event);
    case 'LOOK':
      return look(context);
    case 'GUARD_ANSWER':
      return answered(context, event);
    case 'GUARD_OVER':
      return ownerOver(context, keyOf(event));
    default:
      return hear(context, event);
  }
}

type View = 'watching' | 'guarding' | 'holding';
const VIEWS: readonly View[] = ['watching', 'guarding', 'holding'];

function viewOf(context: GuardianContext): View {
  if (context.gaps.length > 0) return 'guarding';
  return context.cases.length > 0 ? 'holding' : 'watching';
}

const leave = (own: View) =>
  VIEWS.filter((view) => view !== own).map((view) => ({
    guard: { type: 'shows' as const, params: { view } },
    target: view,
  }));

const WATCHED = { actions: 'watch' } as const;

const base = setup({
  types: {} as {
    context: GuardianContext;
    events: GuardianEvent;
    input: GuardianInput;
    emitted: Emitted;
  },
});

const act = (behave: (context: GuardianContext, event: GuardianEvent) => Step<GuardianContext>) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const next = behave({ ...context, at: timeOf(context, event) }, event);
    enqueue.assign(() => next.context);
    for (const intent of next.intents) enqueue.emit(intent);
  });

const machine = base
  .extend({
    actions: {
      take: act((context, event) => (event.type === 'HANDOVER' ? take(context, event) : step(context))),
      close: act((context, event) =>
        event.type === 'RESOLVED' || event.type === 'ADOPT' ? close(context, event) : step(context),
      ),
      watch: act(watch),
      unexpected: act((context, event) => unexpected(GUARDIAN, context, event)),
    },
    guards: {
      shows: ({ context }, params: { view: View }) => viewOf(context) === params.view,
    },
  })
  .createMachine({
    id: 'guardian',
    context: ({ input }) => ({
      at: input.at,
      ...moded(modeOf(input)),
      cases: [],
      closed: [],
      ...emptyGuardBook(input.guardBoundMs),
      unexpected: NOTHING_UNEXPECTED,
    }),
    initial: 'watching',
    on: {
      HANDOVER: { actions: 'take' },
      RESOLVED: { actions: 'close' },
      ADOPT: { actions: 'close' },
      PROTECTION: WATCHED,
      LOOK: WATCHED,
      GUARD_ANSWER: WATCHED,
      GUARD_OVER: WATCHED,
      ORDER_ACKNOWLEDGED: WATCHED,
      ORDER_REJECTED: WATCHED,
      ORDER_UNKNOWN: WATCHED,
      ORDER_TRIGGERED: WATCHED,
      ORDER_FILLED: WATCHED,
      ORDER_CLOSED: WATCHED,
      CANCEL_REJECTED: WATCHED,
      CONFIG: WATCHED,
      '*': { actions: 'unexpected' },
    },
    states: {
      watching: { always: leave('watching') },
      // Something open is without protection at the venue.
      guarding: { always: leave('guarding') },
      // All is protected; cases wait for a person.
      holding: { always: leave('holding') },
    },
  });

export const createGuardianMachine = (): MachineDefinition => ({
  type: 'guardian',
  version: 2,
  machine,
  // Version 1 kept cases alone.
  migrations: { 1: carry(() => emptyGuardBook()) },
});
