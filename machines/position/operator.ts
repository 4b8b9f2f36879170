/**
 * What a person asks of a position: to close a part of it, to move its stop, to close it. Each word is answered
 * with a notification: what is done, or why not; the newest stand in the context.
 *
 * Invariants: no word ever opens or increases; the stop is loosened beyond the risk that was approved, or against
 * the trailing stop, only where the person says so in so many words; a stop is never put where it would trigger
 * at once.
 */
import {
  add,
  type Decimal,
  decimal,
  div,
  eq,
  floorTo,
  gt,
  gte,
  lt,
  max,
  min,
  mul,
  sub,
  ZERO,
} from '../../src/core/decimal.ts';
import type { Json } from '../../src/core/json.ts';
import { bounded, notify, type Step, step } from '../step.ts';
import type { PositionContext } from './context.ts';
import { closeBy } from './exit-rules/decide.ts';
import { averagePrice } from './ledger.ts';
import { pending, place } from './orders.ts';
import { tightened } from './prices.ts';
import { protect } from './protection.ts';
import type { Answer, MoveStop, OperatorClose, OperatorWord, PartialClose } from './words.ts';

const ANSWERS_KEPT = 8;
const REQUESTS = { PARTIAL_CLOSE: 'partial-close', MOVE_STOP: 'move-stop', OPERATOR_CLOSE: 'close' } as const;

const by = (word: OperatorWord): string => word.by ?? 'operator';

/** Remembers the answer and says it; whoever asked finds it in the row that consumed the word. */
function answer(
  context: PositionContext,
  word: OperatorWord,
  accepted: boolean,
  what: string,
  numbers: { readonly [name: string]: Json } = {},
): Step<PositionContext> {
  const request = REQUESTS[word.type];
  const said: Answer = { at: context.at, by: by(word), request, accepted, reason: what };
  return step(
    { ...context, answers: bounded(context.answers, said, ANSWERS_KEPT) },
    notify(
      accepted ? 'info' : 'warning',
      `${context.actor}: ${request} by ${by(word)} ${accepted ? 'accepted' : 'refused'}: ${what}`,
      { ...said, ...numbers },
    ),
  );
}

export const refuseWord = (
  context: PositionContext,
  word: OperatorWord,
  why: string,
): Step<PositionContext> => answer(context, word, false, why);

export function operatorClose(context: PositionContext, word: OperatorClose): Step<PositionContext> {
  if (context.closeReason !== null || context.emergency !== null)
    return refuseWord(context, word, `it closes already: ${context.emergency ?? context.closeReason}`);
  return closeAllOf(context, word, `${context.quantity} to be closed at market`);
}

function closeAllOf(context: PositionContext, word: OperatorWord, what: string): Step<PositionContext> {
  const told = answer(context, word, true, what);
  const closed = closeBy(told.context, {
    rule: 'operator',
    act: 'close',
    reason: 'operator',
    numbers: { by: by(word) },
  });
  return step(closed.context, ...told.intents, ...closed.intents);
}

/** A positive decimal, or nothing: what a person types may be anything. */
function positive(value: unknown): Decimal | undefined {
  try {
    const parsed = typeof value === 'string' ? decimal(value) : undefined;
    return parsed !== undefined && gt(parsed, ZERO) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

type Sized = { readonly quantity: Decimal } | { readonly all: string } | { readonly refusal: string };

/** In lots, rounded down; what would leave less than can ever be traded is all of it. */
function sizeOf(context: PositionContext, word: PartialClose): Sized {
  const { quantity: open, filters } = context;
  const { share, quantity } = word;
  if ((share === undefined) === (quantity === undefined))
    return { refusal: 'say either a share in percent or a quantity' };
  const given = positive(share ?? quantity);
  if (given === undefined) return { refusal: `${share ?? quantity} is no positive number` };
  const asked = share === undefined ? given : div(mul(open, given), '100');
  if (gt(asked, open)) return { refusal: `that is ${asked}, and ${open} is open` };
  if (eq(asked, open)) return { all: 'that is all of it' };
  const lots = floorTo(asked, filters.stepSize);
  if (lt(lots, max(filters.minQuantity, filters.stepSize)))
    return {
      refusal: `${asked} is less than the smallest order (${max(filters.minQuantity, filters.stepSize)})`,
    };
  if (gt(lots, filters.marketMaxQuantity))
    return { refusal: `one market order takes ${filters.marketMaxQuantity} at most; ask for it in parts` };
  const rest = sub(open, lots);
  return lt(rest, filters.minQuantity)
    ? { all: `the ${rest} left would be less than the smallest order (${filters.minQuantity})` }
    : { quantity: lots };
}

/** At market, reduce-only; stop and planned parts shrink with the fill. */
export function partialClose(context: PositionContext, word: PartialClose): Step<PositionContext> {
  const underway = pending(context, 'reduce', 'exit').find(
    ({ role, status }) => role === 'reduce' || status === 'submitted' || status === 'unknown',
  );
  // Two would take out too much.
  if (underway) return refuseWord(context, word, `${underway.ref} is still on its way (${underway.status})`);
  const sized = sizeOf(context, word);
  if ('refusal' in sized) return refuseWord(context, word, sized.refusal);
  if ('all' in sized) return closeAllOf(context, word, `all ${context.quantity} to be closed: ${sized.all}`);
  const { quantity } = sized;
  const placed = place(context, 'reduce', quantity, 'operator-partial');
  const left = sub(context.quantity, quantity);
  const told = answer(
    placed.context,
    word,
    true,
    `${quantity} of ${context.quantity} to be closed at market`,
    {
      quantity,
      open: context.quantity,
      left,
    },
  );
  return { context: told.context, intents: [...placed.intents, ...told.intents] };
}

/** The loosest stop at which no more is lost than was approved; after an add the approved loss is for more lots. */
export function riskLimitPrice(context: PositionContext): Decimal {
  const { direction, entry, initialStopPrice, quantity } = context;
  const long = direction === 'long';
  if (!gt(quantity, entry.quantity)) return initialStopPrice;
  const perUnit = long
    ? sub(entry.referencePrice, entry.stopPrice)
    : sub(entry.stopPrice, entry.referencePrice);
  const room = div(mul(max(perUnit, ZERO), entry.quantity), quantity);
  const average = averagePrice(context);
  return long ? max(initialStopPrice, sub(average, room)) : min(initialStopPrice, add(average, room));
}

const looser = (context: PositionContext, price: Decimal, than: Decimal): boolean =>
  context.direction === 'long' ? lt(price, than) : gt(price, than);

export function moveStop(context: PositionContext, word: MoveStop): Step<PositionContext> {
  const asked = positive(word.price);
  if (asked === undefined) return refuseWord(context, word, `${word.price} is no price`);
  const price = tightened(context.direction, asked, context.filters.tickSize);
  const refusal = stopRefusal(context, word, price);
  if (refusal !== undefined) return refuseWord(context, word, refusal);
  const trailed = context.armed && looser(context, price, context.stopPrice);
  const moved = protect({
    ...context,
    stopPrice: price,
    stopReason: 'operator-stop',
    // The trail would pull it back at the next price.
    ...(trailed ? { armed: false, plan: { ...context.plan, trailing: null } } : {}),
  });
  const what =
    `the stop goes from ${context.stopPrice} to ${price}` +
    (eq(price, asked) ? '' : `, the next tick to ${asked}`) +
    (trailed ? '; the trailing stop is off from now on' : '');
  const told = answer(moved.context, word, true, what, { from: context.stopPrice, to: price });
  return { context: told.context, intents: [...moved.intents, ...told.intents] };
}

function stopRefusal(context: PositionContext, word: MoveStop, price: Decimal): string | undefined {
  const { mark } = word;
  if (eq(price, context.stopPrice)) return `it is at ${price} already`;
  if (mark === undefined || !(mark > 0)) return 'the mark price is not known now; try again';
  const behind = context.direction === 'long' ? gte(price, String(mark)) : gte(String(mark), price);
  if (behind)
    return `the mark price ${mark} is beyond ${price} already: it would trigger at once; close it instead`;
  if (word.loosen === true || !looser(context, price, context.stopPrice)) return undefined;
  const limit = riskLimitPrice(context);
  if (looser(context, price, limit))
    return `${price} risks more than was approved (${limit} at the loosest); say that it shall be loosened to have it all the same`;
  return context.armed
    ? `the trailing stop holds ${context.stopPrice}; say that it shall be loosened to switch the trailing stop off`
    : undefined;
}
