/**
 * The guardian's book: what could not be restored or no longer agrees with the venue, and stays blocked until
 * somebody has dealt with it.
 *
 * Invariant: a symbol with an open case takes no entries; only a person's word (RESOLVED, ADOPT) frees it.
 */
import { setup } from 'xstate';
import type { ActorId } from '../src/core/ids.ts';
import type { Emitted } from '../src/domain/events.ts';
import { GUARDIAN } from '../src/domain/events.ts';
import type { SymbolName } from '../src/domain/instrument.ts';
import type { MachineDefinition } from './definition.ts';
import { entryDeskOf, type Timed } from './messages.ts';
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

export interface GuardianContext {
  readonly at: number;
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
  | ({ readonly type: 'ADOPT'; readonly actor: ActorId; readonly by: string } & Timed);

const CLOSED_KEPT = 20;
const source = (actor: ActorId): string => `guardian:${actor}`;

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
    ...(known ? [] : [send(entryDeskOf(symbol), { type: 'BLOCK', source: source(actor), reason })]),
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
    send(entryDeskOf(open.symbol), { type: 'UNBLOCK', source: source(event.actor) }),
    notify('info', `guardian: ${event.actor} ${outcome} by ${event.by}`),
  );
}

const base = setup({
  types: {} as {
    context: GuardianContext;
    events: GuardianEvent;
    input: { readonly at: number };
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
      close: act((context, event) => (event.type === 'HANDOVER' ? step(context) : close(context, event))),
      unexpected: act((context, event) => unexpected(GUARDIAN, context, event)),
    },
    guards: {
      casesLeft: ({ context }) => context.cases.length > 0,
      noneLeft: ({ context }) => context.cases.length === 0,
    },
  })
  .createMachine({
    id: 'guardian',
    context: ({ input }) => ({ at: input.at, cases: [], closed: [], unexpected: NOTHING_UNEXPECTED }),
    initial: 'watching',
    on: {
      HANDOVER: { actions: 'take' },
      RESOLVED: { actions: 'close' },
      ADOPT: { actions: 'close' },
      '*': { actions: 'unexpected' },
    },
    states: {
      watching: { always: { guard: 'casesLeft', target: 'holding' } },
      holding: { always: { guard: 'noneLeft', target: 'watching' } },
    },
  });

export const createGuardianMachine = (): MachineDefinition => ({
  type: 'guardian',
  version: 1,
  machine,
  migrations: {},
});
