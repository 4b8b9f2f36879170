/**
 * The account, and the one place where risk is decided: assessments are serialised here.
 *
 * Why no entry can follow a breaker: CONFIRMED is given only while the trading state is active, and what was
 * confirmed just before is refused at the venue's door, which hears of the breaker from the breaker's own row
 * (src/execution/entry-gate.ts). What is approved but not confirmed is denied; what is already sent and not filled
 * is aborted; what a halt wants closed is closed.
 *
 * Invariants: an approval reserves its notional until the position reports its own exposure; equity is wallet
 * plus unrealised P&L on mark; money that was moved in or out moves peak and day start along.
 */
import { setup } from 'xstate';
import {
  add,
  type Decimal,
  div,
  eq,
  fromNumber,
  lt,
  max,
  mul,
  neg,
  sub,
  sum,
  toNumber,
  ZERO,
} from '../src/core/decimal.ts';
import { actorType } from '../src/core/ids.ts';
import type { Json } from '../src/core/json.ts';
import type { Emitted } from '../src/domain/events.ts';
import { PORTFOLIO } from '../src/domain/events.ts';
import { keyOfActor, moded, type PositionKey, positionSideOf } from '../src/domain/position-key.ts';
import { type AssessEntry, NOTHING_LEARNED, type RiskDecision, type RiskJudge } from '../src/domain/risk.ts';
import { TRADE_BREAKERS } from './breaker-rules.ts';
import { reconfigured } from './configured.ts';
import { carry, type MachineDefinition } from './definition.ts';
import { deskOf, type TradingState } from './messages.ts';
import {
  countUp,
  dayOf,
  type HeldExposure,
  initialPortfolio,
  type PortfolioContext,
  type PortfolioEvent,
  type PortfolioInput,
  portfolioView,
  type Reservation,
  scopedRefusal,
  tradingRefusal,
  tradingState,
  UNLIMITED,
  weekOf,
  withoutReservations,
} from './portfolio-account.ts';
import { abort, abortEntries, barring, changeBreaker, isOpening, killLate } from './portfolio-breakers.ts';
import {
  learnSwings,
  moveBases,
  tellEquity,
  tellFunding,
  tellShock,
  tellTrade,
  tellVolatility,
} from './portfolio-measures.ts';
import { beginTrials, trialRefusal } from './portfolio-trial.ts';
import { changeWallet } from './portfolio-wallet.ts';
import { bounded, notify, type Step, send, step, timeOf, unexpected } from './step.ts';

export {
  type PortfolioContext,
  type PortfolioEvent,
  type PortfolioInput,
  tradingState,
} from './portfolio-account.ts';

const REFUSALS_KEPT = 20;
/** A position's word follows its profit in milliseconds; where the profit came after the word, none follows at all. */
const UNBOOKED_MS = 10_000;
const TRADES_KEPT = 8;

/** Who names a side asks for that side alone. */
const modeAt = (place: PositionKey) => (positionSideOf(place) === 'BOTH' ? 'one-way' : 'hedge');

function assessWith(assess: AssessEntry, context: PortfolioContext, event: PortfolioEvent): Next {
  if (event.type !== 'ASSESS') return step(context);
  const { entry, instrument, from } = event;
  if (actorType(from) !== 'entry' && !(from in context.exposures)) {
    // Its position ended while it asked: nobody would give the reservation back.
    const refusals = [{ rule: 'position', detail: 'the position is over' }];
    return step(context, send(from, { type: 'REFUSED', refusals }));
  }
  const stopped = tradingRefusal(context);
  const desk = actorType(from) === 'entry' ? from : deskOf(from);
  const candidate = { symbol: entry.symbol, direction: entry.direction, byHand: entry.byHand === true, desk };
  const barred = stopped ?? scopedRefusal(context, entry) ?? trialRefusal(context, candidate);
  const decision: RiskDecision =
    barred === undefined
      ? assess(
          entry,
          instrument,
          { ...portfolioView(context, event.conditions), ...moded(modeAt(keyOfActor(from))) },
          context.limits,
        )
      : { approved: false, refusals: [{ rule: stopped ? 'trading-state' : 'breaker', detail: barred }] };
  if (!decision.approved) {
    const { refusals } = decision;
    const refusedRules = { ...context.refusedRules };
    for (const { rule } of refusals) refusedRules[rule] = (refusedRules[rule] ?? 0) + 1;
    return step(
      {
        ...countUp(context, 'refused'),
        refusedRules,
        refusals: bounded(
          context.refusals,
          { at: context.at, symbol: entry.symbol, refusals },
          REFUSALS_KEPT,
        ),
      },
      send(from, { type: 'REFUSED', refusals }),
    );
  }
  const id = `r${context.nextReservation}`;
  const { symbol, direction, quantity, referencePrice } = decision.entry;
  const notional = mul(quantity, referencePrice);
  const reservation: Reservation = { symbol, direction, notional, actor: from, at: context.at };
  return step(
    {
      ...beginTrials(countUp(context, 'approved'), candidate),
      nextReservation: context.nextReservation + 1,
      reservations: { ...context.reservations, [id]: reservation },
    },
    send(from, { type: 'APPROVED', entry: decision.entry, reservation: id, notes: [...decision.notes] }),
  );
}

type Next = Step<PortfolioContext>;

/** The last look before an entry is sent; a denied one gives its reservation back. */
function confirm(context: PortfolioContext, event: PortfolioEvent): Next {
  if (event.type !== 'CONFIRM') return step(context);
  const { actor, symbol } = event;
  const desk = deskOf(actor);
  const reserved = Object.values(context.reservations).find((each) => each.actor === desk);
  const reason =
    tradingRefusal(context) ?? scopedRefusal(context, { symbol, direction: reserved?.direction });
  if (reason === undefined) return step(countUp(context, 'confirmed'), send(actor, { type: 'CONFIRMED' }));
  const denied = withoutReservations(countUp(context, 'denied'), desk);
  return step(denied, send(actor, { type: 'DENIED', reason }));
}

const without = <T>(record: { readonly [key: string]: T }, key: string): { readonly [key: string]: T } => {
  const { [key]: _, ...rest } = record;
  return rest;
};

function expose(context: PortfolioContext, event: PortfolioEvent): Next {
  if (event.type !== 'EXPOSURE') return step(context);
  const { actor, symbol, direction, notional, quantity, entryPrice, unknown, leaving } = event;
  const held = {
    ...{ symbol, direction, notional, quantity, entryPrice, unknown },
    ...(leaving === undefined ? {} : { leaving }),
  };
  // The position speaks for itself from now on: what was set aside for it is in its own numbers.
  const settled = withoutReservations(context, deskOf(actor));
  const exposures = eq(notional, ZERO)
    ? without(settled.exposures, actor)
    : { ...settled.exposures, [actor]: held };
  const next = { ...settled, exposures, unbooked: without(settled.unbooked, keyOfActor(actor)) };
  // Confirmed before a breaker opened, and heard of only now.
  const isLate = !(actor in context.exposures) && barring(context, held) !== undefined;
  const late = isLate && isOpening(held) && !eq(notional, ZERO) ? [abort(next, actor, held)] : [];
  return step(next, ...late, ...killLate(context, next, actor));
}

function unrealized(context: PortfolioContext, held: HeldExposure): Decimal {
  const mark = context.marks[held.symbol];
  if (mark === undefined) return ZERO;
  const move = sub(mark, held.entryPrice);
  return mul(held.direction === 'long' ? move : neg(move), held.quantity);
}

function revalue(context: PortfolioContext): PortfolioContext {
  const open = Object.values(context.exposures).map((held) => unrealized(context, held));
  const equity = add(context.wallet, sum(open));
  const day = dayOf(context.at);
  const week = weekOf(context.at);
  return {
    ...context,
    equity,
    peakEquity: max(context.peakEquity, equity),
    dayStart: day > context.dayStart.day ? { day, equity } : context.dayStart,
    weekStart: week > context.weekStart.week ? { week, equity } : context.weekStart,
  };
}

function mark(context: PortfolioContext, event: PortfolioEvent): Next {
  if (event.type !== 'MARK') return step(context);
  const marks = { ...context.marks };
  for (const [symbol, price] of Object.entries(event.prices)) marks[symbol] = fromNumber(price);
  const { unbooked } = context;
  const fresh = Object.entries(unbooked).filter(([, since]) => context.at - since < UNBOOKED_MS);
  const marked = { ...context, marks, unbooked: Object.fromEntries(fresh) };
  // Between a profit in the wallet and its position's word any price would count it twice: the equity waits.
  const valued = fresh.length > 0 ? marked : revalue(marked);
  const shocks = tellShock(valued);
  const moved = { ...valued, bases: moveBases(valued), swings: learnSwings(valued) };
  return step(
    moved,
    ...tellEquity(moved),
    ...shocks,
    ...tellVolatility(moved, valued.swings),
    ...tellFunding(moved, event.funding),
  );
}

function closePosition(learn: RiskJudge['learn'], context: PortfolioContext, event: PortfolioEvent): Next {
  if (event.type !== 'POSITION_CLOSED') return step(context);
  const desk = withoutReservations(
    {
      ...context,
      exposures: without(context.exposures, event.actor),
      unbooked: without(context.unbooked, keyOfActor(event.actor)),
    },
    deskOf(event.actor),
  );
  const own = Object.entries(desk.reservations).filter(([, { actor }]) => actor !== event.actor);
  const cleared = { ...desk, reservations: Object.fromEntries(own) };
  const { trade } = event;
  if (trade === null) return step(countUp(cleared, 'abandoned'));
  const counted = countUp(countUp(cleared, 'trades'), lt(trade.netPnl, ZERO) ? 'losses' : 'wins');
  const notional = mul(trade.quantity, trade.entryPrice);
  const noted = {
    ...counted,
    lastTrades: bounded(counted.lastTrades, trade, TRADES_KEPT),
    learned: eq(notional, ZERO)
      ? counted.learned
      : learn(
          counted.learned,
          {
            symbol: trade.symbol,
            direction: trade.direction,
            netReturn: toNumber(div(trade.netPnl, notional, 10)),
            openedAt: trade.openedAt,
            closedAt: trade.closedAt,
          },
          counted.limits.learning,
        ),
  };
  const told = tellTrade(context, trade);
  // Others that closed at the same instant are in the wallet already: the last of them tells the equity.
  if (Object.keys(noted.unbooked).length > 0) return step(noted, ...told);
  const valued = revalue(noted);
  return step(valued, ...told, ...tellEquity(valued));
}

function halt(context: PortfolioContext, event: PortfolioEvent): Next {
  if (event.type !== 'OPERATOR_HALT' && event.type !== 'OPERATOR_RESUME') return step(context);
  const operatorHalt = event.type === 'OPERATOR_HALT' ? event.by : null;
  const next = abortEntries(context, { ...context, operatorHalt });
  const word = operatorHalt === null ? 'resumed' : 'halted';
  return {
    context: next.context,
    intents: [...next.intents, notify('warning', `trading ${word} by ${event.by}`)],
  };
}

const base = setup({
  types: {} as {
    context: PortfolioContext;
    events: PortfolioEvent;
    input: PortfolioInput;
    emitted: Emitted;
  },
});

const act = (behave: (context: PortfolioContext, event: PortfolioEvent) => Next) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const next = behave({ ...context, at: timeOf(context, event) }, event);
    enqueue.assign(() => next.context);
    for (const intent of next.intents) enqueue.emit(intent);
  });

const STATES: readonly TradingState[] = ['active', 'reducing', 'halted'];

function createChart({ assess, learn }: RiskJudge) {
  return base
    .extend({
      actions: {
        assess: act((context, event) => assessWith(assess, context, event)),
        confirm: act(confirm),
        expose: act(expose),
        mark: act(mark),
        changeWallet: act(changeWallet),
        closePosition: act((context, event) => closePosition(learn, context, event)),
        release: act((context, event) =>
          event.type === 'RELEASE'
            ? step({ ...context, reservations: without(context.reservations, event.reservation) })
            : step(context),
        ),
        changeBreaker: act(changeBreaker),
        halt: act(halt),
        countForeign: act((context, event) =>
          event.type === 'FOREIGN_CONDITIONALS'
            ? step({ ...context, foreignConditionals: event.count })
            : step(context),
        ),
        configure: act((context, event) => reconfigured(context, 'limits', event)),
        unexpected: act((context, event) => unexpected(PORTFOLIO, context, event)),
      },
      guards: {
        trades: ({ context }, params: { state: TradingState }) => tradingState(context) === params.state,
      },
    })
    .createMachine({
      id: 'portfolio',
      context: ({ input }) => initialPortfolio(input),
      initial: 'active',
      on: {
        ASSESS: { actions: 'assess' },
        CONFIRM: { actions: 'confirm' },
        WALLET_CHANGED: { actions: 'changeWallet' },
        EXPOSURE: { actions: 'expose' },
        FOREIGN_CONDITIONALS: { actions: 'countForeign' },
        POSITION_CLOSED: { actions: 'closePosition' },
        RELEASE: { actions: 'release' },
        MARK: { actions: 'mark' },
        BREAKER_CHANGED: { actions: 'changeBreaker' },
        OPERATOR_HALT: { actions: 'halt' },
        OPERATOR_RESUME: { actions: 'halt' },
        CONFIG: { actions: 'configure' },
        '*': { actions: 'unexpected' },
      },
      states: {
        active: { always: leave('active') },
        reducing: { always: leave('reducing') },
        halted: { always: leave('halted') },
      },
    });
}

/** The chart shows what breakers and operator together make of trading. */
function leave(own: TradingState) {
  return STATES.filter((state) => state !== own).map((state) => ({
    guard: { type: 'trades' as const, params: { state } },
    target: state,
  }));
}

/** Limits that a snapshot of version 1 does not name were not there: it goes on without them. */
const learnedNothing = carry(({ limits }) => ({
  learned: NOTHING_LEARNED,
  limits: { ...UNLIMITED, ...(limits as object) },
}));

/** Version 2 knew no weeks, no moves, and one breaker for all trades. */
const weeksBegin = carry(({ at, equity }) => ({
  weekStart: { week: weekOf(Number(at)), equity: equity as Decimal },
  bases: [],
  tradeBreakers: [...TRADE_BREAKERS],
}));

/** Version 3 did not measure how much is usual, and knew one size for each volatility. */
const swingsBegin = carry(({ limits }) => ({
  swings: {},
  limits: { volatility: UNLIMITED.volatility, ...(limits as object) },
}));

/** Version 5 learnt nothing of the sides of a symbol, left stops to the strategies, and counted none. */
const sidesApart = carry(({ learned, limits }) => ({
  learned: { ...(learned as object), sides: {} },
  limits: { ...UNLIMITED, ...(limits as object) },
}));

/** Version 7 let any number of entries through a half-open breaker, and did not know since when a profit is unbooked. */
const trialsBegin = ({ unbooked, at }: { readonly [key: string]: Json }) => ({
  unbooked: Object.fromEntries(Object.keys(unbooked ?? {}).map((place) => [place, at])),
});

export const createPortfolioMachine = (risk: RiskJudge): MachineDefinition => ({
  type: 'portfolio',
  version: 8,
  machine: createChart(risk),
  // Version 4 named no cause when trading as a whole is not active.
  migrations: {
    1: learnedNothing,
    2: weeksBegin,
    3: swingsBegin,
    4: carry(() => ({})),
    5: sidesApart,
    // Version 6 moved peak and starts by the amount, and told nobody of it.
    6: carry(() => ({})),
    7: carry(trialsBegin),
  },
});
