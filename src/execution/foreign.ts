/**
 * What stands at the venue that nobody here opened: reported, adopted, closed or left alone.
 *
 * Invariants: while a foreign position stands on a symbol, nothing is opened there (in one-way mode it would
 * net with ours, and no stop would have the right size), whatever the policy; people are told once for each
 * change; what is closed is closed reduce-only.
 */

import { entryDeskOf } from '../../machines/messages.ts';
import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import { PORTFOLIO, VENUE } from '../domain/events.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { Direction } from '../domain/order.ts';
import { changeForeign, changeHolding, foreignOf, holderOf } from './books.ts';
import { call, finding, notify, send, settled, type Work, wantReport } from './executor-state.ts';
import type { Foreign } from './executor-types.ts';
import { submit } from './order-life.ts';

const SOURCE = 'foreign';
const directionOf = (amount: Decimal): Direction => (D.sign(amount) > 0 ? 'long' : 'short');
const matterOf = (symbol: SymbolName): string => `foreign:${symbol}`;

/** After each reading: the policy for every symbol that has something foreign on it. */
export function reviewForeign(work: Work): void {
  for (const [symbol, foreign] of Object.entries(work.state.foreign)) {
    if (D.isZero(foreign.amount) && foreign.orders.length === 0) forget(work, symbol, foreign);
    else review(work, symbol, foreign);
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

function forget(work: Work, symbol: SymbolName, foreign: Foreign): void {
  block(work, symbol, foreign, null);
  settled(work, matterOf(symbol));
  delete work.state.foreign[symbol];
}

function review(work: Work, symbol: SymbolName, foreign: Foreign): void {
  const { foreign: policy } = work.settings;
  const isIgnored = foreign.ignored || policy === 'ignore';
  if (!isIgnored) finding(work, matterOf(symbol), describe(symbol, foreign));
  if (policy === 'close' && !foreign.ignored) close(work, symbol, foreign);
  if (policy === 'adopt' && !foreign.ignored && offer(work, symbol, foreign, 'policy')) return;
  const why = D.isZero(foreign.amount)
    ? 'orders stand at the venue that nobody here placed'
    : `${foreign.amount} at the venue that nobody here opened`;
  block(work, symbol, foreign, isIgnored && D.isZero(foreign.amount) ? null : why);
}

function describe(symbol: SymbolName, { amount, entryPrice, orders }: Foreign): string {
  const parts: string[] = [];
  if (!D.isZero(amount)) parts.push(`a ${directionOf(amount)} position of ${D.abs(amount)} at ${entryPrice}`);
  if (orders.length > 0) parts.push(`${orders.length} open order${orders.length === 1 ? '' : 's'}`);
  return `${symbol}: the venue shows ${parts.join(' and ')} that nobody here made; adopt, close or ignore it`;
}

function block(work: Work, symbol: SymbolName, foreign: Foreign, why: string | null): void {
  if (foreign.blocked === (why !== null) || !work.settings.symbols.has(symbol)) return;
  foreign.blocked = why !== null;
  const desk = entryDeskOf(symbol);
  if (why === null) send(work, desk, { type: 'UNBLOCK', source: SOURCE });
  else send(work, desk, { type: 'BLOCK', source: SOURCE, reason: why });
}

/** True while the desk has not had its time to answer. */
function offer(work: Work, symbol: SymbolName, foreign: Foreign, by: string): boolean {
  const { amount, entryPrice, markPrice, offered } = foreign;
  const isTaken = holderOf(work, symbol) !== undefined || !work.settings.symbols.has(symbol);
  if (D.isZero(amount) || isTaken || offered === amount) return false;
  foreign.offered = amount;
  block(work, symbol, foreign, null);
  send(work, entryDeskOf(symbol), {
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

/** One reduce-only order at a time, and the orders that are not ours. */
function close(work: Work, symbol: SymbolName, foreign: Foreign): void {
  const { state } = work;
  for (const { book, orderId, clientOrderId } of foreign.orders)
    call(work, { call: 'cancel', symbol, book, clientOrderId, orderId });
  const isUnderway = Object.values(state.orders).some(
    ({ order }) => order.owner === VENUE && order.symbol === symbol,
  );
  if (D.isZero(foreign.amount) || isUnderway) return;
  const id = `bhx-${state.nextCall}-${state.at.toString(36)}`;
  submit(work, {
    ref: id,
    clientOrderId: id,
    owner: VENUE,
    symbol,
    side: D.sign(foreign.amount) > 0 ? 'SELL' : 'BUY',
    positionSide: 'BOTH',
    type: 'MARKET',
    quantity: D.abs(foreign.amount),
    reduceOnly: true,
  });
}

type Decided = { readonly symbol: SymbolName; readonly by: string };

export function adoptForeign(work: Work, { symbol, by }: Decided): void {
  const foreign = work.state.foreign[symbol];
  if (foreign) foreign.offered = null;
  if (!foreign || !offer(work, symbol, foreign, by))
    notify(work, 'warning', `${symbol}: there is nothing to adopt, or a position of ours stands in its way`);
}

export function ignoreForeign(work: Work, { symbol, by }: Decided): void {
  const foreign = work.state.foreign[symbol];
  if (!foreign) return;
  foreign.ignored = true;
  settled(work, matterOf(symbol));
  notify(
    work,
    'info',
    `${symbol}: what nobody here opened is left alone, as ${by} said; nothing is opened there`,
  );
  review(work, symbol, foreign);
}

export function closeForeign(work: Work, { symbol, by }: Decided): void {
  const foreign = work.state.foreign[symbol];
  if (!foreign) return;
  notify(work, 'warning', `${symbol}: what nobody here opened is closed, as ${by} said`);
  close(work, symbol, foreign);
  wantReport(work, `closing what is foreign on ${symbol}`, work.settings.quietMs);
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
  const foreign = foreignOf(work, symbol);
  const price = entryPrice ?? foreign.entryPrice;
  // What has gone meanwhile cannot be taken over: a reading will show that the owner holds less.
  const isThere = D.sign(foreign.amount) === D.sign(signed);
  const part = D.lte(D.abs(signed), D.abs(foreign.amount)) ? signed : foreign.amount;
  if (isThere) changeForeign(work, symbol, D.neg(part), price);
  changeHolding(work, symbol, owner, signed, price, work.state.venueAt);
  if (D.isZero(foreign.amount) && foreign.orders.length === 0) forget(work, symbol, foreign);
  wantReport(work, `${owner} was adopted`);
}
