/**
 * The statechart of one position's whole life.
 *
 * How it is built: every venue event goes through the books (ledger.ts) in every state; the chart follows what
 * the books say by eventless transitions, and adds what the books cannot know: deadlines, decisions, ends.
 *
 * Invariants: the entry leaves in the row that consumes the portfolio's CONFIRMED, and in no other; a fill and
 * its stop stand in one row; nothing ends while an order of this life may still act.
 */
import { setup } from 'xstate';
import type { Emitted } from '../../src/domain/events.ts';
import { chain, type Step, step, timeOf, unexpected } from '../step.ts';
import { initialContext, type PositionContext, type PositionEvent, type PositionInput } from './context.ts';
import { book, demandEmergency, isFlat, settleFunding, timeProtection } from './ledger.ts';
import { isOver, pending } from './orders.ts';
import { backoffMs, type ProtectionView, placeStop, protect, protectionView } from './protection.ts';
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
  leftovers,
  makePlan,
  openPosition,
  setLeverage,
  submitAdd,
  submitEntry,
  tellExposure,
  tidy,
  tidyHard,
} from './steps.ts';
import { afterAsking, askForAdd, resumeScaling, watch } from './watch.ts';

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
    const result = chain(context, (next) => book(next, event), after);
    return {
      context: result.context,
      intents: [...result.intents, ...tellExposure(context, result.context)],
    };
  };
};

const nothing = (context: PositionContext): Step<PositionContext> => step(context);

const entryOrder = (context: PositionContext) => context.orders.find((order) => order.role === 'entry');
const entryUnknown = (context: PositionContext): boolean => entryOrder(context)?.status === 'unknown';
const entryOver = (context: PositionContext): boolean => {
  const order = entryOrder(context);
  return order === undefined || isOver(order);
};

type Closing = 'working' | 'unknown' | 'backingOff';

function closingView(context: PositionContext): Closing {
  const orders = pending(context, 'close', 'emergency');
  if (orders.some((order) => order.status !== 'unknown')) return 'working';
  return orders.length > 0 ? 'unknown' : 'backingOff';
}

type Scaling = 'waiting' | 'working' | 'unknown' | 'refused' | 'done';

function scalingView(context: PositionContext): Scaling {
  const exits = pending(context, 'exit');
  if (exits.some((order) => order.status === 'unknown')) return 'unknown';
  if (exits.length > 0) return 'working';
  if (context.scaleRefused) return 'refused';
  return context.scaleParts.length > 0 || pending(context, 'entry').length > 0 ? 'waiting' : 'done';
}

type Adding = 'waiting' | 'asking' | 'adding' | 'unknown' | 'spent';

function addingView(context: PositionContext): Adding {
  const adds = pending(context, 'add');
  if (adds.some((order) => order.status === 'unknown')) return 'unknown';
  if (adds.length > 0) return 'adding';
  if (context.asking) return 'asking';
  const spent = context.plan.pyramid === null || context.adds >= context.plan.pyramid.maxAdds;
  return spent ? 'spent' : 'waiting';
}

const unknownStops = (context: PositionContext): number =>
  pending(context, 'stop').filter((stop) => stop.status === 'unknown').length;

const machineSetup = base.extend({
  actions: {
    book: act(bookAnd(nothing)),
    bookAndProtect: act(bookAnd(protect)),
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
    replaceStop: act(placeStop),
    watch: act((context, event) => (event.type === 'PRICE' ? watch(context, event) : step(context))),
    tooLongUnprotected: act((context) => demandEmergency(context, 'unprotected for too long')),
    resumeScaling: act(resumeScaling),
    askForAdd: act((context) => askForAdd(context, context.bestPrice ?? context.entry.referencePrice)),
    submitAdd: act((context, event) =>
      event.type === 'APPROVED' ? submitAdd(context, event.entry.quantity, event.reservation) : step(context),
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
    wantKill: act((context, event) => demandEmergency(context, why(event))),
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
    marginCalled: act((context, event) =>
      step(context, {
        type: 'notify',
        level: 'critical',
        text: `${context.actor}: margin call${event.type === 'MARGIN_CALLED' ? ` at ${event.marginRatio}` : ''}`,
      }),
    ),
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
    broken: ({ context }) => context.broken !== null,
    armed: ({ context }) => context.armed,
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
    closeDeadline: ({ context }) => context.plan.closeDeadlineMs,
    emergencyBackoff: ({ context }) =>
      backoffMs(
        context.plan.emergencyBackoffMs,
        context.closeRejections - 1,
        context.plan.emergencyMaxBackoffMs,
      ),
    scaleOutRetry: ({ context }) => context.plan.scaleOutRetryMs,
  },
});

/** Every cancel that has not been answered yet counts as not asked for. */
const forgetCancels = (context: PositionContext): PositionContext => ({
  ...context,
  orders: context.orders.map((order) => (isOver(order) ? order : { ...order, cancelRequested: false })),
});

function why(event: PositionEvent): string {
  switch (event.type) {
    case 'EXIT_SIGNAL':
    case 'ABORT_ENTRY':
    case 'DENIED':
    case 'POSITION_GONE':
    case 'LEVERAGE_REJECTED':
      return event.reason;
    case 'KILL':
      return `kill: ${event.reason}`;
    case 'OPERATOR_CLOSE':
      return 'operator';
    case 'TIME_STOP':
      return 'time-stop';
    default:
      return 'no answer in time';
  }
}

/** One region's states, each leaving for whichever other the books show. */
const others = <V extends string, G extends string>(
  guard: G,
  views: readonly V[],
  own: V,
  path: (view: V) => string = (view) => view,
) =>
  views
    .filter((view) => view !== own)
    .map((view) => ({ guard: { type: guard, params: { view } }, target: path(view) }));

const PROTECTIONS: readonly ProtectionView[] = [
  'placing',
  'unknown',
  'unprotected',
  'protected',
  'replacing',
  'replacementUnknown',
  'replacementRefused',
];
const EXPOSED: readonly ProtectionView[] = ['placing', 'unknown', 'unprotected'];
const SCALINGS: readonly Scaling[] = ['waiting', 'working', 'unknown', 'refused', 'done'];
const ADDINGS: readonly Adding[] = ['waiting', 'asking', 'adding', 'unknown', 'spent'];
const CLOSINGS: readonly Closing[] = ['working', 'unknown', 'backingOff'];

const protectionPath = (view: ProtectionView): string =>
  `#protection.${EXPOSED.includes(view) ? 'exposed' : 'covered'}.${view}`;
const toProtection = (own: ProtectionView) =>
  others('protectionIs' as const, PROTECTIONS, own, protectionPath) as never;
const toScaling = (own: Scaling) => others('scalingIs' as const, SCALINGS, own) as never;
const toAdding = (own: Adding) => others('addingIs' as const, ADDINGS, own) as never;
const toClosing = (own: Closing) => others('closingIs' as const, CLOSINGS, own) as never;

const NO_ACTION = {};

export const positionMachine = machineSetup.createMachine({
  id: 'position',
  context: ({ input }) => initialContext(input),
  initial: 'preparing',
  always: { guard: 'broken', target: '.failed' },
  on: {
    ORDER_ACKNOWLEDGED: { actions: 'book' },
    ORDER_REJECTED: { actions: 'book' },
    ORDER_UNKNOWN: { actions: 'book' },
    ORDER_TRIGGERED: { actions: 'book' },
    ORDER_FILLED: { actions: 'book' },
    ORDER_CLOSED: { actions: 'book' },
    CANCEL_REJECTED: { actions: 'book' },
    FUNDING_SETTLED: { actions: 'bookFunding' },
    MARGIN_CALLED: { actions: 'marginCalled' },
    // Too late for this position: the reservation must not stay.
    APPROVED: { actions: 'releaseApproval' },
    REFUSED: NO_ACTION,
    POSITION_GONE: { actions: 'markGone' },
    '*': { actions: 'unexpected' },
  },
  states: {
    preparing: {
      initial: 'settingLeverage',
      on: {
        EXIT_SIGNAL: { target: 'abandoned', actions: 'wantClose' },
        ABORT_ENTRY: { target: 'abandoned', actions: 'wantClose' },
        OPERATOR_CLOSE: { target: 'abandoned', actions: 'wantClose' },
        KILL: { target: 'abandoned', actions: 'wantClose' },
        PRICE: NO_ACTION,
        ADD: NO_ACTION,
        TIME_STOP: NO_ACTION,
      },
      after: { prepareTimeout: { target: 'abandoned', actions: 'wantClose' } },
      states: {
        settingLeverage: {
          entry: 'setLeverage',
          on: {
            LEVERAGE_SET: 'confirming',
            LEVERAGE_REJECTED: { target: '#position.abandoned', actions: 'wantClose' },
          },
        },
        confirming: {
          entry: 'askToConfirm',
          on: {
            CONFIRMED: '#position.entering',
            DENIED: { target: '#position.abandoned', actions: 'wantClose' },
          },
        },
      },
    },

    entering: {
      initial: 'submitted',
      entry: 'submitEntry',
      always: [
        { guard: 'hasQuantityToClose', target: 'closing' },
        { guard: 'hasQuantity', target: 'open' },
        { guard: 'filledAndFlat', target: 'settling' },
        { guard: 'entryOver', target: 'settling' },
      ],
      on: {
        EXIT_SIGNAL: { target: '.cancelling', actions: 'wantClose' },
        ABORT_ENTRY: '.cancelling',
        OPERATOR_CLOSE: { target: '.cancelling', actions: 'wantClose' },
        KILL: { target: '.cancelling', actions: 'wantKill' },
        PRICE: NO_ACTION,
        ADD: NO_ACTION,
        TIME_STOP: NO_ACTION,
      },
      states: {
        submitted: {
          always: { guard: 'entryUnknown', target: 'unknown' },
          after: { entryTimeout: 'cancelling' },
        },
        unknown: {
          always: { guard: 'entryKnown', target: 'submitted' },
        },
        cancelling: {
          entry: 'cancelEntryAgain',
          after: { cancelRetry: { target: 'cancelling', reenter: true } },
        },
      },
    },

    open: {
      type: 'parallel',
      entry: 'openPosition',
      always: [
        { guard: 'flat', target: 'settling' },
        { guard: 'emergency', target: 'emergencyClosing' },
        { guard: 'closeWanted', target: 'closing' },
      ],
      on: {
        ORDER_ACKNOWLEDGED: { actions: 'bookAndProtect' },
        ORDER_REJECTED: { actions: 'bookAndProtect' },
        ORDER_UNKNOWN: { actions: 'bookAndProtect' },
        ORDER_TRIGGERED: { actions: 'bookAndProtect' },
        ORDER_FILLED: { actions: 'bookAndProtect' },
        ORDER_CLOSED: { actions: 'bookAndProtect' },
        CANCEL_REJECTED: { actions: 'bookAndProtect' },
        PRICE: { actions: 'watch' },
        EXIT_SIGNAL: { actions: 'wantClose' },
        OPERATOR_CLOSE: { actions: 'wantClose' },
        TIME_STOP: { actions: 'wantClose' },
        KILL: { actions: 'wantKill' },
        ADD: NO_ACTION,
        ABORT_ENTRY: NO_ACTION,
      },
      states: {
        entry: {
          initial: 'partiallyFilled',
          states: {
            partiallyFilled: {
              // A fill is evidence that the order exists: it cannot be UNKNOWN any more.
              always: { guard: 'entryOver', target: 'filled' },
              on: { ABORT_ENTRY: 'cancelling' },
              after: { entryTimeout: 'cancelling' },
            },
            cancelling: {
              entry: 'cancelEntryAgain',
              always: { guard: 'entryOver', target: 'filled' },
              after: { cancelRetry: { target: 'cancelling', reenter: true } },
            },
            filled: { entry: 'makePlan' },
          },
        },

        protection: {
          id: 'protection',
          initial: 'exposed',
          states: {
            // Less is protected at the venue than is open. Bounded: then the position closes itself.
            exposed: {
              initial: 'placing',
              after: { unprotectedDeadline: { actions: 'tooLongUnprotected' } },
              states: {
                placing: { always: toProtection('placing') },
                unknown: {
                  always: toProtection('unknown'),
                  after: { unknownStop: { actions: 'replaceStop' } },
                },
                unprotected: {
                  always: toProtection('unprotected'),
                  after: { stopRetry: { actions: 'replaceStop' } },
                },
              },
            },
            covered: {
              initial: 'protected',
              states: {
                protected: { always: toProtection('protected') },
                replacing: { always: toProtection('replacing') },
                replacementUnknown: {
                  always: toProtection('replacementUnknown'),
                  after: { unknownStop: { actions: 'replaceStop' } },
                },
                replacementRefused: {
                  always: toProtection('replacementRefused'),
                  after: { stopRetry: { actions: 'replaceStop' } },
                },
              },
            },
          },
        },

        trailing: {
          initial: 'unarmed',
          states: {
            unarmed: { always: { guard: 'armed', target: 'armed' } },
            armed: {},
          },
        },

        scalingOut: {
          initial: 'waiting',
          states: {
            waiting: { always: toScaling('waiting') },
            working: { always: toScaling('working') },
            // Two partial exits would take out too much: only evidence ends this.
            unknown: { always: toScaling('unknown') },
            refused: {
              always: toScaling('refused'),
              after: { scaleOutRetry: { actions: 'resumeScaling' } },
            },
            done: { always: toScaling('done') },
          },
        },

        pyramiding: {
          initial: 'waiting',
          states: {
            waiting: {
              always: toAdding('waiting'),
              on: { ADD: { actions: 'askForAdd' } },
            },
            asking: {
              always: toAdding('asking'),
              on: { APPROVED: { actions: 'submitAdd' }, REFUSED: { actions: 'stopAsking' } },
              after: { prepareTimeout: { actions: 'stopAsking' } },
            },
            adding: {
              always: toAdding('adding'),
              exit: 'afterAdd',
              after: { entryTimeout: { actions: 'cancelEntryAgain' } },
            },
            unknown: { always: toAdding('unknown'), exit: 'afterAdd' },
            spent: { always: toAdding('spent') },
          },
        },
      },
    },

    // One polite attempt with the stop still in place; whatever goes wrong with it is an emergency.
    closing: {
      initial: 'working',
      entry: ['beginClose', 'closeRest'],
      always: [
        { guard: 'flat', target: 'settling' },
        { guard: 'emergency', target: 'emergencyClosing' },
        { guard: 'closeFailed', target: 'emergencyClosing' },
      ],
      on: {
        EXIT_SIGNAL: NO_ACTION,
        OPERATOR_CLOSE: NO_ACTION,
        ABORT_ENTRY: NO_ACTION,
        TIME_STOP: NO_ACTION,
        PRICE: NO_ACTION,
        ADD: NO_ACTION,
        KILL: { actions: 'wantKill' },
      },
      states: {
        working: {
          always: { guard: { type: 'closingIs', params: { view: 'unknown' } }, target: 'unknown' },
          after: { closeDeadline: '#position.emergencyClosing' },
        },
        unknown: {
          always: { guard: { type: 'closingIs', params: { view: 'working' } }, target: 'working' },
          after: { closeDeadline: '#position.emergencyClosing' },
        },
      },
    },

    // Market, reduce-only, again and again through every refusal, until nothing is open.
    emergencyClosing: {
      initial: 'working',
      entry: ['beginClose', 'emergencyCloseRest'],
      always: [
        { guard: 'flat', target: 'settling' },
        { guard: 'closeNow', actions: 'emergencyCloseAll' },
      ],
      on: {
        EXIT_SIGNAL: NO_ACTION,
        OPERATOR_CLOSE: NO_ACTION,
        ABORT_ENTRY: NO_ACTION,
        TIME_STOP: NO_ACTION,
        PRICE: NO_ACTION,
        ADD: NO_ACTION,
        KILL: NO_ACTION,
      },
      states: {
        working: {
          always: toClosing('working'),
          after: { closeDeadline: { target: 'working', reenter: true, actions: 'emergencyCloseAll' } },
        },
        unknown: {
          always: toClosing('unknown'),
          after: { closeDeadline: { actions: 'emergencyCloseAll' } },
        },
        backingOff: {
          always: toClosing('backingOff'),
          after: { emergencyBackoff: { actions: 'emergencyCloseAll' } },
        },
      },
    },

    // Nothing is open; nothing may be left at the venue that could act on the next life of this symbol.
    settling: {
      entry: ['beginClose', 'tidy', 'stopTheClock'],
      always: [
        { guard: 'hasQuantity', target: 'emergencyClosing' },
        { guard: 'allOverFilled', target: 'closed' },
        { guard: 'allOver', target: 'abandoned' },
      ],
      on: {
        ORDER_ACKNOWLEDGED: { actions: 'bookAndTidy' },
        ORDER_REJECTED: { actions: 'bookAndTidy' },
        ORDER_UNKNOWN: { actions: 'bookAndTidy' },
        ORDER_TRIGGERED: { actions: 'bookAndTidy' },
        ORDER_FILLED: { actions: 'bookAndTidy' },
        ORDER_CLOSED: { actions: 'bookAndTidy' },
        CANCEL_REJECTED: { actions: 'bookAndTidy' },
        EXIT_SIGNAL: NO_ACTION,
        OPERATOR_CLOSE: NO_ACTION,
        ABORT_ENTRY: NO_ACTION,
        TIME_STOP: NO_ACTION,
        PRICE: NO_ACTION,
        ADD: NO_ACTION,
        KILL: NO_ACTION,
      },
      after: { cancelRetry: { target: 'settling', reenter: true, actions: 'tidyHard' } },
    },

    closed: { type: 'final', entry: 'finish' },
    abandoned: { type: 'final', entry: 'finish' },
    failed: { type: 'final', entry: 'fail' },
  },
});
