/**
 * The guardian's own proof that what is open at the venue is protected there, and what it does where it is not:
 * asks for a reading, then asks the owner, then places a stop itself, and closes only what no stop will hold.
 *
 * Invariants: it acts on fresh readings of the venue alone (never on its own belief, never twice on one), and
 * each step needs a reading newer than the step before; all its orders only reduce; an order of its own that
 * fills is told to the owner; what it left at the venue is called back once nothing is open there.
 */
import { add, ceilTo, type Decimal, floorTo, lt, max, min, mul, sub } from '../../src/core/decimal.ts';
import { type Emitted, VENUE } from '../../src/domain/events.ts';
import { keyOf, namedSide, type PositionKey } from '../../src/domain/position-key.ts';
import type { GuardAnswer, Protection, SymbolProtection } from '../messages.ts';
import { bounded, notify, type Step, send, step } from '../step.ts';
import { type Gap, type GuardBook, withGap } from './book.ts';
import { callBack, mayPlace, submit } from './orders.ts';

const COVERED_KEPT = 20;
const LOOK = 'look';
/** Between two steps: time for the owner's order, or ours, to show in a reading. */
const NEXT_LOOK_MS = 5_000;
/** Where nobody knows the stop: as wide as an adopted position's. */
const DEFAULT_STOP_SHARE: Decimal = '0.05';

/** A full reading: each held symbol, covered or not. */
export function read<C extends GuardBook>(book: C, event: Protection): Step<C> {
  if (book.lastReadAt !== null && event.readAt <= book.lastReadAt) return step(book);
  const open = event.symbols.filter((one) => lt(one.protected, one.quantity));
  const shows = (gap: Gap) => open.some((one) => keyOf(one) === keyOf(gap) && one.owner === gap.owner);
  const ended = book.gaps.filter((gap) => !shows(gap));
  let next: C = seen({ ...book, lastReadAt: event.readAt, gaps: book.gaps.filter(shows) });
  const intents: Emitted[] = [];
  const run = (result: Step<C>): void => {
    next = result.context;
    intents.push(...result.intents);
  };
  for (const gap of ended) run(endGap(next, gap));
  const held = new Set(event.symbols.map(keyOf));
  for (const place of next.orders.map(keyOf)) if (!held.has(place)) run(callBack(next, place));
  for (const one of open) run(face(next, one));
  run(lookAgain(book.gaps.length > 0, next));
  return { context: next, intents };
}

const seen = <C extends GuardBook>(book: C): C => ({
  ...book,
  orders: book.orders.map((order) =>
    order.status === 'live' ? { ...order, readings: order.readings + 1 } : order,
  ),
});

/** While a gap stands the guardian asks for the next reading itself. */
function lookAgain<C extends GuardBook>(before: boolean, book: C): Step<C> {
  if (book.gaps.length === 0) return before ? step(book, { type: 'timer.clear', id: LOOK }) : step(book);
  const waits = book.gaps.map((gap) =>
    gap.stage === 'seen' ? Math.max(gap.since + book.boundMs - book.at, 0) : NEXT_LOOK_MS,
  );
  return step(book, {
    type: 'timer.set',
    id: LOOK,
    kind: 'named',
    delayMs: Math.min(...waits),
    event: { type: 'LOOK' },
  });
}

/** The timer between two steps. The next is set here too, as the reading may never come. */
export function look<C extends GuardBook>(book: C): Step<C> {
  if (book.gaps.length === 0) return step(book);
  const symbols = book.gaps.map(keyOf).join(', ');
  return step(
    book,
    send(VENUE, { type: 'RECONCILE', why: `guardian: ${symbols} unprotected at the last reading` }),
    { type: 'timer.set', id: LOOK, kind: 'named', delayMs: NEXT_LOOK_MS, event: { type: 'LOOK' } },
  );
}

function endGap<C extends GuardBook>(book: C, gap: Gap): Step<C> {
  const ms = Math.max(0, book.at - gap.since);
  const { owner, since, stage } = gap;
  const place = keyOf(gap);
  const next = {
    ...book,
    longestGapMs: Math.max(book.longestGapMs, ms),
    covered: bounded(
      book.covered,
      { symbol: gap.symbol, ...namedSide(place), owner, since, ms, stage },
      COVERED_KEPT,
    ),
  };
  // One reading in the moment between a fill and its stop is no news.
  return stage === 'seen'
    ? step(next)
    : step(next, notify('info', `guardian: ${place} is protected or flat again after ${ms} ms`));
}

/** One uncovered symbol, as the newest reading shows it. */
function face<C extends GuardBook>(book: C, one: SymbolProtection): Step<C> {
  const known = book.gaps.find((gap) => keyOf(gap) === keyOf(one));
  const gap: Gap = {
    symbol: one.symbol,
    ...namedSide(keyOf(one)),
    owner: one.owner,
    direction: one.direction,
    quantity: one.quantity,
    protected: one.protected,
    since: known?.since ?? book.at,
    readings: (known?.readings ?? 0) + 1,
    stage: known?.stage ?? 'seen',
    stopPrice: known?.stopPrice ?? null,
    refused: known?.refused ?? 0,
  };
  const noted = withGap({ ...book, gapsSeen: book.gapsSeen + (known ? 0 : 1) }, gap);
  if (gap.stage === 'seen') return book.at - gap.since < book.boundMs ? step(noted) : askOwner(noted, gap);
  if (!mayPlace(noted, keyOf(gap))) return step(noted);
  const stopPrice = stopFor(gap, one);
  return gap.refused > 0 || gap.stage === 'closing' || stopPrice === null
    ? closeIt(noted, gap, one.marketMaxQuantity)
    : placeStop(noted, gap, stopPrice);
}

function askOwner<C extends GuardBook>(book: C, gap: Gap): Step<C> {
  const { symbol, owner, quantity } = gap;
  const ageMs = book.at - gap.since;
  return step(
    withGap(book, { ...gap, stage: 'asked' }),
    send(owner, { type: 'GUARD_STOP', symbol, quantity, protected: gap.protected }),
    notify(
      'warning',
      `guardian: ${keyOf(gap)} has ${gap.protected} of ${quantity} protected for ${ageMs} ms; ${owner} asked`,
    ),
  );
}

/** The owner's own price, else a default behind the worse of entry and mark; null without a tick to put it on. */
function stopFor(gap: Gap, one: SymbolProtection): Decimal | null {
  if (gap.stopPrice !== null) return gap.stopPrice;
  const { tickSize, entryPrice } = one;
  if (tickSize === undefined) return null;
  const mark = one.markPrice ?? entryPrice;
  if (gap.direction === 'long') {
    const from = min(entryPrice, mark);
    return max(tickSize, floorTo(sub(from, mul(from, DEFAULT_STOP_SHARE)), tickSize));
  }
  const from = max(entryPrice, mark);
  return ceilTo(add(from, mul(from, DEFAULT_STOP_SHARE)), tickSize);
}

function placeStop<C extends GuardBook>(book: C, gap: Gap, triggerPrice: Decimal): Step<C> {
  const missing = sub(gap.quantity, gap.protected);
  const placed = submit(book, gap, 'stop', missing, {
    type: 'STOP_MARKET',
    triggerPrice,
    workingType: 'MARK_PRICE',
  });
  const text = `guardian: ${gap.owner} did not protect ${keyOf(gap)}; a stop of ${missing} at ${triggerPrice} is placed`;
  return { context: placed.context, intents: [...placed.intents, notify('critical', text)] };
}

/** What is too much for one order goes in several: the next reading shows what is left. */
function closeIt<C extends GuardBook>(book: C, gap: Gap, most: Decimal = gap.quantity): Step<C> {
  const quantity = min(gap.quantity, most);
  const placed = submit(book, gap, 'close', quantity, { type: 'MARKET' });
  const text = `guardian: no stop can be had for ${keyOf(gap)}; ${quantity} of ${gap.quantity} closed at market`;
  return { context: placed.context, intents: [...placed.intents, notify('critical', text)] };
}

/** The owner's life is over, and with it what there was to guard. */
export function ownerOver<C extends GuardBook>(book: C, place: PositionKey): Step<C> {
  const gap = book.gaps.find((one) => keyOf(one) === place);
  const rest = { ...book, gaps: book.gaps.filter((one) => one !== gap) };
  const ended = gap ? endGap(rest, gap) : step(rest);
  const called = callBack(ended.context, place);
  const again = lookAgain(book.gaps.length > 0, called.context);
  return { context: again.context, intents: [...ended.intents, ...called.intents, ...again.intents] };
}

export function answered<C extends GuardBook>(book: C, event: GuardAnswer): Step<C> {
  const gaps = book.gaps.map((gap) =>
    gap.owner === event.actor ? { ...gap, stopPrice: event.stopPrice } : gap,
  );
  return step({ ...book, gaps });
}
