/**
 * The desk of one symbol: turns signals into at most one position at a time.
 *
 * Invariants: a position starts only in the row that consumes risk's approval, or a person's word to adopt what
 * the venue holds already; life numbers only rise; a signal against an open position is an exit, never a netting
 * surprise; a blocked desk enters nothing, and a block ends neither early nor with the cool-down.
 */
import { setup } from 'xstate';
import { ceilTo, type Decimal, floorTo, fromNumber, gt, max, roundTo, ZERO } from '../src/core/decimal.ts';
import type { ActorId } from '../src/core/ids.ts';
import type { Json } from '../src/core/json.ts';
import type { Emitted } from '../src/domain/events.ts';
import { PORTFOLIO, VENUE } from '../src/domain/events.ts';
import type { Instrument, SymbolName } from '../src/domain/instrument.ts';
import type { Direction } from '../src/domain/order.ts';
import type { Entry, Refusal } from '../src/domain/risk.ts';
import type { Signal } from '../src/domain/signal.ts';
import { carry, type MachineDefinition } from './definition.ts';
import {
  type Adopt,
  type Approval,
  entryDeskOf,
  type InstrumentChanged,
  type PositionClosed,
  positionOf,
  type RefusedEntry,
  type Timed,
  type Trade,
} from './messages.ts';
import { filtersDiffer } from './position/context.ts';
import type { PositionPlan } from './position/plan.ts';
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

type EnterSignal = Extract<Signal, { kind: 'enter' }>;

export interface EntryInput {
  readonly symbol: SymbolName;
  readonly instrument: Instrument;
  readonly plan: PositionPlan;
  readonly at: number;
  readonly coolDownMs?: number;
  readonly assessTimeoutMs?: number;
}

export interface EntryContext {
  readonly symbol: SymbolName;
  readonly instrument: Instrument;
  readonly plan: PositionPlan;
  readonly coolDownMs: number;
  readonly assessTimeoutMs: number;
  readonly at: number;
  /** The newest position's life number; 0 before the first. */
  readonly life: number;
  readonly position: ActorId | null;
  readonly direction: Direction | null;
  /** Until when it rests after its last position; null: it does not. */
  readonly coolUntil: number | null;
  /** Why no entry may start, by who says so. */
  readonly blocks: { readonly [source: string]: string };
  readonly lastRefusal: { readonly at: number; readonly refusals: readonly Refusal[] } | null;
  readonly lastTrade: Trade | null;
  readonly counts: Readonly<Record<Counter, number>>;
  readonly refusedRules: { readonly [rule: string]: number };
  /** Signals not acted on, with the state's reason. */
  readonly passedOver: readonly { readonly at: number; readonly why: string }[];
  readonly unexpected: Unexpected;
}

export type EntryEvent =
  | ({ readonly type: 'SIGNAL'; readonly signal: Signal } & Timed)
  | Approval
  | RefusedEntry
  | ({ readonly type: 'POSITION_OPENED'; readonly actor: ActorId } & Timed)
  | PositionClosed
  | ({ readonly type: 'ADD_WANTED'; readonly actor: ActorId; readonly entry: Entry } & Timed)
  | ({ readonly type: 'BLOCK'; readonly source: string; readonly reason: string } & Timed)
  | ({ readonly type: 'UNBLOCK'; readonly source: string } & Timed)
  | ({ readonly type: 'ABORT_ENTRY'; readonly reason: string } & Timed)
  | InstrumentChanged
  | Adopt;

const PASSED_OVER_KEPT = 8;

type Counter = 'signals' | 'assessed' | 'approved' | 'refused' | 'blocked' | 'ignored' | 'closed';

function count(context: EntryContext, ...names: readonly Counter[]): EntryContext {
  const counts = { ...context.counts };
  for (const name of names) counts[name] += 1;
  return { ...context, counts };
}

/** A signal's floats become exact prices: the stop is rounded towards the entry, never risking more than asked. */
export function entryOf(signal: EnterSignal, tick: Decimal): Entry {
  const stop = fromNumber(signal.stopPrice);
  return {
    symbol: signal.symbol,
    direction: signal.direction,
    referencePrice: roundTo(fromNumber(signal.price), tick),
    stopPrice: signal.direction === 'long' ? ceilTo(stop, tick) : floorTo(stop, tick),
    trailDistance: max(tick, roundTo(fromNumber(signal.trailDistance), tick)),
    atrPercent: signal.atrPercent,
    reason: signal.reason,
  };
}

function ask(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'SIGNAL' || event.signal.kind !== 'enter') return step(context);
  const entry = entryOf(event.signal, context.instrument.tickSize);
  const { instrument, symbol } = context;
  return step(
    { ...count(context, 'signals', 'assessed'), direction: entry.direction },
    send(PORTFOLIO, { type: 'ASSESS', entry, instrument, from: entryDeskOf(symbol) }),
  );
}

/** An open position's wish to grow, with what only the desk knows: the instrument. */
function askForAdd(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'ADD_WANTED') return step(context);
  const refuse = (rule: string, detail: string): Step<EntryContext> =>
    step(context, send(event.actor, { type: 'REFUSED', refusals: [{ rule, detail }] }));
  if (event.actor !== context.position) return refuse('position', 'not this desk’s open position');
  const [blocked] = Object.values(context.blocks);
  if (blocked !== undefined) return refuse('blocked', blocked);
  return step(
    count(context, 'assessed'),
    send(PORTFOLIO, {
      type: 'ASSESS',
      entry: event.entry,
      instrument: context.instrument,
      from: event.actor,
    }),
  );
}

function start(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'APPROVED') return step(context);
  const life = context.life + 1;
  const actor = positionOf(context.symbol, life);
  const { symbol, instrument, plan } = context;
  const input = { actor, symbol, instrument, entry: event.entry, plan, at: context.at };
  return step(
    {
      ...count(context, 'approved'),
      life,
      position: actor,
      direction: event.entry.direction,
    },
    { type: 'actor.start', actor, machine: 'position', input: input as unknown as Json },
  );
}

/** What the venue holds gets an actor like any other; the executor hears whose it is before that one speaks. */
function adopt(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'ADOPT') return step(context);
  const life = context.life + 1;
  const actor = positionOf(context.symbol, life);
  const { symbol, instrument, plan } = context;
  const { direction, quantity, entryPrice, markPrice, by } = event;
  const adopted = { direction, quantity, entryPrice, markPrice: markPrice ?? entryPrice, by };
  const input = { actor, symbol, instrument, adopted, plan, at: context.at };
  return step(
    { ...context, life, position: actor, direction },
    send(VENUE, { type: 'HOLD', owner: actor, symbol, direction, quantity, entryPrice }),
    { type: 'actor.start', actor, machine: 'position', input: input as unknown as Json },
  );
}

const refuseAdoption = (context: EntryContext, event: EntryEvent): Step<EntryContext> =>
  event.type !== 'ADOPT'
    ? step(context)
    : step(
        context,
        notify(
          'warning',
          `${entryDeskOf(context.symbol)}: ${event.direction} ${event.quantity} ${event.symbol} not adopted: ` +
            (context.position === null
              ? 'that is not a position of this symbol'
              : `${context.position} is there`),
        ),
      );

/** The venue's own word that the symbol does not trade blocks like any other source. */
const INSTRUMENT = 'instrument';

function tradingBlock(instrument: Instrument): EntryContext['blocks'] {
  return instrument.status === 'TRADING' ? {} : { [INSTRUMENT]: `the venue says ${instrument.status}` };
}

function changeInstrument(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'INSTRUMENT') return step(context);
  const { instrument } = event;
  if (instrument.symbol !== context.symbol)
    return step(
      context,
      notify('warning', `${entryDeskOf(context.symbol)}: an instrument of ${instrument.symbol}; ignored`),
    );
  const { [INSTRUMENT]: _, ...blocks } = context.blocks;
  const next = { ...context, instrument, blocks: { ...blocks, ...tradingBlock(instrument) } };
  const forward = context.position !== null && filtersDiffer(context.instrument, instrument);
  return forward ? step(next, send(context.position, { type: 'INSTRUMENT', instrument })) : step(next);
}

function refused(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'REFUSED') return step(context);
  const refusedRules = { ...context.refusedRules };
  for (const { rule } of event.refusals) refusedRules[rule] = (refusedRules[rule] ?? 0) + 1;
  return step({
    ...count(context, 'refused'),
    direction: null,
    refusedRules,
    lastRefusal: { at: context.at, refusals: event.refusals },
  });
}

function passOver(context: EntryContext, why: string, counter: Counter): Step<EntryContext> {
  return step({
    ...count(context, 'signals', counter),
    passedOver: bounded(context.passedOver, { at: context.at, why }, PASSED_OVER_KEPT),
  });
}

/** While a position is there: its exit signal, or one for the other side, closes it. */
function exitOrPass(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'SIGNAL') return step(context);
  const { signal } = event;
  const isExit = signal.kind === 'exit' && signal.direction === context.direction;
  const isOpposite = signal.kind === 'enter' && signal.direction !== context.direction;
  if (context.position === null || !(isExit || isOpposite))
    return passOver(context, `${signal.kind} ${signal.direction} while holding`, 'ignored');
  const reason = isExit ? `signal: ${signal.reason}` : 'opposite-signal';
  return step(count(context, 'signals'), send(context.position, { type: 'EXIT_SIGNAL', reason }));
}

function closed(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'POSITION_CLOSED') return step(context);
  return step({
    ...count(context, 'closed'),
    position: null,
    direction: null,
    coolUntil: context.at + context.coolDownMs,
    lastTrade: event.trade ?? context.lastTrade,
  });
}

function block(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type === 'BLOCK')
    return step({ ...context, blocks: { ...context.blocks, [event.source]: event.reason } });
  if (event.type !== 'UNBLOCK') return step(context);
  const { [event.source]: _, ...blocks } = context.blocks;
  return step({ ...context, blocks });
}

const releaseApproval = (context: EntryContext, event: EntryEvent): Step<EntryContext> =>
  event.type === 'APPROVED'
    ? step(
        // The direction of an open position is not this approval's.
        context.position === null ? { ...context, direction: null } : context,
        send(PORTFOLIO, { type: 'RELEASE', reservation: event.reservation }),
      )
    : step(context);

const base = setup({
  types: {} as { context: EntryContext; events: EntryEvent; input: EntryInput; emitted: Emitted },
});

const act = (behave: (context: EntryContext, event: EntryEvent) => Step<EntryContext>) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const next = behave({ ...context, at: timeOf(context, event) }, event);
    enqueue.assign(() => next.context);
    for (const intent of next.intents) enqueue.emit(intent);
  });

const isBlocked = (context: EntryContext): boolean => Object.keys(context.blocks).length > 0;

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
      closed: act(closed),
      block: act(block),
      releaseApproval: act(releaseApproval),
      adopt: act(adopt),
      refuseAdoption: act(refuseAdoption),
      changeInstrument: act(changeInstrument),
      passBlocked: act((context) =>
        passOver(context, `blocked by ${Object.keys(context.blocks).join(', ')}`, 'blocked'),
      ),
      passBusy: act((context) => passOver(context, 'another entry is being assessed', 'ignored')),
      passCooling: act((context) => passOver(context, 'cooling down', 'ignored')),
      passExit: act((context) => passOver(context, 'exit signal with nothing open', 'ignored')),
      forwardAbort: act((context, event) =>
        context.position !== null && event.type === 'ABORT_ENTRY'
          ? step(context, send(context.position, { type: 'ABORT_ENTRY', reason: event.reason }))
          : step(context),
      ),
      timedOut: act((context) =>
        step(
          { ...context, direction: null },
          notify('warning', `${entryDeskOf(context.symbol)}: the portfolio did not answer in time`),
        ),
      ),
      unexpected: act((context, event) => unexpected(entryDeskOf(context.symbol), context, event)),
    },
    guards: {
      isEnter: ({ event }) => event.type === 'SIGNAL' && event.signal.kind === 'enter',
      blocked: ({ context }) => isBlocked(context),
      free: ({ context }) => !isBlocked(context),
      cooling: ({ context }) =>
        !isBlocked(context) && context.coolUntil !== null && context.at < context.coolUntil,
      adoptable: ({ context, event }) =>
        event.type === 'ADOPT' &&
        event.symbol === context.symbol &&
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
    context: ({ input }) => ({
      symbol: input.symbol,
      instrument: input.instrument,
      plan: input.plan,
      coolDownMs: input.coolDownMs ?? 900_000,
      assessTimeoutMs: input.assessTimeoutMs ?? 10_000,
      at: input.at,
      life: 0,
      position: null,
      direction: null,
      coolUntil: null,
      blocks: tradingBlock(input.instrument),
      lastRefusal: null,
      lastTrade: null,
      counts: { signals: 0, assessed: 0, approved: 0, refused: 0, blocked: 0, ignored: 0, closed: 0 },
      refusedRules: {},
      passedOver: [],
      unexpected: NOTHING_UNEXPECTED,
    }),
    initial: 'idle',
    on: {
      BLOCK: { actions: 'block' },
      UNBLOCK: { actions: 'block' },
      ADD_WANTED: { actions: 'askForAdd' },
      // An approval that nobody waits for any more gives its reservation back.
      APPROVED: { actions: 'releaseApproval' },
      ABORT_ENTRY: { actions: 'forwardAbort' },
      INSTRUMENT: { actions: 'changeInstrument' },
      ADOPT: { actions: 'refuseAdoption' },
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

export const createEntryMachine = (): MachineDefinition => ({
  type: 'entry',
  version: 2,
  machine,
  // Version 1 kept no moment: a cool-down under way runs by the timer it has.
  migrations: { 1: carry(() => ({ coolUntil: null })) },
});
