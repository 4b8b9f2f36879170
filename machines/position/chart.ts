/**
 * The statechart of one position's whole life.
 *
 * How it is built: every venue event goes through the books (ledger.ts) in every state; the chart follows what
 * the books say by eventless transitions, and adds what the books cannot know: deadlines, decisions, ends.
 *
 * Invariants: the entry leaves in the row that consumes the portfolio's CONFIRMED, and in no other; a fill and
 * its stop stand in one row; no stop is taken away while an order may still open something; nothing ends while an order
 * of this life may still act.
 */

import { initialContext } from './context.ts';
import { forcedRegion, symbolRegion } from './outside-regions.ts';
import type { ProtectionView } from './protection.ts';
import { positionSetup } from './setup.ts';
import type { Adding, Closing, Scaling } from './views.ts';

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
const SCALINGS: readonly Scaling[] = ['waiting', 'resting', 'working', 'unknown', 'refused', 'done'];
const ADDINGS: readonly Adding[] = ['waiting', 'asking', 'adding', 'unknown', 'spent'];
const CLOSINGS: readonly Closing[] = ['working', 'unknown', 'backingOff'];

const protectionPath = (view: ProtectionView): string =>
  `#protection.${EXPOSED.includes(view) ? 'exposed' : 'covered'}.${view}`;
const toProtection = (own: ProtectionView) =>
  others('protectionIs' as const, PROTECTIONS, own, protectionPath);
const toScaling = (own: Scaling) => others('scalingIs' as const, SCALINGS, own);
const toAdding = (own: Adding) => others('addingIs' as const, ADDINGS, own);
const toClosing = (own: Closing) => others('closingIs' as const, CLOSINGS, own);

const NO_ACTION = {};

/** What a position that is on its way out has nothing to add to. */
const ALREADY_CLOSING = {
  EXIT_SIGNAL: NO_ACTION,
  EXIT_OPINION: NO_ACTION,
  OPERATOR_CLOSE: { actions: 'refuseOperator' },
  ABORT_ENTRY: NO_ACTION,
  TIME_STOP: NO_ACTION,
  PRICE: NO_ACTION,
  ADD: NO_ACTION,
} as const;

/** What the rules decide while the entry is on its way: off, or nothing but its record. */
const leaveFor = <const T extends string>(target: T) => [
  { guard: 'exitDue' as const, target, actions: 'decide' as const },
  { actions: 'decide' as const },
];

export const positionMachine = positionSetup.createMachine({
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
    INSTRUMENT: { actions: 'changeFilters' },
    GUARD_STOP: { actions: 'answerGuard' },
    CANCEL_AGAIN: NO_ACTION,
    PARTIAL_CLOSE: { actions: 'refuseOperator' },
    MOVE_STOP: { actions: 'refuseOperator' },
    EXIT_OPINION: { actions: 'hear' },
    BAR_CLOSED: NO_ACTION,
    REGIME: NO_ACTION,
    FUNDING_AHEAD: NO_ACTION,
    '*': { actions: 'unexpected' },
  },
  states: {
    preparing: {
      initial: 'settingLeverage',
      always: { guard: 'adopted', target: 'open', actions: 'takeOver' },
      on: {
        EXIT_SIGNAL: leaveFor('abandoned'),
        REGIME: leaveFor('abandoned'),
        ABORT_ENTRY: { target: 'abandoned', actions: 'wantClose' },
        OPERATOR_CLOSE: { target: 'abandoned', actions: 'operator' },
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
        EXIT_SIGNAL: leaveFor('.cancelling'),
        REGIME: leaveFor('.cancelling'),
        ABORT_ENTRY: '.cancelling',
        OPERATOR_CLOSE: { target: '.cancelling', actions: 'operator' },
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
        CANCEL_REJECTED: { actions: 'bookAndCancelLater' },
        CANCEL_AGAIN: { actions: 'protect' },
        INSTRUMENT: { actions: 'changeFiltersAndProtect' },
        GUARD_STOP: { actions: 'guardStop' },
        PRICE: { actions: 'watch' },
        EXIT_SIGNAL: { actions: 'decide' },
        EXIT_OPINION: { actions: 'decide' },
        BAR_CLOSED: { actions: 'followBar' },
        REGIME: { actions: 'decide' },
        FUNDING_AHEAD: { actions: 'decide' },
        OPERATOR_CLOSE: { actions: 'operator' },
        PARTIAL_CLOSE: { actions: 'operator' },
        MOVE_STOP: { actions: 'operator' },
        TIME_STOP: { actions: 'decide' },
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

        symbol: symbolRegion,
        forced: forcedRegion,

        trailing: {
          initial: 'unarmed',
          states: {
            unarmed: { always: { guard: 'armed', target: 'armed' } },
            // A person who loosens the stop takes it off the trail.
            armed: { always: { guard: 'unarmed', target: 'unarmed' } },
          },
        },

        scalingOut: {
          initial: 'waiting',
          states: {
            waiting: { always: toScaling('waiting') },
            // At the venue, where they work while nobody is here.
            resting: { always: toScaling('resting') },
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
        ...ALREADY_CLOSING,
        GUARD_STOP: { actions: 'guardStop' },
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
        ...ALREADY_CLOSING,
        KILL: NO_ACTION,
      },
      states: {
        working: {
          always: toClosing('working'),
          after: { closeDeadline: { target: 'working', reenter: true, actions: 'emergencyCloseAll' } },
        },
        unknown: {
          always: toClosing('unknown'),
          // Entered anew, so that the next deadline runs when no further order may go out.
          after: { closeDeadline: { target: 'unknown', reenter: true, actions: 'emergencyCloseAll' } },
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
        ...ALREADY_CLOSING,
        KILL: NO_ACTION,
      },
      after: { cancelRetry: { target: 'settling', reenter: true, actions: 'tidyHard' } },
    },

    closed: { type: 'final', entry: 'finish' },
    abandoned: { type: 'final', entry: 'finish' },
    failed: { type: 'final', entry: 'fail' },
  },
});
