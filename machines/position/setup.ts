/** Names for everything the statechart of a position does, asks and waits for. */
import { setup } from 'xstate';
import type { Emitted } from '../../src/domain/events.ts';
import { chain, type Step, step, timeOf, unexpected } from '../step.ts';
import { followBar } from './bars.ts';
import type { PositionContext, PositionEvent, PositionInput } from './context.ts';
import { closeBy, decideOn, hear, isExitDue } from './exit-rules/decide.ts';
import type { Verdict } from './exit-rules/rule.ts';
import type { ForcedKind } from './happenings.ts';
import { book, demandEmergency, isFlat, settleFunding, timeProtection } from './ledger.ts';
import { marginCalled } from './margin-call.ts';
import { moveStop, operatorClose, partialClose, refuseWord } from './operator.ts';
import { isOver, pending } from './orders.ts';
import { refitParts } from './parts.ts';
import { backoffMs, type ProtectionView, placeAnotherStop, protect, protectionView } from './protection.ts';
import {
  afterAdd,
  askToConfirm,
  beginClose,
  cancelEntry,
  closeAll,
  closeRest,
  everFilled,
  fail,
  finish,
  guardStop,
  leftovers,
  makePlan,
  openPosition,
  setLeverage,
  submitAdd,
  submitEntry,
  takeOver,
  tellExposure,
  tidy,
  tidyHard,
} from './steps.ts';
import { changeInstrument, forcedOut, type SymbolView, symbolView } from './symbol-changes.ts';
import { rest, resumeScaling, withdrawExits } from './targets.ts';
import {
  type Adding,
  addingView,
  type Closing,
  closingView,
  entryOver,
  entryUnknown,
  type Scaling,
  scalingView,
  unknownStops,
} from './views.ts';
import { afterAsking, askForAdd, watch } from './watch.ts';

/** A full reading takes seconds: no sooner is a close tried again that found nothing to reduce. */
const EVIDENCE_MS = 5_000;

type Behaviour = (context: PositionContext, event: PositionEvent) => Step<PositionContext>;

const base = setup({
  types: {} as {
    context: PositionContext;
    events: PositionEvent;
    input: PositionInput;
    emitted: Emitted;
  },
});

/** Runs a behaviour, stamps the time, and tells the portfolio when what it counts has changed. */
const act = (behave: Behaviour) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const { context: next, intents } = behave({ ...context, at: timeOf(context, event) }, event);
    enqueue.assign(() => next);
    for (const intent of intents) enqueue.emit(intent);
  });

const bookAnd = (after: (context: PositionContext) => Step<PositionContext>): Behaviour => {
  return (context, event) => {
    if (!('ref' in event)) return step(context);
    const result = chain(
      context,
      (next) => book(next, event),
      (next) => step(refitParts(context, next, event.ref)),
      (next) => forcedOut(context, next, event),
      after,
    );
    return {
      context: result.context,
      intents: [...result.intents, ...tellExposure(context, result.context)],
    };
  };
};

const nothing = (context: PositionContext): Step<PositionContext> => step(context);

/** What is open is protected at once, then the take-profits follow. */
const hold = (context: PositionContext): Step<PositionContext> => chain(context, protect, rest);

/** On its way out, an exit that was just acknowledged is taken back; one whose cancel was refused is not, for now. */
const bookOnly: Behaviour = (context, event) =>
  bookAnd(!context.watching && event.type === 'ORDER_ACKNOWLEDGED' ? withdrawExits : nothing)(context, event);

/** Every cancel that has not been answered yet counts as not asked for. */
const forgetCancels = (context: PositionContext): PositionContext => ({
  ...context,
  orders: context.orders.map((order) => (isOver(order) ? order : { ...order, cancelRequested: false })),
});

/**
 * A cancel that was refused is asked for again after a pause: a venue that refuses at once would otherwise be
 * asked at once, for ever.
 */
const cancelLater = (context: PositionContext): Step<PositionContext> =>
  step(context, {
    type: 'timer.set',
    id: 'cancel-again',
    kind: 'named',
    delayMs: context.plan.cancelRetryMs,
    event: { type: 'CANCEL_AGAIN' },
  });

const withFilters = (context: PositionContext, event: PositionEvent): Step<PositionContext> =>
  event.type === 'INSTRUMENT' ? changeInstrument(context, event) : step(context);

function why(event: PositionEvent): string {
  switch (event.type) {
    case 'ABORT_ENTRY':
    case 'DENIED':
    case 'POSITION_GONE':
    case 'LEVERAGE_REJECTED':
      return event.reason;
    default:
      return 'no answer in time';
  }
}

const killed = (event: PositionEvent): Verdict => ({
  rule: 'kill',
  act: 'emergency',
  reason: `kill: ${event.type === 'KILL' ? event.reason : 'asked for'}`,
  numbers: {},
});

export const positionSetup = base.extend({
  actions: {
    book: act(bookOnly),
    bookAndProtect: act(bookAnd(hold)),
    bookAndCancelLater: act(bookAnd(cancelLater)),
    protect: act(hold),
    takeOver: act(takeOver),
    changeFilters: act((context, event) => withFilters(context, event)),
    changeFiltersAndProtect: act((context, event) =>
      chain(
        context,
        (next) => withFilters(next, event),
        (next) => decideOn(next, event),
        hold,
      ),
    ),
    guardStop: act((context) => guardStop(context, true)),
    answerGuard: act((context) => guardStop(context, false)),
    bookAndTidy: act((context, event) =>
      bookAnd(event.type === 'CANCEL_REJECTED' ? nothing : tidy)(context, event),
    ),
    bookFunding: act((context, event) =>
      event.type === 'FUNDING_SETTLED' ? settleFunding(context, event) : step(context),
    ),
    setLeverage: act(setLeverage),
    askToConfirm: act(askToConfirm),
    submitEntry: act(submitEntry),
    cancelEntry: act(cancelEntry),
    // Cancels that were refused may be asked for again.
    cancelEntryAgain: act((context) => cancelEntry(forgetCancels(context))),
    openPosition: act(openPosition),
    makePlan: act(makePlan),
    afterAdd: act(afterAdd),
    replaceStop: act(placeAnotherStop),
    watch: act((context, event) => (event.type === 'PRICE' ? watch(context, event) : step(context))),
    tooLongUnprotected: act((context) => demandEmergency(context, 'unprotected for too long')),
    resumeScaling: act(resumeScaling),
    followBar: act((context, event) =>
      event.type === 'BAR_CLOSED' ? followBar(context, event) : step(context),
    ),
    askForAdd: act((context) => askForAdd(context, context.bestPrice ?? context.entry.referencePrice)),
    submitAdd: act((context, event) =>
      event.type === 'APPROVED' ? submitAdd(context, event.entry, event.reservation) : step(context),
    ),
    releaseApproval: act((context, event) =>
      event.type === 'APPROVED'
        ? step(context, {
            type: 'send',
            to: 'portfolio',
            event: { type: 'RELEASE', reservation: event.reservation },
          })
        : step(context),
    ),
    stopAsking: act((context) => step(afterAsking(context))),
    wantClose: act((context, event) => step({ ...context, closeReason: context.closeReason ?? why(event) })),
    wantKill: act((context, event) => closeBy(context, killed(event))),
    decide: act(decideOn),
    hear: act((context, event) => step(hear(context, event))),
    operator: act((context, event) => {
      if (event.type === 'OPERATOR_CLOSE') return operatorClose(context, event);
      if (event.type === 'PARTIAL_CLOSE') return partialClose(context, event);
      return event.type === 'MOVE_STOP' ? moveStop(context, event) : step(context);
    }),
    refuseOperator: act((context, event) =>
      event.type === 'PARTIAL_CLOSE' || event.type === 'MOVE_STOP' || event.type === 'OPERATOR_CLOSE'
        ? refuseWord(context, event, isFlat(context) ? 'nothing is open' : 'it closes already')
        : step(context),
    ),
    beginClose: act(beginClose),
    closeRest: act((context) => closeRest(context, 'close')),
    emergencyCloseRest: act((context) => closeRest(context, 'emergency')),
    emergencyCloseAll: act((context) => closeAll(context, 'emergency')),
    tidy: act(tidy),
    tidyHard: act((context) => tidyHard(forgetCancels(context))),
    markGone: act((context, event) => step({ ...context, broken: why(event) })),
    stopTheClock: act((context) => step(timeProtection(context))),
    finish: act(finish),
    fail: act(fail),
    marginCalled: act(marginCalled),
    unexpected: act((context, event) => unexpected(context.actor, context, event)),
  },
  guards: {
    hasQuantity: ({ context }) => !isFlat(context),
    hasQuantityToClose: ({ context }) =>
      !isFlat(context) && (context.closeReason !== null || context.emergency !== null),
    filledAndFlat: ({ context }) => everFilled(context) && isFlat(context),
    entryOver: ({ context }) => entryOver(context),
    entryUnknown: ({ context }) => entryUnknown(context),
    entryKnown: ({ context }) => !entryUnknown(context),
    flat: ({ context }) => isFlat(context),
    emergency: ({ context }) => context.emergency !== null,
    closeWanted: ({ context }) => context.closeReason !== null,
    symbolIs: ({ context }, params: { view: SymbolView }) => symbolView(context) === params.view,
    forcedIs: ({ context }, params: { view: ForcedKind }) => context.forced === params.view,
    exitDue: ({ context, event }) => isExitDue(context, event),
    adopted: ({ context }) => context.adoptedBy !== null,
    broken: ({ context }) => context.broken !== null,
    armed: ({ context }) => context.armed,
    unarmed: ({ context }) => !context.armed,
    closeNow: ({ context }) =>
      !isFlat(context) &&
      context.closeRejections === 0 &&
      pending(context, 'close', 'emergency').length === 0,
    closeFailed: ({ context }) => !isFlat(context) && pending(context, 'close', 'emergency').length === 0,
    allOverFilled: ({ context }) => !leftovers(context) && everFilled(context),
    allOver: ({ context }) => !leftovers(context),
    protectionIs: ({ context }, params: { view: ProtectionView }) => protectionView(context) === params.view,
    closingIs: ({ context }, params: { view: Closing }) => closingView(context) === params.view,
    scalingIs: ({ context }, params: { view: Scaling }) => scalingView(context) === params.view,
    addingIs: ({ context }, params: { view: Adding }) => addingView(context) === params.view,
  },
  delays: {
    prepareTimeout: ({ context }) => context.plan.prepareTimeoutMs,
    entryTimeout: ({ context }) => context.plan.entryTimeoutMs,
    cancelRetry: ({ context }) => context.plan.cancelRetryMs,
    unknownStop: ({ context }) =>
      backoffMs(context.plan.unknownStopDeadlineMs, unknownStops(context) - 1, 60_000),
    unprotectedDeadline: ({ context }) => context.plan.unprotectedDeadlineMs,
    stopRetry: ({ context }) => backoffMs(context.plan.stopRetryMs, context.stopRejections - 1, 60_000),
    // The more closing orders have no outcome yet, the less another of them helps. One that nobody knows anything of may
    // be nowhere (a proxy's 504 swallows it), and what it has done shows at once: another one is worth it sooner.
    closeDeadline: ({ context: { plan }, context }) =>
      backoffMs(
        closingView(context) === 'unknown'
          ? Math.min(plan.closeDeadlineMs, plan.unknownStopDeadlineMs)
          : plan.closeDeadlineMs,
        pending(context, 'close', 'emergency').length - 1,
        Math.max(plan.closeDeadlineMs, plan.emergencyMaxBackoffMs),
      ),
    emergencyBackoff: ({ context: { plan }, context }) =>
      Math.max(
        backoffMs(plan.emergencyBackoffMs, context.closeRejections - 1, plan.emergencyMaxBackoffMs),
        context.nothingToReduce > 0 ? Math.min(EVIDENCE_MS, plan.emergencyMaxBackoffMs) : 0,
      ),
    scaleOutRetry: ({ context }) => context.plan.scaleOutRetryMs,
  },
});
