/**
 * The desk of one symbol (in hedge mode, of one side of it): turns signals into at most one position at a time.
 *
 * Invariants: a position starts only in the row that consumes risk's approval, or a person's word to adopt what
 * the venue holds already; life numbers only rise; a signal against an open position is an exit, never a netting
 * surprise; a blocked desk enters nothing, and a block ends neither early nor with the cool-down.
 */
import { setup } from 'xstate';
import { gt, ZERO } from '../src/core/decimal.ts';
import type { Emitted } from '../src/domain/events.ts';
import { carry, type MachineDefinition } from './definition.ts';
import {
  type EntryContext,
  type EntryEvent,
  type EntryInput,
  initialEntry,
  isBlocked,
  isForSide,
  placeOf,
} from './entry/context.ts';
import {
  adopt,
  ask,
  askForAdd,
  block,
  changeInstrument,
  closed,
  configure,
  exitOrPass,
  passOutlook,
  passOver,
  refuseAdoption,
  refused,
  releaseApproval,
  start,
} from './entry/steps.ts';
import { entryDeskOf } from './messages.ts';
import { upgradedPlan } from './position/plan.ts';
import { notify, type Step, send, step, timeOf, unexpected } from './step.ts';

export type { EntryContext, EntryEvent, EntryInput } from './entry/context.ts';

const base = setup({
  types: {} as { context: EntryContext; events: EntryEvent; input: EntryInput; emitted: Emitted },
});

const act = (behave: (context: EntryContext, event: EntryEvent) => Step<EntryContext>) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const next = behave({ ...context, at: timeOf(context, event) }, event);
    enqueue.assign(() => next.context);
    for (const intent of next.intents) enqueue.emit(intent);
  });

const NO_ACTION = {};

/** Nothing is held here: what the venue holds can be taken over. An approval on its way is given back. */
const ADOPTABLE = {
  ADOPT: [{ guard: 'adoptable', target: 'starting', actions: 'adopt' }, { actions: 'refuseAdoption' }],
} as const;

const machine = base
  .extend({
    actions: {
      ask: act(ask),
      askForAdd: act(askForAdd),
      start: act(start),
      refused: act(refused),
      exitOrPass: act(exitOrPass),
      passOutlook: act(passOutlook),
      closed: act(closed),
      block: act(block),
      releaseApproval: act(releaseApproval),
      adopt: act(adopt),
      refuseAdoption: act(refuseAdoption),
      changeInstrument: act(changeInstrument),
      configure: act(configure),
      passBlocked: act((context) =>
        passOver(context, `blocked by ${Object.keys(context.blocks).join(', ')}`, 'blocked'),
      ),
      passBusy: act((context) => passOver(context, 'another entry is being assessed', 'ignored')),
      passCooling: act((context) => passOver(context, 'cooling down', 'ignored')),
      passExit: act((context, event) =>
        passOver(
          context,
          event.type === 'SIGNAL' && event.signal.kind === 'enter'
            ? `a ${event.signal.direction} entry is not of this side`
            : 'exit signal with nothing open',
          'ignored',
        ),
      ),
      forwardAbort: act((context, event) =>
        context.position !== null && event.type === 'ABORT_ENTRY'
          ? step(context, send(context.position, { type: 'ABORT_ENTRY', reason: event.reason }))
          : step(context),
      ),
      timedOut: act((context) =>
        step(
          { ...context, direction: null },
          notify('warning', `${entryDeskOf(placeOf(context))}: the portfolio did not answer in time`),
        ),
      ),
      unexpected: act((context, event) => unexpected(entryDeskOf(placeOf(context)), context, event)),
    },
    guards: {
      isEnter: ({ context, event }) =>
        event.type === 'SIGNAL' &&
        event.signal.kind === 'enter' &&
        isForSide(context, event.signal.direction),
      blocked: ({ context }) => isBlocked(context),
      free: ({ context }) => !isBlocked(context),
      cooling: ({ context }) =>
        !isBlocked(context) && context.coolUntil !== null && context.at < context.coolUntil,
      adoptable: ({ context, event }) =>
        event.type === 'ADOPT' &&
        event.symbol === context.symbol &&
        isForSide(context, event.direction) &&
        gt(event.quantity, ZERO) &&
        gt(event.entryPrice, ZERO),
      ours: ({ context, event }) => 'actor' in event && event.actor === context.position,
    },
    delays: {
      coolDown: ({ context }) =>
        context.coolUntil === null ? context.coolDownMs : Math.max(0, context.coolUntil - context.at),
      assessTimeout: ({ context }) => context.assessTimeoutMs,
    },
  })
  .createMachine({
    id: 'entry',
    context: ({ input }) => initialEntry(input),
    initial: 'idle',
    on: {
      BLOCK: { actions: 'block' },
      UNBLOCK: { actions: 'block' },
      ADD_WANTED: { actions: 'askForAdd' },
      // An approval that nobody waits for any more gives its reservation back.
      APPROVED: { actions: 'releaseApproval' },
      ABORT_ENTRY: { actions: 'forwardAbort' },
      INSTRUMENT: { actions: 'changeInstrument' },
      CONFIG: { actions: 'configure' },
      ADOPT: { actions: 'refuseAdoption' },
      // Nothing is open that they could be about.
      OPINION: NO_ACTION,
      REGIME: NO_ACTION,
      '*': { actions: 'unexpected' },
    },
    states: {
      idle: {
        always: { guard: 'blocked', target: 'blocked' },
        on: {
          SIGNAL: [{ guard: 'isEnter', target: 'assessing', actions: 'ask' }, { actions: 'passExit' }],
          REFUSED: NO_ACTION,
          ...ADOPTABLE,
        },
      },
      blocked: {
        always: [
          { guard: 'cooling', target: 'coolingDown' },
          { guard: 'free', target: 'idle' },
        ],
        on: {
          SIGNAL: [{ guard: 'isEnter', actions: 'passBlocked' }, { actions: 'passExit' }],
          REFUSED: NO_ACTION,
          ...ADOPTABLE,
        },
      },
      assessing: {
        on: {
          SIGNAL: { actions: 'passBusy' },
          APPROVED: [
            { guard: 'blocked', target: 'idle', actions: 'releaseApproval' },
            { target: 'starting', actions: 'start' },
          ],
          REFUSED: { target: 'idle', actions: 'refused' },
          ...ADOPTABLE,
        },
        after: { assessTimeout: { target: 'idle', actions: 'timedOut' } },
      },
      starting: {
        on: {
          SIGNAL: { actions: 'exitOrPass' },
          OPINION: { actions: 'passOutlook' },
          REGIME: { actions: 'passOutlook' },
          REFUSED: NO_ACTION,
          POSITION_OPENED: [{ guard: 'ours', target: 'holding' }, { actions: 'unexpected' }],
          POSITION_CLOSED: [
            { guard: 'ours', target: 'coolingDown', actions: 'closed' },
            { actions: 'unexpected' },
          ],
        },
      },
      holding: {
        on: {
          SIGNAL: { actions: 'exitOrPass' },
          OPINION: { actions: 'passOutlook' },
          REGIME: { actions: 'passOutlook' },
          REFUSED: NO_ACTION,
          POSITION_CLOSED: [
            { guard: 'ours', target: 'coolingDown', actions: 'closed' },
            { actions: 'unexpected' },
          ],
        },
      },
      coolingDown: {
        always: { guard: 'blocked', target: 'blocked' },
        on: { SIGNAL: { actions: 'passCooling' }, REFUSED: NO_ACTION, ...ADOPTABLE },
        after: { coolDown: 'idle' },
      },
    },
  });

/** Versions 2 and 3 knew less of a plan. */
const planned = carry(({ plan }) => ({ plan: upgradedPlan(plan as object) }));

export const createEntryMachine = (): MachineDefinition => ({
  type: 'entry',
  version: 7,
  machine,
  migrations: {
    // Version 1 kept no moment: a cool-down under way runs by the timer it has.
    1: carry(() => ({ coolUntil: null })),
    2: planned,
    3: planned,
    4: planned,
    5: planned,
    // Version 6 kept no approval.
    6: carry(() => ({ lastApproval: null })),
  },
});
