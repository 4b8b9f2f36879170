/**
 * What stands at the venue that nobody here opened: reported, adopted, closed or left alone.
 *
 * Invariants: while a foreign position stands on a symbol, nothing is opened there (in one-way mode it would
 * net with ours, and no stop would have the right size; in hedge mode so on its side, and the other is free),
 * whatever the policy; people are told once for each change; what closes it can open nothing.
 */

import { entryDeskOf } from '../../machines/messages.ts';
import { counted } from '../core/amounts.ts';
import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import { PORTFOLIO, VENUE } from '../domain/events.ts';
import type { SymbolName } from '../domain/instrument.ts';
import { type Direction, orderTerms } from '../domain/order.ts';
import {
  keyOf,
  keyOfActor,
  keysIn,
  type PositionKey,
  positionSideOf,
  symbolOf,
} from '../domain/position-key.ts';
import { changeForeign, changeHolding, foreignOf, holderOf } from './books.ts';
import {
  call,
  closingMatter,
  finding,
  notify,
  send,
  settled,
  type Work,
  wantReport,
} from './executor-state.ts';
import type { Foreign } from './executor-types.ts';
import { submit } from './order-life.ts';

const SOURCE = 'foreign';
const directionOf = (amount: Decimal): Direction => (D.sign(amount) > 0 ? 'long' : 'short');
const matterOf = (place: PositionKey): string => `foreign:${place}`;

/** After each reading: the policy for every symbol that has something foreign on it. */
export function reviewForeign(work: Work): void {
  for (const place of keysIn(work.state.foreign)) {
    const foreign = foreignOf(work, place);
    if (D.isZero(foreign.amount) && foreign.orders.length === 0) forget(work, place, foreign);
    else review(work, place, foreign);
  }
}

/** An account may hold only so many conditional orders: risk must know of those that are not ours. */
export function tellForeignConditionals(work: Work): void {
  const { state } = work;
  const orders = Object.values(state.foreign).flatMap((foreign) => foreign.orders);
  const count = orders.filter(({ book }) => book === 'algo').length;
  if (count === (state.foreignConditionals ?? 0)) return;
  state.foreignConditionals = count;
  send(work, PORTFOLIO, { type: 'FOREIGN_CONDITIONALS', count });
}

function forget(work: Work, place: PositionKey, foreign: Foreign): void {
  block(work, place, foreign, null);
  settled(work, matterOf(place));
  settled(work, closingMatter(place));
  delete work.state.foreign[place];
}

function review(work: Work, place: PositionKey, foreign: Foreign): void {
  const { foreign: policy } = work.settings;
  const isIgnored = foreign.ignored || policy === 'ignore';
  if (!isIgnored) finding(work, matterOf(place), describe(place, foreign));
  if (policy === 'close' && !foreign.ignored) close(work, place, foreign);
  if (policy === 'adopt' && !foreign.ignored && offer(work, place, foreign, 'policy')) return;
  const why = D.isZero(foreign.amount)
    ? 'orders stand at the venue that nobody here placed'
    : `${foreign.amount} at the venue that nobody here opened`;
  block(work, place, foreign, isIgnored && D.isZero(foreign.amount) ? null : why);
}

function describe(place: PositionKey, { amount, entryPrice, orders }: Foreign): string {
  const parts: string[] = [];
  if (!D.isZero(amount)) parts.push(`a ${directionOf(amount)} position of ${D.abs(amount)} at ${entryPrice}`);
  if (orders.length > 0) parts.push(counted(orders.length, 'open order'));
  return `${place}: the venue shows ${parts.join(' and ')} that nobody here made; adopt, close or ignore it`;
}

function block(work: Work, place: PositionKey, foreign: Foreign, why: string | null): void {
  if (foreign.blocked === (why !== null) || !work.settings.symbols.has(symbolOf(place))) return;
  foreign.blocked = why !== null;
  const desk = entryDeskOf(place);
  if (why === null) send(work, desk, { type: 'UNBLOCK', source: SOURCE });
  else send(work, desk, { type: 'BLOCK', source: SOURCE, reason: why });
}

/** True while the desk has not had its time to answer. */
function offer(work: Work, place: PositionKey, foreign: Foreign, by: string): boolean {
  const symbol = symbolOf(place);
  const { amount, entryPrice, markPrice, offered } = foreign;
  const isTaken = holderOf(work, place) !== undefined || !work.settings.symbols.has(symbol);
  if (D.isZero(amount) || isTaken || offered === amount) return false;
  foreign.offered = amount;
  block(work, place, foreign, null);
  send(work, entryDeskOf(place), {
    type: 'ADOPT',
    symbol,
    direction: directionOf(amount),
    quantity: D.abs(amount),
    entryPrice,
    // Told or not: zero is none.
    ...(D.isZero(markPrice) ? {} : { markPrice }),
    by,
  });
  return true;
}

/** One closing order at a time, of no more than the venue takes in one; and the orders that are not ours. */
function close(work: Work, place: PositionKey, foreign: Foreign): void {
  const { state } = work;
  const symbol = symbolOf(place);
  for (const { book, orderId, clientOrderId } of foreign.orders)
    call(work, { call: 'cancel', symbol, book, clientOrderId, orderId });
  const isUnderway = Object.values(state.orders).some(
    ({ order }) => order.owner === VENUE && keyOf(order) === place,
  );
  if (D.isZero(foreign.amount) || isUnderway) return;
  const { amount } = foreign;
  const quantity = D.abs(amount);
  const { side, positionSide, reduceOnly } = orderTerms('close', directionOf(amount), positionSideOf(place));
  const id = `bhx-${state.nextCall}-${state.at.toString(36)}`;
  submit(work, {
    ref: id,
    clientOrderId: id,
    owner: VENUE,
    symbol,
    side,
    positionSide,
    type: 'MARKET',
    quantity: D.min(quantity, work.settings.marketMaxQuantities[symbol] ?? quantity),
    reduceOnly,
  });
}

type Decided = { readonly symbol: SymbolName; readonly by: string };

/** A person names a symbol: in hedge mode that is whatever is foreign on either side of it. */
const foreignOn = (work: Work, symbol: SymbolName): readonly PositionKey[] =>
  keysIn(work.state.foreign).filter((place) => symbolOf(place) === symbol);

export function adoptForeign(work: Work, { symbol, by }: Decided): void {
  let offered = false;
  for (const place of foreignOn(work, symbol)) {
    const foreign = foreignOf(work, place);
    foreign.offered = null;
    offered = offer(work, place, foreign, by) || offered;
  }
  if (!offered)
    notify(work, 'warning', `${symbol}: there is nothing to adopt, or a position of ours stands in its way`);
}

export function ignoreForeign(work: Work, { symbol, by }: Decided): void {
  for (const place of foreignOn(work, symbol)) {
    const foreign = foreignOf(work, place);
    foreign.ignored = true;
    settled(work, matterOf(place));
    notify(
      work,
      'info',
      `${place}: what nobody here opened is left alone, as ${by} said; nothing is opened there`,
    );
    review(work, place, foreign);
  }
}

export function closeForeign(work: Work, { symbol, by }: Decided): void {
  for (const place of foreignOn(work, symbol)) {
    notify(work, 'warning', `${place}: what nobody here opened is closed, as ${by} said`);
    close(work, place, foreignOf(work, place));
    wantReport(work, `closing what is foreign on ${place}`, work.settings.quietMs);
  }
}

interface HoldWord {
  readonly owner: ActorId;
  readonly symbol: SymbolName;
  readonly direction: Direction;
  readonly quantity: Decimal;
  readonly entryPrice?: Decimal;
}

/** What was nobody's is the owner's from now on. */
export function hold(work: Work, { owner, symbol, direction, quantity, entryPrice }: HoldWord): void {
  const signed = direction === 'long' ? quantity : D.neg(quantity);
  const place = keyOf({ symbol, positionSide: positionSideOf(keyOfActor(owner)) });
  const foreign = foreignOf(work, place);
  const price = entryPrice ?? foreign.entryPrice;
  // What has gone meanwhile cannot be taken over: a reading will show that the owner holds less.
  const isThere = D.sign(foreign.amount) === D.sign(signed);
  const part = D.lte(D.abs(signed), D.abs(foreign.amount)) ? signed : foreign.amount;
  if (isThere) changeForeign(work, place, D.neg(part), price);
  changeHolding(work, place, owner, signed, price, work.state.venueAt);
  if (D.isZero(foreign.amount) && foreign.orders.length === 0) forget(work, place, foreign);
  wantReport(work, `${owner} was adopted`);
}
