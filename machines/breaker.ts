/**
 * A circuit breaker: closed, open (reducing or halted), half-open. The rule of its kind says what trips it;
 * this machine says what then happens.
 *
 * Invariants: every change is told to the portfolio in the row that makes it; an open breaker closes by its
 * own rule, by a successful trial after its pause, or by a person, who is named in the audit.
 */
import { setup } from 'xstate';
import type { Emitted } from '../src/domain/events.ts';
import { PORTFOLIO } from '../src/domain/events.ts';
import {
  type BreakerEvent,
  type BreakerKind,
  type BreakerLevel,
  type BreakerSettings,
  type Counters,
  DEFAULT_BREAKER_SETTINGS,
  NO_COUNTS,
  ruleOf,
  type Verdict,
} from './breaker-rules.ts';
import { carry, type MachineDefinition } from './definition.ts';
import { breakerOf, type Timed } from './messages.ts';
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

export interface BreakerInput {
  readonly kind: BreakerKind;
  readonly at: number;
  readonly settings?: Partial<BreakerSettings>;
}

export interface BreakerContext {
  readonly kind: BreakerKind;
  readonly settings: BreakerSettings;
  readonly at: number;
  readonly counters: Counters;
  readonly verdict: Verdict;
  readonly level: BreakerLevel | null;
  readonly cause: string | null;
  readonly openedAt: number | null;
  /** Until when it stays open at least, where the pause is not the rule's own. */
  readonly openUntil: number | null;
  readonly trips: number;
  readonly audit: readonly {
    readonly at: number;
    readonly by: string;
    readonly what: 'trip' | 'reset';
    readonly reason: string;
  }[];
  readonly unexpected: Unexpected;
}

/** The pause of an open breaker is over. */
type Event = BreakerEvent | ({ readonly type: 'COOLED_DOWN' } & Timed);

const COOL_DOWN = 'cool-down';

const AUDIT_KEPT = 20;

function tell(context: BreakerContext, state: 'closed' | 'half-open' | BreakerLevel): readonly Emitted[] {
  const cause = context.cause ?? '';
  return [
    send(PORTFOLIO, { type: 'BREAKER_CHANGED', breaker: context.kind, state, cause }),
    notify(
      state === 'halted' ? 'critical' : state === 'reducing' ? 'warning' : 'info',
      `breaker ${context.kind}: ${state}${cause === '' ? '' : `, ${cause}`}`,
    ),
  ];
}

const ruleFor = (context: BreakerContext) => ruleOf(context.kind, context.settings);

function observe(context: BreakerContext, event: Event, trial: boolean): Step<BreakerContext> {
  if (event.type === 'COOLED_DOWN') return step(context);
  const { counters, verdict } = ruleFor(context).observe(context.counters, event, trial);
  return step({ ...context, counters, verdict });
}

function open(context: BreakerContext): Step<BreakerContext> {
  const { verdict } = context;
  if (verdict === null || typeof verdict === 'string') return step(context);
  const next = {
    ...context,
    verdict: null,
    level: verdict.trip,
    cause: verdict.cause,
    openedAt: context.at,
    openUntil: verdict.until === undefined ? null : Math.max(verdict.until, context.openUntil ?? 0),
    trips: context.trips + 1,
  };
  return step(next, ...tell(next, verdict.trip), ...pause(next));
}

/** The end of the pause: the venue's word where there is one, else the rule's. */
function pause(context: BreakerContext): readonly Emitted[] {
  const { coolDownMs } = ruleFor(context);
  const delayMs = context.openUntil === null ? coolDownMs : Math.max(0, context.openUntil - context.at);
  return delayMs === null
    ? []
    : [{ type: 'timer.set', id: COOL_DOWN, kind: 'named', delayMs, event: { type: 'COOLED_DOWN' } }];
}

/** The venue asks for more time than it did. */
const lasts = ({ verdict, openUntil }: BreakerContext): boolean =>
  trips(verdict) && verdict.until !== undefined && (openUntil === null || verdict.until > openUntil);

function prolong(context: BreakerContext): Step<BreakerContext> {
  const { verdict } = context;
  if (!trips(verdict) || verdict.until === undefined) return step(context);
  const next = { ...context, verdict: null, cause: verdict.cause, openUntil: verdict.until };
  return step(next, ...pause(next));
}

function close(context: BreakerContext): Step<BreakerContext> {
  const next = { ...context, verdict: null, level: null, cause: null, openedAt: null, openUntil: null };
  const paused = ruleFor(context).coolDownMs !== null;
  const stop: readonly Emitted[] = paused ? [{ type: 'timer.clear', id: COOL_DOWN }] : [];
  return step(next, ...tell(next, 'closed'), ...stop);
}

function byOperator(context: BreakerContext, event: Event): Step<BreakerContext> {
  if (event.type !== 'OPERATOR_RESET' && event.type !== 'OPERATOR_TRIP') return step(context);
  const { by, reason } = event;
  const what = event.type === 'OPERATOR_RESET' ? 'reset' : 'trip';
  const audit = bounded(context.audit, { at: context.at, by, what, reason } as const, AUDIT_KEPT);
  return what === 'reset'
    ? step({ ...context, audit, counters: ruleFor(context).reset(context.counters), verdict: null })
    : step({ ...context, audit, verdict: { trip: 'halted', cause: `${by}: ${reason}` } });
}

const trips = (verdict: Verdict): verdict is Extract<Verdict, { trip: BreakerLevel }> =>
  verdict !== null && typeof verdict === 'object';

const base = setup({
  types: {} as {
    context: BreakerContext;
    events: Event;
    input: BreakerInput;
    emitted: Emitted;
  },
});

const act = (behave: (context: BreakerContext, event: Event) => Step<BreakerContext>) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const next = behave({ ...context, at: timeOf(context, event) }, event);
    enqueue.assign(() => next.context);
    for (const intent of next.intents) enqueue.emit(intent);
  });

const MEASURES = [
  'EQUITY',
  'TRADE_CLOSED',
  'FAULT',
  'OK',
  'STALE',
  'LIVE',
  'THROTTLED',
  'FINDINGS',
  'CLEAN',
  'SKEW',
  'LATENCY',
] as const;

function onMeasures<T>(transition: T): Record<(typeof MEASURES)[number], T> {
  return Object.fromEntries(MEASURES.map((type) => [type, transition])) as Record<
    (typeof MEASURES)[number],
    T
  >;
}

const machine = base
  .extend({
    actions: {
      observe: act((context, event) => observe(context, event, false)),
      observeTrial: act((context, event) => observe(context, event, true)),
      byOperator: act(byOperator),
      open: act(open),
      close: act(close),
      prolong: act(prolong),
      halfOpen: act((context) => step({ ...context, verdict: null }, ...tell(context, 'half-open'))),
      unexpected: act((context, event) => unexpected(breakerOf(context.kind), context, event)),
    },
    guards: {
      tripped: ({ context }) => trips(context.verdict),
      tripsHalted: ({ context }) => trips(context.verdict) && context.verdict.trip === 'halted',
      tripsReducing: ({ context }) => trips(context.verdict) && context.verdict.trip === 'reducing',
      lasts: ({ context }) => lasts(context),
      easing: ({ context }) => context.verdict === 'easing',
      over: ({ context }) => context.verdict === 'over',
      fine: ({ context }) => context.verdict === 'fine' || context.verdict === 'over',
    },
  })
  .createMachine({
    id: 'breaker',
    context: ({ input }) => ({
      kind: input.kind,
      settings: { ...DEFAULT_BREAKER_SETTINGS, ...input.settings },
      at: input.at,
      counters: NO_COUNTS,
      verdict: null,
      level: null,
      cause: null,
      openedAt: null,
      openUntil: null,
      trips: 0,
      audit: [],
      unexpected: NOTHING_UNEXPECTED,
    }),
    initial: 'closed',
    on: {
      ...onMeasures({ actions: 'observe' as const }),
      OPERATOR_TRIP: { actions: 'byOperator' },
      '*': { actions: 'unexpected' },
    },
    states: {
      closed: {
        always: [
          { guard: 'tripsHalted', target: 'open.halted', actions: 'open' },
          { guard: 'tripsReducing', target: 'open.reducing', actions: 'open' },
        ],
        on: { OPERATOR_RESET: { actions: 'byOperator' }, COOLED_DOWN: {} },
      },
      open: {
        initial: 'reducing',
        always: [
          { guard: 'over', target: 'closed', actions: 'close' },
          { guard: 'easing', target: 'halfOpen', actions: 'halfOpen' },
        ],
        on: {
          OPERATOR_RESET: { target: 'closed', actions: ['byOperator', 'close'] },
          COOLED_DOWN: { target: 'halfOpen', actions: 'halfOpen' },
        },
        states: {
          // Only a worse verdict changes an open breaker, or a longer pause that the venue itself asks for; else
          // the pause runs from the first.
          reducing: {
            always: [
              { guard: 'tripsHalted', target: 'halted', actions: 'open' },
              { guard: 'lasts', actions: 'prolong' },
            ],
          },
          halted: { always: { guard: 'lasts', actions: 'prolong' } },
        },
      },
      halfOpen: {
        always: [
          { guard: 'tripsHalted', target: 'open.halted', actions: 'open' },
          { guard: 'tripsReducing', target: 'open.reducing', actions: 'open' },
          { guard: 'fine', target: 'closed', actions: 'close' },
        ],
        on: {
          ...onMeasures({ actions: 'observeTrial' as const }),
          OPERATOR_RESET: { target: 'closed', actions: ['byOperator', 'close'] },
          COOLED_DOWN: {},
        },
      },
    },
  });

export const createBreakerMachine = (): MachineDefinition => ({
  type: 'breaker',
  version: 2,
  machine,
  // Version 1 knew fewer measures, and no pause but its rule's.
  migrations: {
    1: carry((context) => ({
      openUntil: null,
      settings: { ...DEFAULT_BREAKER_SETTINGS, ...(context.settings as Partial<BreakerSettings>) },
    })),
  },
});
