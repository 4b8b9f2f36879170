/**
 * A circuit breaker: closed, open (reducing or halted), half-open. The rule of its kind says what trips it;
 * this machine says what then happens.
 *
 * Invariants: every change is told to the portfolio and to the venue's actor in the row that makes it; an open breaker
 * closes by its own rule, by a successful trial after its pause, or by a person, who is named in the audit; one that a
 * person has opened closes by a person alone.
 */
import { setup } from 'xstate';
import type { Emitted } from '../src/domain/events.ts';
import { PORTFOLIO, VENUE } from '../src/domain/events.ts';
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
import { BREAKER_MIGRATIONS } from './breakers/migrations.ts';
import { type Configured, reconfigured } from './configured.ts';
import type { MachineDefinition } from './definition.ts';
import {
  type BreakerChanged,
  type BreakerClosing,
  type BreakerEffect,
  type BreakerScope,
  breakerOf,
  type Timed,
} from './messages.ts';
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
  /** Its id after "breaker/", where that is not its kind. */
  readonly name?: string;
  /** Which entries it is about. */
  readonly scope?: BreakerScope;
  readonly at: number;
  readonly settings?: Partial<BreakerSettings>;
}

export interface BreakerContext {
  readonly kind: BreakerKind;
  readonly name: string;
  /** Of all it ever watches, and of what it has opened for; null: everything. */
  readonly scope: BreakerScope | null;
  readonly openScope: BreakerScope | null;
  readonly settings: BreakerSettings;
  readonly at: number;
  readonly counters: Counters;
  readonly verdict: Verdict;
  readonly level: BreakerLevel | null;
  /** What it wanted of open positions when it opened. */
  readonly closing: BreakerClosing;
  readonly cause: string | null;
  readonly openedAt: number | null;
  /** Until when it stays open at least, where the pause is not the rule's own. */
  readonly openUntil: number | null;
  /** Who opened it by hand, and has not taken that back: neither rule nor pause closes it. */
  readonly heldBy: string | null;
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
type Event = BreakerEvent | ({ readonly type: 'COOLED_DOWN' } & Timed) | Configured<BreakerSettings>;

const COOL_DOWN = 'cool-down';

const AUDIT_KEPT = 20;

const levelWords = { halted: 'critical', reducing: 'warning', 'half-open': 'info', closed: 'info' } as const;

function tell(context: BreakerContext, state: BreakerEffect): readonly Emitted[] {
  const { name, openScope: scope, closing } = context;
  const cause = context.cause ?? '';
  const changed: Omit<BreakerChanged, 'at'> = {
    type: 'BREAKER_CHANGED',
    breaker: name,
    state,
    cause,
    ...(scope === null ? {} : { scope }),
    ...(closing === 'none' ? {} : { closing }),
  };
  return [
    // The venue's door first: an entry that is on its way must find it closed.
    send(VENUE, changed),
    send(PORTFOLIO, changed),
    notify(levelWords[state], `breaker ${name}: ${state}${cause === '' ? '' : `, ${cause}`}`),
  ];
}

const ruleFor = (context: BreakerContext) =>
  ruleOf(context.kind, context.settings, context.scope ?? undefined);

function observe(context: BreakerContext, event: Event, trial: boolean): Step<BreakerContext> {
  if (event.type === 'COOLED_DOWN' || event.type === 'CONFIG') return step(context);
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
    openScope: scopeOf(context, verdict),
    closing: closingOf(context, verdict),
    openedAt: context.at,
    openUntil: verdict.until === undefined ? null : Math.max(verdict.until, context.openUntil ?? 0),
    trips: context.trips + 1,
  };
  return step(next, ...tell(next, verdict.trip), ...pause(next));
}

type Trip = Extract<Verdict, { trip: BreakerLevel }>;

const scopeOf = ({ scope }: BreakerContext, { symbols }: Trip): BreakerScope | null =>
  symbols === undefined ? scope : { ...scope, symbols };

function closingOf({ kind, settings, closing }: BreakerContext, verdict: Trip): BreakerClosing {
  if (verdict.trip !== 'halted') return 'none';
  if (closing === 'all' || settings.flatten.includes(kind)) return 'all';
  return verdict.closing ?? 'none';
}

/** More of what is open must be closed than it said when it opened. */
const closesMore = ({ verdict, closing }: BreakerContext): boolean =>
  trips(verdict) && verdict.closing !== undefined && verdict.closing !== 'none' && closing !== 'all';

/** Other symbols than it said when it opened; one that is open for everything is never narrowed. */
const movedOn = (context: BreakerContext): boolean =>
  trips(context.verdict) &&
  context.openScope?.symbols !== undefined &&
  JSON.stringify(scopeOf(context, context.verdict)) !== JSON.stringify(context.openScope);

function rescope(context: BreakerContext): Step<BreakerContext> {
  const { verdict } = context;
  if (!trips(verdict)) return step(context);
  const next = { ...context, verdict: null, cause: verdict.cause, openScope: scopeOf(context, verdict) };
  return step(next, ...tell(next, verdict.trip));
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
  const next: BreakerContext = {
    ...context,
    verdict: null,
    level: null,
    closing: 'none',
    cause: null,
    openScope: context.scope,
    openedAt: null,
    openUntil: null,
    heldBy: null,
  };
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
    : step({
        ...context,
        audit,
        heldBy: by,
        verdict: { trip: 'halted', cause: `${by}: ${reason}`, byHand: true, ...closingWord(event) },
      });
}

const closingWord = (event: Event): { readonly closing?: BreakerClosing } =>
  event.type === 'OPERATOR_TRIP' && event.closing !== undefined ? { closing: event.closing } : {};

const trips = (verdict: Verdict): verdict is Trip => verdict !== null && typeof verdict === 'object';

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
  'MOVED',
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
  'SHOCK',
  'CALM',
  'FUNDING',
  'VOLATILITY',
  'MARGIN',
  'EMERGENCY',
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
      configure: act((context, event) => reconfigured(context, 'settings', event)),
      open: act(open),
      close: act(close),
      prolong: act(prolong),
      rescope: act(rescope),
      halfOpen: act((context) => step({ ...context, verdict: null }, ...tell(context, 'half-open'))),
      unexpected: act((context, event) => unexpected(breakerOf(context.name), context, event)),
    },
    guards: {
      tripped: ({ context }) => trips(context.verdict),
      tripsHalted: ({ context }) => trips(context.verdict) && context.verdict.trip === 'halted',
      tripsReducing: ({ context }) => trips(context.verdict) && context.verdict.trip === 'reducing',
      lasts: ({ context }) => lasts(context),
      closesMore: ({ context }) => closesMore(context),
      movedOn: ({ context }) => movedOn(context),
      byHand: ({ context }) => trips(context.verdict) && context.verdict.byHand === true,
      isHeld: ({ context }) => context.heldBy !== null,
      easing: ({ context }) => context.verdict === 'easing' && context.heldBy === null,
      over: ({ context }) => context.verdict === 'over' && context.heldBy === null,
      fine: ({ context }) => context.verdict === 'fine' || context.verdict === 'over',
    },
  })
  .createMachine({
    id: 'breaker',
    context: ({ input }) => ({
      kind: input.kind,
      name: input.name ?? input.kind,
      scope: input.scope ?? null,
      openScope: input.scope ?? null,
      settings: { ...DEFAULT_BREAKER_SETTINGS, ...input.settings },
      at: input.at,
      counters: NO_COUNTS,
      verdict: null,
      level: null,
      closing: 'none',
      cause: null,
      openedAt: null,
      openUntil: null,
      heldBy: null,
      trips: 0,
      audit: [],
      unexpected: NOTHING_UNEXPECTED,
    }),
    initial: 'closed',
    on: {
      ...onMeasures({ actions: 'observe' as const }),
      OPERATOR_TRIP: { actions: 'byOperator' },
      CONFIG: { actions: 'configure' },
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
          COOLED_DOWN: [{ guard: 'isHeld' }, { target: 'halfOpen', actions: 'halfOpen' }],
        },
        states: {
          // Only a worse verdict changes an open breaker, other symbols, or a longer pause that the venue itself
          // asks for; else the pause runs from the first.
          reducing: {
            always: [
              { guard: 'tripsHalted', target: 'halted', actions: 'open' },
              { guard: 'lasts', actions: 'prolong' },
              { guard: 'movedOn', actions: 'rescope' },
            ],
          },
          halted: {
            always: [
              { guard: 'byHand', actions: 'open' },
              { guard: 'closesMore', actions: 'open' },
              { guard: 'lasts', actions: 'prolong' },
            ],
          },
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
  version: 5,
  machine,
  migrations: BREAKER_MIGRATIONS,
});
