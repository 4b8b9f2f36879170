/** The rest of a position's behaviour: its beginning, its end, and what it tells the others. */
import { add, type Decimal, div, gt, max, min, mul, sub, sum, ZERO } from '../../src/core/decimal.ts';
import type { Json } from '../../src/core/json.ts';
import type { Emitted } from '../../src/domain/events.ts';
import { GUARDIAN, PORTFOLIO } from '../../src/domain/events.ts';
import { keyOfActor, namedSide } from '../../src/domain/position-key.ts';
import type { SizedEntry } from '../../src/domain/risk.ts';
import { deskOf, guardianBlock, type Trade } from '../messages.ts';
import { chain, notify, type Step, send, step } from '../step.ts';
import type { OrderRecord, PositionContext } from './context.ts';
import { askToReconcile, averagePrice, isFlat } from './ledger.ts';
import { nextAddAfter } from './levels.ts';
import {
  cancelAll,
  closingCovers,
  isOpening,
  isOver,
  marketQuantity,
  pending,
  place,
  remaining,
} from './orders.ts';
import { placeAnotherStop, protect } from './protection.ts';
import { rest, scalePlan, withdrawExits } from './targets.ts';
import { addQuantity, afterAsking } from './watch.ts';

type Next = Step<PositionContext>;

const PRICE_PLACES = 12;

/** What the portfolio must count: what is open, and opening orders at their worst case. */
export function exposure(context: PositionContext): Emitted {
  const opening = pending(context, 'entry', 'add');
  const price = highestPrice(context);
  const worstCase = opening.reduce(
    (total, order) => add(total, mul(remaining(order), price)),
    context.openNotional,
  );
  const gone = pending(context, 'exit', 'reduce', 'close', 'emergency').filter(
    ({ status }) => status === 'unknown',
  );
  const leaving = min(sum(gone.map(remaining)), context.quantity);
  return send(PORTFOLIO, {
    type: 'EXPOSURE',
    actor: context.actor,
    symbol: context.symbol,
    direction: context.direction,
    notional: worstCase,
    quantity: context.quantity,
    entryPrice: averagePrice(context),
    unknown: opening.some((order) => order.status === 'unknown'),
    ...(gt(leaving, ZERO) ? { leaving } : {}),
  });
}

/** A long adds above its entry. */
const highestPrice = ({ entry, bestPrice }: PositionContext): Decimal =>
  bestPrice === null ? entry.referencePrice : max(entry.referencePrice, bestPrice);

/** Tells the portfolio when what it must count has changed. */
export function tellExposure(before: PositionContext, after: PositionContext): readonly Emitted[] {
  const [old, now] = [exposure(before), exposure(after)];
  return JSON.stringify(old) === JSON.stringify(now) ? [] : [now];
}

export const setLeverage = (context: PositionContext): Next =>
  // What is open already keeps the leverage it has.
  context.adoptedBy !== null
    ? step(context)
    : step(context, { type: 'leverage.set', symbol: context.symbol, leverage: context.entry.leverage });

export const askToConfirm = (context: PositionContext): Next =>
  step(context, send(PORTFOLIO, { type: 'CONFIRM', actor: context.actor, symbol: context.symbol }));

export function submitEntry(context: PositionContext): Next {
  const placed = place(context, 'entry', context.entry.quantity, context.entry.reason);
  return { context: placed.context, intents: [...placed.intents, exposure(placed.context)] };
}

/** The first fill: protection in the same row, then everyone who waits for it. */
export function openPosition(context: PositionContext): Next {
  const { timeStopMs } = context.plan;
  const opened = protect({ ...context, watching: true });
  const told = send(deskOf(context.actor), { type: 'POSITION_OPENED', actor: context.actor });
  const timeStop: readonly Emitted[] =
    timeStopMs === null
      ? []
      : [
          {
            type: 'timer.set',
            id: 'time-stop',
            kind: 'named',
            delayMs: timeStopMs,
            event: { type: 'TIME_STOP' },
          },
        ];
  return { context: opened.context, intents: [...opened.intents, told, ...timeStop] };
}

/** The entry (or an add) is over: a new plan for what is open now. */
export function makePlan(context: PositionContext): Next {
  const last = context.lots.at(-1);
  const from = last ? div(last.notional, last.quantity, PRICE_PLACES) : averagePrice(context);
  return rest({ ...context, scaleParts: scalePlan(context), nextAddPrice: nextAddAfter(context, from) });
}

/** Once an add is over: what it filled makes a new plan; one that filled nothing only waits for its next step. */
export function afterAdd(context: PositionContext): Next {
  if (pending(context, 'add').length > 0) return step(context);
  const added = context.orders.findLast((order) => order.role === 'add');
  return added && gt(added.filled, ZERO) ? makePlan(context) : step(afterAsking(context));
}

export const cancelEntry = (context: PositionContext): Next =>
  cancelAll(context, pending(context, 'entry', 'add'));

export function submitAdd(context: PositionContext, approved: SizedEntry, reservation: string): Next {
  const quantity = addQuantity(context, approved.quantity, approved.referencePrice);
  const release = send(PORTFOLIO, { type: 'RELEASE', reservation });
  if (quantity === null) return step(afterAsking(context), release);
  const placed = place({ ...context, asking: false, adds: context.adds + 1 }, 'add', quantity, 'pyramid');
  return { context: placed.context, intents: [...placed.intents, exposure(placed.context), release] };
}

/** No longer held by its band: stops stay at the venue, everything that could open is called back. */
export const beginClose = (context: PositionContext): Next =>
  chain(
    { ...context, watching: false, scaleParts: [], nextAddPrice: null, asking: false },
    (next) =>
      next.plan.timeStopMs === null ? step(next) : step(next, { type: 'timer.clear', id: 'time-stop' }),
    cancelEntry,
    withdrawExits,
  );

/** At this many refusals in a row somebody else must look; the retries go on. */
const HANDOVER_AT = 5;

/** So many closing orders without an end at once; each is reduce-only, but a silent venue must not grow the row. */
const MAX_OUTSTANDING = 4;
const CRY_EVERY_MS = 60_000;

/** Every closing order there may be is out, and none has an outcome: only evidence helps now. */
function awaitEvidence(context: PositionContext): Next {
  const why = `${MAX_OUTSTANDING} closing orders without an outcome; ${context.quantity} still open`;
  if (context.criedAt !== null && context.at - context.criedAt < CRY_EVERY_MS)
    return step(context, askToReconcile(context, why));
  return step(
    { ...context, criedAt: context.at },
    askToReconcile(context, why),
    notify('critical', `${context.actor}: ${why}`),
  );
}

/** Beside orders of which nobody knows anything: whatever has become of them, another one can only reduce. */
function follows({ context, intents }: Next): Next {
  const closing = pending(context, 'close', 'emergency');
  const unknown = closing.filter(({ status }) => status === 'unknown').map(({ ref }) => ref);
  const placed = closing.at(-1)?.ref;
  if (unknown.length === 0 || placed === undefined) return { context, intents };
  const why = `nothing is known of ${unknown.join(', ')}: ${placed} follows, which can only reduce`;
  return { context, intents: [...intents, notify('warning', `${context.actor}: ${why}`)] };
}

export function closeAll(context: PositionContext, role: 'close' | 'emergency'): Next {
  if (isFlat(context)) return step(context);
  if (pending(context, 'close', 'emergency').length >= MAX_OUTSTANDING) return awaitEvidence(context);
  const reason = context.emergency ?? context.closeReason ?? 'close';
  const placed = follows(place(context, role, marketQuantity(context, context.quantity), reason));
  if (context.closeRejections !== HANDOVER_AT) return placed;
  const why = `${HANDOVER_AT} closing orders in a row came to nothing`;
  return {
    context: placed.context,
    intents: [
      ...placed.intents,
      send(GUARDIAN, { type: 'HANDOVER', actor: context.actor, symbol: context.symbol, reason: why }),
      notify('critical', `${context.actor}: ${why}; still trying`),
    ],
  };
}

/** Closes only what no closing order on its way closes already, and not what the venue has just said is nothing. */
export const closeRest = (context: PositionContext, role: 'close' | 'emergency'): Next =>
  closingCovers(context, context.quantity) || context.nothingToReduce > 0
    ? step(context)
    : closeAll(context, role);

/** A stop that something needs, or may: what is open, or what an order without its end may still open. */
const isNeeded = (context: PositionContext, order: OrderRecord): boolean =>
  order.role === 'stop' && (!isFlat(context) || pending(context, 'entry', 'add').length > 0);

/** Flat: every order that could still act on this symbol goes; what only rests to reduce, the venue takes away. */
export const tidy = (context: PositionContext): Next =>
  cancelAll(
    context,
    context.orders.filter(
      (order) =>
        !isOver(order) &&
        ((order.role === 'stop' && !order.whole) || isOpening(order)) &&
        order.status !== 'submitted' &&
        !isNeeded(context, order),
    ),
  );

/** Cancels anything at all that is left, market orders included. */
export const tidyHard = (context: PositionContext): Next =>
  cancelAll(
    context,
    context.orders.filter((order) => !isOver(order) && order.role !== 'venue' && !isNeeded(context, order)),
  );

export const leftovers = (context: PositionContext): boolean =>
  context.orders.some((order) => !isOver(order) && order.role !== 'venue');

export const everFilled = (context: PositionContext): boolean => gt(context.enteredQuantity, ZERO);

/** Why it ended: the exit that took the last of it out. */
const endReason = (context: PositionContext): string =>
  context.exits.at(-1)?.reason ?? context.broken ?? context.closeReason ?? context.emergency ?? 'closed';

export function tradeOf(context: PositionContext): Trade | null {
  if (!everFilled(context)) return null;
  const exitPrice = gt(context.exitedQuantity, ZERO)
    ? div(context.exitedNotional, context.exitedQuantity, PRICE_PLACES)
    : ZERO;
  return {
    symbol: context.symbol,
    direction: context.direction,
    quantity: context.enteredQuantity,
    entryPrice: div(context.enteredNotional, context.enteredQuantity, PRICE_PLACES),
    exitPrice,
    grossPnl: context.grossPnl,
    fees: context.fees,
    funding: context.funding,
    netPnl: add(sub(context.grossPnl, context.fees), context.funding),
    reason: endReason(context),
    openedAt: context.firstFillAt ?? context.at,
    closedAt: context.at,
    life: context.life,
  };
}

/** It was there before its actor: everybody who counts it hears of it in its first row. */
export const takeOver = (context: PositionContext): Next =>
  step(
    context,
    exposure(context),
    notify(
      'info',
      `${context.actor}: adopted ${context.direction} ${context.quantity} at ${averagePrice(context)} by ${context.adoptedBy}`,
    ),
  );

/** The guardian misses protection at the venue itself; whatever the books say, one more stop cannot hurt. */
export function guardStop(context: PositionContext, place: boolean): Next {
  const answer = send(GUARDIAN, {
    type: 'GUARD_ANSWER',
    actor: context.actor,
    symbol: context.symbol,
    stopPrice: context.stopPrice,
  });
  return chain<PositionContext>(
    { ...context, guarded: true },
    (next) => (place ? placeAnotherStop(next) : step(next)),
    (next) => step(next, answer),
  );
}

/** The last word: desk and portfolio hear it, and nothing of this life is left behind. */
export function finish(context: PositionContext): Next {
  const ended = end(context);
  if (!context.guarded) return ended;
  const side = namedSide(keyOfActor(context.actor));
  const over = send(GUARDIAN, { type: 'GUARD_OVER', symbol: context.symbol, ...side });
  return { context: ended.context, intents: [...ended.intents, over] };
}

function end(context: PositionContext): Next {
  const trade = tradeOf(context);
  const closed = {
    type: 'POSITION_CLOSED',
    actor: context.actor,
    trade: trade as Json,
    reason: trade?.reason ?? context.closeReason ?? 'never filled',
  };
  return step({ ...context, watching: false }, send(PORTFOLIO, closed), send(deskOf(context.actor), closed));
}

/** The desk is blocked in this very row, before it hears of the end: no cool-down can run out in between. */
export function fail(context: PositionContext): Next {
  const finished = end(context);
  const reason = context.broken ?? 'failed';
  return {
    context: finished.context,
    intents: [
      send(deskOf(context.actor), { type: 'BLOCK', source: guardianBlock(context.actor), reason }),
      send(GUARDIAN, { type: 'HANDOVER', actor: context.actor, symbol: context.symbol, reason }),
      notify('critical', `${context.actor}: failed: ${reason}`),
      ...finished.intents,
    ],
  };
}
